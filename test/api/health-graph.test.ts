import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';

const page = /* GraphQL */ `
  query HealthGraph($first: Int!, $after: String) {
    customers(first: $first, after: $after) {
      totalCount
      pageInfo { hasNextPage endCursor }
      edges {
        cursor
        node {
          id externalId name status businessSegment owner { name }
          health { score tier coverage at parts { name value weight } change { delta } }
          risk { score category since indicators { name value weight } }
          churn { status since }
          loyalty { earned tier { name } nextTier { pointsToGo } balance { available } entries(first: 5) { edges { node { points kind recordedAt } } } }
          tickets(first: 5, open: true) { edges { node { externalId priority openedAt } } }
          messages(first: 3) { edges { node { id } } }
        }
      }
    }
  }
`;

const customers = 1_200;
let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
  const upsert = 'mutation ($input: [CustomerInput!]!) { upsertCustomers(input: $input) { __typename } }';
  const order = 'mutation ($input: [OrderInput!]!) { upsertOrders(input: $input) { __typename } }';
  const ticket = 'mutation ($input: [TicketInput!]!) { upsertTickets(input: $input) { __typename } }';
  const all = Array.from({ length: customers }, (_, n) => `c${String(n).padStart(5, '0')}`);
  const inBatches = async (text: string, input: readonly object[]) => {
    for (let start = 0; start < input.length; start += 200)
      await app.query(text, { input: input.slice(start, start + 200) });
  };
  await inBatches(
    upsert,
    all.map((externalId) => ({ externalId, name: `Customer ${externalId}` })),
  );
  const placedAt = new Date(Date.now() - 86_400_000).toISOString();
  await inBatches(
    order,
    all.slice(0, 400).map((customerExternalId, n) => ({
      externalId: `o${n}`,
      customerExternalId,
      amountMinor: 5_000,
      currency: 'USD',
      placedAt,
    })),
  );
  await inBatches(
    ticket,
    all.slice(0, 50).map((customerExternalId, n) => ({
      externalId: `t${n}`,
      customerExternalId,
      openedAt: placedAt,
      priority: 'HIGH',
    })),
  );
  await app.settle();
});

afterAll(() => app.close());

interface Graph {
  readonly customers: {
    readonly totalCount: number;
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
    readonly edges: readonly {
      readonly node: {
        readonly externalId: string;
        readonly loyalty: object | null;
        readonly tickets: { edges: object[] };
      };
    }[];
  };
}

const tell = { 'x-holdfast-statements': '1' };

it('reads the health graph of a page with at most three statements, whatever the size of the page', async () => {
  const counts: unknown[] = [];
  for (const first of [1, 20, 50]) {
    const answer = await app.ask<Graph>(page, { first }, tell);
    expect(answer.errors).toBeUndefined();
    expect(answer.data.customers.edges).toHaveLength(first);
    expect(answer.data.customers.totalCount).toBe(customers);
    counts.push(answer.extensions.statements);
  }
  expect(Math.max(...(counts as number[]))).toBeLessThanOrEqual(3);
  const { data } = await app.ask<Graph>(page, { first: 20 });
  expect(data.customers.edges.every(({ node }) => node.loyalty !== null && node.tickets.edges.length === 1)).toBe(true);
});

it('takes the default of a variable however often the document came', async () => {
  const query = 'query ($first: Int! = 2) { customers(first: $first) { edges { node { externalId } } } }';
  for (let round = 0; round < 4; round += 1) {
    const { data, errors } = await app.ask<Graph>(query);
    expect(errors).toBeUndefined();
    expect(data.customers.edges).toHaveLength(2);
  }
});

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** Rows taken from tables, by table. */
function rowsRead(node: PlanNode, into: Map<string, number> = new Map()): Map<string, number> {
  const table = node['Relation Name'];
  if (table !== undefined) into.set(table, (into.get(table) ?? 0) + node['Actual Rows'] * node['Actual Loops']);
  for (const child of node.Plans ?? []) rowsRead(child, into);
  return into;
}

it('reads rows in proportion to the page', async () => {
  const { database } = app.app.infra;
  await database.query('analyze');
  const spy = vi.spyOn(database, 'query');
  await app.query(page, { first: 20 });
  const sent = spy.mock.calls.filter(([text]) => text.startsWith('with page'));
  spy.mockRestore();
  expect(sent).toHaveLength(1);
  const [text, values] = sent[0] ?? [''];
  const [explained] = await database.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
    `explain (analyze, format json) ${text}`,
    values,
  );
  const read = rowsRead(explained?.['QUERY PLAN'][0]?.Plan as PlanNode);
  // A handful of rows per customer and table, of tables that hold more than a thousand.
  expect(Object.fromEntries([...read].filter(([, rows]) => rows > 21 * 8))).toEqual({});
  expect(read.get('customer')).toBeLessThanOrEqual(2 * 21);
});
