import { activeDays, type CustomerFacts } from './facts.ts';
import { type Component, clamp01, weigh } from './weighing.ts';

export type HealthPartName =
  | 'USAGE_FREQUENCY'
  | 'FEATURE_ADOPTION'
  | 'NPS'
  | 'SUPPORT_SATISFACTION'
  | 'PAYMENT_HISTORY';
export type HealthTier = 'HEALTHY' | 'NEUTRAL' | 'POOR';
export type HealthPart = Component<HealthPartName>;

export interface HealthRules {
  readonly weights: Readonly<Record<HealthPartName, number>>;
  /** From this score on: Healthy, Neutral; below: Poor. */
  readonly tiers: { readonly healthy: number; readonly neutral: number };
}

export interface Health {
  readonly score: number | null;
  readonly tier: HealthTier | null;
  readonly coverage: number;
  readonly parts: readonly HealthPart[];
}

const USAGE_DAYS = 30;
const ADOPTION_DAYS = 90;
/** Being later than this counts no more. */
const LATEST_DAYS = 60;

/** Health by PRODUCT §10: each part 0 to 1, those not known left out and the rest re-weighed. */
export function assessHealth(facts: CustomerFacts, rules: HealthRules): Health {
  const part = (
    name: HealthPartName,
    known: { value: number; evidence: string } | null,
    missing: string,
  ): HealthPart => ({
    name,
    weight: rules.weights[name],
    value: known === null ? null : clamp01(known.value),
    evidence: known?.evidence ?? missing,
  });
  const parts = [
    part('USAGE_FREQUENCY', usageFrequency(facts), 'nothing is known of its use'),
    part(
      'FEATURE_ADOPTION',
      featureAdoption(facts),
      'the number of features of its plan is not set, or none was ever used',
    ),
    part('NPS', nps(facts), 'no answer yet'),
    part('SUPPORT_SATISFACTION', supportSatisfaction(facts), 'no rated ticket within 180 days'),
    part('PAYMENT_HISTORY', paymentHistory(facts), 'no invoice within 12 months'),
  ];
  const { score, coverage } = weigh(parts);
  return { score, coverage, parts, tier: score === null ? null : tierOf(score, rules.tiers) };
}

/** Healthy from `healthy` on, Neutral from `neutral` on, else Poor. */
export function tierOf(score: number, tiers: HealthRules['tiers']): HealthTier {
  if (score >= tiers.healthy) return 'HEALTHY';
  return score >= tiers.neutral ? 'NEUTRAL' : 'POOR';
}

/** Active days of the last 30 against the days expected. Silence counts as zero only for who was ever active. */
function usageFrequency(facts: CustomerFacts) {
  if (!facts.everActive) return null;
  const days = activeDays(facts, USAGE_DAYS);
  return {
    value: days / facts.expectedActiveDays,
    evidence: `${days} active days of ${facts.expectedActiveDays} expected in 30`,
  };
}

function featureAdoption(facts: CustomerFacts) {
  if (facts.planFeatures === null || facts.planFeatures === 0) return null;
  const used = new Set<string>();
  for (const day of facts.days) {
    if (day.name === 'feature.used' && day.feature !== '' && day.daysAgo < ADOPTION_DAYS) used.add(day.feature);
  }
  return {
    value: used.size / facts.planFeatures,
    evidence: `${used.size} of ${facts.planFeatures} features in 90 days`,
  };
}

function nps(facts: CustomerFacts) {
  return facts.lastNps === null ? null : { value: facts.lastNps / 10, evidence: `last answer ${facts.lastNps} of 10` };
}

function supportSatisfaction(facts: CustomerFacts) {
  const ratings = facts.tickets.flatMap((ticket) => (ticket.satisfaction === null ? [] : [ticket.satisfaction]));
  if (ratings.length === 0) return null;
  const mean = ratings.reduce((sum, rating) => sum + rating, 0) / ratings.length;
  return { value: mean / 5, evidence: `mean rating ${mean.toFixed(1)} of 5 over ${ratings.length} tickets` };
}

function paymentHistory(facts: CustomerFacts) {
  const { invoices } = facts;
  if (invoices.length === 0) return null;
  const late = invoices.filter((invoice) => invoice.daysLate > 0);
  const lateness = late.reduce((sum, invoice) => sum + Math.min(invoice.daysLate, LATEST_DAYS) / LATEST_DAYS, 0);
  return { value: 1 - lateness / invoices.length, evidence: `${late.length} of ${invoices.length} invoices were late` };
}
