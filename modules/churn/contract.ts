import type { MonthlyChurn } from './domain/rate.ts';

export type { MonthlyChurn } from './domain/rate.ts';
export * from './events.ts';
export * from './prediction/contract.ts';
export { INACTIVITY } from './settings.ts';

/** What `churn` answers to other modules now. */
export interface ChurnPort {
  /**
   * Logo churn of the calendar months (business time zone) that begin in a half-open range of days; months that have not
   * begun are left out, the running one is counted so far.
   * @param fromDay `YYYY-MM-DD`
   */
  monthly(fromDay: string, toDay: string): Promise<readonly MonthlyChurn[]>;
  /** The last of these months that is over and ends within the days; null when there is none. */
  lastMonth(fromDay: string, toDay: string): Promise<MonthlyChurn | null>;
  /** Those of the customers who have left by then and are not back by then. */
  goneAt(customerIds: readonly string[], at: Date): Promise<Set<string>>;
}
