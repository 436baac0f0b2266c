import { DateTime } from 'luxon';
import { InvalidInput } from '../../src/core/errors.ts';

/** Days from one to another, half-open. */
export interface Days {
  readonly from: string;
  readonly to: string;
}

/** The calendar months of a report, and as many before them. */
export interface ReportMonths {
  readonly timeZone: string;
  /** The whole months looked at; when none has begun yet, those asked for. */
  readonly period: Days;
  readonly previous: Days;
  /** First days of the months of both periods that have begun, the previous ones first: an even number. */
  readonly labels: readonly string[];
  /** When each of them begins, and when the last one ends. */
  readonly bounds: readonly Date[];
  /** When the previous period begins, when the period does, and when it ends. */
  readonly periodBounds: readonly Date[];
  /** First day of the running month. */
  readonly thisMonth: string;
}

const MAX_MONTHS = 120;
const day = (at: DateTime): string => at.toISODate() as string;

/**
 * The calendar months that begin in or contain the days asked for; those that have not begun are left out.
 * @throws InvalidInput when the period is empty or longer than ten years
 */
export function reportMonths(days: Days, timeZone: string, at: Date): ReportMonths {
  const asked = DateTime.fromISO(days.from, { zone: timeZone });
  const from = asked.startOf('month');
  const end = DateTime.fromISO(days.to, { zone: timeZone });
  const now = DateTime.fromJSDate(at, { zone: timeZone });
  if (!from.isValid || !end.isValid || end <= asked) {
    throw new InvalidInput(`The period from ${days.from} to ${days.to} is empty; "to" is the day after its last day.`, {
      path: ['period', 'to'],
    });
  }
  const length = (last: DateTime) => Math.ceil(last.diff(from, 'months').months);
  const begun = now < from ? 0 : length(DateTime.min(end, now.plus({ milliseconds: 1 })));
  if (begun > MAX_MONTHS) {
    throw new InvalidInput(`The period has ${begun} months; ask for at most ${MAX_MONTHS}.`, { path: ['period'] });
  }
  const months = begun === 0 ? Math.min(length(end), MAX_MONTHS) : begun;
  const starts = Array.from({ length: 2 * begun + 1 }, (_, n) => from.plus({ months: n - begun }));
  const [before, to] = [from.minus({ months }), from.plus({ months })];
  return {
    timeZone,
    period: { from: day(from), to: day(to) },
    previous: { from: day(before), to: day(from) },
    labels: starts.slice(0, -1).map(day),
    bounds: starts.map((start) => start.toJSDate()),
    periodBounds: [before, from, to].map((start) => start.toJSDate()),
    thisMonth: day(now.startOf('month')),
  };
}
