import { isValid } from '../../domain/rules.ts';
import type { TierKey } from '../../domain/tiers.ts';

/** Whom a campaign is for: who is in all lists that are given; null asks for nothing. */
export interface CampaignSegment {
  readonly tiers: readonly TierKey[] | null;
  readonly businessSegments: readonly string[] | null;
  /** Plans of subscriptions that run. */
  readonly plans: readonly string[] | null;
  readonly rfmSegments: readonly string[] | null;
}

/** More points for a while: what the rules give is multiplied. */
export interface Campaign {
  readonly key: string;
  readonly name: string;
  readonly validFrom: string;
  readonly validUntil: string;
  /** Keys of the rules it is for, that of orders among them; null: all. */
  readonly rules: readonly string[] | null;
  /** 1 to 10, in hundredths: 2 doubles. */
  readonly multiplier: number;
  readonly segment: CampaignSegment;
}

/** What becomes of several campaigns at once: the best one alone, or what each adds. */
export const STACKINGS = ['BEST', 'ADD'] as const;

export type Stacking = (typeof STACKINGS)[number];

/** What campaigns look at in a customer beside the tier. */
export interface CustomerTraits {
  readonly businessSegment: string | null;
  readonly plans: readonly string[];
  readonly rfmSegment: string | null;
}

/** Whether anything but the tier has to be known of a customer. */
export const needsTraits = ({ segment }: Campaign): boolean =>
  segment.businessSegments !== null || segment.plans !== null || segment.rfmSegments !== null;

/** Campaigns for a rule at an instant, whomever they are for. */
export const runningCampaigns = (campaigns: readonly Campaign[], rule: string, at: Date): Campaign[] =>
  campaigns.filter((one) => (one.rules === null || one.rules.includes(rule)) && isValid(one, at));

/** Whether a campaign is for this customer. @param traits may be undefined when the campaign needs none */
export function isFor({ segment }: Campaign, tier: TierKey, traits: CustomerTraits | undefined): boolean {
  const among = (list: readonly string[] | null, value: string | null | undefined) =>
    list === null || (value !== null && value !== undefined && list.includes(value));
  return (
    among(segment.tiers, tier) &&
    among(segment.businessSegments, traits?.businessSegment) &&
    among(segment.rfmSegments, traits?.rfmSegment) &&
    (segment.plans === null || (traits?.plans.some((plan) => segment.plans?.includes(plan)) ?? false))
  );
}

/** Points with what campaigns made of them. */
export interface Boost {
  readonly points: number;
  /** The campaigns that had a part in it. */
  readonly by: readonly Campaign[];
}

const percentOf = (multiplier: number): number => Math.round(multiplier * 100);

/** `points` times `multiplier`, which has two decimals, rounded down. Exact: reckoned in whole hundredths. */
export const times = (points: number, multiplier: number): number => Math.floor((points * percentOf(multiplier)) / 100);

/** Multiplies what a rule gives. With BEST the first of equals has the honour; with ADD two doublings are a tripling. */
export function boost(points: number, campaigns: readonly Campaign[], stacking: Stacking): Boost {
  const useful = campaigns.filter((one) => times(points, one.multiplier) > points);
  if (useful.length === 0) return { points, by: [] };
  if (stacking === 'ADD') {
    const percent = useful.reduce((sum, one) => sum + percentOf(one.multiplier) - 100, 100);
    return { points: Math.floor((points * percent) / 100), by: useful };
  }
  const best = useful.reduce((held, one) => (one.multiplier > held.multiplier ? one : held));
  return { points: times(points, best.multiplier), by: [best] };
}
