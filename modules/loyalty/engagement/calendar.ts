import { DateTime } from 'luxon';
import type { CalendarDay } from './domain/anniversaries.ts';

/** Periods of a streak, in the customer's time zone. Weeks begin on Monday. */
export const STREAK_PERIODS = ['DAY', 'WEEK', 'MONTH'] as const;

export type StreakPeriod = (typeof STREAK_PERIODS)[number];

const DAY_MS = 86_400_000;
/** 1970-01-01 was a Thursday: week 0 began three days before. */
const DAYS_BEFORE_EPOCH = 3;
const DAYS_OF_WEEK = 7;
const MONTHS = 12;

/** Number of a day of the calendar, whatever the time zone: days since 1970-01-01. */
const dayNumber = ({ year, month, day }: CalendarDay): number => Date.UTC(year, month - 1, day) / DAY_MS;

/** The number of the period that an instant lies in; successive periods have successive numbers. */
export function periodNumber(at: Date, per: StreakPeriod, timeZone: string): number {
  const local = DateTime.fromJSDate(at, { zone: timeZone });
  if (per === 'MONTH') return local.year * MONTHS + local.month - 1;
  const day = dayNumber(local);
  return per === 'DAY' ? day : Math.floor((day + DAYS_BEFORE_EPOCH) / DAYS_OF_WEEK);
}

/** The first instant of a period. */
export function periodStart(number: number, per: StreakPeriod, timeZone: string): Date {
  if (per === 'MONTH') {
    const year = Math.floor(number / MONTHS);
    return startOfDay({ year, month: number - year * MONTHS + 1, day: 1 }, timeZone);
  }
  const day = per === 'DAY' ? number : number * DAYS_OF_WEEK - DAYS_BEFORE_EPOCH;
  const { year, month, day: dayOfMonth } = DateTime.fromMillis(day * DAY_MS, { zone: 'utc' });
  return startOfDay({ year, month, day: dayOfMonth }, timeZone);
}

/** The first instant of a day; where clocks go forward at midnight it is not 00:00. */
export function startOfDay(day: CalendarDay, timeZone: string): Date {
  const { year, month, day: dayOfMonth } = day;
  // Noon exists everywhere.
  return DateTime.fromObject({ year, month, day: dayOfMonth, hour: 12 }, { zone: timeZone }).startOf('day').toJSDate();
}

/** The day that follows. */
export function nextDay({ year, month, day }: CalendarDay): CalendarDay {
  return dayOf(new Date(Date.UTC(year, month - 1, day) + DAY_MS), 'utc');
}

/** The day it is. */
export function dayOf(at: Date, timeZone: string): CalendarDay {
  const { year, month, day } = DateTime.fromJSDate(at, { zone: timeZone });
  return { year, month, day };
}

const BOARD_UNITS = { WEEK: 'week', MONTH: 'month' } as const;

/** When the week or month that an instant lies in began; ever began in 1970. */
export function leaderboardStart(at: Date, period: keyof typeof BOARD_UNITS | 'ALL', timeZone: string): Date {
  if (period === 'ALL') return new Date(0);
  return DateTime.fromJSDate(at, { zone: timeZone }).startOf(BOARD_UNITS[period]).toJSDate();
}
