/** What a sentence needs to know of a feature. */
export interface ExplainedFeature {
  readonly name: string;
  readonly kind: 'COUNT' | 'MONEY' | 'DAYS' | 'SHARE' | 'RATIO';
  readonly unit: string;
  readonly description: string;
}

/** How much a feature moved a prediction: its exact Shapley value, in log-odds before calibration. */
export interface Contribution {
  readonly feature: string;
  readonly contribution: number;
  /** The customer's value; null where it is unknown. */
  readonly value: number | null;
}

/** Reasons kept of each prediction. */
export const REASONS = 5;

/** Formats by their most digits behind the point: making one takes longer than using it a hundred times. */
const FORMATS = [0, 1, 2].map((digits) => new Intl.NumberFormat('en-GB', { maximumFractionDigits: digits }));

const number = (value: number, digits: 0 | 1 | 2): string => (FORMATS[digits] as Intl.NumberFormat).format(value);

/** A customer's value of a feature for people, with its unit. */
export function valueText(feature: ExplainedFeature, value: number | null, currency: string): string {
  if (value === null) return 'not known';
  switch (feature.kind) {
    case 'COUNT':
      return number(value, 0);
    case 'DAYS':
      return `${number(value, 1)} ${number(value, 1) === '1' ? 'day' : 'days'}`;
    case 'MONEY':
      return `${number(value, 2)} ${currency}`;
    case 'SHARE':
      return `${number(value * 100, 1)} %`;
    case 'RATIO':
      return feature.unit === 'ratio' ? number(value, 2) : `${number(value, 1)} ${feature.unit}`;
  }
}

/** A reason in plain words: what the feature is, the customer's value, and in which direction it speaks. */
export function sentenceOf(feature: ExplainedFeature, reason: Contribution, currency: string): string {
  // What follows a colon or semicolon explains the measure, which a sentence about one customer need not.
  const what = (feature.description.split(/[:;]/)[0] as string).replace(/\.$/, '');
  const direction = reason.contribution > 0 ? 'raises' : 'lowers';
  return `${what}: ${valueText(feature, reason.value, currency)}, which ${direction} the probability of leaving.`;
}

/** Columns of a row with the largest contributions by size, largest first; those of no weight are left out. */
export function topColumns(contributions: ArrayLike<number>, from: number, columns: number, most = REASONS): number[] {
  const size = (column: number) => Math.abs(contributions[from + column] as number);
  const top: number[] = [];
  for (let column = 0; column < columns; column++) {
    const own = size(column);
    if (own === 0 || (top.length === most && own <= size(top[most - 1] as number))) continue;
    let place = top.length;
    while (place > 0 && size(top[place - 1] as number) < own) place--;
    top.splice(place, 0, column);
    if (top.length > most) top.pop();
  }
  return top;
}
