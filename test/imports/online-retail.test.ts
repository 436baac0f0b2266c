import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemCall } from '../../src/core/call.ts';
import { BUSINESS } from '../../src/core/settings/index.ts';
import { askCohorts, referenceMatrix, type ShownCell, valuesOf } from '../churn/reference.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { findingsOf, importFile, type ShownJob } from './support.ts';

const FILE = readFileSync(new URL('../../data/online_retail/online_retail.csv.gz', import.meta.url));
/** Sum over all customers of the whole days from the last order to 2011-12-10, by an independent reckoning. */
const RECENCY = 399_354;
const INPUT = { recordType: 'ORDERS', acceptQuality: true, currency: 'GBP', timeZone: 'UTC', source: 'shop' };

let app: TestApp;
let job: ShownJob;

beforeAll(async () => {
  app = await startTestApp();
  job = await importFile(app, FILE, INPUT);
  await app.settle();
}, 180_000);

afterAll(() => app.close());

/** All that an import may change, as sums and counts. */
async function state() {
  const { database, analytics } = app.app.infra;
  const [records] = await database.query(
    `select (select count(*) from customer) as customers, (select sum(customers) from customer_counter) as counted,
       (select count(*) from customer_order) as orders, (select sum(amount_minor) from customer_order) as amount,
       (select sum(extract(epoch from last_activity_at)) from customer) as activity,
       (select sum(extract(epoch from first_order_at)) from customer) as first_orders,
       (select count(*) from event_inbox) as inbox`,
  );
  const lines = await analytics.query(
    `SELECT taken_out, count() AS lines, toString(sum(amount)) AS amount, toString(sum(capped_amount)) AS capped,
       countIf(undoes_line_uid IS NOT NULL) AS undoing, sum(cityHash64(line_uid, customer_id, at)) AS hash
     FROM order_lines FINAL GROUP BY taken_out ORDER BY taken_out`,
  );
  const events = await analytics.query(
    `SELECT name, count() AS events, toString(sum(value)) AS value, sum(cityHash64(event_uid, customer_id, at)) AS hash
     FROM events FINAL GROUP BY name ORDER BY name`,
  );
  return { records, lines, events };
}

describe('the UCI Online Retail file', () => {
  test('is cleaned in five stages, to the row', () => {
    expect(job.state).toBe('DONE');
    expect(job.cleaning?.stages.map(({ rowsIn, rowsOut }) => [rowsIn, rowsOut])).toEqual([
      [541_909, 406_829],
      [406_829, 397_924],
      [397_924, 397_884],
      [397_884, 392_692],
      [392_692, 392_692],
    ]);
    expect(job.cleaning).toMatchObject({
      customers: 4_338,
      orders: 18_532,
      revenue: [{ currency: 'GBP', before: '8887208.894', after: '8589297.344' }],
      returns: { rows: 8_905, matched: 7_506, partly: 61, unmatched: 1_338 },
      capping: { rows: 57, quantities: 11, prices: 46 },
    });
  });

  test('is told the truth about in eight categories', () => {
    expect(job.quality?.categories.map(({ category }) => category)).toEqual([
      'SCHEMA',
      'MISSING',
      'DUPLICATES',
      'RANGES',
      'RETURNS',
      'TIME',
      'IDENTITY',
      'OUTLIERS',
    ]);
    expect(job.quality).toMatchObject({ rows: 541_909, rowsWithErrors: 135_120, score: 0.7506 });
    expect(findingsOf(job)).toMatchInlineSnapshot(`
      [
        "MISSING DESCRIPTION_MISSING (Description): 1454",
        "DUPLICATES DUPLICATE_ROW: 5268",
        "RANGES QUANTITY_NOT_POSITIVE (Quantity): 1336",
        "RANGES UNIT_PRICE_NOT_POSITIVE (UnitPrice): 2517",
        "RETURNS RETURN (InvoiceNo): 9288",
        "IDENTITY CUSTOMER_MISSING (CustomerID): 135080",
        "IDENTITY CUSTOMER_OF_SEVERAL_COUNTRIES (CustomerID): 8",
        "OUTLIERS QUANTITY_OUTLIER (Quantity): 11",
        "OUTLIERS UNIT_PRICE_OUTLIER (UnitPrice): 46",
        "OUTLIERS PRODUCT_OF_SEVERAL_NAMES (Description): 647",
      ]
    `);
  });

  test('stands in both engines with the same figures', async () => {
    const { records, lines, events } = await state();
    expect(records).toMatchObject({ customers: 4_338, orders: 18_532, amount: '888720889' });
    expect(lines).toMatchObject([
      { taken_out: 'kept', lines: 392_692, amount: '8887208.894', capped: '8589297.344', undoing: 0 },
      { taken_out: 'no_customer', lines: 135_080 },
      { taken_out: 'return', lines: 8_905, undoing: 7_567 },
      { taken_out: 'not_positive', lines: 40 },
      { taken_out: 'duplicate', lines: 5_192 },
    ]);
    expect(events).toMatchObject([
      { name: 'order.placed', events: 18_532, value: '8887208.894' },
      { name: 'order.returned', events: 3_618 },
    ]);
    expect(job.result).toMatchObject({ rowsStored: 541_909, customersCreated: 4_338, ordersCreated: 18_532 });
  });

  test('is quiet history: one fact for the batch, nothing awarded, sent or raised', async () => {
    const { database } = app.app.infra;
    const facts = await database.query<{ type: string; count: number }>(
      `select type, count(*) as count from outbox_event where type like 'customers.%' and type <> 'customers.importProgressed' group by type order by type`,
    );
    expect(facts).toEqual([
      { type: 'customers.batchImported', count: 1 },
      { type: 'customers.importCompleted', count: 1 },
    ]);
    const [effects] = await database.query(
      `select (select count(*) from loyalty_entry) as entries, (select count(*) from message) as messages`,
    );
    expect(effects).toEqual({ entries: 0, messages: 0 });
  });

  test('gives the cohorts of the reference: removing duplicates touches neither counts nor shares', async () => {
    const period = { from: '2010-12-01', to: '2012-01-01' };
    const matrix = await askCohorts(app, { period });
    // The business of this test lives on today's clock: after the file's last month nothing happens any more.
    const asFarAsKnown = (name: 'counts' | 'retention', value: (cell: NonNullable<ShownCell>) => number | null) => {
      const known = referenceMatrix(name);
      const shown = valuesOf(matrix, value);
      for (const [cohort, cells] of known) {
        const length = cells.filter((cell) => cell !== null).length;
        expect(shown.get(cohort)?.slice(0, length), cohort).toEqual(cells.slice(0, length));
        expect(new Set(shown.get(cohort)?.slice(length)), cohort).toEqual(new Set([0]));
      }
    };
    asFarAsKnown('counts', (cell) => cell.customers);
    asFarAsKnown('retention', (cell) => cell.share && Number(cell.share.toFixed(6)));
  });
  test('makes segments of its customers as the reference has them', async () => {
    const { settings } = app.app.infra;
    await settings.change(systemCall('test'), BUSINESS.key, { ...BUSINESS.default, reportingCurrency: 'GBP' });
    await app.app.composition.services.value.refresh(systemCall('test'));
    const { segmentHistory, advice, clustering } = await app.query<{
      segmentHistory: { at: string; segments: { segment: string; customers: number }[] }[];
      advice: { cohorts: { cohort: string; customers: number; retained: number }[] };
      clustering: { k: number };
    }>(
      `{ segmentHistory(months: 14) { at segments { segment customers } } clustering { k }
         advice { cohorts { cohort customers retained } } }`,
    );
    // Whole days to the end of the year are those to 2011-12-10 and 22 more, so the scores are the same.
    const atTheEnd = segmentHistory.find(({ at }) => at.startsWith('2012-01-01'));
    expect(Object.fromEntries(atTheEnd?.segments.map(({ segment, customers }) => [segment, customers]) ?? [])).toEqual({
      CHAMPIONS: 918,
      LOYAL: 508,
      NEW: 63,
      PROMISING: 180,
      POTENTIAL_LOYALISTS: 658,
      NEEDS_ATTENTION: 253,
      AT_RISK: 431,
      HIBERNATING: 1_327,
    });
    expect(segmentHistory).toHaveLength(14);
    expect(clustering.k).toBeGreaterThanOrEqual(3);
    // Calendar months of the first order: of 452, 90 came back in the third month after it.
    expect(advice.cohorts).toContainEqual({ cohort: '2011-03-01', customers: 452, retained: 90 });
    const { analytics } = app.app.infra;
    const [sums] = await analytics.query(
      `SELECT count() AS customers, sum(recency_days) AS recency, sum(orders) AS orders FROM customer_segments
       WHERE snapshot_at = '2012-01-01 00:00:00'`,
    );
    expect(sums).toEqual({ customers: 4_338, recency: RECENCY + 22 * 4_338, orders: 18_532 });
  }, 240_000);

  test('changes nothing when it comes again in the same way', async () => {
    const before = await state();
    const again = await importFile(app, FILE, INPUT);
    expect(again.result).toMatchObject({ customersCreated: 0, ordersCreated: 0, ordersChanged: 0, sameAs: job.id });
    expect(await state()).toEqual(before);
  });

  test('changes nothing when all of its rows are stored again', async () => {
    const before = await state();
    const again = await importFile(app, FILE, { ...INPUT, live: true });
    await app.settle();
    expect(again.result).toMatchObject({
      rowsStored: 541_909,
      customersCreated: 0,
      ordersCreated: 0,
      ordersChanged: 0,
      sameAs: null,
    });
    expect(await state()).toEqual(before);
  }, 240_000);
});
