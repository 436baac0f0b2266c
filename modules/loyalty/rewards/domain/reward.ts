import { TIER_KEYS, type TierKey } from '../../domain/tiers.ts';

/** What a reward can be. */
export const REWARD_KINDS = ['VOUCHER', 'DISCOUNT', 'GOODS', 'SERVICE'] as const;

export type RewardKind = (typeof REWARD_KINDS)[number];

/** On what terms a reward can be had. */
export interface RewardTerms {
  /** Points for one. */
  readonly cost: number;
  /** How many are left; null: no limit. */
  readonly stock: number | null;
  readonly lowestTier: TierKey;
  /** First instant at which it can be had; null: always could. */
  readonly validFrom: Date | null;
  /** First instant at which it no longer can; null: no end. */
  readonly validUntil: Date | null;
  /** How many one customer may have in all; null: no limit. */
  readonly limitPerCustomer: number | null;
  readonly archivedAt: Date | null;
}

/** What somebody wants of a reward. */
export interface RewardWish {
  readonly quantity: number;
  readonly tier: TierKey;
  /** How many of it the customer has already, open ones included. */
  readonly had: number;
  readonly at: Date;
}

/** Why a reward cannot be had by anybody, or by this customer, whatever the points. */
export const UNAVAILABLE_REASONS = ['ARCHIVED', 'NOT_YET_VALID', 'NO_LONGER_VALID', 'TIER_TOO_LOW'] as const;

export type UnavailableReason = (typeof UNAVAILABLE_REASONS)[number];

export type RewardRefusal =
  | { readonly kind: 'notAvailable'; readonly why: UnavailableReason }
  | { readonly kind: 'limitReached'; readonly left: number }
  | { readonly kind: 'outOfStock'; readonly left: number };

const hasTier = (held: TierKey, lowest: TierKey): boolean => TIER_KEYS.indexOf(held) >= TIER_KEYS.indexOf(lowest);

/** Why a wish cannot be met, points aside; null when it can. What cannot change is said first. */
export function refusalOf(terms: RewardTerms, wish: RewardWish): RewardRefusal | null {
  const notAvailable = (why: UnavailableReason) => ({ kind: 'notAvailable', why }) as const;
  if (terms.archivedAt !== null) return notAvailable('ARCHIVED');
  if (terms.validUntil !== null && wish.at >= terms.validUntil) return notAvailable('NO_LONGER_VALID');
  if (terms.validFrom !== null && wish.at < terms.validFrom) return notAvailable('NOT_YET_VALID');
  if (!hasTier(wish.tier, terms.lowestTier)) return notAvailable('TIER_TOO_LOW');
  const { limitPerCustomer, stock } = terms;
  if (limitPerCustomer !== null && wish.had + wish.quantity > limitPerCustomer) {
    return { kind: 'limitReached', left: Math.max(limitPerCustomer - wish.had, 0) };
  }
  if (stock !== null && wish.quantity > stock) return { kind: 'outOfStock', left: stock };
  return null;
}

/** Whether a stock fell to its mark or below just now: said once on each way down. */
export function fellLow(before: number, after: number, mark: number | null): boolean {
  return mark !== null && before > mark && after <= mark;
}
