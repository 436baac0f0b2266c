import type { Infrastructure } from '../../../src/core/module.ts';
import { type ChurnPredictionPort, INACTIVITY } from '../../churn/contract.ts';
import type { CustomerPort, CustomerFacts as KnownCustomer } from '../../customers/contract.ts';
import { USAGE_EXPECTATIONS } from '../../risk/contract.ts';
import type { ValuePort } from '../../value/contract.ts';
import type { MemberFacts } from '../contract.ts';
import type { StandingFacts, Way } from './domain/facts.ts';
import type { ScoreRules } from './domain/score.ts';
import { streamFacts } from './queries.ts';

const DAY_MS = 86_400_000;

/** What others tell the standing of customers. */
export interface StandingPorts {
  readonly customers: CustomerPort;
  readonly churn: ChurnPredictionPort;
  readonly value: Pick<ValuePort, 'worth'>;
  /** Members of the programme. */
  members(customerIds: readonly string[]): Promise<readonly MemberFacts[]>;
}

/** Facts of a customer, with what is kept beside the score. */
export interface Gathered {
  readonly facts: StandingFacts;
  /** What it has bought so far. */
  readonly revenue: { readonly amountMinor: number; readonly currency: string } | null;
}

/** Everything known of customers at `at`, in a handful of statements whatever their number. */
export async function gather(
  { database, analytics, settings }: Pick<Infrastructure, 'database' | 'analytics' | 'settings'>,
  ports: StandingPorts,
  known: readonly KnownCustomer[],
  rules: ScoreRules,
  at: Date,
): Promise<Map<string, Gathered>> {
  const { customers, churn, value } = ports;
  const ids = known.map((customer) => customer.id);
  const owners = await customers.eventIds(ids);
  const support = {
    from: new Date(at.getTime() - rules.support.days * DAY_MS),
    to: new Date(at.getTime() + 1),
  };
  const [expectations, stream, tickets, subscriptions, leaving, worth, members] = await Promise.all([
    settings.get(USAGE_EXPECTATIONS),
    streamFacts({ analytics, database }, owners, at, rules.referrals.days),
    customers.tickets(ids, support),
    customers.subscriptions(ids),
    churn.probabilities(ids),
    value.worth(ids),
    ports.members(ids),
  ]);
  const daysSince = (moment: Date) => (at.getTime() - moment.getTime()) / DAY_MS;
  const ticketsOf = Map.groupBy(tickets, (ticket) => ticket.customerId);
  const subscriptionsOf = Map.groupBy(subscriptions, (subscription) => subscription.customerId);
  const revenueOf = new Map(
    worth.flatMap(({ customerId, method, valueMinor, currency }) =>
      method === 'HISTORICAL' ? [[customerId, { amountMinor: valueMinor, currency }] as const] : [],
    ),
  );
  const earners = new Set(members.flatMap(({ customerId, earned }) => (earned > 0 ? [customerId] : [])));
  const runs = (cancelledAt: Date | null) => cancelledAt === null || cancelledAt > at;

  return new Map(
    known.map((customer) => {
      const { id, lastActivityAt, firstOrderAt } = customer;
      const told = stream.get(id);
      const own = subscriptionsOf.get(id) ?? [];
      // Of several subscriptions the dearest is the plan; the others are additions to it.
      const plan = own.filter((one) => runs(one.cancelledAt)).sort((a, b) => b.mrrMinor - a.mrrMinor)[0]?.plan ?? '';
      const ways = new Set<Way>([...(told?.ways ?? []), ...(earners.has(id) ? (['PROGRAMME'] as const) : [])]);
      const facts: StandingFacts = {
        // The time of the last activity follows the newest events a moment later.
        everActive: lastActivityAt !== null || firstOrderAt !== null || told !== undefined,
        activeDays30: told?.activeDays30 ?? 0,
        activeDays90: told?.activeDays90 ?? 0,
        featuresUsed: told?.featuresUsed ?? 0,
        planFeatures: expectations.featuresByPlan[plan] ?? expectations.features,
        tickets: ticketsOf.get(id) ?? [],
        lastNps: told?.lastNps ?? null,
        referrals: told?.referrals ?? 0,
        reviews: told?.reviews ?? 0,
        subscriptions: own.map(({ startedAt, cancelledAt }) => ({
          startedDaysAgo: daysSince(startedAt),
          running: startedAt <= at && runs(cancelledAt),
        })),
        gone: customer.status === 'CHURNED',
        signupDaysAgo: daysSince(customer.signupAt),
        quietDays: lastActivityAt === null ? null : daysSince(lastActivityAt),
        ways,
        churnProbability: leaving.get(id) ?? null,
      };
      return [id, { facts, revenue: revenueOf.get(id) ?? null }];
    }),
  );
}

/** After how many days of silence a customer counts as lapsed: as the churn of customers has it. */
export const inactivityDays = async ({ settings }: Pick<Infrastructure, 'settings'>): Promise<number> =>
  (await settings.get(INACTIVITY)).days;
