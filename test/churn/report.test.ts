import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';

const NOW = new Date('2026-06-15T12:00:00Z');
const PERIOD = { from: '2026-02-01', to: '2026-06-01' };

let app: TestApp;

const customer = (externalId: string, more: object = {}) => ({ externalId, name: externalId, ...more });
const subscription = (customerExternalId: string, plan: string, startedAt: string, cancelled?: [string, string?]) => ({
  externalId: `${customerExternalId}-1`,
  customerExternalId,
  plan,
  mrrMinor: 1_000,
  currency: 'USD',
  startedAt: `${startedAt}T12:00:00Z`,
  ...(cancelled === undefined ? {} : { cancelledAt: `${cancelled[0]}T12:00:00Z`, cancelReason: cancelled[1] }),
});
const send = (mutation: string, input: readonly object[], type: string) =>
  app.query(
    `mutation ($input: [${type}!]!) { ${mutation}(input: $input) { __typename ... on DomainError { message } } }`,
    {
      input,
    },
  );

beforeAll(async () => {
  app = await startTestApp({ now: NOW });
  const owner = { email: 'olga@example.com', name: 'Olga' };
  await send(
    'upsertCustomers',
    [
      customer('a', { businessSegment: 'Small', traits: { country: 'DE', seats: 5 } }),
      customer('b', { businessSegment: 'Small', traits: { country: 'FR' } }),
      customer('c', { businessSegment: 'Large', owner, traits: { country: 'DE' } }),
      customer('d', { businessSegment: 'Large', owner }),
      customer('e'),
      customer('f', { signupAt: '2025-11-05T00:00:00Z' }),
    ],
    'CustomerInput',
  );
  await send(
    'upsertSubscriptions',
    [
      subscription('a', 'basic', '2026-01-05', ['2026-03-10', 'Too expensive']),
      subscription('b', 'basic', '2026-01-06', ['2026-03-12', ' too EXPENSIVE ']),
      subscription('c', 'pro', '2026-01-07', ['2026-05-20', 'Too expensive']),
      subscription('d', 'pro', '2026-01-08'),
      subscription('e', 'basic', '2026-04-02', ['2026-04-20']),
      subscription('g', 'pro', '2026-01-09', ['2026-05-21']),
    ],
    'SubscriptionInput',
  );
  // f leaves by silence, and somebody says later why.
  await send(
    'upsertOrders',
    [
      {
        externalId: 'o1',
        customerExternalId: 'f',
        amountMinor: 500,
        currency: 'USD',
        placedAt: '2026-01-10T00:00:00Z',
      },
    ],
    'OrderInput',
  );
  await app.settle();
  const told = { status: 'CHURNED', churnedAt: '2026-05-01T00:00:00Z', churnReason: 'Moved away' };
  await send('upsertCustomers', [customer('f', told)], 'CustomerInput');
  await app.settle();
});
afterAll(() => app.close());

const COUNTS = 'start new churned reactivated joinedAndLeft end rate';
const ask = async <T>(fields: string, args = ''): Promise<T> =>
  (
    await app.query<{ churn: T }>(`query ($period: PeriodInput!) { churn(period: $period ${args}) { ${fields} } }`, {
      period: PERIOD,
    })
  ).churn;
interface Counts {
  readonly start: number;
  readonly new: number;
  readonly churned: number;
  readonly reactivated: number;
  readonly joinedAndLeft: number;
  readonly end: number;
  readonly rate: number | null;
}
interface Group {
  readonly group: { readonly kind: string; readonly key: string | null };
  readonly totals: Counts;
  readonly reasons: readonly { readonly kind: string; readonly reason: string | null; readonly customers: number }[];
}
const groupsBy = async (groupBy: string) => {
  const { groups } = await ask<{ groups: Group[] }>(
    `groups { group { kind key } totals { ${COUNTS} } reasons { kind reason customers } }`,
    `, groupBy: ${groupBy}`,
  );
  return groups;
};
const inShort = ({ group, totals }: Group) => [group.key ?? group.kind, totals.start, totals.churned, totals.end];

describe('churn report', () => {
  test('totals of the period and of the one before; the last month that is over', async () => {
    const report = await ask<Record<string, unknown>>(
      `period { from to } previousPeriod { from to } totals { ${COUNTS} } previousTotals { ${COUNTS} }
       current { month ${COUNTS} } previous { month churned }`,
    );
    expect(report).toEqual({
      period: PERIOD,
      previousPeriod: { from: '2025-10-01', to: '2026-02-01' },
      totals: { start: 6, new: 0, churned: 5, reactivated: 0, joinedAndLeft: 1, end: 1, rate: 5 / 6 },
      previousTotals: { start: 0, new: 6, churned: 0, reactivated: 0, joinedAndLeft: 0, end: 6, rate: null },
      current: {
        month: '2026-05-01',
        start: 3,
        new: 0,
        churned: 2,
        reactivated: 0,
        joinedAndLeft: 0,
        end: 1,
        rate: 2 / 3,
      },
      previous: { month: '2026-04-01', churned: 1 },
    });
  });

  test('reasons by count and share, the unknown shown, spelled once, over time and beside the period before', async () => {
    const report = await ask<{
      reasons: object[];
      reasonsByMonth: {
        month: string;
        reasons: { reason: string | null; customers: number; previousCustomers: number }[];
      }[];
    }>(
      `reasons { kind reason customers share previousCustomers previousShare }
       reasonsByMonth { month reasons { reason customers previousCustomers } }`,
    );
    const before = { previousCustomers: 0, previousShare: null };
    expect(report.reasons).toEqual([
      { kind: 'KNOWN', reason: 'Too expensive', customers: 3, share: 0.5, ...before },
      { kind: 'UNKNOWN', reason: null, customers: 2, share: 2 / 6, ...before },
      { kind: 'KNOWN', reason: 'Moved away', customers: 1, share: 1 / 6, ...before },
    ]);
    expect(
      report.reasonsByMonth.map(({ month, reasons }) => [
        month.slice(5, 7),
        ...reasons.map((one) => `${one.reason} ${one.customers} (${one.previousCustomers})`),
      ]),
    ).toEqual([
      ['02'],
      ['03', 'Too expensive 2 (0)'],
      ['04', 'Moved away 1 (0)', 'null 1 (0)', 'Too expensive 0 (2)'],
      ['05', 'null 1 (1)', 'Too expensive 1 (0)', 'Moved away 0 (1)'],
    ]);
  });

  test('by segment, plan, owner, trait and month of signup: groups add up, each with its reasons', async () => {
    const segments = await groupsBy('{dimension: SEGMENT}');
    expect(segments.map(inShort)).toEqual([
      ['Large', 2, 1, 1],
      ['Small', 2, 2, 0],
      ['UNKNOWN', 2, 2, 0],
    ]);
    expect(segments[1]?.group.key).toBe('Small');
    expect(segments[1]?.reasons).toEqual([{ kind: 'KNOWN', reason: 'Too expensive', customers: 2 }]);
    expect((await groupsBy('{dimension: PLAN}')).map(inShort)).toEqual([
      ['basic', 2, 2, 0],
      ['pro', 3, 2, 1],
      ['UNKNOWN', 1, 1, 0],
    ]);
    expect((await groupsBy('{dimension: OWNER}')).map(inShort)).toEqual([
      ['olga@example.com', 2, 1, 1],
      ['UNKNOWN', 4, 4, 0],
    ]);
    expect((await groupsBy('{dimension: TRAIT, trait: "country"}')).map(inShort)).toEqual([
      ['DE', 2, 2, 0],
      ['FR', 1, 1, 0],
      ['UNKNOWN', 3, 2, 1],
    ]);
    const signups = await groupsBy('{dimension: SIGNUP_QUARTER}');
    expect(signups.map(({ group }) => group.key)).toContain('2025-Q4');
    for (const groups of [segments, signups]) expect(groups.reduce((sum, { totals }) => sum + totals.start, 0)).toBe(6);
  });

  test('of some customers only: a plan is the one had last', async () => {
    const counts = async (filter: string) => {
      const { totals, causes } = await ask<{ totals: Counts; causes: { cause: string; customers: number }[] }>(
        `totals { ${COUNTS} } causes { cause customers }`,
        `, filter: ${filter}`,
      );
      return [totals.start, totals.churned, totals.end, causes.map(({ cause, customers }) => `${cause} ${customers}`)];
    };
    expect(await counts('{plan: ["basic"]}')).toEqual([2, 2, 0, ['CANCELLATION 3']]);
    expect(await counts('{segment: ["Large"]}')).toEqual([2, 1, 1, ['CANCELLATION 1']]);
    expect(await counts('{traits: [{key: "country", values: ["DE"]}, {key: "seats", values: ["5"]}]}')).toEqual([
      1,
      1,
      0,
      ['CANCELLATION 1'],
    ]);
    expect(await counts('{segment: ["None"]}')).toEqual([0, 0, 0, []]);
  });

  test('recommends by the highest rule that matches, and nothing where no rate is known', async () => {
    const advice = async (period: object) => {
      const { churn } = await app.query<{ churn: { recommendations: { rule: string }[] } }>(
        `query ($period: PeriodInput!) { churn(period: $period) {
          recommendations { rule priority title action expectedEffect timeline measured threshold } } }`,
        { period },
      );
      return churn.recommendations.filter(({ rule }) => rule.startsWith('churn'));
    };
    expect(await advice(PERIOD)).toMatchObject([
      {
        rule: 'churn_critical',
        priority: 'CRITICAL',
        expectedEffect: '30-50 % less churn',
        timeline: '1-2 months',
        measured: 2 / 3,
        threshold: 0.1,
      },
    ]);
    expect(await advice({ from: '2025-12-01', to: '2026-01-01' })).toEqual([]);
    expect(await advice({ from: '2026-02-01', to: '2026-03-01' })).toEqual([]);
  });

  test('the dashboard shows the same month', async () => {
    const { dashboard } = await app.query<{ dashboard: { churn: unknown } }>(
      'query ($period: PeriodInput!) { dashboard(period: $period) { churn { current { month start churned rate } previous { month } } } }',
      { period: PERIOD },
    );
    expect(dashboard.churn).toEqual({
      current: { month: '2026-05-01', start: 3, churned: 2, rate: 2 / 3 },
      previous: { month: '2026-01-01' },
    });
  });

  test('cohorts of subscriptions by signup: survival and MRR', async () => {
    const { cohorts } = await ask<{
      cohorts: {
        rows: {
          cohort: string;
          size: number;
          cells: ({ customers: number; amount: { amountMinor: number } } | null)[];
        }[];
      };
    }>(
      'cohorts(measure: MRR, start: SIGNUP) { rows { cohort size cells { customers amount { amountMinor } } } }',
      ', filter: {segment: ["Small", "Large"]}',
    );
    expect(cohorts.rows.map(({ cohort, size }) => [cohort, size])).toMatchObject([['2026-06-01', 4]]);
    expect(cohorts.rows[0]?.cells).toEqual([{ customers: 1, amount: { amountMinor: 1_000 } }]);
  });

  test('everything of a report takes a bounded number of statements, whatever the months and groups', async () => {
    const tell = { 'x-holdfast-statements': '1' };
    const everything = `totals { start } months { rate } groups { group { key } months { rate } reasons { reason } }
      current { rate } causes { customers } reasons { share } reasonsByMonth { month reasons { share } }
      recommendations { rule } inactiveAfterDays cohorts { rows { size } }`;
    const statements = async (from: string) => {
      const text = `{ churn(period: {from: "${from}", to: "2026-06-01"}, groupBy: {dimension: PLAN}) { ${everything} } }`;
      const answer = await app.ask(text, {}, tell);
      expect(answer.errors).toBeUndefined();
      return answer.extensions.statements as number;
    };
    // Moves and reasons by month and by period, causes, cohorts, and the two of the health distribution.
    const [short, long] = [await statements('2026-05-01'), await statements('2017-01-01')];
    expect(short).toBeLessThanOrEqual(8);
    expect(long).toBe(short);
    const revenue = `{ revenue(period: {from: "2020-01-01", to: "2026-06-01"}, groupBy: {dimension: PLAN}) {
      totals { ltv { amountMinor } } months { nrr ltv { amountMinor } } groups { months { arpa { amountMinor } ltv { amountMinor } } } unconverted { currency } } }`;
    expect((await app.ask(revenue, {}, tell)).extensions.statements).toBe(3);
  });

  test('needs the scope, and those of what is filtered and grouped by', async () => {
    const bearer = async (...scopes: string[]) => ({ authorization: `Bearer ${await app.createKey(scopes)}` });
    const query = '{ churn(period: {from: "2026-01-01", to: "2026-02-01"}) { totals { start } } }';
    const grouped = query.replace('})', '}, groupBy: {dimension: SEGMENT})');
    expect((await app.ask(query, {}, await bearer('customers:read'))).errors).toHaveLength(1);
    expect((await app.ask(query, {}, await bearer('churn:read'))).errors).toBeUndefined();
    expect((await app.ask(grouped, {}, await bearer('churn:read'))).errors?.[0]?.message).toContain('customers:read');
    const asked = await app.ask(query.replace('})', '}, groupBy: {dimension: TRAIT})'));
    expect(asked.errors?.[0]?.extensions).toMatchObject({ code: 'CORE_INVALID_INPUT' });
  });
});
