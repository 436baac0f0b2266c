import { DateTime } from 'luxon';
import type { CapPeriod } from './domain/rules.ts';

/** Half-open: `start` belongs to it, `end` does not. */
export interface CalendarPeriod {
  readonly start: Date;
  readonly end: Date;
}

const UNITS = { DAY: 'day', WEEK: 'week', MONTH: 'month', QUARTER: 'quarter', YEAR: 'year' } as const;

/** The periods asked for last, one of each length: most awards are of today, and calendars are slow. */
const known = new Map<CapPeriod, CalendarPeriod & { readonly timeZone: string }>();

/** The calendar period of a time zone that an instant lies in. Weeks begin on Monday. */
export function calendarPeriod(at: Date, per: CapPeriod, timeZone: string): CalendarPeriod {
  const last = known.get(per);
  if (last !== undefined && last.timeZone === timeZone && at >= last.start && at < last.end) return last;
  const start = DateTime.fromJSDate(at, { zone: timeZone }).startOf(UNITS[per]);
  // Begun anew: a day can begin at one o'clock, when the clocks are put forward at midnight.
  const end = start.plus({ [UNITS[per]]: 1 }).startOf(UNITS[per]);
  const period = { start: start.toJSDate(), end: end.toJSDate(), timeZone };
  known.set(per, period);
  return period;
}
