import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';

const NOW = new Date('2026-03-10T12:00:00Z');
let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: NOW });
});
afterAll(() => app.close());

interface CustomerAnswer {
  readonly id: string;
  readonly externalId: string;
}

const FAILURE = '... on DomainError { __typename code path }';

async function customer(externalId: string, more: Readonly<Record<string, unknown>> = {}): Promise<CustomerAnswer> {
  const data = await app.query<{ upsertCustomer: { customer: CustomerAnswer } }>(
    `mutation ($input: CustomerInput!) { upsertCustomer(input: $input) { ... on UpsertCustomerSuccess { customer { id externalId } } ${FAILURE} } }`,
    { input: { externalId, ...more } },
  );
  return data.upsertCustomer.customer;
}

const merge = (fromId: string, intoId: string) =>
  app.query<{ mergeCustomers: Record<string, unknown> }>(
    `mutation ($input: MergeCustomersInput!) { mergeCustomers(input: $input) { ... on MergeCustomersSuccess { merged customer { id externalId } } ${FAILURE} } }`,
    { input: { fromId, intoId } },
  );

const count = async () =>
  (await app.query<{ customers: { totalCount: number } }>('{ customers { totalCount } }')).customers.totalCount;

async function recordOne(customerExternalId: string, id: string): Promise<void> {
  await app.query(
    `mutation ($input: RecordEventsInput!) { recordEvents(input: $input) { ... on RecordEventsSuccess { accepted } } }`,
    {
      input: {
        source: 'shop',
        events: [{ id, name: 'Ping', at: '2026-03-01T10:00:00Z', customerExternalId, properties: { ip: '10.1.2.3' } }],
      },
    },
  );
}

test('a merge makes two customers one: records, history and both names; done again it does nothing', async () => {
  const into = await customer('anna', { name: 'Anna', traits: { a: 1 }, signupAt: '2025-05-01T00:00:00Z' });
  const from = await customer('anna-old', {
    name: 'A.',
    traits: { a: 0, b: 2 },
    signupAt: '2024-01-01T00:00:00Z',
    businessSegment: 'SMB',
  });
  await recordOne('anna', 'm-1');
  await recordOne('anna-old', 'm-2');
  await app.query(
    `mutation {
      a: upsertContacts(input: [{ customerExternalId: "anna", email: "anna@x.example", name: "Anna" }, { customerExternalId: "anna-old", email: "anna@x.example", name: "Old" }, { customerExternalId: "anna-old", email: "bob@x.example" }]) { __typename }
      b: upsertOrder(input: { customerExternalId: "anna-old", externalId: "mo-1", amountMinor: 100, currency: "USD", placedAt: "2026-01-01T00:00:00Z" }) { __typename }
    }`,
  );
  await app.settle();
  const before = await count();

  expect(await merge(from.id, into.id)).toEqual({ mergeCustomers: { merged: true, customer: into } });
  expect(await count()).toBe(before - 1);
  await recordOne('anna-old', 'm-3');
  await app.settle();

  const story = `{ name externalId signupAt businessSegment traits
    contacts(first: 5) { edges { node { email name } } } orders(first: 5) { edges { node { externalId } } }
    activity(first: 10, names: ["Ping"]) { edges { node { sourceId } } } }`;
  const expected = {
    name: 'Anna',
    externalId: 'anna',
    signupAt: '2024-01-01T00:00:00.000Z',
    businessSegment: 'SMB',
    traits: { a: 1, b: 2 },
    contacts: {
      edges: [{ node: { email: 'anna@x.example', name: 'Anna' } }, { node: { email: 'bob@x.example', name: null } }],
    },
    orders: { edges: [{ node: { externalId: 'mo-1' } }] },
    activity: { edges: expect.arrayContaining(['m-1', 'm-2', 'm-3'].map((sourceId) => ({ node: { sourceId } }))) },
  };
  const byFormerName = await app.query(`{ customer(externalId: "anna-old") ${story} }`);
  expect(byFormerName).toEqual({ customer: expected });
  const byFormerId = await app.query(`query ($id: ID!) { customer(id: $id) ${story} node(id: $id) { id } }`, {
    id: from.id,
  });
  expect(byFormerId).toEqual({ customer: expected, node: { id: into.id } });

  expect(await merge(from.id, into.id)).toEqual({ mergeCustomers: { merged: false, customer: into } });
  expect(await merge(into.id, from.id), 'both lead to the same customer').toMatchObject({
    mergeCustomers: { merged: false },
  });
  expect(await merge(into.id, into.id)).toMatchObject({ mergeCustomers: { code: 'CORE_INVALID_INPUT' } });
});

test('merges in a chain lead in one step to whoever lives on', async () => {
  const [a, b, c] = [await customer('chain-a'), await customer('chain-b'), await customer('chain-c')];
  await recordOne('chain-a', 'c-1');
  await merge(a.id, b.id);
  await merge(b.id, c.id);
  await app.settle();
  const rows = await app.app.infra.analytics.query<{ survivor: string }>(
    'select distinct toString(survivor_id) as survivor from customer_alias final where customer_id in (select customer_id from events)',
  );
  const data = await app.query<{ customer: CustomerAnswer & { activity: { edges: unknown[] } } }>(
    '{ customer(externalId: "chain-a") { id externalId activity(first: 5) { edges { node { sourceId } } } } }',
  );
  expect(data.customer).toEqual({ ...c, activity: { edges: [{ node: { sourceId: 'c-1' } }] } });
  expect(rows.length).toBeGreaterThan(0);
});

test('a renamed customer is found by both names, and the former name cannot be given away', async () => {
  const { id } = await customer('before');
  const rename = (externalId: string) =>
    app.query<{ renameCustomer: Record<string, unknown> }>(
      `mutation ($input: RenameCustomerInput!) { renameCustomer(input: $input) { ... on RenameCustomerSuccess { renamed customer { externalId } } ${FAILURE} } }`,
      { input: { customerId: id, externalId } },
    );
  expect(await rename('after')).toEqual({ renameCustomer: { renamed: true, customer: { externalId: 'after' } } });
  expect(await rename('after')).toEqual({ renameCustomer: { renamed: false, customer: { externalId: 'after' } } });
  expect(await customer('before', { name: 'Known still' })).toEqual({ id, externalId: 'after' });
  await customer('other');
  expect(await rename('other')).toMatchObject({ renameCustomer: { code: 'CUSTOMERS_EXTERNAL_ID_TAKEN' } });
  expect(await rename('before')).toEqual({ renameCustomer: { renamed: true, customer: { externalId: 'before' } } });
  expect((await customer('after')).id).toBe(id);
});

test('an erased person leaves sums and counts, and no personal data anywhere', async () => {
  const { id } = await customer('eve@secret.example', { name: 'Eve Secret', traits: { phone: '555-0199' } });
  await app.query(
    `mutation {
      a: upsertContact(input: { customerExternalId: "eve@secret.example", email: "eve@secret.example", name: "Eve Secret" }) { __typename }
      b: upsertOrder(input: { customerExternalId: "eve@secret.example", externalId: "eo-1", amountMinor: 4200, currency: "USD", placedAt: "2026-01-01T00:00:00Z" }) { __typename }
    }`,
  );
  await recordOne('eve@secret.example', 'eve-1');
  await app.settle();
  await recordOne('eve@secret.example', 'eve-2');
  const before = await count();
  const erase = () =>
    app.query(
      `mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { ... on EraseCustomerSuccess { erased } ${FAILURE} } }`,
      { input: { customerId: id } },
    );
  expect(await erase()).toEqual({ eraseCustomer: { erased: true } });
  expect(await erase()).toEqual({ eraseCustomer: { erased: false } });
  const late = await app.query<{ recordEvents: { rejected: { code: string }[] } }>(
    'mutation ($input: RecordEventsInput!) { recordEvents(input: $input) { ... on RecordEventsSuccess { rejected { code } } } }',
    { input: { source: 'late', events: [{ id: '1', name: 'Ping', at: '2026-03-01T00:00:00Z', customerId: id }] } },
  );
  expect(late.recordEvents.rejected).toEqual([{ code: 'CUSTOMERS_ERASED' }]);
  await app.settle();

  expect(await count()).toBe(before - 1);
  expect(await app.query(`query ($id: ID!) { customer(id: $id) { id } node(id: $id) { id } }`, { id })).toEqual({
    customer: null,
    node: null,
  });
  const { database, analytics } = app.app.infra;
  const tables = await database.query<{ name: string }>(
    `select table_schema || '.' || table_name as name from information_schema.tables
     where table_schema = 'public' and table_type = 'BASE TABLE'`,
  );
  for (const { name } of tables) {
    const found = await database.query<{ row: string }>(
      `select row_to_json(t)::text as row from ${name} t where row_to_json(t)::text ~* 'eve@secret|eve secret|555-0199|10\\.1\\.2\\.3.*eve'`,
    );
    expect(found, name).toEqual([]);
  }
  const events = await analytics.query<{ name: string; properties: string; source_id: string }>(
    `select name, properties, source_id from events final
     where customer_id = {id:UUID} order by name`,
    { id: Buffer.from(id, 'base64url').toString().slice('Customer:'.length) },
  );
  expect(events.map(({ name }) => name)).toEqual(['Ping', 'Ping', 'order.placed']);
  expect(events.every((event) => event.properties === '{}' && !event.source_id.includes('eve'))).toBe(true);
  const [sum] = await database.query<{ amount: number }>(
    `select sum(amount_minor)::int8 as amount from customer_order where external_id = 'eo-1'`,
  );
  expect(sum?.amount).toBe(4200);
  expect((await customer('eve@secret.example')).id, 'who comes again is somebody new').not.toBe(id);
});
