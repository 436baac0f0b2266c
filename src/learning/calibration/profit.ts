import { orderOf, rowsOf, type Vector } from '../metrics/vectors.ts';

/** What contacting a customer is worth, in any unit of money, the same for all. */
export interface ContactEconomics {
  /** What a customer who would leave is worth if he stays: one for all, or one per row. */
  readonly value: number | Vector;
  /** Share of contacted leavers who stay because of it, 0 to 1. */
  readonly saveRate: number;
  /** What it costs to contact anyone, leaver or not. */
  readonly contactCost: number;
}

export interface ThresholdChoice {
  /** Contact whoever is at or above it; null when contacting nobody is best. */
  readonly threshold: number | null;
  /** Over the rows given: saved value of the contacted leavers less the cost of all contacts. */
  readonly profit: number;
  readonly contacted: number;
  /** Leavers among them. */
  readonly reached: number;
  /** The same if everybody were contacted; nobody is 0. */
  readonly profitOfAll: number;
}

/**
 * The threshold with the highest profit on rows whose outcome is known: for each contacted leaver value × save rate, less the cost of every
 * contact (Verbeke et al., New insights into churn prediction, 2012). Of equal ones the highest, which contacts the fewest.
 * Choose on one set of rows and state the profit on another: on its own rows it flatters.
 * @param labels 1 for who left
 */
export function chooseThreshold(labels: Vector, probabilities: Vector, economics: ContactEconomics): ThresholdChoice {
  const rows = rowsOf(labels, probabilities);
  const { value, saveRate, contactCost } = economics;
  if (!(saveRate >= 0 && saveRate <= 1)) throw new RangeError(`A save rate lies in [0, 1], and ${saveRate} does not.`);
  if (!(contactCost >= 0)) throw new RangeError(`A contact cannot cost ${contactCost}.`);
  if (typeof value !== 'number') rowsOf(labels, value);
  const order = orderOf(probabilities);
  let best: Omit<ThresholdChoice, 'profitOfAll'> = { threshold: null, profit: 0, contacted: 0, reached: 0 };
  let profit = 0;
  let reached = 0;
  for (let at = rows - 1; at >= 0; at--) {
    const row = order[at]!;
    if (Number.isNaN(probabilities[row]!)) throw new RangeError(`The probability of row ${row} is NaN.`);
    profit -= contactCost;
    if (labels[row] === 1) {
      profit += saveRate * (typeof value === 'number' ? value : value[row]!);
      reached++;
    }
    // Equal probabilities are on the same side of any threshold.
    const next = at === 0 ? null : probabilities[order[at - 1]!]!;
    if (next !== probabilities[row] && profit > best.profit) {
      best = { threshold: probabilities[row]!, profit, contacted: rows - at, reached };
    }
  }
  return { ...best, profitOfAll: profit };
}

/** The probability above which a contact pays for a customer worth `value`: cost / (save rate × value); null when it never does. */
export function breakEvenProbability(value: number, saveRate: number, contactCost: number): number | null {
  const gain = saveRate * value;
  return gain > 0 && contactCost <= gain ? contactCost / gain : null;
}
