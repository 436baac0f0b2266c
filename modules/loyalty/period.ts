import { DateTime } from 'luxon';
import type { CapPeriod } from './domain/rules.ts';

/** Half-open: `start` belongs to it, `end` does not. */
export interface CalendarPeriod {
  readonly start: Date;
  readonly end: Date;
}

const UNITS = { DAY: 'day', WEEK: 'week', MONTH: 'month', QUARTER: 'quarter', YEAR: 'year' } as const;

/** The calendar period of a time zone that an instant lies in. Weeks begin on Monday. */
export function calendarPeriod(at: Date, per: CapPeriod, timeZone: string): CalendarPeriod {
  const start = DateTime.fromJSDate(at, { zone: timeZone }).startOf(UNITS[per]);
  return { start: start.toJSDate(), end: start.plus({ [UNITS[per]]: 1 }).toJSDate() };
}
