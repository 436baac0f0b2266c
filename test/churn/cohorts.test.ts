import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importFile } from '../imports/support.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { askCohorts, referenceMatrix, valuesOf } from './reference.ts';

const ORDERS = readFileSync(new URL('../data/online_retail_orders.csv.gz', import.meta.url));
const PROFILE = {
  key: 'business.profile',
  value: {
    companyName: 'Online Retail',
    productName: 'gifts',
    reportingCurrency: 'GBP',
    timeZone: 'UTC',
    grossMargin: 1,
    supportAddress: null,
    gettingStartedUrl: null,
    schedulingUrl: null,
    startedOn: null,
  },
};

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: new Date('2011-12-10T00:00:00Z') });
  const change = 'mutation ($input: ChangeSettingInput!) { changeSetting(input: $input) { __typename } }';
  await app.query(change, { input: PROFILE });
  const input = { recordType: 'ORDERS', acceptQuality: true, currency: 'GBP', timeZone: 'UTC', source: 'orders' };
  const job = await importFile(app, ORDERS, input);
  expect(job.result).toMatchObject({ customersCreated: 4_338, ordersCreated: 18_532 });
  await app.settle();
}, 180_000);

afterAll(() => app.close());

describe('cohorts of Online Retail', () => {
  test('equal the reference cell by cell: customers, shares, revenue', async () => {
    const activity = await askCohorts(app);
    expect(valuesOf(activity, (cell) => cell.customers)).toEqual(referenceMatrix('counts'));
    expect(valuesOf(activity, (cell) => cell.share && Number(cell.share.toFixed(6)))).toEqual(
      referenceMatrix('retention'),
    );
    const revenue = await askCohorts(app, { measure: 'REVENUE' });
    expect(revenue.unconvertedOrders).toBe(0);
    expect(valuesOf(revenue, (cell) => (cell.amount?.amountMinor ?? 0) / 100)).toEqual(referenceMatrix('revenue'));
    expect(valuesOf(revenue, (cell) => cell.customers)).toEqual(referenceMatrix('counts'));
  });

  test('the mean row is weighted by customers; the running month is marked', async () => {
    const { rows, mean } = await askCohorts(app);
    const ageOne = rows.slice(0, -1);
    const customers = ageOne.reduce((sum, row) => sum + (row.cells[1]?.customers ?? 0), 0);
    const size = ageOne.reduce((sum, row) => sum + row.size, 0);
    expect(mean[0]).toEqual({ cohorts: 13, customers: 4_338, share: 1 });
    expect(mean[1]).toEqual({ cohorts: 12, customers, share: customers / size });
    expect(
      rows
        .at(-2)
        ?.cells.slice(0, 3)
        .map((cell) => cell?.complete),
    ).toEqual([true, false, undefined]);
  });

  test('weeks and quarters hold the same customers and revenue as months', async () => {
    const month = await askCohorts(app, { measure: 'REVENUE' });
    const [week, quarter] = [
      await askCohorts(app, { measure: 'REVENUE', by: 'WEEK', period: { from: '2010-11-29', to: '2011-12-10' } }),
      await askCohorts(app, { measure: 'REVENUE', by: 'QUARTER' }),
    ];
    const totals = ({ rows }: typeof month) => [
      rows.reduce((sum, row) => sum + row.size, 0),
      rows.flatMap((row) => row.cells).reduce((sum, cell) => sum + (cell?.amount?.amountMinor ?? 0), 0),
    ];
    expect(totals(week)).toEqual(totals(month));
    expect(totals(quarter)).toEqual(totals(month));
    expect(week.rows).toHaveLength(54);
    expect(quarter.rows.map(({ cohort }) => cohort)).toEqual([
      '2010-10-01',
      '2011-01-01',
      '2011-04-01',
      '2011-07-01',
      '2011-10-01',
    ]);
  });

  test('filtered by a trait, two halves make the whole', async () => {
    const [all, home] = [
      await askCohorts(app),
      await askCohorts(app, { filter: { traits: [{ key: 'country', values: ['United Kingdom'] }] } }),
    ];
    const countries = (
      await app.query<{ churn: { groups: { group: { kind: string; key: string } }[] } }>(
        `{ churn(period: {from: "2011-01-01", to: "2011-12-01"}, groupBy: {dimension: TRAIT, trait: "country"}) { groups { group { kind key } } } }`,
      )
    ).churn.groups.map(({ group }) => group.key);
    expect(countries.slice(0, 3)).toEqual(['United Kingdom', 'Germany', 'France']);
    expect(countries).toHaveLength(37);
    const abroad = await askCohorts(app, {
      filter: { traits: [{ key: 'country', values: countries.filter((one) => one !== 'United Kingdom') }] },
    });
    const sizes = (matrix: typeof all) => matrix.rows.map(({ size }) => size);
    expect(sizes(home).map((size, n) => size + (sizes(abroad)[n] ?? 0))).toEqual(sizes(all));
    expect(Math.min(...sizes(abroad))).toBeGreaterThan(0);
  });

  test('survival never rises and ends with those who never left', async () => {
    const { rows } = await askCohorts(app, { measure: 'SURVIVAL' });
    expect(rows.reduce((sum, row) => sum + row.size, 0)).toBe(4_338);
    for (const { size, cells } of rows) {
      const here = cells.flatMap((cell) => (cell === null ? [] : [cell.customers]));
      expect(here[0]).toBeLessThanOrEqual(size);
      expect(here).toEqual(here.toSorted((a, b) => b - a));
    }
    const [left] = await app.app.infra.database.query<{ customers: number }>(
      `select count(distinct customer_id)::int as customers from churn_change where kind = 'CHURNED'`,
    );
    const stayed = rows.reduce((sum, row) => sum + (row.cells.findLast((cell) => cell !== null)?.customers ?? 0), 0);
    expect(stayed).toBe(4_338 - (left?.customers ?? 0));
    // Ninety days have to pass before anybody can have left.
    expect(rows[0]?.cells.slice(0, 3).map((cell) => cell?.share)).toEqual([1, 1, 1]);
  });

  test('by signup, activity is anything a customer does, counted in the history engine', async () => {
    // Signup is the first order here, and all that customers do is to order.
    const signup = await askCohorts(app, { start: 'SIGNUP' });
    expect(valuesOf(signup, (cell) => cell.customers)).toEqual(referenceMatrix('counts'));
  });

  test('one statement for a matrix, and a bounded one', async () => {
    const tell = { 'x-holdfast-statements': '1' };
    const query = (args: string) => `{ cohorts(${args}) { rows { size cells { customers } } } }`;
    const answer = await app.ask(query('measure: REVENUE, by: WEEK'), {}, tell);
    expect(answer.extensions.statements).toBe(1);
    const refused = await app.ask(query('by: WEEK, period: {from: "2001-01-01", to: "2012-01-01"}'));
    expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'CORE_INVALID_INPUT' });
  });
});
