import type { EarningTrigger } from '../programme/domain/triggers.ts';
import type { TierKey } from './tiers.ts';

/** How long a cap counts: calendar periods in the time zone of the business, or for good. */
export const CAP_PERIODS = ['DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR', 'LIFETIME'] as const;

export type CapPeriod = (typeof CAP_PERIODS)[number];

/** How often a rule gives points to one customer. */
export interface EarningCap {
  readonly times: number;
  readonly per: CapPeriod;
}

/** What earns points, and how many: by the tier held when it happens; null where the rule is not open to a tier. */
export interface EarningRule {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly points: Readonly<Record<TierKey, number | null>>;
  readonly cap: EarningCap | null;
  /** First instant at which it gives points; null: always did. */
  readonly validFrom: string | null;
  /** First instant at which it no longer does; null: no end. */
  readonly validUntil: string | null;
  /** Events of the stream by which it gives points by itself; null: only when it is asked for. */
  readonly trigger: EarningTrigger | null;
}

/** Why a rule gives nothing. */
export type RuleRefusal =
  | { readonly kind: 'notValid' }
  | { readonly kind: 'notOpenToTier'; readonly openTo: readonly TierKey[] }
  | { readonly kind: 'capReached'; readonly left: number };

/**
 * Points for `count` uses of a rule at an instant.
 * @param used how often the customer has used it in the period of the cap
 */
export function pointsOfRule(
  rule: EarningRule,
  use: { readonly tier: TierKey; readonly count: number; readonly used: number; readonly at: Date },
): number | RuleRefusal {
  if (!isValid(rule, use.at)) return { kind: 'notValid' };
  const each = rule.points[use.tier];
  if (each === null) {
    const tiers = Object.entries(rule.points) as [TierKey, number | null][];
    return { kind: 'notOpenToTier', openTo: tiers.filter(([, points]) => points !== null).map(([tier]) => tier) };
  }
  if (rule.cap !== null && use.used + use.count > rule.cap.times) {
    return { kind: 'capReached', left: Math.max(rule.cap.times - use.used, 0) };
  }
  return each * use.count;
}

/** Whether something with two ends is in force: from its first instant until, not including, its last. */
export function isValid(
  span: { readonly validFrom: string | null; readonly validUntil: string | null },
  at: Date,
): boolean {
  const atMs = at.getTime();
  if (span.validFrom !== null && atMs < Date.parse(span.validFrom)) return false;
  return span.validUntil === null || atMs < Date.parse(span.validUntil);
}
