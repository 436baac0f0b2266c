export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;

/** The day the demo's clock begins; what is generated ends the instant before, so that a seed gives the same demo for ever. */
export const DEMO_STARTS_AT_MS = Date.UTC(2026, 0, 1);

/** The stretch that is generated, half-open. Days are counted from its first. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
  readonly days: number;
  readonly months: number;
}

/** The given number of calendar months (UTC) before the demo's clock begins. */
export function stretchOf(months: number): Stretch {
  const fromMs = monthsLater(DEMO_STARTS_AT_MS, -months);
  return { fromMs, toMs: DEMO_STARTS_AT_MS, days: (DEMO_STARTS_AT_MS - fromMs) / DAY_MS, months };
}

/** The same day and time of another month, or the last day of a month that is too short for it. */
export function monthsLater(atMs: number, months: number): number {
  const at = new Date(atMs);
  const first = Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + months, 1);
  const next = new Date(first);
  const lastDay = new Date(Date.UTC(next.getUTCFullYear(), next.getUTCMonth() + 1, 0)).getUTCDate();
  return first + (Math.min(at.getUTCDate(), lastDay) - 1) * DAY_MS + (atMs % DAY_MS);
}

export const iso = (atMs: number): string => new Date(atMs).toISOString();
