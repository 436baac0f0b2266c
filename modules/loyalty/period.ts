import { DateTime } from 'luxon';
import type { CapPeriod } from './domain/rules.ts';

/** Half-open: `start` belongs to it, `end` does not. */
export interface CalendarPeriod {
  readonly start: Date;
  readonly end: Date;
}

/** What has no end ends here: the last millisecond that every JSON reader can read. */
const NEVER = new Date('9999-12-31T23:59:59.999Z');

const UNITS = { DAY: 'day', WEEK: 'week', MONTH: 'month', QUARTER: 'quarter', YEAR: 'year' } as const;

/** The periods asked for last, one of each length: most awards are of today, and calendars are slow. */
const known = new Map<CapPeriod, CalendarPeriod & { readonly timeZone: string }>();

/** The calendar period of a time zone that an instant lies in. Weeks begin on Monday. */
export function calendarPeriod(at: Date, per: CapPeriod, timeZone: string): CalendarPeriod {
  if (per === 'LIFETIME') return { start: new Date(0), end: NEVER };
  const last = known.get(per);
  if (last !== undefined && last.timeZone === timeZone && at >= last.start && at < last.end) return last;
  const start = DateTime.fromJSDate(at, { zone: timeZone }).startOf(UNITS[per]);
  // Begun anew: a day can begin at one o'clock, when the clocks are put forward at midnight.
  const end = start.plus({ [UNITS[per]]: 1 }).startOf(UNITS[per]);
  const period = { start: start.toJSDate(), end: end.toJSDate(), timeZone };
  known.set(per, period);
  return period;
}

/** The number of the calendar month of a time zone that an instant lies in: months since January of the year 0. */
export function monthNumber(at: Date, timeZone: string): number {
  const { year, month } = DateTime.fromJSDate(at, { zone: timeZone });
  return year * 12 + month - 1;
}

/** The same time of day so many calendar days later; days on which the clocks change have 23 or 25 hours. */
export function daysLater(at: Date, days: number, timeZone: string): Date {
  return DateTime.fromJSDate(at, { zone: timeZone }).plus({ days }).toJSDate();
}
