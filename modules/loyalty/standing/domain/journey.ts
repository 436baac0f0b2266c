import { isSubscribed, type StandingFacts, WAYS } from './facts.ts';
import type { LoyaltyScore } from './score.ts';

/** How far a customer has come, in the order of the way. */
export const STAGES = ['ONBOARDING', 'ADOPTION', 'ENGAGEMENT', 'ADVOCACY', 'AT_RISK', 'LAPSED'] as const;

export type JourneyStage = (typeof STAGES)[number];

/** What a probability to stay rests on. */
export const STAY_BASES = ['MODEL', 'SUBSCRIPTION', 'RECENCY', 'STATUS'] as const;

export type StayBasis = (typeof STAY_BASES)[number];

export interface Stay {
  /** 0 to 1. */
  readonly probability: number;
  readonly basis: StayBasis;
}

export interface JourneyRules {
  /** A customer is being onboarded for so many days from its signup. */
  readonly onboardingDays: number;
  /** Below this probability to stay a customer is at risk. */
  readonly atRiskBelow: number;
  /** The simple estimate: of a customer active just now, and the least of one with a running subscription. */
  readonly stay: { readonly activeNow: number; readonly subscribedAtLeast: number };
  /** What makes a relationship strong: weights of loyalty, tenure, recency and breadth. */
  readonly strength: {
    readonly weights: {
      readonly loyalty: number;
      readonly tenure: number;
      readonly recency: number;
      readonly breadth: number;
    };
    /** So many days make tenure full. */
    readonly tenureDays: number;
    /** So many ways of taking part make breadth full. */
    readonly ways: number;
  };
}

const clamp01 = (value: number): number => Math.min(1, Math.max(0, value));
const hundredth = (value: number): number => Math.round(value * 100) / 100;
/** A percent is as fine as people follow a probability. */
const percent = hundredth;

/**
 * Probability to stay: one less the calibrated probability to leave where a model has said so. Otherwise a simple
 * estimate, which is not calibrated: it falls in a straight line with the days of silence, to nothing after
 * `inactivityDays`; a running subscription keeps it from falling below half (a setting). Null when nothing is known.
 */
export function stayOf(facts: StandingFacts, rules: JourneyRules, inactivityDays: number): Stay | null {
  if (facts.gone) return { probability: 0, basis: 'STATUS' };
  if (facts.churnProbability !== null) {
    return { probability: percent(clamp01(1 - facts.churnProbability)), basis: 'MODEL' };
  }
  const recency =
    facts.quietDays === null ? null : rules.stay.activeNow * clamp01(1 - Math.max(0, facts.quietDays) / inactivityDays);
  if (isSubscribed(facts)) {
    const least = rules.stay.subscribedAtLeast;
    return { probability: percent(clamp01(Math.max(least, recency ?? 0))), basis: 'SUBSCRIPTION' };
  }
  return recency === null ? null : { probability: percent(clamp01(recency)), basis: 'RECENCY' };
}

/** Strength of the relationship, 0 to 100: loyalty, how long, how lately, and in how many ways. */
export function strengthOf(
  facts: StandingFacts,
  score: number,
  { strength: { weights, tenureDays, ways } }: JourneyRules,
  inactivityDays: number,
): number {
  const recency = facts.quietDays === null ? 0 : clamp01(1 - Math.max(0, facts.quietDays) / inactivityDays);
  const parts = [
    [weights.loyalty, score / 100],
    [weights.tenure, clamp01(facts.signupDaysAgo / tenureDays)],
    [weights.recency, recency],
    [weights.breadth, clamp01(facts.ways.size / Math.min(ways, WAYS.length))],
  ] as const;
  const total = parts.reduce((sum, [weight]) => sum + weight, 0);
  if (total === 0 || facts.gone) return 0;
  return hundredth((100 * parts.reduce((sum, [weight, value]) => sum + weight * value, 0)) / total);
}

/** Weekly use: from here on a customer is engaged, whatever its score. */
const WEEKLY = 75;

/**
 * The stage a customer is in: the first that fits.
 * Lapsed: declared gone, or silent for `inactivityDays` without a running subscription. At risk: a probability to stay
 * below the edge. Advocacy: referred or reviewed. Engagement: uses the product weekly, or its band is above the lowest.
 * Onboarding: within the first days. Adoption: everybody else.
 */
export function stageOf(
  facts: StandingFacts,
  loyalty: LoyaltyScore,
  stay: Stay | null,
  rules: JourneyRules,
  inactivityDays: number,
): JourneyStage {
  const silentDays = facts.quietDays ?? facts.signupDaysAgo;
  if (facts.gone || (silentDays >= inactivityDays && !isSubscribed(facts))) return 'LAPSED';
  if (stay !== null && stay.probability < rules.atRiskBelow) return 'AT_RISK';
  if (facts.referrals > 0 || facts.reviews > 0) return 'ADVOCACY';
  const usage = loyalty.parts.find(({ name }) => name === 'USAGE_FREQUENCY')?.value ?? 0;
  if (usage >= WEEKLY || loyalty.band !== 'SATISFIED') return 'ENGAGEMENT';
  return facts.signupDaysAgo < rules.onboardingDays ? 'ONBOARDING' : 'ADOPTION';
}
