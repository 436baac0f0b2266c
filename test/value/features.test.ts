import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { passiveEventNames } from '../../modules/customers/contract.ts';
import { FEATURES } from '../../modules/value/domain/catalogue.ts';
import { writeSnapshots } from '../../modules/value/queries/features.ts';
import { contentOf } from '../../modules/value/queries/snapshots.ts';
import { newId } from '../../src/core/ids.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { shopOf } from './world.ts';

const NOW = new Date('2026-11-20T12:00:00Z');
/** The end of the last month, and what is looked at in most tests. */
const SNAPSHOT = '2026-11-01T00:00:00.000Z';
const DAY_MS = 86_400_000;

let app: TestApp;
let shop: ReturnType<typeof shopOf>;

beforeAll(async () => {
  app = await startTestApp({ now: NOW });
  shop = shopOf(app);
  await app.query(
    `mutation ($value: JSON!) { changeSetting(input: { key: "business.profile", value: $value }) { __typename } }`,
    {
      value: {
        companyName: 'A shop',
        productName: 'the shop',
        reportingCurrency: 'GBP',
        timeZone: 'UTC',
        grossMargin: 1,
        supportAddress: null,
        gettingStartedUrl: null,
        schedulingUrl: null,
        startedOn: null,
      },
    },
  );
  await app.query(
    `mutation { setExchangeRates(input: [
       { currency: "EUR", rate: "0.8", validFrom: "2026-01-01" }, { currency: "EUR", rate: "0.9", validFrom: "2026-10-01" }]) { __typename } }`,
  );
  const mug = { product: 'mug', quantity: 2, unitPriceMinor: 500 };
  const tea = { product: 'tea', quantity: 10, unitPriceMinor: 300 };
  await shop.order([
    { id: 'o1', customer: 'ada', at: '2026-05-02T09:00:00Z', lines: [mug] },
    { id: 'o2', customer: 'ada', at: '2026-09-01T15:00:00Z', lines: [mug, tea] },
    { id: 'o3', customer: 'ada', at: '2026-09-01T18:00:00Z', amountMinor: 1_000 },
    {
      id: 'o4',
      customer: 'ada',
      at: '2026-10-11T10:00:00Z',
      lines: [tea],
      returnedMinor: 600,
      returnedAt: '2026-10-20T08:00:00Z',
    },
    { id: 'o5', customer: 'ben', at: '2026-09-15T10:00:00Z', amountMinor: 1_003, currency: 'EUR' },
    { id: 'o6', customer: 'ben', at: '2026-10-15T10:00:00Z', amountMinor: 1_003, currency: 'EUR' },
    { id: 'o7', customer: 'ben', at: '2026-10-16T10:00:00Z', amountMinor: 700, currency: 'CHF' },
    { id: 'o8', customer: 'cleo', at: '2026-11-05T10:00:00Z', amountMinor: 5_000 },
  ]);
  await shop.record(
    [
      ['ada', 'session.started', '2026-10-12T10:00:00Z'],
      ['ada', 'session.ended', '2026-10-12T11:00:00Z'],
      ['ada', 'ticket.opened', '2026-10-28T10:00:00Z'],
      ['ada', 'message.opened', '2026-10-31T10:00:00Z'],
      ['dan', 'session.started', '2026-10-30T10:00:00Z'],
    ],
    'before',
  );
  await shop.refresh();
}, 120_000);
afterAll(() => app.close());

/** All features of an instant as they come out now, whatever was received when. */
async function hashAt(at: string, watermark = new Date('2100-01-01T00:00:00Z')): Promise<string> {
  const { analytics } = app.app.infra;
  const run = { id: newId(), at: new Date(at), watermark };
  const rates = [
    { currency: 'EUR', validFrom: '2026-01-01', rate: '0.8' },
    { currency: 'EUR', validFrom: '2026-10-01', rate: '0.9' },
  ];
  const terms = { reportingCurrency: 'GBP', timeZone: 'UTC', rates, places: { GBP: 2, EUR: 2 } };
  await writeSnapshots(analytics, [run], terms, passiveEventNames);
  return (await contentOf(analytics, [run.id])).get(run.id)?.hash ?? '';
}

async function snapshots() {
  const { featureSnapshots } = await app.query<{
    featureSnapshots: {
      id: string;
      at: string;
      kind: string;
      customers: number;
      contentHash: string;
      watermark: string;
      parquetPath: string;
      metadataPath: string;
    }[];
  }>('{ featureSnapshots { id at kind customers contentHash watermark parquetPath metadataPath } }');
  return featureSnapshots;
}

const get = (path: string, key = app.adminKey) =>
  fetch(`${app.server.url}${path}`, { headers: { authorization: `Bearer ${key}` } });

describe('features of customers', () => {
  test('are what happened before the snapshot, and nothing else', async () => {
    expect(await shop.features('ada', SNAPSHOT)).toEqual({
      recencyDays: 20 + 14 / 24,
      tenureDays: 182 + 15 / 24,
      activityRecencyDays: 3 + 14 / 24,
      recencyOverGap: expect.closeTo((20 + 14 / 24) / 81, 12),
      orders: 4,
      orderDays: 3,
      meanGapDays: 81,
      gapDeviationDays: expect.closeTo(Math.sqrt(((122 - 81) ** 2 + (40 - 81) ** 2) / 1), 9),
      revenue: 90,
      averageOrder: 22.5,
      largestOrder: 40,
      orderDeviation: expect.closeTo(15, 9),
      lastOrder: 30,
      orders30: 1,
      orders60: 1,
      orders90: 3,
      orders180: 3,
      revenue30: 30,
      revenue60: 30,
      revenue90: 80,
      revenue180: 80,
      ordersTrend: 1,
      revenueTrend: 1,
      basketLines: expect.closeTo(4 / 3, 12),
      basketPieces: 8,
      distinctProducts: 2,
      returns: 1,
      returnShare: expect.closeTo(6 / 90, 12),
      weekendShare: 0.5,
      morningShare: 0.5,
      activeDays30: 4,
      activeDays90: 5,
      tickets90: 1,
    });
  });

  test('have a return only from the day it came back', async () => {
    expect(await hashAt('2026-10-15T00:00:00Z')).not.toBe('');
    const { analytics } = app.app.infra;
    const rows = await analytics.query<{ at: string; returns: number }>(
      `select snapshot_at as at, returns from customer_features where orders = 4 and snapshot_at in ('2026-10-15 00:00:00', '2026-11-01 00:00:00') order by at`,
    );
    expect(rows.map(({ returns }) => returns)).toEqual([0, 1]);
  });

  test('are in the reporting currency by the rate of the day; an order without a rate is an order all the same', async () => {
    // 10.03 at 0.8 and at 0.9, each rounded to the penny; nothing for the francs.
    expect(await shop.features('ben', SNAPSHOT)).toMatchObject({
      orders: 3,
      revenue: 17.05,
      averageOrder: 8.525,
      lastOrder: 9.03,
    });
  });

  test('are there from the first thing a customer did', async () => {
    expect(await shop.features('cleo', SNAPSHOT)).toBeNull();
    expect(await shop.features('cleo')).toMatchObject({ orders: 1, revenue: 50, recencyDays: 15 + 2 / 24 });
    expect(await shop.features('dan', SNAPSHOT)).toMatchObject({
      orders: 0,
      revenue: 0,
      recencyDays: null,
      activeDays30: 1,
    });
  });

  test('describe themselves', async () => {
    const { featureCatalogue } = await app.query<{ featureCatalogue: { features: { name: string; unit: string }[] } }>(
      '{ featureCatalogue { version features { name column kind unit description nullable } } }',
    );
    expect(featureCatalogue.features).toHaveLength(33);
    expect(featureCatalogue.features.map(({ name }) => name)).toEqual(FEATURES.map(({ name }) => name));
  });
});

describe('snapshots', () => {
  test('stand at the end of each month in which something happened, and now', async () => {
    expect((await snapshots()).map(({ at, kind, customers }) => `${at.slice(0, 10)} ${kind} ${customers}`)).toEqual([
      '2026-11-20 LATEST 4',
      '2026-11-01 MONTH 3',
      '2026-10-01 MONTH 2',
      '2026-06-01 MONTH 1',
    ]);
  });

  test('are kept as they are while what went in is the same', async () => {
    const before = await snapshots();
    app.clock?.advance(60_000);
    expect(await shop.refresh()).toMatchObject({ snapshotsComputed: 1, snapshotsKept: 3 });
    expect((await snapshots()).slice(1)).toEqual(before.slice(1));
  });

  test('move by no event that happens at or after them', async () => {
    const before = await hashAt(SNAPSHOT);
    const customer = fc.constantFrom('ada', 'ben', 'cleo', 'eve', 'fay');
    const at = fc.integer({ min: 0, max: 18 * DAY_MS }).map((ms) => new Date(Date.parse(SNAPSHOT) + ms).toISOString());
    const anything = fc.record({
      orders: fc.array(fc.tuple(customer, at, fc.integer({ min: 1, max: 1_000_000 })), { minLength: 1, maxLength: 4 }),
      events: fc.array(
        fc.tuple(customer, fc.constantFrom('session.started', 'session.ended', 'ticket.opened', 'mine'), at),
        { minLength: 1, maxLength: 6 },
      ),
      returnOf: fc.option(fc.constantFrom('o1', 'o2', 'o3')),
    });
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(anything, async ({ orders, events, returnOf }) => {
        runs += 1;
        await shop.order(
          orders.map(([who, placed, amountMinor], index) => ({
            id: `later-${runs}-${index}`,
            customer: who,
            at: placed,
            amountMinor,
          })),
        );
        await shop.record(events, `later-${runs}`);
        if (returnOf !== null) {
          const day = new Date(Date.parse(SNAPSHOT) + runs * 1_000).toISOString();
          await app.query(`mutation ($input: [OrderInput!]!) { upsertOrders(input: $input) { __typename } }`, {
            input: [
              { externalId: returnOf, customerExternalId: 'ada', returnedAmountMinor: 100 + runs, returnedAt: day },
            ],
          });
        }
        await app.settle();
        expect(await hashAt(SNAPSHOT)).toBe(before);
      }),
      { numRuns: 4, seed: 11, endOnFailure: true },
    );
    const after = await hashAt(NOW.toISOString());
    expect(after).not.toBe(before);
  });

  test('computed anew at their watermark come out the same, also when earlier events were received since', async () => {
    await shop.refresh();
    const [, month] = await snapshots();
    app.clock?.advance(60_000);
    await shop.order([{ id: 'late', customer: 'ada', at: '2026-08-01T10:00:00Z', amountMinor: 9_900 }]);
    await app.settle();
    const { value } = app.app.composition.services;
    expect((await value.verifySnapshot(month?.id ?? '')).contentHash).toBe(month?.contentHash);
    const file = await (await get(month?.parquetPath ?? '')).arrayBuffer();
    expect(Buffer.from(file).equals(Buffer.from(await (await get(month?.parquetPath ?? '')).arrayBuffer()))).toBe(true);

    expect(await shop.refresh()).toMatchObject({ snapshotsKept: 1 });
    expect((await snapshots()).find(({ at }) => at === month?.at)?.contentHash).not.toBe(month?.contentHash);
    expect(await shop.features('ada', SNAPSHOT)).toMatchObject({ orders: 5, revenue: 189 });
  });

  test('leave as Parquet with a description, for those who may read them', async () => {
    const [latest] = await snapshots();
    const parquet = Buffer.from(await (await get(latest?.parquetPath ?? '')).arrayBuffer());
    expect([parquet.subarray(0, 4).toString(), parquet.subarray(-4).toString()]).toEqual(['PAR1', 'PAR1']);
    for (const { column } of FEATURES) expect(parquet.includes(column)).toBe(true);
    expect(await (await get(latest?.metadataPath ?? '')).json()).toMatchObject({
      at: latest?.at,
      watermark: latest?.watermark,
      contentHash: latest?.contentHash,
      catalogueVersion: 1,
      reportingCurrency: 'GBP',
      features: FEATURES.map(({ name, unit, description }) => ({ name, unit, description })),
    });
    const stranger = await app.createKey(['customers:read']);
    expect((await get(latest?.parquetPath ?? '', stranger)).status).toBe(403);
    expect((await get(`/features/${newId()}/features.parquet`)).status).toBe(400);
    expect((await get('/features/nothing')).status).toBe(400);
  });

  test('follow merged customers, whose history is one', async () => {
    const ids = await Promise.all(
      ['ben', 'ada'].map(
        async (externalId) =>
          (
            await app.query<{ customer: { id: string } }>(
              'query ($externalId: String!) { customer(externalId: $externalId) { id } }',
              { externalId },
            )
          ).customer.id,
      ),
    );
    await app.query(`mutation ($input: MergeCustomersInput!) { mergeCustomers(input: $input) { __typename } }`, {
      input: { fromId: ids[0], intoId: ids[1] },
    });
    await shop.refresh();
    expect(await shop.features('ada', SNAPSHOT)).toMatchObject({ orders: 8, revenue: 206.05 });
  });
});
