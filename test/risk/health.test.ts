import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';

const NOW = new Date('2026-11-20T12:00:00Z');
const DAY_MS = 86_400_000;
const daysAgo = (days: number) => new Date(NOW.getTime() - days * DAY_MS).toISOString();

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: NOW });
});
afterAll(async () => {
  await app.close();
});

const HEALTH = /* GraphQL */ `
  query Health($externalId: String!, $asOf: DateTime) {
    customer(externalId: $externalId) {
      health(asOf: $asOf) { score tier coverage parts { name value evidence } change { delta parts { name from to } } }
      healthHistory { at score tier }
      risk { score category since coverage indicators { name value } }
    }
  }
`;

interface Part {
  readonly name: string;
  readonly value: number | null;
}
interface Answer {
  readonly customer: {
    readonly health: {
      readonly score: number;
      readonly tier: string;
      readonly coverage: number;
      readonly parts: readonly Part[];
      readonly change: { readonly delta: number } | null;
    } | null;
    readonly healthHistory: readonly { readonly at: string; readonly score: number }[];
    readonly risk: { readonly score: number; readonly category: string; readonly indicators: readonly Part[] } | null;
  };
}

const health = (externalId: string, asOf?: Date) =>
  app.query<Answer>(HEALTH, { externalId, asOf: asOf?.toISOString() }).then(({ customer }) => customer);
const known = (parts: readonly Part[] | undefined) =>
  Object.fromEntries((parts ?? []).filter((part) => part.value !== null).map((part) => [part.name, part.value]));

async function record(events: readonly Record<string, unknown>[]): Promise<void> {
  const { recordEvents } = await app.query<{ recordEvents: { __typename: string } }>(
    /* GraphQL */ `mutation Record($input: RecordEventsInput!) { recordEvents(input: $input) { __typename ... on DomainError { message } } }`,
    { input: { events } },
  );
  expect(recordEvents.__typename).toBe('RecordEventsSuccess');
}

describe('health of a customer', () => {
  test('a customer of whom nothing is known has no score', async () => {
    await app.query('mutation { upsertCustomers(input: [{ externalId: "quiet", name: "Quiet" }]) { __typename } }');
    await app.settle();
    expect(await health('quiet')).toMatchObject({ health: null, risk: null, healthHistory: [] });
  });

  test('what happens is in the score before it reached the history engine, and after', async () => {
    const use = (id: number, days: number) => ({
      id: `use-${id}`,
      customerExternalId: 'busy',
      name: 'session.started',
      at: daysAgo(days),
    });
    await record(Array.from({ length: 10 }, (_, day) => use(day, day + 0.5)));
    await record([
      {
        id: 'nps',
        customerExternalId: 'busy',
        name: 'survey.answered',
        at: daysAgo(1),
        value: 9,
        properties: { kind: 'NPS' },
      },
    ]);
    await app.settle();
    const { health: now } = await health('busy');
    expect(known(now?.parts)).toEqual({ USAGE_FREQUENCY: 0.5, NPS: 0.9 });
    // (25 × 0.5 + 10 × 0.9) / 35
    expect(now).toMatchObject({ score: 61.43, tier: 'NEUTRAL', coverage: 0.35 });
  });

  test('tickets and invoices move it; the change names the parts, the history keeps both, and asOf looks back', async () => {
    const before = await health('busy');
    const at = app.clock?.now() as Date;
    app.clock?.advance(3_600_000);
    await app.query(
      /* GraphQL */ `
        mutation Work($tickets: [TicketInput!]!, $invoices: [InvoiceInput!]!) {
          upsertTickets(input: $tickets) { __typename ... on DomainError { message } }
          upsertInvoices(input: $invoices) { __typename ... on DomainError { message } }
        }
      `,
      {
        tickets: [
          {
            externalId: 't1',
            customerExternalId: 'busy',
            priority: 'NORMAL',
            openedAt: daysAgo(5),
            solvedAt: daysAgo(4),
            satisfaction: 3,
          },
        ],
        invoices: [
          {
            externalId: 'i1',
            customerExternalId: 'busy',
            amountMinor: 10_000,
            currency: 'USD',
            issuedAt: daysAgo(60),
            dueAt: daysAgo(30),
          },
        ],
      },
    );
    await app.settle();
    const now = await health('busy');
    expect(known(now.health?.parts)).toMatchObject({ SUPPORT_SATISFACTION: 0.6 });
    expect(known(now.health?.parts).PAYMENT_HISTORY).toBeCloseTo(0.5, 2);
    expect(now.health?.coverage).toBe(0.8);
    expect(now.health?.change?.delta).not.toBe(0);
    expect(now.healthHistory.length).toBeGreaterThanOrEqual(2);
    expect((await health('busy', at)).health?.score).toBe(before.health?.score);
    // Thirty days overdue is the worst there is.
    expect(known(now.risk?.indicators).PAYMENT_DELAY).toBe(1);
  });

  test('customers can be filtered and ordered by what another module knows', async () => {
    const { customers } = await app.query<{
      customers: { totalCount: number; edges: readonly { node: { externalId: string } }[] };
    }>(/* GraphQL */ `
      query Find {
        customers(filter: { health: { min: 10, max: 100 } }, orderBy: { by: HEALTH, direction: DESC }) {
          totalCount
          edges { node { externalId } }
        }
      }
    `);
    expect(customers).toEqual({ totalCount: 1, edges: [{ node: { externalId: 'busy' } }] });
    const all = await app.query<{ customers: { edges: readonly { node: { externalId: string } }[] } }>(
      'query All { customers(orderBy: { by: HEALTH, direction: ASC }) { edges { node { externalId } } } }',
    );
    expect(all.customers.edges.map(({ node }) => node.externalId)).toEqual(['busy', 'quiet']);
  });

  test('the health distribution counts them', async () => {
    const { dashboard } = await app.query<{ dashboard: object }>(/* GraphQL */ `
      query Overview {
        dashboard(period: { from: "2026-10-01", to: "2026-11-01" }) {
          customers
          health { healthy neutral poor unknown histogram }
          revenue { current { amount { amountMinor currency } orders } }
          churn { current { month start churned rate } }
          loyalty { members }
        }
      }
    `);
    expect(dashboard).toMatchObject({
      customers: 2,
      health: { healthy: 0, neutral: 1, poor: 0 },
      revenue: { current: { amount: { amountMinor: 0, currency: 'USD' }, orders: 0 } },
      churn: { current: { month: '2026-10-01', start: 0, churned: 0, rate: null } },
    });
  });
});
