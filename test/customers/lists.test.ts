import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';

const NOW = new Date('2026-03-10T12:00:00Z');
const SEGMENTS = ['Enterprise', 'SMB', null];
const STATUSES = ['ACTIVE', 'TRIAL', 'PAUSED'];
let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: NOW });
  const customers = Array.from({ length: 60 }, (_, n) => ({
    externalId: `c-${n}`,
    name: `${n % 2 === 0 ? 'North' : 'South'} Trading ${String(n).padStart(2, '0')}`,
    businessSegment: SEGMENTS[n % 3],
    status: STATUSES[n % 3],
    owner: { email: n < 30 ? 'mia@us.example' : 'noa@us.example' },
    signupAt: new Date(Date.UTC(2025, 0, 1 + (n % 10))).toISOString(),
  }));
  await app.query('mutation ($input: [CustomerInput!]!) { upsertCustomers(input: $input) { __typename } }', {
    input: customers,
  });
  await app.query(
    `mutation ($contacts: [ContactInput!]!, $subscriptions: [SubscriptionInput!]!, $orders: [OrderInput!]!) {
      upsertContacts(input: $contacts) { __typename }
      upsertSubscriptions(input: $subscriptions) { __typename }
      upsertOrders(input: $orders) { __typename }
    }`,
    {
      contacts: customers.map(({ externalId }) => ({
        customerExternalId: externalId,
        email: `${externalId}@mail.example`,
      })),
      subscriptions: customers.map(({ externalId }, n) => ({
        customerExternalId: externalId,
        externalId: `s-${n}`,
        plan: n % 4 === 0 ? 'Pro' : 'Basic',
        mrrMinor: 1000,
        currency: 'USD',
        ...(n === 8 ? { startedAt: '2025-01-01T00:00:00Z', cancelledAt: '2025-02-01T00:00:00Z' } : {}),
      })),
      orders: customers.slice(0, 5).map(({ externalId }, n) => ({
        customerExternalId: externalId,
        externalId: `o-${n}`,
        amountMinor: 100,
        currency: 'USD',
        placedAt: new Date(Date.UTC(2026, 0, 1 + n)).toISOString(),
      })),
    },
  );
});
afterAll(() => app.close());

interface Page {
  readonly customers: {
    readonly totalCount: number;
    readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean };
    readonly edges: readonly { readonly node: { readonly externalId: string } }[];
  };
}

const LIST = `query ($first: Int!, $after: String, $filter: CustomerFilter, $orderBy: CustomerOrder) {
  customers(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
    totalCount pageInfo { endCursor hasNextPage } edges { node { externalId } } } }`;

const list = async (variables: object) => (await app.query<Page>(LIST, { first: 100, ...variables })).customers;

const numbers = (page: Page['customers']) => page.edges.map(({ node }) => Number(node.externalId.slice(2)));

test.each([
  ['segment', { segment: ['SMB'] }, (n: number) => n % 3 === 1],
  ['status', { status: ['PAUSED', 'TRIAL'] }, (n: number) => n % 3 !== 0],
  ['plan', { plan: ['Pro'] }, (n: number) => n % 4 === 0 && n !== 8],
  ['owner', { owner: ['MIA@us.example'] }, (n: number) => n < 30],
  ['search by name', { search: 'north tr' }, (n: number) => n % 2 === 0],
  ['search by e-mail', { search: 'c-17@' }, (n: number) => n === 17],
  ['search takes wildcards as they are', { search: '%_' }, () => false],
  [
    'all of them',
    { segment: ['Enterprise'], owner: ['mia@us.example'], search: 'North' },
    (n: number) => n % 6 === 0 && n < 30,
  ],
])('the filter by %s keeps the right customers and counts them', async (_name, filter, keeps) => {
  const expected = Array.from({ length: 60 }, (_, n) => n).filter(keeps);
  const page = await list({ filter });
  expect(numbers(page).sort((a, b) => a - b)).toEqual(expected);
  expect(page.totalCount).toBe(expected.length);
});

test.each(['NAME', 'SIGNUP', 'LAST_ACTIVITY'])(
  'pages by %s follow each other without gap or repetition, both ways',
  async (by) => {
    for (const direction of ['ASC', 'DESC']) {
      const whole = numbers(await list({ orderBy: { by, direction } }));
      expect(new Set(whole).size).toBe(60);
      const seen: number[] = [];
      let after: string | null = null;
      for (;;) {
        const page: Page['customers'] = await list({ first: 7, after, orderBy: { by, direction } });
        seen.push(...numbers(page));
        after = page.pageInfo.endCursor;
        if (!page.pageInfo.hasNextPage) break;
      }
      expect(seen).toEqual(whole);
    }
  },
);

test('a customer that comes or goes between two pages moves nothing else', async () => {
  const order = { by: 'NAME', direction: 'ASC' };
  const first = await list({ first: 10, orderBy: order });
  await app.query('mutation { upsertCustomer(input: { externalId: "c-100", name: "Aardvark" }) { __typename } }');
  const second = await list({ first: 10, after: first.pageInfo.endCursor, orderBy: order });
  const all = numbers(await list({ orderBy: order })).filter((n) => n < 60);
  expect([...numbers(first), ...numbers(second)]).toEqual(all.slice(0, 20));
});

test('a page with everything this module knows of a customer takes at most three statements', async () => {
  const answer = await app.ask(
    `{ customers(first: 20, orderBy: { by: SIGNUP, direction: ASC }) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node {
      id externalId name status businessSegment signupAt traits lastActivityAt owner { name email }
      contacts(first: 3) { edges { node { email consent { topic } } } }
      subscriptions(first: 3) { edges { node { plan mrr { amountMinor } } } }
      invoices(first: 3) { edges { node { amount { amountMinor } } } }
      tickets(first: 3, open: true) { edges { node { priority } } }
      orders(first: 3) { edges { node { externalId amount { amountMinor } lines { product } } } }
    } } } }`,
    {},
    { 'x-holdfast-statements': '1' },
  );
  expect(answer.errors).toBeUndefined();
  const { statements } = answer.extensions as { statements?: number };
  expect(statements, 'page and lines of its orders').toBe(2);
});

test('lists within a customer have pages of their own', async () => {
  await app.query('mutation ($input: [OrderInput!]!) { upsertOrders(input: $input) { __typename } }', {
    input: Array.from({ length: 12 }, (_, n) => ({
      customerExternalId: 'c-50',
      externalId: `many-${n}`,
      amountMinor: n,
      currency: 'USD',
      placedAt: '2026-02-01T00:00:00Z',
    })),
  });
  const seen: string[] = [];
  let after: string | null = null;
  for (;;) {
    const data: {
      customer: {
        orders: { pageInfo: { endCursor: string; hasNextPage: boolean }; edges: { node: { externalId: string } }[] };
      };
    } = await app.query(
      `query ($after: String) { customer(externalId: "c-50") { orders(first: 5, after: $after) { pageInfo { endCursor hasNextPage } edges { node { externalId } } } } }`,
      { after },
    );
    seen.push(...data.customer.orders.edges.map(({ node }) => node.externalId));
    after = data.customer.orders.pageInfo.endCursor;
    if (!data.customer.orders.pageInfo.hasNextPage) break;
  }
  expect(new Set(seen).size).toBe(12);
  expect(seen.length).toBe(12);
});

test('account managers are listed by address, page by page', async () => {
  const page = async (after: string | null) =>
    (
      await app.query<{ accountManagers: { pageInfo: { endCursor: string }; edges: { node: { email: string } }[] } }>(
        'query ($after: String) { accountManagers(first: 1, after: $after) { pageInfo { endCursor } edges { node { email } } } }',
        { after },
      )
    ).accountManagers;
  const first = await page(null);
  const second = await page(first.pageInfo.endCursor);
  expect([...first.edges, ...second.edges].map(({ node }) => node.email)).toEqual(['mia@us.example', 'noa@us.example']);
});

test('amounts in other currencies are converted by the rate of their day, or shown apart', async () => {
  const data = await app.query<{ upsertOrders: { order: { reportingAmount: { amountMinor: number } | null } }[] }>(
    `mutation {
      setExchangeRates(input: [{ currency: "EUR", validFrom: "2026-02-01", rate: "1.085" }, { currency: "EUR", validFrom: "2026-03-01", rate: "1.2" }, { currency: "JPY", validFrom: "2026-02-01", rate: "0.0067" }]) { ... on ExchangeRate { rate } ${'... on DomainError { code }'} }
      upsertOrders(input: [
        { customerExternalId: "fx", externalId: "fx-1", amountMinor: 1001, currency: "EUR", placedAt: "2026-02-28T23:00:00Z" },
        { customerExternalId: "fx", externalId: "fx-2", amountMinor: 1000, currency: "EUR", placedAt: "2026-03-01T00:00:00Z" },
        { customerExternalId: "fx", externalId: "fx-3", amountMinor: 1000, currency: "JPY", placedAt: "2026-03-01T00:00:00Z" },
        { customerExternalId: "fx", externalId: "fx-4", amountMinor: 1000, currency: "EUR", placedAt: "2026-01-01T00:00:00Z" }
      ]) { ... on UpsertOrderSuccess { order { reportingAmount { amountMinor currency } } } ... on DomainError { code message } }
    }`,
  );
  expect(data.upsertOrders.map(({ order }) => order.reportingAmount?.amountMinor ?? null)).toEqual([
    1086,
    1200,
    670,
    null,
  ]);
  const from = new Date('2026-01-01T00:00:00Z');
  const revenue = await app.app.composition.services.customers.revenue({ from, to: NOW });
  expect(revenue.unconverted).toEqual([{ currency: 'EUR', amountMinor: 1000, orders: 1 }]);
  const { exchangeRates } = await app.query<{ exchangeRates: unknown }>(
    '{ exchangeRates(on: "2026-02-15") { currency validFrom rate } }',
  );
  expect(exchangeRates).toEqual([
    { currency: 'EUR', validFrom: '2026-02-01', rate: '1.0850000000' },
    { currency: 'JPY', validFrom: '2026-02-01', rate: '0.0067000000' },
  ]);
});

test('what an input object leaves out has its default, also when the document comes again and is compiled', async () => {
  const ask = () =>
    app.query<Page>(
      `query ($filter: CustomerFilter, $order: CustomerOrder, $first: Int! = 3) {
         customers(first: $first, filter: $filter, orderBy: $order) { totalCount pageInfo { hasNextPage } edges { node { externalId } } }
       }`,
      { filter: { health: { max: 100 }, search: 'North' }, order: { by: 'SIGNUP' } },
    );
  const first = await ask();
  for (let run = 0; run < 4; run += 1) expect(await ask()).toEqual(first);
});
