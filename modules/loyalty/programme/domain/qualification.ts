import { higherTier, type Tier, type TierKey, tierOf } from '../../domain/tiers.ts';

/** Which earnings count for the tier. */
export type QualificationWindow =
  | { readonly kind: 'LIFETIME' }
  | { readonly kind: 'ROLLING_MONTHS'; readonly months: number }
  | { readonly kind: 'CALENDAR_YEAR' };

/** Whole calendar months by number (year × 12 + month), half-open. */
export interface MonthRange {
  readonly from: number;
  readonly to: number;
}

const YEAR = 12;

/**
 * The stretches of months in a month's view, the running one first: what was earned in any one of them upholds a tier.
 * Rolling: this month and those before it. Calendar year: this year, and the one before, whose points hold until this
 * year's take their place.
 * @returns null when all that was ever earned counts
 */
export function stretchesOf(window: QualificationWindow, month: number): readonly MonthRange[] | null {
  switch (window.kind) {
    case 'LIFETIME':
      return null;
    case 'ROLLING_MONTHS':
      return [{ from: month - window.months + 1, to: month + 1 }];
    case 'CALENDAR_YEAR': {
      const january = month - (month % YEAR);
      return [
        { from: january, to: january + YEAR },
        { from: january - YEAR, to: january },
      ];
    }
  }
}

/** The tier that sums of stretches give: the best of them. A stretch that came to less than nothing counts as nothing. */
export const placeOf = (tiers: readonly Tier[], sums: readonly number[]): TierKey =>
  sums.map((sum) => tierOf(tiers, Math.max(sum, 0)).key).reduce(higherTier);

/** Sums of stretches with a movement of a month added. */
export const addTo = (
  stretches: readonly MonthRange[],
  sums: readonly number[],
  month: number,
  points: number,
): number[] => sums.map((sum, index) => (isIn(stretches[index], month) ? sum + points : sum));

const isIn = (range: MonthRange | undefined, month: number): boolean =>
  range !== undefined && month >= range.from && month < range.to;

/** What the review knows of an account. */
export interface Reviewed {
  readonly tier: TierKey;
  /** What counts, by stretch. */
  readonly sums: readonly number[];
  /** When the grace period ends that it is in; null when it is in none. */
  readonly downgradeAt: Date | null;
}

/** What the review finds. */
export type Finding =
  /** Nothing to do. */
  | { readonly kind: 'KEEP' }
  /** It was at risk and is no longer. */
  | { readonly kind: 'RELIEVE' }
  | { readonly kind: 'RAISE'; readonly to: TierKey }
  /** It holds more than what counts gives: the grace period begins. */
  | { readonly kind: 'WARN'; readonly to: TierKey; readonly downgradeAt: Date }
  /** It was warned, and the grace period goes on. */
  | { readonly kind: 'WAIT'; readonly to: TierKey; readonly downgradeAt: Date }
  | { readonly kind: 'LOWER'; readonly to: TierKey };

/** Looks at one account. @param graceEnds when a grace period that begins now ends; now itself when there is none */
export function review(account: Reviewed, tiers: readonly Tier[], now: Date, graceEnds: Date): Finding {
  const place = placeOf(tiers, account.sums);
  if (higherTier(place, account.tier) === place) {
    if (place !== account.tier) return { kind: 'RAISE', to: place };
    return { kind: account.downgradeAt === null ? 'KEEP' : 'RELIEVE' };
  }
  const downgradeAt = account.downgradeAt ?? graceEnds;
  if (downgradeAt <= now) return { kind: 'LOWER', to: place };
  return { kind: account.downgradeAt === null ? 'WARN' : 'WAIT', to: place, downgradeAt };
}
