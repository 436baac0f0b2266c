/**
 * Customers by their comings and goings within a month. Comings and goings of a customer alternate, so their difference
 * says all that a month's counts need: where it was before and after.
 */
export interface MonthlyMoves {
  /** First day, `YYYY-MM-01`. */
  readonly month: string;
  /** Whether they came for the first time. */
  readonly isNew: boolean;
  /** Comings less goings: 1, 0 or -1. */
  readonly net: number;
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
      if (move.isNew) counts[move.net === 0 ? 'joinedAndLeft' : 'new'] += move.customers;
      else if (move.net < 0) counts.churned += move.customers;
      else if (move.net > 0) counts.reactivated += move.customers;
    }
    const end = start + counts.new + counts.reactivated - counts.churned;
    const result = { month, start, ...counts, end, rate: start === 0 ? null : counts.churned / start };
    start = end;
    return result;
  });
}
