import type { Call } from '../../src/core/call.ts';
import { appendEvents, type NewEvent, newEvent } from '../../src/core/events/index.ts';
import { newId } from '../../src/core/ids.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import type { ChurnPredictionPort } from '../churn/contract.ts';
import type { CustomerPort, CustomerFacts as KnownCustomer } from '../customers/contract.ts';
import { assessmentsRecomputed, type HealthDistribution, healthChanged, type RiskPort } from './contract.ts';
import type { CustomerFacts } from './domain/facts.ts';
import { assessHealth, type Health, type HealthTier } from './domain/health.ts';
import { assessRisk, type RetentionRisk, type RiskCategory } from './domain/retention-risk.ts';
import { useOf } from './queries.ts';
import { HEALTH_RULES, RISK_RULES, USAGE_EXPECTATIONS } from './settings.ts';
import { type Assessment, lockAssessments, readDistribution, writeAssessments } from './store.ts';

const DAY_MS = 86_400_000;
const INVOICE_DAYS = 365;
const TICKET_DAYS = 180;
/** Customers whose facts are read at once: bounds memory. */
const GATHER_BATCH = 5_000;
/** Customers whose assessments are written at once: bounds the length of a transaction. */
export const ASSESS_BATCH = 500;
/** Transactions at once: one is decided while another is written. */
const WRITERS = 2;
/** A smaller move of the score is noise to subscribers; the history has it all the same. */
const TELLING_MOVE = 1;

export interface AssessOptions {
  /** After an import or at night: one fact for all instead of one per customer. */
  readonly quiet?: boolean;
  /** The event that made each customer's assessment due. */
  readonly causes?: ReadonlyMap<string, string>;
}

export interface RiskService extends RiskPort {
  /** Reckons health and risk of some customers anew; returns how many changed. Harmless when run twice. */
  assess(call: Call, customerIds: readonly string[], options?: AssessOptions): Promise<number>;
  /** Reckons everybody anew, quietly. */
  assessAll(call: Call, signal?: AbortSignal): Promise<{ customers: number; changed: number }>;
}

/** Facts as they were known at one moment, by customer. */
interface Learnt {
  readonly at: Date;
  readonly facts: readonly (readonly [customerId: string, CustomerFacts])[];
}

/** What other modules tell `risk`. */
export interface RiskPorts {
  readonly customers: CustomerPort;
  /** Predicted churn. */
  readonly churn: ChurnPredictionPort;
}

export function createRiskService(infra: Infrastructure, { customers, churn }: RiskPorts): RiskService {
  const { database, analytics, settings, clock } = infra;

  /** Everything known of the customers at `at`, in a handful of statements whatever their number. */
  const gather = async (known: readonly KnownCustomer[], at: Date): Promise<Map<string, CustomerFacts>> => {
    const ids = known.map((customer) => customer.id);
    const owners = await customers.eventIds(ids);
    const to = new Date(at.getTime() + 1);
    const since = (days: number) => ({ from: new Date(at.getTime() - days * DAY_MS), to });
    const [expectations, use, invoices, tickets, subscriptions, leaving] = await Promise.all([
      settings.get(USAGE_EXPECTATIONS),
      useOf({ analytics, database }, owners, at),
      customers.invoices(ids, since(INVOICE_DAYS)),
      customers.tickets(ids, since(TICKET_DAYS)),
      customers.subscriptions(ids),
      churn.probabilities(ids),
    ]);
    const daysSince = (moment: Date) => (at.getTime() - moment.getTime()) / DAY_MS;
    const invoicesOf = groupBy(invoices, (invoice) => invoice.customerId);
    const ticketsOf = groupBy(tickets, (ticket) => ticket.customerId);
    const running = subscriptions.filter((one) => one.cancelledAt === null || one.cancelledAt > at);
    // Of several subscriptions the dearest is the plan; the others are additions to it.
    const byPrice = [...running].sort((a, b) => a.mrrMinor - b.mrrMinor);
    const planOf = new Map(byPrice.map((subscription) => [subscription.customerId, subscription.plan]));
    return new Map(
      known.map(({ id, lastActivityAt, firstOrderAt }) => {
        const plan = planOf.get(id) ?? '';
        const facts: CustomerFacts = {
          days: use.get(id)?.days ?? [],
          // The time of the last activity follows the newest events a moment later.
          everActive: lastActivityAt !== null || firstOrderAt !== null || (use.get(id)?.days.length ?? 0) > 0,
          expectedActiveDays: expectations.activeDaysByPlan[plan] ?? expectations.activeDays,
          planFeatures: expectations.featuresByPlan[plan] ?? expectations.features,
          lastNps: use.get(id)?.lastNps ?? null,
          invoices: (invoicesOf.get(id) ?? []).map(({ dueAt, paidAt }) => ({
            daysLate: daysSince(dueAt) - (paidAt === null ? 0 : Math.max(0, daysSince(paidAt))),
            open: paidAt === null,
          })),
          tickets: (ticketsOf.get(id) ?? []).map(({ openedAt, satisfaction }) => ({
            daysAgo: daysSince(openedAt),
            satisfaction,
          })),
          churnProbability: leaving.get(id) ?? null,
        };
        return [id, facts];
      }),
    );
  };

  /** Facts of a batch of customers, who stay in the order of their ids. */
  const learn = async (ids: readonly string[]): Promise<Learnt> => {
    const at = clock.now();
    const known = await customers.byIds(ids);
    return { at, facts: known.length === 0 ? [] : [...(await gather(known, at))] };
  };

  const assessLearnt = async (call: Call, { at, facts }: Learnt, options: AssessOptions): Promise<number> => {
    let changed = 0;
    let start = 0;
    const writer = async () => {
      while (start < facts.length) {
        const some = facts.slice(start, start + ASSESS_BATCH);
        start += ASSESS_BATCH;
        changed += await assessBatch(call, { at, facts: some }, options);
      }
    };
    const written = await Promise.allSettled(Array.from({ length: WRITERS }, writer));
    for (const one of written) if (one.status === 'rejected') throw one.reason;
    return changed;
  };

  const assessBatch = async (call: Call, { at, facts }: Learnt, options: AssessOptions): Promise<number> => {
    const [healthRules, riskRules] = await Promise.all([settings.get(HEALTH_RULES), settings.get(RISK_RULES)]);
    return database.transaction(async (tx) => {
      const before = await lockAssessments(
        tx,
        facts.map(([customerId]) => customerId),
      );
      const changed: Assessment[] = [];
      const events: NewEvent[] = [];
      for (const [customerId, fact] of facts) {
        const previous = before.get(customerId) ?? null;
        // Somebody else has reckoned with later facts meanwhile.
        if (previous !== null && previous.at > at) continue;
        const health = assessHealth(fact, healthRules);
        const risk = assessRisk(fact, riskRules, previous?.riskCategory ?? null);
        const next = toAssessment(customerId, at, health, risk, previous, options.causes?.get(customerId) ?? null);
        if (previous !== null && sameAssessment(previous, next)) continue;
        changed.push(next);
        if (options.quiet !== true && isTelling(previous, next)) {
          const cause = options.causes?.get(customerId);
          events.push(
            newEvent(healthChanged, {
              customerId,
              payload: tellChange(previous, next),
              ...(cause === undefined ? {} : { call: { ...call, causationId: cause } }),
            }),
          );
        }
      }
      await writeAssessments(tx, changed);
      await appendEvents(tx, call, clock, events);
      return changed.length;
    });
  };

  const service: RiskService = {
    healthDistribution: (): Promise<HealthDistribution> => readDistribution(database),
    async assess(call, customerIds, options = {}) {
      const ids = [...new Set(customerIds)].sort();
      let changed = 0;
      for (let start = 0; start < ids.length; start += GATHER_BATCH) {
        changed += await assessLearnt(call, await learn(ids.slice(start, start + GATHER_BATCH)), options);
      }
      return changed;
    },
    async assessAll(call, signal) {
      const total = { customers: 0, changed: 0 };
      const learnAfter = async (after: string | null) => {
        signal?.throwIfAborted();
        const ids = await customers.idsAfter(after, GATHER_BATCH);
        return { ids, learnt: await learn(ids) };
      };
      for (let batch = await learnAfter(null); batch.ids.length > 0; ) {
        // The next facts are read while these are written: the engines take turns otherwise.
        const [next, changed] = await Promise.all([
          learnAfter(batch.ids.at(-1) as string),
          assessLearnt(call, batch.learnt, { quiet: true }),
        ]);
        total.changed += changed;
        total.customers += batch.ids.length;
        batch = next;
      }
      await database.transaction((tx) =>
        appendEvents(tx, call, clock, [newEvent(assessmentsRecomputed, { customerId: null, payload: total })]),
      );
      return total;
    },
  };
  return service;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

function toAssessment(
  customerId: string,
  at: Date,
  health: Health,
  risk: RetentionRisk,
  previous: Assessment | null,
  causeEventId: string | null,
): Assessment {
  const before = new Map((previous?.healthParts ?? []).map((part) => [part.name, part.value]));
  const delta =
    previous === null || previous.healthScore === null || health.score === null
      ? null
      : Math.round((health.score - previous.healthScore) * 100) / 100;
  return {
    id: newId(),
    customerId,
    at,
    healthScore: health.score,
    healthTier: health.tier,
    healthCoverage: health.coverage,
    healthParts: health.parts,
    healthChange:
      delta === null
        ? null
        : {
            delta,
            parts: health.parts.map(({ name, value }) => ({ name, from: before.get(name) ?? null, to: value })),
          },
    riskScore: risk.score,
    riskCategory: risk.category,
    riskSince:
      previous !== null && previous.riskCategory === risk.category
        ? previous.riskSince
        : risk.category === null
          ? null
          : at,
    riskCoverage: risk.coverage,
    riskIndicators: risk.indicators,
    causeEventId,
  };
}

const sameAssessment = (a: Assessment, b: Assessment): boolean =>
  a.riskCategory === b.riskCategory &&
  JSON.stringify([a.healthScore, a.healthParts.map(({ value, weight }) => [value, weight])]) ===
    JSON.stringify([b.healthScore, b.healthParts.map(({ value, weight }) => [value, weight])]) &&
  JSON.stringify([a.riskScore, a.riskIndicators.map(({ value, weight }) => [value, weight])]) ===
    JSON.stringify([b.riskScore, b.riskIndicators.map(({ value, weight }) => [value, weight])]);

/** Whether subscribers want to hear of it. */
function isTelling(previous: Assessment | null, next: Assessment): boolean {
  if (previous === null) return next.healthScore !== null || next.riskScore !== null;
  if (previous.healthTier !== next.healthTier || previous.riskCategory !== next.riskCategory) return true;
  const moved = (a: number | null, b: number | null) => Math.abs((a ?? 0) - (b ?? 0)) >= TELLING_MOVE;
  return moved(previous.healthScore, next.healthScore) || moved(previous.riskScore, next.riskScore);
}

function tellChange(previous: Assessment | null, next: Assessment) {
  return {
    healthScore: next.healthScore,
    healthTier: next.healthTier as HealthTier | null,
    previousHealthScore: previous?.healthScore ?? null,
    previousHealthTier: previous?.healthTier ?? null,
    riskScore: next.riskScore,
    riskCategory: next.riskCategory as RiskCategory | null,
    previousRiskCategory: previous?.riskCategory ?? null,
  };
}
