import { afterAll, beforeAll, expect, test } from 'vitest';
import { noteActivity } from '../../modules/customers/service/facts.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

const NOW = new Date('2026-03-10T12:00:00Z');
let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: NOW });
});
afterAll(() => app.close());

const total = async () =>
  (await app.query<{ customers: { totalCount: number } }>('{ customers { totalCount } }')).customers.totalCount;

const rowCount = async () =>
  (await app.app.infra.database.query<{ n: number }>('select count(*) as n from customer where erased_at is null'))[0]
    ?.n;

test('callers that race for the same new external ids end with one customer each, and the count is right', async () => {
  const upsert =
    'mutation ($input: [CustomerInput!]!) { upsertCustomers(input: $input) { ... on UpsertCustomerSuccess { created customer { id } } } }';
  const names = Array.from({ length: 30 }, (_, n) => `race-${n}`);
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, client) =>
      app.query<{ upsertCustomers: { created: boolean; customer: { id: string } }[] }>(upsert, {
        // Each in another order, so that locks meet crosswise.
        input: names
          .map((_, n) => names[(n * 7 + client * 11) % names.length])
          .map((externalId) => ({ externalId, traits: { [`client${client}`]: true } })),
      }),
    ),
  );
  const all = answers.flatMap(({ upsertCustomers }) => upsertCustomers);
  expect(all.filter(({ created }) => created)).toHaveLength(30);
  expect(new Set(all.map(({ customer }) => customer.id)).size).toBe(30);
  expect(await total()).toBe(await rowCount());
  const { customer } = await app.query<{ customer: { traits: Record<string, boolean> } }>(
    '{ customer(externalId: "race-3") { traits } }',
  );
  expect(Object.keys(customer.traits), 'nobody lost a change').toHaveLength(12);
});

test('the same event sent by many clients at once counts once', async () => {
  const record = `mutation ($input: RecordEventsInput!) { recordEvents(input: $input) { ... on RecordEventsSuccess { accepted duplicates outcomes } ... on DomainError { code message } } }`;
  const events = Array.from({ length: 150 }, (_, n) => ({
    id: `e-${n}`,
    name: 'Ping',
    at: '2026-03-01T00:00:00Z',
    customerExternalId: `pinger-${n % 40}`,
  }));
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, client) =>
      app.query<{ recordEvents: { accepted: number; duplicates: number } }>(record, {
        input: { source: 'both', events: client % 2 === 0 ? events : events.toReversed() },
      }),
    ),
  );
  expect(answers.reduce((sum, { recordEvents }) => sum + recordEvents.accepted, 0)).toBe(150);
  expect(answers.reduce((sum, { recordEvents }) => sum + recordEvents.duplicates, 0)).toBe(1_350);
  await app.settle();
  const [row] = await app.app.infra.analytics.query<{ n: number }>(
    `select toUInt32(count()) as n from events where source = 'both'`,
  );
  expect(row?.n).toBe(150);
  expect(await total()).toBe(await rowCount());
});

test('the same order sent as records and as events at once is one order and one fact', async () => {
  const asRecord = `mutation { upsertOrder(input: { customerExternalId: "omar", externalId: "same", amountMinor: 700, currency: "USD", placedAt: "2026-03-01T00:00:00Z" }) { ... on UpsertOrderSuccess { created } ... on DomainError { code message } } }`;
  const asEvent = (id: string) =>
    `mutation { recordEvents(input: { source: "shop", events: [{ id: "${id}", name: "order.placed", at: "2026-03-01T00:00:00Z", customerExternalId: "omar", amountMinor: 700, currency: "USD", properties: { orderId: "same" } }] }) { ... on RecordEventsSuccess { outcomes } ... on DomainError { code message } } }`;
  await Promise.all(Array.from({ length: 16 }, (_, n) => app.query(n % 2 === 0 ? asRecord : asEvent(`o-${n}`))));
  await app.settle();
  const facts = await app.app.infra.database.query(
    `select 1 from outbox_event where type = 'customers.orderPlaced' and payload->>'amountMinor' = '700'`,
  );
  expect(facts).toHaveLength(1);
  const [row] = await app.app.infra.analytics.query<{ n: number }>(
    `select toUInt32(count()) as n from events final where name = 'order.placed'`,
  );
  expect(row?.n).toBe(1);
});

test('merging while records and events arrive loses none of them', async () => {
  const make = async (externalId: string) =>
    (
      await app.query<{ upsertCustomer: { customer: { id: string } } }>(
        `mutation { upsertCustomer(input: { externalId: "${externalId}" }) { ... on UpsertCustomerSuccess { customer { id } } } }`,
      )
    ).upsertCustomer.customer.id;
  const [from, into] = [await make('dup'), await make('real')];
  const work = Array.from({ length: 20 }, (_, n) =>
    n % 2 === 0
      ? app.query(
          `mutation { upsertInvoice(input: { customerExternalId: "dup", externalId: "inv-${n}", amountMinor: 1, currency: "USD", dueAt: "2026-04-01T00:00:00Z" }) { __typename ... on DomainError { code message } } }`,
        )
      : app.query(
          `mutation { recordEvents(input: { source: "m", events: [{ id: "${n}", name: "Ping", at: "2026-03-01T00:00:00Z", customerExternalId: "dup" }] }) { __typename ... on DomainError { code message } } }`,
        ),
  );
  const merges = Array.from({ length: 3 }, () =>
    app.query(
      `mutation ($input: MergeCustomersInput!) { mergeCustomers(input: $input) { __typename ... on DomainError { code message } } }`,
      {
        input: { fromId: from, intoId: into },
      },
    ),
  );
  const types = (await Promise.all([...work, ...merges])).map(
    (answer) => Object.values(answer as Record<string, { __typename: string }>)[0]?.__typename,
  );
  expect(new Set(types)).toEqual(new Set(['UpsertInvoiceSuccess', 'RecordEventsSuccess', 'MergeCustomersSuccess']));
  await app.settle();
  const { customer } = await app.query<{
    customer: {
      externalId: string;
      lastActivityAt: string;
      invoices: { edges: unknown[] };
      activity: { edges: unknown[] };
    };
  }>(
    '{ customer(externalId: "dup") { externalId lastActivityAt invoices(first: 50) { edges { node { id } } } activity(first: 50, names: ["Ping"]) { edges { node { sourceId } } } } }',
  );
  expect([customer.externalId, customer.lastActivityAt]).toEqual(['real', '2026-03-01T00:00:00.000Z']);
  expect([customer.invoices.edges.length, customer.activity.edges.length]).toEqual([10, 10]);
  expect(await total()).toBe(await rowCount());
});

test('activity of a customer merged away while its row was waited for counts for whoever lives on', async () => {
  const { database } = app.app.infra;
  const make = async (externalId: string) => {
    const { upsertCustomer } = await app.query<{ upsertCustomer: { customer: { id: string } } }>(
      'mutation ($input: CustomerInput!) { upsertCustomer(input: $input) { ... on UpsertCustomerSuccess { customer { id } } } }',
      { input: { externalId } },
    );
    return upsertCustomer.customer.id;
  };
  const [fromId, intoId] = [await make('going'), await make('staying')];
  await app.settle();
  const [going] = await database.query<{ id: string }>("select id from customer where external_id = 'going'");
  const waitingFor = async (count: number) => {
    for (let waiting = 0; waiting < count; ) {
      const [found] = await database.query<{ waiting: number }>(
        `select count(distinct pid)::int as waiting from pg_locks join pg_stat_activity using (pid)
         where not granted and datname = current_database() and locktype in ('transactionid', 'tuple')`,
      );
      waiting = found?.waiting ?? 0;
    }
  };
  const holder = await database.pool.connect();
  const queued: Promise<unknown>[] = [];
  try {
    await holder.query('begin');
    await holder.query('select from customer where id = $1 for update', [going?.id]);
    queued.push(
      app.query('mutation ($input: MergeCustomersInput!) { mergeCustomers(input: $input) { __typename } }', {
        input: { fromId, intoId },
      }),
    );
    await waitingFor(1);
    const seen = { customerId: going?.id as string, lastMs: Date.UTC(2026, 1, 3), firstOrderMs: null };
    queued.push(database.transaction((tx) => noteActivity(tx, [seen])));
    await waitingFor(2);
    await holder.query('rollback');
  } finally {
    holder.release();
  }
  await Promise.all(queued);
  expect(await app.query('{ customer(externalId: "going") { externalId lastActivityAt } }')).toEqual({
    customer: { externalId: 'staying', lastActivityAt: '2026-02-03T00:00:00.000Z' },
  });
});
