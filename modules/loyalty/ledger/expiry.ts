import { DateTime } from 'luxon';

/** How long points last: so many months, or for ever. */
export interface Expiry {
  readonly months: number | null;
  readonly at: 'END_OF_DAY' | 'END_OF_MONTH';
}

/** Instants of one calendar day, which all lapse together. */
interface Known {
  readonly expiry: Expiry;
  readonly timeZone: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly expiresAt: Date;
}

/** The day asked for last: most awards are of today, and calendars are slow. */
let known: Known | undefined;

/**
 * The first instant at which points are gone. So many calendar months later is the same day of the month, or the last one
 * when the month is shorter (29 February and twelve months: 28 February); the whole of that day, or month, still counts.
 * @returns null when points last for ever
 */
export function expiresAt(earnedAt: Date, expiry: Expiry, timeZone: string): Date | null {
  if (expiry.months === null) return null;
  const ms = earnedAt.getTime();
  const same = known?.expiry === expiry && known.timeZone === timeZone;
  if (known === undefined || !same || ms < known.fromMs || ms >= known.toMs) known = reckon(earnedAt, expiry, timeZone);
  return known.expiresAt;
}

function reckon(earnedAt: Date, expiry: Expiry, timeZone: string): Known {
  const day = DateTime.fromJSDate(earnedAt, { zone: timeZone }).startOf('day');
  const last = day.plus({ months: expiry.months ?? 0 });
  // Begun anew: a day can begin at one o'clock, when the clocks are put forward at midnight.
  const end =
    expiry.at === 'END_OF_DAY'
      ? last.plus({ days: 1 }).startOf('day')
      : last.startOf('month').plus({ months: 1 }).startOf('month');
  return {
    expiry,
    timeZone,
    fromMs: day.toMillis(),
    toMs: day.plus({ days: 1 }).startOf('day').toMillis(),
    expiresAt: end.toJSDate(),
  };
}
