import { afterAll, beforeAll, expect, expectTypeOf, test } from 'vitest';
import {
  AwardPointsDocument,
  CustomerPageDocument,
  type TypedDocumentString,
  UpsertCustomersDocument,
} from '../generated/graphql.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

// A partner writes operations against schema.graphql and generates types from it, as codegen.ts does. What the types
// promise has to be what the server answers.
let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: new Date('2026-03-10T12:00:00Z') });
});
afterAll(() => app.close());

const send = <Data, Variables extends Readonly<Record<string, unknown>>>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
): Promise<Data> => app.query<Data>(document.toString(), variables);

test('a typed partner upserts, awards and reads the page back', async () => {
  const { upsertCustomers } = await send(UpsertCustomersDocument, {
    input: [
      { externalId: 'acme', name: 'Acme', status: 'ACTIVE', signupAt: '2025-01-01T00:00:00Z' },
      { externalId: 'globex', name: 'Globex', signupAt: '2025-02-01T00:00:00Z' },
      { externalId: '' },
    ],
  });
  const [acme, globex, refused] = upsertCustomers;
  expect(globex).toMatchObject({ __typename: 'UpsertCustomerSuccess', created: true });
  expect(refused).toMatchObject({ __typename: 'InvalidInput', code: 'CORE_INVALID_INPUT' });
  if (acme?.__typename !== 'UpsertCustomerSuccess' || acme.customer === null) throw new Error('acme was refused');

  const award = { customerId: acme.customer.id, points: 120, reason: 'a talk', idempotencyKey: 'award-1' };
  const { awardPoints } = await send(AwardPointsDocument, { input: award });
  if (awardPoints.__typename !== 'AwardPointsSuccess') throw new Error(awardPoints.code);
  expectTypeOf(awardPoints.entry.points).toEqualTypeOf<number>();
  expect(awardPoints).toEqual({
    __typename: 'AwardPointsSuccess',
    replayed: false,
    entry: { points: 120, balanceAfter: 120, reason: 'a talk' },
    account: { balance: { available: 120 }, tier: { key: 'BRONZE' } },
  });

  await app.settle();
  const { customers } = await send(CustomerPageDocument, { first: 1 });
  expectTypeOf(customers.totalCount).toEqualTypeOf<number>();
  expect(customers).toMatchObject({
    totalCount: 2,
    pageInfo: { hasNextPage: true },
    edges: [{ node: { name: 'Acme', loyalty: { balance: { available: 120 } } } }],
  });
  const rest = await send(CustomerPageDocument, { first: 1, after: customers.pageInfo.endCursor });
  expect(rest.customers.edges.map(({ node }) => node.name)).toEqual(['Globex']);
});
