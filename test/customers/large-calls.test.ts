import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: new Date('2026-03-10T12:00:00Z') });
});
afterAll(() => app.close());

const RECORD = `mutation ($input: RecordEventsInput!) { recordEvents(input: $input) {
  ... on RecordEventsSuccess { accepted duplicates outcomes } ... on DomainError { code message } } }`;

interface Recorded {
  readonly accepted: number;
  readonly duplicates: number;
  readonly outcomes: readonly string[];
}

/** 150 events: enough for a call to be large. */
const events = (from: number, customer = (n: number) => `c-${n % 30}`) =>
  Array.from({ length: 150 }, (_, n) => ({
    id: `e-${from + n}`,
    name: 'Ping',
    at: '2026-03-01T00:00:00.123Z',
    customerExternalId: customer(n),
    properties: { text: 'quote " backslash \\ brace } comma ,' },
  }));

async function record(input: object) {
  const answer = await app.ask<{ recordEvents: Recorded }>(RECORD, { input }, { 'x-holdfast-statements': '1' });
  expect(answer.errors).toBeUndefined();
  const { statements } = answer.extensions as { statements: number };
  return { ...answer.data.recordEvents, statements };
}

test('a large call of new events of known customers is one statement', async () => {
  expect(await record({ source: 'a', events: events(0) })).toMatchObject({ accepted: 150, duplicates: 0 });
  // The first call made the customers, the second learns their ids.
  expect(await record({ source: 'a', events: events(1_000) })).toMatchObject({ accepted: 150, statements: 2 });
  expect(await record({ source: 'a', events: events(2_000) })).toMatchObject({ accepted: 150, statements: 1 });
  await app.settle();
  const [row] = await app.app.infra.analytics.query<object>(
    `select name, at, properties, toUInt32(count()) as n from events final where source = 'a' and source_id = 'e-1007' group by all`,
  );
  expect(row).toEqual({
    name: 'Ping',
    at: '2026-03-01T00:00:00.123Z',
    properties: expect.stringContaining('quote \\" backslash'),
    n: 1,
  });
});

test('a large call that repeats some events takes the others, whichever way it goes', async () => {
  expect(await record({ source: 'b', events: events(0) })).toMatchObject({ accepted: 150 });
  const mixed = await record({ source: 'b', events: events(100) });
  expect(mixed).toMatchObject({ accepted: 100, duplicates: 50 });
  expect(mixed.outcomes.slice(48, 52)).toEqual(['DUPLICATE', 'DUPLICATE', 'ACCEPTED', 'ACCEPTED']);
  const twice = events(5_000);
  expect(await record({ source: 'b', events: [...twice, ...twice] })).toMatchObject({ accepted: 150, duplicates: 150 });
  const [row] = await app.app.infra.database.query<{ n: number }>(
    `select sum((payload->>'count')::int)::int as n from outbox_event where type = 'customers.eventsRecorded'`,
  );
  expect(row?.n, 'what is published is what was new').toBe(450 + 150 + 100 + 150);
});

test('events of a customer merged away go to whoever lives on, though memory says otherwise', async () => {
  const make = async (externalId: string) =>
    (
      await app.query<{ upsertCustomer: { customer: { id: string } } }>(
        `mutation { upsertCustomer(input: { externalId: "${externalId}" }) { ... on UpsertCustomerSuccess { customer { id } } } }`,
      )
    ).upsertCustomer.customer.id;
  const [from, into] = [await make('from'), await make('into')];
  await record({ source: 'm', events: events(0, () => 'from') });
  await app.query(
    'mutation ($input: MergeCustomersInput!) { mergeCustomers(input: $input) { __typename ... on DomainError { code } } }',
    { input: { fromId: from, intoId: into } },
  );
  for (let call = 1; call <= 25; call += 1) {
    expect(await record({ source: 'm', events: events(call * 1_000, () => 'from') })).toMatchObject({ accepted: 150 });
  }
  await app.settle();
  const rows = await app.app.infra.analytics.query<{ id: string; n: number }>(
    `select customer_id as id, toUInt32(count()) as n from events final where source = 'm' group by id order by n`,
  );
  const uuid = (id: string) => Buffer.from(id, 'base64url').toString().slice('Customer:'.length);
  expect(rows).toEqual([
    { id: uuid(from), n: 150 },
    { id: uuid(into), n: 150 * 25 },
  ]);
});
