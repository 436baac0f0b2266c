import { isSubscribed, type StandingFacts } from './facts.ts';

export const SCORE_PARTS = [
  'USAGE_FREQUENCY',
  'FEATURE_ADOPTION',
  'SUPPORT_INTERACTIONS',
  'NPS',
  'REFERRALS',
  'RENEWALS',
] as const;

export type ScorePartName = (typeof SCORE_PARTS)[number];

/** The bands, highest first. */
export const BANDS = ['CHAMPION', 'LOYAL', 'ENGAGED', 'SATISFIED'] as const;

export type LoyaltyBand = (typeof BANDS)[number];

/** One part of the score. */
export interface ScorePart {
  readonly name: ScorePartName;
  readonly weight: number;
  /** 0 to 100; null while nothing is known of it, which counts as 0. */
  readonly value: number | null;
  /** What it was reckoned from, for people. */
  readonly evidence: string;
}

export interface LoyaltyScore {
  /** 0 to 100. */
  readonly score: number;
  readonly band: LoyaltyBand;
  /** Share of the weights that was known, 0 to 1. */
  readonly coverage: number;
  readonly parts: readonly ScorePart[];
}

export interface ScoreRules {
  readonly weights: Readonly<Record<ScorePartName, number>>;
  /** Scores from which a band is held; whoever holds none of them is Satisfied. */
  readonly bands: { readonly champion: number; readonly loyal: number; readonly engaged: number };
  /** Active days that make a customer daily, weekly (of 30), monthly or rare (of 90). */
  readonly usage: {
    readonly dailyDays: number;
    readonly weeklyDays: number;
    readonly monthlyDays: number;
    readonly rareDays: number;
  };
  /** Tickets of so many days count; each beyond `freeTickets` takes `pointsPerTicket` off. */
  readonly support: { readonly days: number; readonly freeTickets: number; readonly pointsPerTicket: number };
  /** Referrals of so many days count, each `points`. */
  readonly referrals: { readonly days: number; readonly points: number };
  /** A renewal is each whole term a subscription has run; each counts `points`. */
  readonly renewals: { readonly termDays: number; readonly points: number };
}

interface Known {
  readonly value: number;
  readonly evidence: string;
}

const clamp = (value: number): number => Math.min(100, Math.max(0, value));
const hundredth = (value: number): number => Math.round(value * 100) / 100;
const count = (many: number, one: string): string => `${many} ${one}${many === 1 ? '' : 's'}`;

/** Loyalty by PRODUCT §4: weighted parts, each 0 to 100; a part of which nothing is known counts as 0. */
export function scoreLoyalty(facts: StandingFacts, rules: ScoreRules): LoyaltyScore {
  const part = (name: ScorePartName, known: Known | null, missing: string): ScorePart => ({
    name,
    weight: rules.weights[name],
    value: known === null ? null : hundredth(clamp(known.value)),
    evidence: known?.evidence ?? missing,
  });
  const parts = [
    part('USAGE_FREQUENCY', usageFrequency(facts, rules.usage), 'nothing is known of its use'),
    part(
      'FEATURE_ADOPTION',
      featureAdoption(facts),
      'the number of features of its plan is not set, or it never did anything',
    ),
    part(
      'SUPPORT_INTERACTIONS',
      supportInteractions(facts, rules.support),
      `no rated ticket within ${rules.support.days} days`,
    ),
    part('NPS', nps(facts), 'no answer yet'),
    part('REFERRALS', referrals(facts, rules.referrals), 'nothing is known of what it did'),
    part('RENEWALS', renewals(facts, rules.renewals), 'it never had a subscription'),
  ];
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  const sum = parts.reduce((all, { weight, value }) => all + weight * (value ?? 0), 0);
  const known = parts.reduce((all, { weight, value }) => all + (value === null ? 0 : weight), 0);
  const score = total === 0 ? 0 : hundredth(clamp(sum / total));
  return { score, band: bandOf(score, rules.bands), coverage: total === 0 ? 0 : hundredth(known / total), parts };
}

/** Each band holds from its edge on to the next one's. */
export function bandOf(score: number, { champion, loyal, engaged }: ScoreRules['bands']): LoyaltyBand {
  if (score >= champion) return 'CHAMPION';
  if (score >= loyal) return 'LOYAL';
  return score >= engaged ? 'ENGAGED' : 'SATISFIED';
}

/** Daily 100, weekly 75, monthly 50, rarely 25. Silence counts as nothing only for who was ever active. */
function usageFrequency(facts: StandingFacts, rules: ScoreRules['usage']): Known | null {
  if (!facts.everActive) return null;
  const { activeDays30, activeDays90 } = facts;
  const evidence = `${count(activeDays30, 'active day')} of 30, ${activeDays90} of 90`;
  if (activeDays30 >= rules.dailyDays) return { value: 100, evidence: `daily: ${evidence}` };
  if (activeDays30 >= rules.weeklyDays) return { value: 75, evidence: `weekly: ${evidence}` };
  if (activeDays90 >= rules.monthlyDays) return { value: 50, evidence: `monthly: ${evidence}` };
  if (activeDays90 >= rules.rareDays) return { value: 25, evidence: `rarely: ${evidence}` };
  return { value: 0, evidence: `not at all: ${evidence}` };
}

function featureAdoption({ everActive, planFeatures, featuresUsed }: StandingFacts): Known | null {
  if (!everActive || planFeatures === null || planFeatures === 0) return null;
  return {
    value: (100 * featuresUsed) / planFeatures,
    evidence: `${featuresUsed} of ${planFeatures} features in 90 days`,
  };
}

/** Mean rating, less what many tickets tell. A ticket nobody rated says only that help was needed. */
function supportInteractions({ tickets }: StandingFacts, rules: ScoreRules['support']): Known | null {
  const ratings = tickets.flatMap(({ satisfaction }) => (satisfaction === null ? [] : [satisfaction]));
  if (ratings.length === 0) return null;
  const mean = ratings.reduce((sum, rating) => sum + rating, 0) / ratings.length;
  const beyond = Math.max(0, tickets.length - rules.freeTickets);
  const rated = `mean rating ${mean.toFixed(1)} of 5 over ${ratings.length} of ${count(tickets.length, 'ticket')}`;
  return {
    value: 20 * mean - beyond * rules.pointsPerTicket,
    evidence: beyond === 0 ? rated : `${rated}, ${beyond} more than ${rules.freeTickets}`,
  };
}

function nps({ lastNps }: StandingFacts): Known | null {
  return lastNps === null ? null : { value: 10 * lastNps, evidence: `last answer ${lastNps} of 10` };
}

function referrals(facts: StandingFacts, rules: ScoreRules['referrals']): Known | null {
  if (!facts.everActive && facts.referrals === 0) return null;
  return {
    value: facts.referrals * rules.points,
    evidence: `${count(facts.referrals, 'referral')} in ${rules.days} days`,
  };
}

/** Whole terms of the subscription that has run longest; a customer who cancelled all of them renewed none. */
function renewals(facts: StandingFacts, rules: ScoreRules['renewals']): Known | null {
  if (facts.subscriptions.length === 0) return null;
  if (!isSubscribed(facts)) return { value: 0, evidence: 'no subscription runs any more' };
  const longest = Math.max(...facts.subscriptions.map((one) => (one.running ? one.startedDaysAgo : 0)));
  const terms = Math.max(0, Math.floor(longest / rules.termDays));
  return { value: terms * rules.points, evidence: `${count(terms, 'renewal')}, of ${rules.termDays} days each` };
}
