import { DomainError } from '../../../src/core/errors.ts';
import { pearson, rocAuc } from '../../../src/learning/metrics/index.ts';
import { FEATURES } from './catalogue.ts';

/** A column a model is to learn from. */
export interface LearntColumn {
  readonly name: string;
  /** How it is reckoned, when the caller says; then it has to be the expression of the catalogue. */
  readonly expression?: string;
  /** One value a row; NaN where it is not known. */
  readonly values: ArrayLike<number>;
}

export type LeakKind =
  | 'NOT_IN_CATALOGUE'
  | 'OTHER_EXPRESSION'
  | 'SEPARATES_LABEL'
  | 'CORRELATES_WITH_LABEL'
  | 'MISSING_BY_LABEL';

/** A column that knows what it cannot know. */
export interface Leak {
  readonly column: string;
  readonly kind: LeakKind;
  /** The measure that gave it away: an AUC or a correlation; null for a name. */
  readonly measure: number | null;
  readonly message: string;
}

/**
 * Above these a single column says more of the future than any behaviour does: the best single features of real churn data
 * reach an AUC of 0.75 to 0.85.
 */
export const LEAK_LIMITS = { auc: 0.98, correlation: 0.98 } as const;

/** Fewer rows of a class separate by chance. */
const CLASS_MIN = 20;

/** Features that would let a model see its answer. */
export class FeatureLeak extends DomainError {
  readonly leaks: readonly Leak[];
  constructor(leaks: readonly Leak[]) {
    super('VALUE_FEATURE_LEAK', `The features know the label: ${leaks.map(({ message }) => message).join(' ')}`);
    this.leaks = leaks;
  }
}

/**
 * Looks for columns that cannot be honest features: names or expressions that are not of the catalogue, and columns that
 * separate (AUC, two-valued label) or follow (correlation) the label implausibly well, by value or by being missing.
 * @param label one value a row, 0 and 1 or an amount
 */
export function findLeaks(columns: readonly LearntColumn[], label: ArrayLike<number>): Leak[] {
  return columns.flatMap((column) => [...nameLeaks(column), ...valueLeaks(column, label)].slice(0, 1));
}

/** @throws FeatureLeak when there is any leak: no model may be trained on such columns */
export function refuseLeaks(columns: readonly LearntColumn[], label: ArrayLike<number>): void {
  const leaks = findLeaks(columns, label);
  if (leaks.length > 0) throw new FeatureLeak(leaks);
}

function nameLeaks({ name, expression }: LearntColumn): Leak[] {
  const known = FEATURES.find((feature) => feature.name === name);
  if (known === undefined) {
    const message = `"${name}" is not of the catalogue of features.`;
    return [{ column: name, kind: 'NOT_IN_CATALOGUE', measure: null, message }];
  }
  if (expression === undefined || expression === known.expression) return [];
  const message = `"${name}" is reckoned in another way than the catalogue says.`;
  return [{ column: name, kind: 'OTHER_EXPRESSION', measure: null, message }];
}

function valueLeaks({ name, values }: LearntColumn, label: ArrayLike<number>): Leak[] {
  const labels = Array.from(label);
  const numbers = Array.from(values);
  if (numbers.length !== labels.length) {
    throw new RangeError(`The column "${name}" has ${numbers.length} rows and the label ${labels.length}.`);
  }
  const present = numbers.flatMap((value, row) => (Number.isNaN(value) ? [] : [row]));
  const gaps = measure(
    labels,
    numbers.map((value) => (Number.isNaN(value) ? 1 : 0)),
  );
  if (gaps !== null && gaps.value >= gaps.limit) {
    const message = `"${name}" is missing just where the label says so (${gaps.name} ${gaps.value.toFixed(3)}).`;
    return [{ column: name, kind: 'MISSING_BY_LABEL', measure: gaps.value, message }];
  }
  const found = measure(
    present.map((row) => labels[row] as number),
    present.map((row) => numbers[row] as number),
  );
  if (found === null || found.value < found.limit) return [];
  const kind = found.name === 'AUC' ? 'SEPARATES_LABEL' : 'CORRELATES_WITH_LABEL';
  return [
    {
      column: name,
      kind,
      measure: found.value,
      message: `"${name}" gives the label away (${found.name} ${found.value.toFixed(3)}).`,
    },
  ];
}

/** How well a column tells the label, whichever way round; null when there is too little to tell. */
function measure(labels: readonly number[], values: readonly number[]) {
  if (labels.every((label) => label === 0 || label === 1)) {
    const positives = labels.filter((label) => label === 1).length;
    if (Math.min(positives, labels.length - positives) < CLASS_MIN) return null;
    const auc = rocAuc(labels, values);
    return auc === null ? null : { name: 'AUC', value: Math.max(auc, 1 - auc), limit: LEAK_LIMITS.auc };
  }
  if (labels.length < 2 * CLASS_MIN) return null;
  const correlation = pearson(labels, values);
  return correlation === null
    ? null
    : { name: 'correlation', value: Math.abs(correlation), limit: LEAK_LIMITS.correlation };
}
