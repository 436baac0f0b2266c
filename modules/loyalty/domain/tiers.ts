/** The tiers, lowest first. Their thresholds, names and benefits are settings; which there are is not. */
export const TIER_KEYS = ['BRONZE', 'SILVER', 'GOLD', 'PLATINUM'] as const;

export type TierKey = (typeof TIER_KEYS)[number];

/** What moves a customer to another tier: an entry of the ledger, or the review. */
export const TIER_CAUSES = ['ENTRY', 'REVIEW'] as const;

export type TierCause = (typeof TIER_CAUSES)[number];

/** A tier as the programme defines it: held from `from` earned points to the start of the next one, with no gap. */
export interface Tier {
  readonly key: TierKey;
  readonly name: string;
  readonly from: number;
  readonly benefits: readonly string[];
}

/** What is still to earn for the next tier. */
export interface NextTier {
  readonly tier: Tier;
  readonly pointsToGo: number;
}

/** A customer's move from one tier to another. */
export interface TierChange {
  readonly from: TierKey;
  readonly to: TierKey;
  readonly direction: 'UP' | 'DOWN';
}

/** The tier of somebody who has earned `earned` points. `tiers` ascend from 0. */
export function tierOf(tiers: readonly Tier[], earned: number): Tier {
  let held = tiers[0] as Tier;
  for (const tier of tiers) if (earned >= tier.from) held = tier;
  return held;
}

/**
 * The tier above the one held, null at the top.
 * @param counting points that count towards it; 0 points to go when they suffice and the review has not come round yet
 */
export function nextTierOf(tiers: readonly Tier[], held: TierKey, counting: number): NextTier | null {
  const tier = tiers[TIER_KEYS.indexOf(held) + 1];
  return tier === undefined ? null : { tier, pointsToGo: Math.max(tier.from - counting, 0) };
}

/** The higher of two tiers. */
export const higherTier = (a: TierKey, b: TierKey): TierKey => (TIER_KEYS.indexOf(a) >= TIER_KEYS.indexOf(b) ? a : b);

/**
 * The tier held after a movement: up at once; down only when earnings were taken back that it rested on, since they then
 * were never earned. Who holds more than what counts gives (a period ended, the thresholds rose) keeps it until the review.
 * @param places the tiers that what counts gives before and after the movement
 */
export function tierHeld(held: TierKey, places: { readonly before: TierKey; readonly after: TierKey }): TierKey {
  if (higherTier(held, places.after) === places.after) return places.after;
  return higherTier(held, places.before) === places.before ? places.after : held;
}

/** Null when nothing changed. */
export function tierChange(from: TierKey, to: TierKey): TierChange | null {
  if (from === to) return null;
  return { from, to, direction: TIER_KEYS.indexOf(to) > TIER_KEYS.indexOf(from) ? 'UP' : 'DOWN' };
}

/** Why a list of tiers cannot be a programme; null when it can. */
export function faultInTiers(tiers: readonly Tier[]): string | null {
  if (tiers.map((tier) => tier.key).join() !== TIER_KEYS.join())
    return `must be ${TIER_KEYS.join(', ')}, in this order`;
  if (tiers[0]?.from !== 0) return 'the first tier must start at 0 points';
  const gap = tiers.findIndex((tier, index) => index > 0 && tier.from <= (tiers[index - 1] as Tier).from);
  return gap === -1 ? null : `${tiers[gap]?.key} must start above ${tiers[gap - 1]?.key}`;
}
