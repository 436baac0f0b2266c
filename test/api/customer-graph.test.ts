import { execute, type GraphQLSchema, lexicographicSortSchema, parse, printSchema, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type Database, type Queryable } from '../../src/core/database/index.ts';
import { createLogger } from '../../src/core/logger.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { contextOf, plantedId, plantedRows, plantedSchema, plantedTables } from './planted.ts';

let testDatabase: TestDatabase;
let database: Database;
let schema: GraphQLSchema;
let statements: string[] = [];

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase({ url: testDatabase.url, logger: createLogger('silent') });
  await database.query(plantedTables);
  for (const statement of plantedRows(60).split(';')) if (statement.trim() !== '') await database.query(statement);
  const recording: Queryable = {
    query: (text, values, options) => {
      statements.push(text);
      return database.query(text, values, options);
    },
  };
  schema = plantedSchema(recording, database.prisma);
});

afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

async function run(source: string, variables: Record<string, unknown> = {}, scopes = ['admin']) {
  statements = [];
  const document = parse(source);
  expect(validate(schema, document)).toEqual([]);
  const result = await execute({ schema, document, variableValues: variables, contextValue: contextOf(...scopes) });
  // Through JSON, as a caller sees it.
  const data: unknown = JSON.parse(JSON.stringify(result.data ?? null));
  return result.errors === undefined ? { data } : { data, errors: result.errors.map((error) => error.message) };
}

describe('a page of customers', () => {
  it('is read by one statement with all its parts', async () => {
    const result = await run(`{
      customers(first: 3) {
        totalCount
        pageInfo { hasNextPage hasPreviousPage endCursor }
        edges { node { externalId name account { available openedAt entries(first: 2) { edges { node { n } } pageInfo { hasNextPage } } } } }
      }
    }`);
    expect(result).toMatchInlineSnapshot(`
      {
        "data": {
          "customers": {
            "edges": [
              {
                "node": {
                  "account": {
                    "available": 0,
                    "entries": {
                      "edges": [],
                      "pageInfo": {
                        "hasNextPage": false,
                      },
                    },
                    "openedAt": "2026-01-01T00:00:00.500Z",
                  },
                  "externalId": "c0",
                  "name": "Customer 0",
                },
              },
              {
                "node": {
                  "account": {
                    "available": 59,
                    "entries": {
                      "edges": [
                        {
                          "node": {
                            "n": 1,
                          },
                        },
                      ],
                      "pageInfo": {
                        "hasNextPage": false,
                      },
                    },
                    "openedAt": "2026-01-01T00:00:00.500Z",
                  },
                  "externalId": "c1",
                  "name": "Customer 1",
                },
              },
              {
                "node": {
                  "account": null,
                  "externalId": "c2",
                  "name": "Customer 2",
                },
              },
            ],
            "pageInfo": {
              "endCursor": "WyIwMDAwMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDIiXQ",
              "hasNextPage": true,
              "hasPreviousPage": false,
            },
            "totalCount": 60,
          },
        },
      }
    `);
    expect(statements).toHaveLength(1);
  });

  it('serves the same part under aliases with other arguments, fragments and directives', async () => {
    const query = `query ($deep: Boolean!, $n: Int!) {
      customers(first: 1, filter: { nameStartsWith: "Customer 31" }) { edges { node { ...Known  skipped: numbers @skip(if: true) } } }
    }
    fragment Known on Customer { two: numbers(first: 2) numbers four: numbers(first: $n) account @include(if: $deep) { a: entries(first: 1) { edges { node { n } } } b: entries(first: 2) { edges { node { n } } } } }`;
    expect(await run(query, { deep: true, n: 4 })).toMatchInlineSnapshot(`
      {
        "data": {
          "customers": {
            "edges": [
              {
                "node": {
                  "account": {
                    "a": {
                      "edges": [
                        {
                          "node": {
                            "n": 30,
                          },
                        },
                      ],
                    },
                    "b": {
                      "edges": [
                        {
                          "node": {
                            "n": 30,
                          },
                        },
                        {
                          "node": {
                            "n": 29,
                          },
                        },
                      ],
                    },
                  },
                  "four": [
                    30,
                    29,
                    28,
                    27,
                  ],
                  "numbers": [
                    30,
                    29,
                    28,
                  ],
                  "two": [
                    30,
                    29,
                  ],
                },
              },
            ],
          },
        },
      }
    `);
    expect(statements).toHaveLength(1);
    expect(await run(query, { deep: false, n: 1 })).toMatchInlineSnapshot(`
      {
        "data": {
          "customers": {
            "edges": [
              {
                "node": {
                  "four": [
                    30,
                  ],
                  "numbers": [
                    30,
                    29,
                    28,
                  ],
                  "two": [
                    30,
                    29,
                  ],
                },
              },
            ],
          },
        },
      }
    `);
  });

  it('reads only what was selected', async () => {
    await run('{ customers(first: 2) { edges { node { id } } } }');
    expect(statements).toMatchInlineSnapshot(`
      [
        "with page as (select c.* from planted_customer c order by c.id asc limit 2) select json_build_object('rows', (select json_agg(r) from (select c.id as "id" from page c) r)) as page",
      ]
    `);
  });

  it.each([
    ['in order of creation', '', 60],
    ['backwards', 'orderBy: { by: NAME, direction: DESC }', 60],
    ['by a column', 'orderBy: { by: NAME }', 60],
    ['by a table that lacks some', 'orderBy: { by: BALANCE }', 60],
    ['by a table that lacks some, backwards', 'orderBy: { by: BALANCE, direction: DESC }', 60],
    ['filtered', 'filter: { minAvailable: 30 }, orderBy: { by: BALANCE, direction: DESC }', 20],
  ])('is walked to the end without loss or repetition: %s', async (_name, args, expected) => {
    const seen: { externalId: string; account: { available: number } | null }[] = [];
    let after: string | null = null;
    for (let pages = 0; pages < 30; pages += 1) {
      const { data } = (await run(
        `query ($after: String) { customers(first: 7, after: $after${args === '' ? '' : `, ${args}`}) {
          totalCount pageInfo { hasNextPage endCursor } edges { cursor node { externalId account { available } } } } }`,
        { after },
      )) as {
        data: {
          customers: {
            totalCount: number;
            pageInfo: { hasNextPage: boolean; endCursor: string };
            edges: { cursor: string; node: (typeof seen)[number] }[];
          };
        };
      };
      expect(data.customers.totalCount).toBe(expected);
      expect(data.customers.pageInfo.endCursor).toBe(data.customers.edges.at(-1)?.cursor);
      seen.push(...data.customers.edges.map((edge) => edge.node));
      if (!data.customers.pageInfo.hasNextPage) break;
      after = data.customers.pageInfo.endCursor;
    }
    expect(seen).toHaveLength(expected);
    expect(new Set(seen.map((customer) => customer.externalId)).size).toBe(expected);
    if (args.includes('BALANCE')) {
      const balances = seen.flatMap((customer) => (customer.account === null ? [] : [customer.account.available]));
      const sorted = balances.toSorted((a, b) => (args.includes('DESC') ? b - a : a - b));
      expect(balances).toEqual(sorted);
      // Customers without the measure come last, whichever the direction.
      expect(seen.slice(0, balances.length).every((customer) => customer.account !== null)).toBe(true);
    }
  });

  it('reads rows in proportion to the page, not to the table', async () => {
    await run(
      '{ customers(first: 20) { totalCount pageInfo { hasNextPage } edges { node { name account { available } numbers } } } }',
    );
    const [plan] = await database.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      `explain (analyze, format json) ${statements[0]?.replace('$1', '3')}`,
    );
    const read = rowsRead(plan?.['QUERY PLAN'][0]?.Plan as PlanNode);
    expect(read).toBeLessThan(21 * 10);
  });
});

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly Plans?: readonly PlanNode[];
}

const rowsRead = (node: PlanNode): number =>
  (node['Node Type'].includes('Scan') ? node['Actual Rows'] * node['Actual Loops'] : 0) +
  (node.Plans ?? []).reduce((sum, child) => sum + rowsRead(child), 0);

describe('a customer', () => {
  it('is found by id, by key and as a node, each with one statement', async () => {
    const byKey = await run('{ customer(externalId: "c4") { id name numbers } }');
    const id = (byKey.data as { customer: { id: string } }).customer.id;
    expect(statements).toHaveLength(1);
    const byId = await run('query ($id: ID!) { customer(id: $id) { id name numbers } }', { id });
    expect(byId).toEqual(byKey);
    const asNode = await run('query ($id: ID!) { customer: node(id: $id) { id ... on Customer { name numbers } } }', {
      id,
    });
    expect(asNode).toEqual(byKey);
    expect(statements).toHaveLength(1);
    expect(await run('{ customer(externalId: "nobody") { id } }')).toEqual({ data: { customer: null } });
  });

  it('is batched when reached from elsewhere, per place with its own parts', async () => {
    const id = (n: number) => Buffer.from(`Customer:${plantedId(n)}`).toString('base64url');
    const result = await run(
      `mutation ($a: ID!, $b: ID!) {
        awards(input: [{ customerId: $a, points: 1 }, { customerId: $b, points: 2 }, { customerId: $b, points: 5000 }]) {
          __typename
          ... on AwardSuccess { points customer { name numbers mood } account { available entries(first: 1) { edges { node { n } } } } }
          ... on DomainError { code path }
        }
      }`,
      { a: id(3), b: id(4) },
    );
    expect(result).toMatchInlineSnapshot(`
      {
        "data": {
          "awards": [
            {
              "__typename": "AwardSuccess",
              "account": {
                "available": 57,
                "entries": {
                  "edges": [
                    {
                      "node": {
                        "n": 3,
                      },
                    },
                  ],
                },
              },
              "customer": {
                "mood": "mood of 03",
                "name": "Customer 3",
                "numbers": [
                  3,
                  2,
                  1,
                ],
              },
              "points": 1,
            },
            {
              "__typename": "AwardSuccess",
              "account": {
                "available": 56,
                "entries": {
                  "edges": [
                    {
                      "node": {
                        "n": 4,
                      },
                    },
                  ],
                },
              },
              "customer": {
                "mood": "mood of 04",
                "name": "Customer 4",
                "numbers": [
                  4,
                  3,
                  2,
                ],
              },
              "points": 2,
            },
            {
              "__typename": "TooMuch",
              "code": "PLANTED_TOO_MUCH",
              "path": [
                "input",
                "points",
              ],
            },
          ],
        },
      }
    `);
    expect(statements).toHaveLength(2);
  });

  it.each([
    ['no argument', '{ customer { id } }'],
    ['two arguments', '{ customer(id: "x", externalId: "y") { id } }'],
    ['an id of nothing', '{ customer(id: "nonsense") { id } }'],
    ['a page of 0', '{ customers(first: 0) { totalCount } }'],
    ['a page of 101', '{ customers(first: 101) { totalCount } }'],
    ['a cursor of nothing', '{ customers(after: "nonsense") { totalCount } }'],
    ['a cursor of another order', '{ customers(after: "WyJ4IiwieSJd") { totalCount } }'],
    ['a cursor with no id', '{ customers(after: "WyJ4Il0") { totalCount } }'],
  ])('refuses %s before any statement', async (_name, query) => {
    const { errors } = await run(query);
    expect(errors).toHaveLength(1);
    expect(statements).toEqual([]);
  });

  it('asks for the scope of a filter and of an order', async () => {
    const reader = ['customers:read'];
    const filtered = await run('{ customers(filter: { minAvailable: 1 }) { totalCount } }', {}, reader);
    expect(filtered.errors?.[0]).toContain('accounts:read');
    const ordered = await run('{ customers(orderBy: { by: BALANCE }) { totalCount } }', {}, reader);
    expect(ordered.errors?.[0]).toContain('accounts:read');
    expect(statements).toEqual([]);
  });
});

it('prints the same schema in any order of modules', () => {
  const reversed = plantedSchema(database, database.prisma, { reversed: true });
  expect(printSchema(lexicographicSortSchema(reversed))).toBe(printSchema(lexicographicSortSchema(schema)));
});
