import type { ChangeKind } from './lifecycle.ts';

/** Customers by their first and last change within a month. */
export interface MonthlyMoves {
  /** First day, `YYYY-MM-01`. */
  readonly month: string;
  readonly first: ChangeKind;
  readonly last: ChangeKind;
  readonly customers: number;
}

/** A month of comings and goings: start + new + reactivated − churned = end. */
export interface MonthlyChurn {
  readonly month: string;
  /** Active when it began. */
  readonly start: number;
  readonly new: number;
  /** Active when it began and gone when it ended. */
  readonly churned: number;
  readonly reactivated: number;
  /** Came and went within the month: in none of the other counts, on purpose. */
  readonly joinedAndLeft: number;
  readonly end: number;
  /** churned / start; null when nobody was there to leave. */
  readonly rate: number | null;
}

/**
 * Logo churn by month.
 * @param months first days of the months wanted, in order
 * @param activeBefore customers active when the first month began
 */
export function monthlyChurn(
  months: readonly string[],
  moves: readonly MonthlyMoves[],
  activeBefore: number,
): MonthlyChurn[] {
  let start = activeBefore;
  return months.map((month) => {
    const counts = { new: 0, churned: 0, reactivated: 0, joinedAndLeft: 0 };
    for (const move of moves) {
      if (move.month !== month) continue;
      if (move.first === 'NEW') counts[move.last === 'CHURNED' ? 'joinedAndLeft' : 'new'] += move.customers;
      else if (move.first === 'CHURNED' && move.last === 'CHURNED') counts.churned += move.customers;
      else if (move.first === 'REACTIVATED' && move.last === 'REACTIVATED') counts.reactivated += move.customers;
    }
    const end = start + counts.new + counts.reactivated - counts.churned;
    const result = { month, start, ...counts, end, rate: start === 0 ? null : counts.churned / start };
    start = end;
    return result;
  });
}
