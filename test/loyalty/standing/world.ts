import { expect } from 'vitest';
import { NOW, startLoyaltyApp } from '../api.ts';

const DAY_MS = 86_400_000;
const daysAgo = (days: number) => new Date(NOW.getTime() - days * DAY_MS).toISOString();

const STANDING = /* GraphQL */ `
  query Standing($externalId: String!, $asOf: DateTime) {
    customer(externalId: $externalId) {
      loyaltyScore(asOf: $asOf) { score band coverage parts { name value } causedBy }
      loyaltyScoreHistory { score band }
      loyaltyJourney { stage strength stay { probability basis } history { month score band stage strength stay { basis } } }
      loyalty { score { score } journey { stage } }
    }
  }
`;

export interface Standing {
  readonly loyaltyScore: {
    readonly score: number;
    readonly band: string;
    readonly coverage: number;
    readonly parts: readonly { readonly name: string; readonly value: number | null }[];
    readonly causedBy: string | null;
  } | null;
  readonly loyaltyScoreHistory: readonly { readonly score: number; readonly band: string }[];
  readonly loyaltyJourney: {
    readonly stage: string;
    readonly strength: number;
    readonly history: readonly { readonly month: string; readonly score: number }[];
  } | null;
  readonly loyalty: { readonly score: { readonly score: number } | null } | null;
}

const answered = (days: number, value: number) =>
  ['survey.answered', days, { value, properties: { kind: 'NPS' } }] as const;
const used = (days: number, feature: string) => ['feature.used', days, { properties: { feature } }] as const;

/** Daily, all four features, NPS 9, five referrals; nothing of tickets and subscriptions: 25 + 20 + 18 + 10. */
export const ADVOCATE = [
  ...Array.from({ length: 21 }, (_, day) => used(day + 0.5, ['a', 'b', 'c', 'd'][day % 4] as string)),
  answered(2, 9),
  ...Array.from({ length: 5 }, (_, n) => ['referral.made', n + 3] as const),
];

const TICKETS = /* GraphQL */ `
  mutation Work($tickets: [TicketInput!]!, $subscriptions: [SubscriptionInput!]!) {
    upsertTickets(input: $tickets) { __typename ... on DomainError { message } }
    upsertSubscriptions(input: $subscriptions) { __typename ... on DomainError { message } }
  }
`;

/** An application whose plans have four features, and the words these tests speak to it in. */
export async function startStandingApp() {
  const world = await startLoyaltyApp();
  const { app } = world;
  await world.change('risk.usage', { activeDays: 20, activeDaysByPlan: {}, features: 4, featuresByPlan: {} });

  const standing = async (externalId: string, asOf?: Date) =>
    (await app.query<{ customer: Standing }>(STANDING, { externalId, asOf: asOf?.toISOString() })).customer;

  let recorded = 0;
  /** Events of a customer, by name and how many days ago. */
  async function record(
    customerExternalId: string,
    events: readonly (readonly [string, number, object?])[],
  ): Promise<void> {
    const { recordEvents } = await app.query<{ recordEvents: { __typename: string } }>(
      /* GraphQL */ `mutation Record($input: RecordEventsInput!) { recordEvents(input: $input) { __typename ... on DomainError { message } } }`,
      {
        input: {
          events: events.map(([name, days, more = {}]) => {
            recorded += 1;
            return { id: `e${recorded}`, customerExternalId, name, at: daysAgo(days), ...more };
          }),
        },
      },
    );
    expect(recordEvents.__typename).toBe('RecordEventsSuccess');
    await app.settle();
  }

  /** A ticket rated 5, and a subscription renewed once: 15 + 5 more. */
  async function helped(customerExternalId: string): Promise<void> {
    await app.query(TICKETS, {
      tickets: [
        {
          externalId: `t-${customerExternalId}`,
          customerExternalId,
          priority: 'NORMAL',
          openedAt: daysAgo(5),
          solvedAt: daysAgo(4),
          satisfaction: 5,
        },
      ],
      subscriptions: [
        {
          externalId: `s-${customerExternalId}`,
          customerExternalId,
          plan: 'pro',
          mrrMinor: 1_000,
          currency: 'GBP',
          startedAt: daysAgo(400),
        },
      ],
    });
    await app.settle();
  }

  return { ...world, standing, record, helped };
}

export type StandingApp = Awaited<ReturnType<typeof startStandingApp>>;
