import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scoreAll, segmentOf } from '../../modules/value/domain/rfm.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { type OrderGiven, shopOf } from './world.ts';

const NOW = new Date('2026-11-20T12:00:00Z');
const DAY_MS = 86_400_000;
const CUSTOMERS = 60;

let app: TestApp;
let shop: ReturnType<typeof shopOf>;

/** A shop of 60: some come every two weeks, some came once, some used to come. */
const ORDERS: readonly OrderGiven[] = Array.from({ length: CUSTOMERS }, (_, at) => {
  const times = [1, 2, 3, 5, 12, 20][at % 6] as number;
  const last = 1 + ((at * 37) % 190);
  return Array.from({ length: times }, (__, turn) => ({
    id: `o-${at}-${turn}`,
    customer: `c-${at}`,
    at: new Date(NOW.getTime() - (last + turn * (4 + (at % 9))) * DAY_MS - at * 60_000).toISOString(),
    amountMinor: 1_000 + ((at * 7_919 + turn * 977) % 9_000),
    currency: 'USD',
  }));
}).flat();

/** Where each customer stands at an instant, reckoned from the orders here. */
function placed(at: Date): Map<string, { segment: string; recency: number; revenueMinor: number }> {
  const before = ORDERS.filter((order) => Date.parse(order.at) < at.getTime());
  const facts = [...new Set(before.map(({ customer }) => customer))].map((customerId) => {
    const own = before.filter(({ customer }) => customer === customerId);
    const last = Math.max(...own.map((order) => Date.parse(order.at)));
    return {
      customerId,
      recencyDays: Math.floor((at.getTime() - last) / DAY_MS),
      orders: own.length,
      revenue: own.reduce((sum, { amountMinor = 0 }) => sum + amountMinor, 0),
    };
  });
  const scores = scoreAll(facts);
  return new Map(
    facts.map((one, index) => {
      const own = scores[index] ?? { recency: 1, frequency: 1, monetary: 1 };
      return [one.customerId, { segment: segmentOf(own, one.orders), recency: own.recency, revenueMinor: one.revenue }];
    }),
  );
}

beforeAll(async () => {
  app = await startTestApp({ now: NOW });
  shop = shopOf(app);
  await shop.order(ORDERS);
  const result = await shop.refresh();
  expect(result).toMatchObject({ customers: CUSTOMERS, lifetimeProblem: null });
}, 120_000);
afterAll(() => app.close());

const SEGMENTS = `{ segment name rule strategy customers share revenue { amountMinor currency } revenueShare typical { recencyDays orders revenue { amountMinor } } }`;

interface Shown {
  readonly segment: string | null;
  readonly name: string;
  readonly customers: number;
  readonly share: number;
  readonly revenue: { readonly amountMinor: number };
  readonly revenueShare: number;
  readonly strategy: string;
}

const segments = (args = '') =>
  app.query<{ segments: Shown[] }>(`{ segments${args} ${SEGMENTS} }`).then((answer) => answer.segments);
const count = (values: Iterable<string>) => {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
};

describe('RFM segments', () => {
  test('hold every customer once, with counts, shares and a strategy', async () => {
    const shown = await segments();
    expect(shown).toHaveLength(8);
    const wanted = count([...placed(NOW).values()].map(({ segment }) => segment));
    expect(Object.fromEntries(shown.filter((s) => s.customers > 0).map((s) => [s.segment, s.customers]))).toEqual(
      wanted,
    );
    const sum = (of: (s: Shown) => number) => shown.reduce((total, one) => total + of(one), 0);
    expect(sum((s) => s.customers)).toBe(CUSTOMERS);
    expect(sum((s) => s.share)).toBeCloseTo(1, 9);
    expect(sum((s) => s.revenueShare)).toBeCloseTo(1, 9);
    expect(sum((s) => s.revenue.amountMinor)).toBe(
      ORDERS.reduce((total, { amountMinor = 0 }) => total + amountMinor, 0),
    );
    for (const one of shown) expect(one.strategy).not.toBe('');
  });

  test('stand on the customer, and customers can be filtered by them', async () => {
    for (const [externalId, { segment, recency, revenueMinor }] of [...placed(NOW)].slice(0, 12)) {
      const { customer } = await app.query<{ customer: object }>(
        'query ($externalId: String!) { customer(externalId: $externalId) { rfmSegment { segment recencyScore revenue { amountMinor } } } }',
        { externalId },
      );
      expect(customer).toEqual({
        rfmSegment: { segment, recencyScore: recency, revenue: { amountMinor: revenueMinor } },
      });
    }
    const { customers } = await app.query<{
      customers: { totalCount: number; edges: { node: { externalId: string } }[] };
    }>(
      '{ customers(first: 100, filter: { rfmSegment: [CHAMPIONS, AT_RISK] }) { totalCount edges { node { externalId } } } }',
    );
    const wanted = [...placed(NOW)].filter(([, { segment }]) => segment === 'CHAMPIONS' || segment === 'AT_RISK');
    expect(customers.totalCount).toBe(wanted.length);
    expect(customers.edges.map(({ node }) => node.externalId).toSorted()).toEqual(wanted.map(([id]) => id).toSorted());
  });

  test('have a history: month by month, of all and of each customer', async () => {
    const october = new Date('2026-10-01T00:00:00Z');
    const { segmentHistory } = await app.query<{ segmentHistory: { at: string; segments: Shown[] }[] }>(
      `{ segmentHistory(months: 3) { at segments ${SEGMENTS} } }`,
    );
    expect(segmentHistory.map(({ at }) => at.slice(0, 10))).toEqual(['2026-10-01', '2026-11-01', '2026-11-20']);
    const then = Object.fromEntries(
      (segmentHistory[0]?.segments ?? []).filter((s) => s.customers > 0).map((s) => [s.segment, s.customers]),
    );
    expect(then).toEqual(count([...placed(october).values()].map(({ segment }) => segment)));
    expect(await segments('(at: "2026-10-15T00:00:00Z")')).toEqual(segmentHistory[0]?.segments);

    const { customer } = await app.query<{ customer: { rfmHistory: { at: string; segment: string }[] } }>(
      '{ customer(externalId: "c-4") { rfmHistory(months: 3) { at segment } } }',
    );
    expect(customer.rfmHistory.map(({ segment }) => segment)).toEqual(
      [NOW, new Date('2026-11-01T00:00:00Z'), october].map((at) => placed(at).get('c-4')?.segment),
    );
  });

  test('say who went from where to where', async () => {
    const { segmentMoves } = await app.query<{
      segmentMoves: {
        from: string;
        to: string;
        moves: { from: string | null; to: string; customers: number; movers: { customer: { externalId: string } }[] }[];
      };
    }>(
      `{ segmentMoves(from: "2026-09-01T00:00:00Z") { from to moves { from to customers movers(first: 60) { customer { externalId } } } } }`,
    );
    expect(segmentMoves).toMatchObject({ from: '2026-09-01T00:00:00.000Z', to: NOW.toISOString() });
    const earlier = placed(new Date('2026-09-01T00:00:00Z'));
    const wanted = new Map<string, string[]>();
    for (const [id, { segment }] of placed(NOW)) {
      const key = `${earlier.get(id)?.segment ?? null} ${segment}`;
      wanted.set(key, [...(wanted.get(key) ?? []), id].toSorted());
    }
    const found = segmentMoves.moves.map(
      ({ from, to, movers }) =>
        [`${from} ${to}`, movers.map(({ customer }) => customer.externalId).toSorted()] as const,
    );
    expect(new Map(found)).toEqual(wanted);
    for (const move of segmentMoves.moves) expect(move.movers).toHaveLength(move.customers);

    const { errors } = await app.ask('{ segmentMoves(from: "2026-11-20T12:00:00Z") { from } }');
    expect(errors?.[0]?.extensions.code).toBe('CORE_INVALID_INPUT');
  });

  test('follow the rules an operator sets, also those of the past', async () => {
    const rules = [{ segment: 'CHAMPIONS', orders: 20 }, { segment: 'HIBERNATING' }];
    const set = (value: unknown) =>
      app.query(
        'mutation ($value: JSON!) { changeSetting(input: { key: "value.segments", value: $value }) { __typename } }',
        { value },
      );
    const { settings } = await app.query<{ settings: { key: string; default: unknown }[] }>(
      '{ settings { key default } }',
    );
    await set(rules);
    await shop.refresh();
    const held = (shown: Shown[]) =>
      shown.filter((s) => s.customers > 0).map(({ segment, customers }) => [segment, customers]);
    expect(held(await segments())).toEqual([
      ['CHAMPIONS', 10],
      ['HIBERNATING', 50],
    ]);
    expect(held(await segments('(at: "2026-09-01T00:00:00Z")')).map(([segment]) => segment)).toContain('HIBERNATING');
    const refused = await app.query<{ changeSetting: object }>(
      'mutation ($value: JSON!) { changeSetting(input: { key: "value.segments", value: $value }) { __typename } }',
      { value: [{ segment: 'CHAMPIONS', orders: 20 }] },
    );
    expect(refused.changeSetting).toEqual({ __typename: 'InvalidInput' });
    await set(settings.find(({ key }) => key === 'value.segments')?.default);
    await shop.refresh();
    expect((await segments()).find((s) => s.segment === 'CHAMPIONS')?.customers).toBe(
      count([...placed(NOW).values()].map(({ segment }) => segment)).CHAMPIONS,
    );
  });
});

describe('clusters', () => {
  test('are named, hold every customer once, and say why they are so many', async () => {
    const { clustering } = await app.query<{
      clustering: { k: number; reason: string; trials: { k: number }[]; clusters: Shown[] };
    }>(`{ clustering { k reason trials { k inertia silhouette } clusters ${SEGMENTS} } }`);
    expect(clustering.reason).toContain(`k = ${clustering.k}`);
    expect(clustering.trials.map(({ k }) => k)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
    expect(clustering.clusters).toHaveLength(clustering.k);
    expect(clustering.clusters.reduce((sum, one) => sum + one.customers, 0)).toBe(CUSTOMERS);
    expect(new Set(clustering.clusters.map(({ name }) => name)).size).toBe(clustering.k);
    expect(await segments('(method: CLUSTERS)')).toEqual(clustering.clusters);
    for (const { name, customers: size } of clustering.clusters) {
      expect(name).not.toMatch(/cluster/i);
      const { customers } = await app.query<{ customers: { totalCount: number } }>(
        'query ($name: String!) { customers(filter: { cluster: [$name] }) { totalCount } }',
        { name },
      );
      expect(customers.totalCount).toBe(size);
    }
  });
});

describe('lifetime value', () => {
  test('stands by each method side by side, with what winning the customer may cost', async () => {
    const { customers } = await app.query<{
      customers: {
        edges: {
          node: {
            externalId: string;
            value: { estimates: Record<string, never>[]; acquisitionCostCeiling: { amountMinor: number } };
          };
        }[];
      };
    }>(`{ customers(first: 60, orderBy: { by: EXPECTED_PURCHASES, direction: DESC }) { edges { node { externalId value {
        acquisitionCostCeiling { amountMinor }
        estimates { method value { amountMinor } horizonDays expectedPurchases probabilityAlive expectedOrder { amountMinor } low { amountMinor } } } } } } }`);
    expect(customers.edges).toHaveLength(CUSTOMERS);
    let before = Infinity;
    for (const { node } of customers.edges) {
      const [expected, historical] = node.value.estimates as unknown as [
        {
          method: string;
          value: { amountMinor: number };
          horizonDays: number;
          expectedPurchases: number;
          probabilityAlive: number;
          low: null;
        },
        { method: string; value: { amountMinor: number }; horizonDays: null },
      ];
      expect(expected).toMatchObject({ method: 'BG_NBD', horizonDays: 365, low: null });
      expect(historical).toMatchObject({
        method: 'HISTORICAL',
        horizonDays: null,
        value: { amountMinor: placed(NOW).get(node.externalId)?.revenueMinor },
      });
      expect(expected.expectedPurchases).toBeLessThanOrEqual(before);
      expect(expected.probabilityAlive).toBeLessThanOrEqual(1);
      expect(node.value.acquisitionCostCeiling.amountMinor).toBe(Math.floor(expected.value.amountMinor / 3));
      before = expected.expectedPurchases;
    }
  });

  test('keeps the parameters of its models, and how they fit', async () => {
    const { valueModels } = await app.query<{
      valueModels: {
        method: string;
        customers: number;
        parameters: { name: string; value: number }[];
        problem: null;
      }[];
    }>('{ valueModels { method at customers parameters { name value } measures { name value } remarks problem } }');
    expect(valueModels).toMatchObject([{ method: 'BG_NBD', customers: CUSTOMERS, problem: null }]);
    expect(valueModels[0]?.parameters.map(({ name }) => name)).toEqual(['a', 'b', 'p', 'q', 'r', 'alpha', 'gamma']);
    for (const { value } of valueModels[0]?.parameters ?? []) expect(value).toBeGreaterThan(0);
  });
});

describe('standing advice', () => {
  test('is for the customers its rules name, and points at cohorts that fell behind', async () => {
    const { advice } = await app.query<{
      advice: {
        forCustomers: { advice: string; customers: number; discountPercent: number | null; text: string }[];
        cohorts: { cohort: string; observed: string; retention: number; previousRetention: number; text: string }[];
      };
    }>(
      '{ advice { forCustomers { advice title text discountPercent customers } cohorts { cohort previousCohort month observed customers retained retention previousRetention text } } }',
    );
    const atRisk = [...placed(NOW)].filter(([, { segment }]) => segment === 'AT_RISK').length;
    // Nobody here ever logs in, so the last order tells; those at risk have not ordered for longer than 30 days.
    expect(advice.forCustomers.find((one) => one.advice === 'WIN_BACK')).toMatchObject({
      customers: atRisk,
      discountPercent: 20,
    });
    const { customers } = await app.query<{
      customers: { edges: { node: { rfmSegment: { segment: string; advice: string[] } } }[] };
    }>(
      '{ customers(first: 100, filter: { advice: [WIN_BACK] }) { edges { node { rfmSegment { segment advice } } } } }',
    );
    expect(customers.edges).toHaveLength(atRisk);
    for (const { node } of customers.edges)
      expect(node.rfmSegment).toEqual({ segment: 'AT_RISK', advice: ['WIN_BACK'] });

    const month = (date: string) => date.slice(0, 7);
    const firsts = new Map<string, string>();
    for (const { customer, at } of ORDERS.toSorted((a, b) => (a.at < b.at ? -1 : 1)))
      if (!firsts.has(customer)) firsts.set(customer, month(at));
    const share = (cohort: string) => {
      const own = [...firsts].filter(([, first]) => first === month(cohort)).map(([id]) => id);
      const later = new Date(`${month(cohort)}-01T00:00:00Z`);
      later.setUTCMonth(later.getUTCMonth() + 3);
      const back = own.filter((id) =>
        ORDERS.some(({ customer, at }) => customer === id && month(at) === month(later.toISOString())),
      );
      return back.length / own.length;
    };
    expect(advice.cohorts.length).toBeGreaterThan(0);
    for (const fall of advice.cohorts) {
      expect(fall.retention).toBeCloseTo(share(fall.cohort), 12);
      expect(fall.retention).toBeLessThan(fall.previousRetention);
      expect(fall.text).toContain(month(fall.observed));
    }
  });
});

describe('who may do what', () => {
  test('reading asks for value:read, computing for value:write', async () => {
    const reader = await app.createKey(['value:read', 'customers:read']);
    const stranger = await app.createKey(['customers:read']);
    const scopes = async (query: string, key: string) =>
      (await app.ask(query, {}, { authorization: `Bearer ${key}` })).errors?.[0]?.extensions.code;
    expect(await scopes('{ segments { name } }', reader)).toBeUndefined();
    expect(await scopes('{ segments { name } }', stranger)).toBe('ACCESS_SCOPE_MISSING');
    expect(await scopes('{ customers { edges { node { value { estimates { method } } } } } }', stranger)).toBe(
      'ACCESS_SCOPE_MISSING',
    );
    expect(await scopes('mutation { refreshValue(input: {}) { __typename } }', reader)).toBe('ACCESS_SCOPE_MISSING');
  });

  test('the same key asks for the same computation', async () => {
    const ask = () =>
      app.query<{ refreshValue: { refresh: { id: string } } }>(
        'mutation { refreshValue(input: { idempotencyKey: "tonight" }) { ... on RefreshValueSuccess { refresh { id } } } }',
      );
    expect(await ask()).toEqual(await ask());
    await app.settle();
  });

  test('what is thought of an erased customer goes with the customer', async () => {
    const { customer } = await app.query<{ customer: { id: string } }>('{ customer(externalId: "c-0") { id } }');
    await app.query('mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { __typename } }', {
      input: { customerId: customer.id },
    });
    await shop.refresh();
    const { database } = app.app.infra;
    const [left] = await database.query(
      'select (select count(*) from customer_rfm) as rfm, (select count(*) from customer_value) as "values"',
    );
    expect(left).toEqual({ rfm: CUSTOMERS - 1, values: 2 * (CUSTOMERS - 1) });
  });
});
