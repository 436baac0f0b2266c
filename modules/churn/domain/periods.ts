export type CohortGrain = 'WEEK' | 'MONTH' | 'QUARTER';

/** Days from 1970-01-01, a Thursday, to the first Monday. */
const FIRST_MONDAY = 4;
const DAY_MS = 86_400_000;

/** A calendar day of the business. */
export interface Day {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
}

/** The number of the period a day lies in: weeks since Monday 1970-01-05, months and quarters since the year 0. */
export function periodOf(grain: CohortGrain, { year, month, day }: Day): number {
  if (grain === 'MONTH') return year * 12 + month - 1;
  if (grain === 'QUARTER') return year * 4 + Math.floor((month - 1) / 3);
  return Math.floor((Date.UTC(year, month - 1, day) / DAY_MS - FIRST_MONDAY) / 7);
}

/** Its first day, `YYYY-MM-DD`. */
export function firstDayOf(grain: CohortGrain, period: number): string {
  if (grain === 'WEEK') return new Date((period * 7 + FIRST_MONDAY) * DAY_MS).toISOString().slice(0, 10);
  const months = grain === 'MONTH' ? period : period * 3;
  const year = Math.floor(months / 12);
  return `${String(year).padStart(4, '0')}-${String(months - year * 12 + 1).padStart(2, '0')}-01`;
}
