import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemCall } from '../../src/core/call.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

const NOW = new Date('2026-03-10T12:00:00Z');
let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: NOW });
});
afterAll(() => app.close());

interface Recorded {
  readonly accepted: number;
  readonly duplicates: number;
  readonly outcomes: readonly string[];
  readonly rejected: readonly { readonly index: number; readonly code: string; readonly message: string }[];
}

const RECORD = `mutation ($input: RecordEventsInput!) { recordEvents(input: $input) {
  ... on RecordEventsSuccess { batchId accepted duplicates outcomes rejected { index id code message path } }
  ... on DomainError { code message path } } }`;

const record = async (events: readonly object[], source?: string) =>
  (await app.query<{ recordEvents: Recorded }>(RECORD, { input: { source, events } })).recordEvents;

const timeline = async (externalId: string, args = 'first: 20') =>
  (
    await app.query<{
      customer: { activity: { edges: { cursor: string; node: { name: string; sourceId: string } }[] } };
    }>(
      `query ($externalId: String!) { customer(externalId: $externalId) { activity(${args}) { edges { cursor node { name sourceId } } } } }`,
      { externalId },
    )
  ).customer.activity.edges;

const event = (id: string, more: object = {}) => ({
  id,
  name: 'feature.used',
  at: '2026-03-01T10:00:00Z',
  customerExternalId: 'ada',
  properties: { feature: 'reports' },
  ...more,
});

test('each event gets its answer: accepted, sent before, or rejected with the rule it breaks', async () => {
  expect(
    await record([event('1'), event('2'), event('1'), event('3', { at: '2027-01-01T00:00:00Z' })], 'shop'),
  ).toEqual({
    batchId: expect.any(String),
    accepted: 2,
    duplicates: 1,
    outcomes: ['ACCEPTED', 'ACCEPTED', 'DUPLICATE', 'REJECTED'],
    rejected: [
      {
        index: 3,
        id: '3',
        code: 'CORE_INVALID_INPUT',
        message: 'at: "2027-01-01T00:00:00.000Z" lies in the future; it is 2026-03-10T12:00:00.000Z for this business.',
        path: ['input', 'events', '3', 'at'],
      },
    ],
  });
  expect((await record([event('1'), event('4')], 'shop')).outcomes).toEqual(['DUPLICATE', 'ACCEPTED']);
  expect((await record([event('1')], 'app')).outcomes, 'another source has its own ids').toEqual(['ACCEPTED']);
});

test('an accepted event is in the timeline at once, and stays once when the history engine has it', async () => {
  await record([event('t-1', { customerExternalId: 'tim', at: '2026-03-02T10:00:00Z' })], 'shop');
  await record([event('t-2', { customerExternalId: 'tim', name: 'Page Viewed', at: '2026-03-03T10:00:00Z' })], 'shop');
  const ids = async () => (await timeline('tim')).map(({ node }) => node.sourceId);
  expect(await ids()).toEqual(['t-2', 't-1']);
  await app.settle();
  expect(await ids()).toEqual(['t-2', 't-1']);
  const [first] = await timeline('tim', 'first: 1');
  expect((await timeline('tim', `first: 5, after: "${first?.cursor}"`)).map(({ node }) => node.sourceId)).toEqual([
    't-1',
  ]);
  expect((await timeline('tim', 'first: 5, names: ["Page Viewed"]')).map(({ node }) => node.sourceId)).toEqual(['t-2']);
});

test('one fact is published for a call, none for a call that brought nothing new', async () => {
  const facts = () =>
    app.app.infra.database.query<{ payload: object }>(
      `select payload from outbox_event where type = 'customers.eventsRecorded' order by xid, seq`,
    );
  const before = (await facts()).length;
  const events = [
    event('f-1', { customerExternalId: 'fay' }),
    event('f-2', { customerExternalId: 'fay', at: '2026-03-05T00:00:00Z' }),
    event('f-3', { customerExternalId: 'fay', name: 'message.opened', at: '2026-03-06T00:00:00Z', properties: {} }),
  ];
  await record(events, 'shop');
  await record(events, 'shop');
  const after = await facts();
  expect(after.length - before).toBe(1);
  expect(after.at(-1)?.payload).toEqual({
    batchId: expect.any(String),
    count: 3,
    byName: { 'feature.used': 2, 'message.opened': 1 },
    customerIds: [expect.any(String)],
    latestMs: [Date.UTC(2026, 2, 5)],
  });
  await app.settle();
  const { customer } = await app.query<{ customer: { lastActivityAt: string; signupAt: string } }>(
    '{ customer(externalId: "fay") { lastActivityAt signupAt } }',
  );
  expect(customer, 'opening a message is no activity').toEqual({
    lastActivityAt: '2026-03-05T00:00:00.000Z',
    signupAt: '2026-03-01T10:00:00.000Z',
  });
});

test('an event of an order becomes an order, and the order counts once by whichever way it comes', async () => {
  const placed = event('p-1', {
    name: 'order.placed',
    customerExternalId: 'olga',
    amountMinor: 1999,
    currency: 'USD',
    properties: { orderId: 'order-9', coupon: 'SPRING' },
  });
  expect((await record([placed], 'shop')).outcomes).toEqual(['ACCEPTED']);
  await app.query(
    `mutation { upsertOrder(input: { customerExternalId: "olga", externalId: "order-9", amountMinor: 1999, currency: "USD", placedAt: "2026-03-01T10:00:00Z" }) { __typename } }`,
  );
  const back = event('p-2', {
    name: 'order.returned',
    customerExternalId: 'olga',
    at: '2026-03-04T10:00:00Z',
    amountMinor: 500,
    currency: 'USD',
    properties: { orderId: 'order-9' },
  });
  expect((await record([back, { ...back, id: 'p-3' }], 'shop')).outcomes).toEqual(['ACCEPTED', 'ACCEPTED']);
  const tooMuch = await record([{ ...back, id: 'p-4', amountMinor: 5000 }], 'shop');
  expect(tooMuch.outcomes).toEqual(['REJECTED']);
  expect(
    (await record([{ ...back, id: 'p-4', amountMinor: 1 }], 'shop')).outcomes,
    'mended, it may come again',
  ).toEqual(['ACCEPTED']);
  await app.settle();
  const { customer } = await app.query<Record<string, unknown>>(
    `{ customer(externalId: "olga") { firstOrderAt
       orders(first: 5) { edges { node { externalId amount { amountMinor } returned { amountMinor } returnedAt } } }
       activity(first: 20) { edges { node { name amount { amountMinor } properties } } } } }`,
  );
  expect(customer).toMatchInlineSnapshot(`
    {
      "activity": {
        "edges": [
          {
            "node": {
              "amount": {
                "amountMinor": 1,
              },
              "name": "order.returned",
              "properties": {
                "orderId": "order-9",
              },
            },
          },
          {
            "node": {
              "amount": {
                "amountMinor": 500,
              },
              "name": "order.returned",
              "properties": {
                "orderId": "order-9",
              },
            },
          },
          {
            "node": {
              "amount": {
                "amountMinor": 500,
              },
              "name": "order.returned",
              "properties": {
                "orderId": "order-9",
              },
            },
          },
          {
            "node": {
              "amount": {
                "amountMinor": 1999,
              },
              "name": "order.placed",
              "properties": {
                "coupon": "SPRING",
                "orderId": "order-9",
              },
            },
          },
        ],
      },
      "firstOrderAt": "2026-03-01T10:00:00.000Z",
      "orders": {
        "edges": [
          {
            "node": {
              "amount": {
                "amountMinor": 1999,
              },
              "externalId": "order-9",
              "returned": {
                "amountMinor": 1001,
              },
              "returnedAt": "2026-03-04T10:00:00.000Z",
            },
          },
        ],
      },
    }
  `);
});

test("a name of the business's own is stored under the known name it is mapped to", async () => {
  const { settings } = app.app.infra;
  await settings.change(systemCall('test'), 'customers.eventNames', { 'Product Viewed': 'feature.used' });
  const rejected = await record(
    [event('m-1', { name: 'Product Viewed', customerExternalId: 'max', properties: {} })],
    'shop',
  );
  expect(rejected.rejected[0]?.message).toContain('feature.used');
  await record([event('m-2', { name: 'Product Viewed', customerExternalId: 'max' })], 'shop');
  const [seen] = await timeline('max');
  expect(seen?.node.name).toBe('feature.used');
  await settings.change(systemCall('test'), 'customers.eventNames', {});
});

test('unknown customers are refused when the business says so, and nobody is made', async () => {
  const { settings } = app.app.infra;
  await settings.change(systemCall('test'), 'customers.unknownCustomer', 'reject');
  const answer = await record([event('u-1', { customerExternalId: 'nobody' }), event('u-2')], 'shop');
  expect(answer.outcomes).toEqual(['REJECTED', 'ACCEPTED']);
  expect(answer.rejected[0]).toMatchObject({
    code: 'CUSTOMERS_NOT_FOUND',
    path: ['input', 'events', '0', 'customerExternalId'],
  });
  expect(await app.query('{ customer(externalId: "nobody") { id } }')).toEqual({ customer: null });
  await settings.change(systemCall('test'), 'customers.unknownCustomer', 'create');
});

test('an identity is remembered for the stated window, and then no longer', async () => {
  const job = app.app.composition.jobs.find(({ name }) => name === 'customers.forgetEvents');
  const forget = () =>
    job?.run(
      {},
      { signal: new AbortController().signal, logger: app.app.infra.logger, attempt: 1, lastAttempt: false },
    );
  const again = () => record([event('w-1', { customerExternalId: 'wim' })], 'shop');
  await again();
  app.clock?.advance(89 * 86_400_000);
  await forget();
  expect((await again()).outcomes).toEqual(['DUPLICATE']);
  app.clock?.advance(2 * 86_400_000);
  await forget();
  expect((await again()).outcomes).toEqual(['ACCEPTED']);
  await app.settle();
  expect(
    (await timeline('wim')).map(({ node }) => node.sourceId),
    'the history folds it all the same',
  ).toEqual(['w-1']);
});
