import { type CustomerFacts, USE_EVENTS } from './facts.ts';
import { type Component, clamp01, weigh } from './weighing.ts';

export type RiskIndicatorName =
  | 'USAGE_DECLINE'
  | 'SUPPORT_FREQUENCY'
  | 'PAYMENT_DELAY'
  | 'ENGAGEMENT_DROP'
  | 'PREDICTED_CHURN';
export type RiskCategory = 'SECURE' | 'MONITOR' | 'AT_RISK' | 'CRITICAL';
export type RiskIndicator = Component<RiskIndicatorName>;

export interface RiskRules {
  readonly weights: Readonly<Record<RiskIndicatorName, number>>;
  /** Scores from which Monitor, At-Risk and Critical begin. */
  readonly edges: { readonly monitor: number; readonly atRisk: number; readonly critical: number };
  /** How far below an edge a customer must fall to come down a category, so that nobody flaps. */
  readonly hysteresis: number;
}

export interface RetentionRisk {
  readonly score: number | null;
  readonly category: RiskCategory | null;
  readonly coverage: number;
  readonly indicators: readonly RiskIndicator[];
}

export const RISK_CATEGORIES: readonly RiskCategory[] = ['SECURE', 'MONITOR', 'AT_RISK', 'CRITICAL'];

const RECENT_DAYS = 30;
const BASE_DAYS = 90;
/** A fall by this share is the worst there is. */
const WORST_DECLINE = 0.8;
const WORST_TICKET_RATIO = 3;
const TICKET_DAYS = 180;
const WORST_OVERDUE_DAYS = 30;

/** Retention risk by PRODUCT §10: indicators 0 to 1, those not known left out and the rest re-weighed. */
export function assessRisk(facts: CustomerFacts, rules: RiskRules, before: RiskCategory | null): RetentionRisk {
  const indicator = (
    name: RiskIndicatorName,
    known: { value: number; evidence: string } | null,
    missing: string,
  ): RiskIndicator => ({
    name,
    weight: rules.weights[name],
    value: known === null ? null : clamp01(known.value),
    evidence: known?.evidence ?? missing,
  });
  const indicators = [
    indicator('USAGE_DECLINE', usageDecline(facts), 'no use in the 90 days before the last 30'),
    indicator('SUPPORT_FREQUENCY', supportFrequency(facts), 'no ticket within 180 days'),
    indicator('PAYMENT_DELAY', paymentDelay(facts), 'no invoice within 12 months'),
    indicator(
      'ENGAGEMENT_DROP',
      engagementDrop(facts),
      'no opened message, click or ended session in the 90 days before the last 30',
    ),
    indicator('PREDICTED_CHURN', predictedChurn(facts), 'no prediction yet'),
  ];
  const { score, coverage } = weigh(indicators);
  return { score, coverage, indicators, category: score === null ? null : categoryOf(score, rules, before) };
}

/** Up at the edge, down only `hysteresis` points below it. */
export function categoryOf(
  score: number,
  rules: Pick<RiskRules, 'edges' | 'hysteresis'>,
  before: RiskCategory | null,
): RiskCategory {
  const edges = [rules.edges.monitor, rules.edges.atRisk, rules.edges.critical];
  const level = (shift: number) => edges.filter((edge) => score >= edge - shift).length;
  const reached = level(0);
  const held = before === null ? reached : Math.min(RISK_CATEGORIES.indexOf(before), level(rules.hysteresis));
  return RISK_CATEGORIES[Math.max(reached, held)] as RiskCategory;
}

/** The last 30 days against the mean of the 90 before: 0 at no decline, 1 at −80 %. Null without anything to compare with. */
function decline(recent: number, base: number): number | null {
  if (base === 0) return null;
  const expected = (base * RECENT_DAYS) / BASE_DAYS;
  return clamp01((1 - recent / expected) / WORST_DECLINE);
}

function sums(facts: CustomerFacts, of: (day: CustomerFacts['days'][number]) => number) {
  let recent = 0;
  let base = 0;
  for (const day of facts.days) {
    if (day.daysAgo < RECENT_DAYS) recent += of(day);
    else if (day.daysAgo < RECENT_DAYS + BASE_DAYS) base += of(day);
  }
  return { recent, base };
}

function usageDecline(facts: CustomerFacts) {
  const { recent, base } = sums(facts, (day) => (USE_EVENTS.has(day.name) ? day.count : 0));
  const value = decline(recent, base);
  return value === null ? null : { value, evidence: `${recent} uses in 30 days, ${base} in the 90 before` };
}

function supportFrequency(facts: CustomerFacts) {
  if (facts.tickets.length === 0) return null;
  const recent = facts.tickets.filter((ticket) => ticket.daysAgo < RECENT_DAYS).length;
  const usual = (facts.tickets.length * RECENT_DAYS) / TICKET_DAYS;
  const value = clamp01((recent / usual - 1) / (WORST_TICKET_RATIO - 1));
  return { value, evidence: `${recent} tickets in 30 days, ${facts.tickets.length} in 180` };
}

function paymentDelay(facts: CustomerFacts) {
  if (facts.invoices.length === 0) return null;
  const overdue = Math.max(0, ...facts.invoices.filter((invoice) => invoice.open).map((invoice) => invoice.daysLate));
  return { value: overdue / WORST_OVERDUE_DAYS, evidence: `${Math.floor(overdue)} days overdue` };
}

/** Mean decline of what is known among opened messages, clicks and time in sessions. */
function engagementDrop(facts: CustomerFacts) {
  const signals = [
    sums(facts, (day) => (day.name === 'message.opened' ? day.count : 0)),
    sums(facts, (day) => (day.name === 'message.clicked' ? day.count : 0)),
    sums(facts, (day) => (day.name === 'session.ended' ? day.durationS : 0)),
  ];
  const declines = signals.flatMap(({ recent, base }) => decline(recent, base) ?? []);
  if (declines.length === 0) return null;
  const value = declines.reduce((sum, one) => sum + one, 0) / declines.length;
  return {
    value,
    evidence: `mean fall of ${Math.round(value * WORST_DECLINE * 100)} % over ${declines.length} signals`,
  };
}

function predictedChurn(facts: CustomerFacts) {
  const probability = facts.churnProbability;
  return probability === null ? null : { value: probability, evidence: `probability ${probability.toFixed(2)}` };
}
