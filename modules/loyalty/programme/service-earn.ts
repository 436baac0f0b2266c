import { type DomainError, InvalidInput } from '../../../src/core/errors.ts';
import { type CapPeriod, type EarningRule, pointsOfRule } from '../domain/rules.ts';
import type { TierKey } from '../domain/tiers.ts';
import { EarningCapReached, RuleNotOpenToTier, RuleNotValid } from '../errors.ts';
import type { LedgerCommand } from '../ledger/commands.ts';
import { type CalendarPeriod, calendarPeriod } from '../period.ts';
import { type Boost, boost, type CustomerTraits, isFor, needsTraits, runningCampaigns } from './domain/campaigns.ts';
import { boundedPointsOfOrder, tierPointsOfOrder } from './domain/orders.ts';
import type { Programme } from './programme.ts';
import { ORDER_RULE } from './settings.ts';

/** What has to be known to say what a rule gives. */
export interface EarningDesk {
  readonly programme: Programme;
  readonly now: Date;
  /** How much of a capped rule was used in a period: times, or points of orders. */
  used(accountId: string, rule: string, periodStart: Date): number;
  /** Of customers for whom a campaign may run that looks at more than the tier. */
  traits(customerId: string): CustomerTraits | undefined;
}

/** A cap that something counts against. */
export interface CapUse {
  readonly rule: string;
  readonly per: CapPeriod;
  readonly period: CalendarPeriod;
  /** Times, or points of orders. */
  readonly limit: number;
}

/** What was earned, and by what. */
export interface Earned {
  readonly points: number;
  /** What the rule gave before campaigns. */
  readonly base: number;
  readonly rule: string | null;
  readonly ruleVersion: number | null;
  readonly by: Boost['by'];
  /** What it uses of a cap. */
  readonly use: (CapUse & { readonly before: number; readonly after: number }) | null;
}

type Award = Extract<LedgerCommand, { kind: 'award' }>;
type Order = Extract<LedgerCommand, { kind: 'order' }>;
interface Earner {
  readonly id: string;
  readonly customerId: string;
  readonly tier: TierKey;
}

/** When something was earned: caps, validity and campaigns go by it. */
const earnedAt = (command: Award | Order, now: Date): Date =>
  command.kind === 'order' ? command.placedAt : (command.effectiveAt ?? now);

const ruleOf = (programme: Programme, key: string): EarningRule | undefined =>
  programme.rules.find((rule) => rule.key === key);

/** The cap that a command counts against; null for what has none. */
export function capOf(programme: Programme, command: LedgerCommand, now: Date): CapUse | null {
  const count = (rule: string, per: CapPeriod, limit: number, at: Date): CapUse => ({
    rule,
    per,
    limit,
    period: calendarPeriod(at, per, programme.timeZone),
  });
  if (command.kind === 'order') {
    const { cap } = programme.orderPoints;
    return cap === null ? null : count(ORDER_RULE, cap.per, cap.points, earnedAt(command, now));
  }
  if (command.kind !== 'award' || command.rule === null) return null;
  const cap = ruleOf(programme, command.rule)?.cap ?? null;
  return cap === null ? null : count(command.rule, cap.per, cap.times, earnedAt(command, now));
}

/** Whether a campaign that may concern a command looks at more of the customer than the tier. */
export function asksForTraits(programme: Programme, command: LedgerCommand, now: Date): boolean {
  if (programme.campaigns.length === 0) return false;
  if (command.kind !== 'award' && command.kind !== 'order') return false;
  const rule = command.kind === 'order' ? ORDER_RULE : command.rule;
  return rule !== null && runningCampaigns(programme.campaigns, rule, earnedAt(command, now)).some(needsTraits);
}

/** What an award gives a member, or why nothing. Writes nothing. */
export function earnByAward(desk: EarningDesk, account: Earner, command: Award): Earned | DomainError {
  const { points, rule: key } = command;
  if (points !== null) return { points, base: points, rule: null, ruleVersion: null, by: [], use: null };
  const { programme } = desk;
  const rule = key === null ? undefined : ruleOf(programme, key);
  if (rule === undefined) {
    const known = programme.rules.map((one) => one.key).join(', ');
    return new InvalidInput(`There is no earning rule "${key}". There are: ${known}.`, { path: ['rule'] });
  }
  const at = earnedAt(command, desk.now);
  const cap = capOf(programme, command, desk.now);
  const used = cap === null ? 0 : desk.used(account.id, rule.key, cap.period.start);
  const base = pointsOfRule(rule, { tier: account.tier, count: command.count, used, at });
  if (typeof base === 'number') {
    const use = cap === null ? null : { ...cap, before: used, after: used + command.count };
    const boosted = boostOf(desk, account, rule.key, at, base);
    return { ...boosted, base, rule: rule.key, ruleVersion: programme.versions.rules, use };
  }
  if (base.kind === 'notOpenToTier') return new RuleNotOpenToTier(rule.key, account.tier, base.openTo);
  if (base.kind === 'notValid') return new RuleNotValid(rule.key, rule.validFrom, rule.validUntil);
  if (rule.cap === null || cap === null) throw new Error(`rule ${rule.key} has no cap and reached it`);
  return new EarningCapReached(rule.key, rule.cap, base.left, cap.period.end);
}

/** What an order gives a member: what is left below the cap, or why nothing. Writes nothing. */
export function earnByOrder(desk: EarningDesk, account: Earner, command: Order): Earned | DomainError {
  const { programme } = desk;
  const terms = programme.orderPoints;
  const cap = capOf(programme, command, desk.now);
  const used = cap === null ? 0 : desk.used(account.id, ORDER_RULE, cap.period.start);
  const base = tierPointsOfOrder(terms, account.tier, command.points);
  const { points: wanted, by } = boostOf(desk, account, ORDER_RULE, command.placedAt, base);
  const points = boundedPointsOfOrder(terms, wanted, used);
  if (points <= 0 && cap !== null) {
    return new EarningCapReached(ORDER_RULE, { times: cap.limit, per: cap.per, inPoints: true }, 0, cap.period.end);
  }
  const use = cap === null ? null : { ...cap, before: used, after: used + points };
  return { points, base, rule: ORDER_RULE, ruleVersion: programme.versions.orders, by, use };
}

function boostOf(desk: EarningDesk, account: Earner, rule: string, at: Date, points: number): Boost {
  const { campaigns, stacking } = desk.programme;
  if (campaigns.length === 0) return { points, by: [] };
  const traits = desk.traits(account.customerId);
  const running = runningCampaigns(campaigns, rule, at).filter((one) => isFor(one, account.tier, traits));
  return boost(points, running, stacking);
}
