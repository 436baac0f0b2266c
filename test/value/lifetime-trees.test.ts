import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRandom } from '../../src/learning/random.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { type OrderGiven, shopOf } from './world.ts';

const DAY_MS = 86_400_000;
const CUSTOMERS = 240;
const STARTED = Date.parse('2024-04-01T00:00:00Z');
/** Before there is anything to learn from, and after three half-years with customers before them. */
const EARLY = new Date('2024-09-20T12:00:00Z');
const LATE = new Date('2026-04-10T12:00:00Z');

type Habit = 'steady' | 'rare' | 'gone';
const habitOf = (at: number): Habit => (['steady', 'rare', 'gone'] as const)[at % 3] as Habit;

/** A shop of 240: a third orders every seven weeks, a third twice a year, and a third left within the first half-year. */
const ORDERS: readonly OrderGiven[] = Array.from({ length: CUSTOMERS }, (_, at): OrderGiven[] => {
  const random = createRandom(at);
  const orders: OrderGiven[] = [];
  const gap = habitOf(at) === 'rare' ? 180 : 50;
  const last = habitOf(at) === 'gone' ? STARTED + 170 * DAY_MS : LATE.getTime();
  for (
    let time = STARTED + 100 * DAY_MS * random.unit();
    time < last;
    time += gap * (0.6 + 0.8 * random.unit()) * DAY_MS
  )
    orders.push({
      id: `o-${at}-${orders.length}`,
      customer: `c-${at}`,
      at: new Date(time).toISOString(),
      amountMinor: Math.round((habitOf(at) === 'rare' ? 4_000 : 8_000) * Math.exp(1.2 * (random.unit() - 0.5))),
      currency: 'USD',
    });
  return orders;
}).flat();

interface ShownEstimate {
  readonly method: string;
  readonly horizonDays: number | null;
  readonly value: { readonly amountMinor: number };
  readonly low: { readonly amountMinor: number } | null;
  readonly median: { readonly amountMinor: number } | null;
  readonly high: { readonly amountMinor: number } | null;
  readonly holdoutError: { readonly amountMinor: number } | null;
}

interface ShownModel {
  readonly method: string;
  readonly customers: number;
  readonly problem: string | null;
  readonly remarks: readonly string[];
  readonly measures: readonly { readonly name: string; readonly value: number | null }[];
}

let app: TestApp;
let shop: ReturnType<typeof shopOf>;

beforeAll(async () => {
  app = await startTestApp({ now: EARLY });
  shop = shopOf(app);
  await shop.order(ORDERS.filter(({ at }) => Date.parse(at) < EARLY.getTime()));
  await shop.refresh();
}, 120_000);
afterAll(() => app.close());

async function models(): Promise<Map<string, ShownModel>> {
  const { valueModels } = await app.query<{ valueModels: ShownModel[] }>(
    '{ valueModels(first: 3) { method customers problem remarks measures { name value } } }',
  );
  return new Map(valueModels.map((model) => [model.method, model]));
}

async function estimatesOf(at: number): Promise<Map<string, ShownEstimate>> {
  const { customer } = await app.query<{ customer: { value: { estimates: ShownEstimate[] } } }>(
    `query ($externalId: String!) { customer(externalId: $externalId) { value { estimates { method horizonDays value { amountMinor }
       low { amountMinor } median { amountMinor } high { amountMinor } holdoutError { amountMinor } } } } }`,
    { externalId: `c-${at}` },
  );
  return new Map(customer.value.estimates.map((estimate) => [estimate.method, estimate]));
}

const learntAt = async () =>
  (await app.app.infra.database.query<{ inputHash: string }>('select input_hash as "inputHash" from value_trees')).map(
    ({ inputHash }) => inputHash,
  );

describe('lifetime value by trees', () => {
  test('is given of nobody while there is too little history, and says so', async () => {
    expect((await models()).get('TREES')).toEqual({
      method: 'TREES',
      customers: 0,
      problem:
        'Too little history: 0 of the monthly snapshots have 200 customers and 180 known days after them; 2 are the least.',
      remarks: [],
      measures: [],
    });
    expect([...(await estimatesOf(0)).keys()]).toEqual(['BG_NBD', 'HISTORICAL']);
    expect(await learntAt()).toEqual([]);
  });

  test('stands beside the other methods, each with its error on the same held-out half-year', async () => {
    app.clock?.advance(LATE.getTime() - EARLY.getTime());
    await shop.order(ORDERS.filter(({ at }) => Date.parse(at) >= EARLY.getTime()));
    await shop.refresh();

    const known = await models();
    const measureOf = (method: string, name: string) =>
      known.get(method)?.measures.find((measure) => measure.name === name)?.value ?? Number.NaN;
    expect(known.get('TREES')).toMatchObject({ customers: CUSTOMERS, problem: null });
    expect(known.get('TREES')?.remarks).toEqual([
      'Errors are of the customers of 2025-10-01, by models learnt from 2024-10-01 and calibrated on 2025-04-01, each with all its 180 days over before the next. In use are models learnt in the same way from 2025-04-01 and calibrated on 2025-10-01.',
    ]);
    for (const method of known.keys()) expect(measureOf(method, 'holdoutCustomers')).toBe(CUSTOMERS);
    // The last half-year before 2026-04-01, as the orders here have it.
    const from = Date.parse('2025-10-01T00:00:00Z');
    const inside = ORDERS.filter(({ at }) => Date.parse(at) >= from && Date.parse(at) < from + 180 * DAY_MS);
    const buyers = new Set(inside.map(({ customer }) => customer));
    expect(measureOf('TREES', 'holdoutBuyers')).toBe(buyers.size);
    const revenue = new Map<string, number>();
    const before = new Map<string, number>();
    for (const { customer, at, amountMinor = 0 } of ORDERS) {
      const time = Date.parse(at);
      const sums = time >= from ? revenue : before;
      if (time >= from - 180 * DAY_MS && time < from + 180 * DAY_MS)
        sums.set(customer, (sums.get(customer) ?? 0) + amountMinor / 100);
    }
    const misses = Array.from({ length: CUSTOMERS }, (_, at) =>
      Math.abs((revenue.get(`c-${at}`) ?? 0) - (before.get(`c-${at}`) ?? 0)),
    );
    const naive = misses.reduce((sum, miss) => sum + miss, 0) / CUSTOMERS;
    expect(measureOf('HISTORICAL', 'holdoutMeanAbsoluteError')).toBeCloseTo(naive, 4);
    expect(measureOf('BG_NBD', 'holdoutMeanAbsoluteError')).toBeGreaterThan(0);
    expect(measureOf('TREES', 'holdoutSpearman')).toBeGreaterThan(0.7);

    const estimates = await estimatesOf(0);
    expect([...estimates.keys()]).toEqual(['BG_NBD', 'HISTORICAL', 'TREES']);
    for (const [method, { holdoutError }] of estimates)
      expect(holdoutError?.amountMinor).toBe(Math.round(measureOf(method, 'holdoutMeanAbsoluteError') * 100));
    expect([...estimates.values()].map(({ horizonDays }) => horizonDays)).toEqual([365, null, 180]);
  });

  test('knows the steady from the rare and from those who left, within a band that is in order', async () => {
    const values: Record<Habit, number[]> = { steady: [], rare: [], gone: [] };
    for (let at = 0; at < 30; at++) {
      const { value, low, median, high } = (await estimatesOf(at)).get('TREES') as ShownEstimate;
      values[habitOf(at)].push(value.amountMinor);
      expect(low?.amountMinor).toBeLessThanOrEqual(median?.amountMinor ?? -1);
      expect(median?.amountMinor).toBeLessThanOrEqual(high?.amountMinor ?? -1);
    }
    // Some four orders of 85 and one of 43 within 180 days; nothing of those who left.
    expect(Math.min(...values.steady)).toBeGreaterThan(Math.max(...values.rare));
    expect(Math.max(...values.gone)).toBeLessThan(2_000);
  });

  test('uses what it learnt until a month has ended or the past has changed', async () => {
    const first = await learntAt();
    expect(first).toHaveLength(1);
    app.clock?.advance(DAY_MS);
    await shop.refresh();
    expect(await learntAt()).toEqual(first);
    await shop.order([
      { id: 'late', customer: 'c-1', at: '2026-01-05T10:00:00Z', amountMinor: 5_000, currency: 'USD' },
    ]);
    await shop.refresh();
    expect(await learntAt()).not.toEqual(first);
    expect(await learntAt()).toHaveLength(1);
  });

  test('goes with an erased customer', async () => {
    const known = async () =>
      (await app.app.infra.database.query(`select from customer_value where method = 'TREES'`)).length;
    expect(await known()).toBe(CUSTOMERS);
    const { customer } = await app.query<{ customer: { id: string } }>('{ customer(externalId: "c-2") { id } }');
    await app.query('mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { __typename } }', {
      input: { customerId: customer.id },
    });
    await app.settle();
    expect(await known()).toBe(CUSTOMERS - 1);
  });
});
