import { ratio } from './revenue.ts';

/** A customer's doings in one period, summed over a cohort. Periods are counted in whole weeks, months or quarters. */
export interface CohortSum {
  readonly cohort: number;
  readonly period: number;
  readonly customers: number;
  readonly amountMinor: number;
}

export interface CohortFacts {
  /** Customers of each cohort; cohorts that are not there are empty. */
  readonly sizes: ReadonlyMap<number, number>;
  readonly sums: readonly CohortSum[];
}

/** What a cell says. `sums` are what happened in a period, or what changed in it since before (`CUMULATIVE`). */
export type CellRule =
  /** Customers and amounts of the period itself. */
  | 'OF_PERIOD'
  /** Running totals: who and what is there when the period ends. */
  | 'CUMULATIVE'
  /** The cohort less the running total: who has not gone when the period ends. */
  | 'REMAINING';

export interface CohortCell {
  /** Periods since the cohort's own. */
  readonly age: number;
  /** Whether the period is over. */
  readonly complete: boolean;
  readonly customers: number;
  /** Of the cohort, or of its first amount; null without any. */
  readonly share: number | null;
  readonly amountMinor: number;
}

export interface CohortRow {
  readonly cohort: number;
  readonly size: number;
  /** By age from 0; null for what lies in the future. */
  readonly cells: readonly (CohortCell | null)[];
}

/** Of an age, over all cohorts that have reached it. */
export interface CohortMean {
  readonly age: number;
  readonly cohorts: number;
  readonly customers: number;
  readonly amountMinor: number;
  /** Sum over sum, so that each cohort weighs as much as it has customers (or first amounts). */
  readonly share: number | null;
}

export interface CohortMatrix {
  readonly rows: readonly CohortRow[];
  readonly mean: readonly CohortMean[];
}

/** Ten years of months; later ages are left out, so that a matrix has a bound. */
export const AGES_MAX = 120;

interface Totals {
  customers: number;
  amountMinor: number;
}

/**
 * The matrix of the cohorts `from` to `now`, oldest first.
 * @param now the running period
 * @param shareOf what a share is a share of: the customers of the cohort, or its amount at age 0
 */
export function cohortMatrix(
  range: { readonly from: number; readonly to: number; readonly now: number },
  facts: CohortFacts,
  rule: CellRule,
  shareOf: 'CUSTOMERS' | 'AMOUNT',
): CohortMatrix {
  const { from, to, now } = range;
  const byCell = new Map<string, Totals>();
  for (const { cohort, period, customers, amountMinor } of facts.sums) {
    // What happened before the cohort's own period belongs to its beginning.
    const key = `${cohort} ${Math.max(period, cohort)}`;
    const cell = byCell.get(key) ?? { customers: 0, amountMinor: 0 };
    byCell.set(key, { customers: cell.customers + customers, amountMinor: cell.amountMinor + amountMinor });
  }
  const ages = Math.min(Math.max(0, now - from + 1), AGES_MAX);
  const rows: CohortRow[] = [];
  for (let cohort = from; cohort <= to; cohort += 1) {
    const size = facts.sizes.get(cohort) ?? 0;
    const running: Totals = { customers: 0, amountMinor: 0 };
    let firstMinor = 0;
    const cells = Array.from({ length: ages }, (_, age): CohortCell | null => {
      const period = cohort + age;
      if (period > now) return null;
      const own = byCell.get(`${cohort} ${period}`) ?? { customers: 0, amountMinor: 0 };
      running.customers += own.customers;
      running.amountMinor += own.amountMinor;
      const { customers, amountMinor } = rule === 'OF_PERIOD' ? own : running;
      if (age === 0) firstMinor = amountMinor;
      const count = rule === 'REMAINING' ? size - customers : customers;
      const share = shareOf === 'CUSTOMERS' ? ratio(count, size) : ratio(amountMinor, firstMinor);
      return { age, complete: period < now, customers: count, share, amountMinor };
    });
    rows.push({ cohort, size, cells });
  }
  return { rows, mean: weightedMean(ages, rows, shareOf) };
}

function weightedMean(ages: number, rows: readonly CohortRow[], shareOf: 'CUSTOMERS' | 'AMOUNT'): CohortMean[] {
  return Array.from({ length: ages }, (_, age) => {
    const mean = { cohorts: 0, customers: 0, amountMinor: 0 };
    let whole = 0;
    for (const { size, cells } of rows) {
      const cell = cells[age];
      if (cell === null || cell === undefined) continue;
      mean.cohorts += 1;
      mean.customers += cell.customers;
      mean.amountMinor += cell.amountMinor;
      whole += shareOf === 'CUSTOMERS' ? size : (cells[0]?.amountMinor ?? 0);
    }
    const part = shareOf === 'CUSTOMERS' ? mean.customers : mean.amountMinor;
    return { age, ...mean, share: ratio(part, whole) };
  });
}
