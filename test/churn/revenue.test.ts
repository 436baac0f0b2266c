import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemCall } from '../../src/core/call.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

const NOW = new Date('2026-07-10T12:00:00Z');
const PERIOD = { from: '2026-01-01', to: '2026-08-01' };

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: NOW });
});
afterAll(() => app.close());

interface Step {
  readonly externalId: string;
  readonly customerExternalId: string;
  readonly plan: string;
  readonly mrrMinor: number;
  readonly currency: string;
  readonly startedAt?: string;
  readonly changedAt?: string;
  readonly cancelledAt?: string | null;
}

/** Tells the steps of subscriptions in their order, those of one round in one call. */
async function tell(...rounds: readonly (readonly Step[])[]): Promise<void> {
  for (const input of rounds) {
    const { upsertSubscriptions } = await app.query<{
      upsertSubscriptions: { __typename: string; message?: string }[];
    }>(
      `mutation ($input: [SubscriptionInput!]!) {
        upsertSubscriptions(input: $input) { __typename ... on DomainError { message } } }`,
      { input },
    );
    expect(upsertSubscriptions.filter(({ __typename }) => __typename !== 'UpsertSubscriptionSuccess')).toEqual([]);
  }
  await app.settle();
}

const describeCustomers = async (input: readonly object[]) => {
  await app.query('mutation ($input: [CustomerInput!]!) { upsertCustomers(input: $input) { __typename } }', { input });
};

const FIGURES = /* GraphQL */ `
  fragment Figures on MrrMovements {
    from start { amountMinor } new { amountMinor } expansion { amountMinor } contraction { amountMinor }
    churned { amountMinor } reactivation { amountMinor } net { amountMinor } end { amountMinor }
    counts { new expansion contraction churned reactivation }
    customersAtStart customersAtEnd nrr grr quickRatio arpa { amountMinor currency } ltv { amountMinor }
    retained { start { amountMinor } expansion { amountMinor } contraction { amountMinor } churned { amountMinor } }
  }
`;
const REVENUE = /* GraphQL */ `
  ${FIGURES}
  query Revenue($period: PeriodInput!, $filter: CustomerFilter, $groupBy: GroupByInput) {
    revenue(period: $period, filter: $filter, groupBy: $groupBy) {
      period { from to } previousPeriod { from to } currency grossMargin
      totals { ...Figures } previousTotals { ...Figures } months { ...Figures }
      groups { group { kind key } totals { ...Figures } months { ...Figures } }
      unconverted { currency totals { ...Figures } }
    }
  }
`;
interface Amount {
  readonly amountMinor: number;
}
interface Figures {
  readonly from: string;
  readonly start: Amount;
  readonly new: Amount;
  readonly expansion: Amount;
  readonly contraction: Amount;
  readonly churned: Amount;
  readonly reactivation: Amount;
  readonly net: Amount;
  readonly end: Amount;
  readonly customersAtStart: number;
  readonly customersAtEnd: number;
  readonly nrr: number | null;
  readonly grr: number | null;
  readonly quickRatio: number | null;
  readonly arpa: Amount | null;
  readonly ltv: Amount | null;
}
interface Revenue {
  readonly period: object;
  readonly previousPeriod: object;
  readonly totals: Figures;
  readonly previousTotals: Figures;
  readonly months: readonly Figures[];
  readonly groups: readonly {
    readonly group: { readonly kind: string; readonly key: string | null };
    readonly totals: Figures;
    readonly months: readonly Figures[];
  }[];
  readonly unconverted: readonly { readonly currency: string; readonly totals: Figures }[];
}
const revenue = async (variables: object = {}) =>
  (await app.query<{ revenue: Revenue }>(REVENUE, { period: PERIOD, ...variables })).revenue;
const bridge = (m: Figures) => [
  m.start.amountMinor,
  m.new.amountMinor,
  m.expansion.amountMinor,
  0 - m.contraction.amountMinor,
  0 - m.churned.amountMinor,
  m.reactivation.amountMinor,
  m.end.amountMinor,
];
const addsUp = (m: Figures) => {
  const parts = bridge(m);
  expect(parts.slice(0, -1).reduce((a, b) => a + b, 0)).toBe(parts.at(-1));
  expect(m.net.amountMinor).toBe(m.end.amountMinor - m.start.amountMinor);
};

const sub = (externalId: string, mrrMinor: number, more: Partial<Step> = {}): Step => ({
  externalId,
  customerExternalId: externalId.split('-')[0] as string,
  plan: 'basic',
  mrrMinor,
  currency: 'USD',
  ...more,
});

describe('recurring revenue', () => {
  test('nothing is divided by nothing', async () => {
    const { totals, months, groups, unconverted } = await revenue();
    expect(totals).toMatchObject({ nrr: null, grr: null, quickRatio: null, arpa: null, ltv: null });
    expect(bridge(totals)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect([months.length, groups, unconverted]).toEqual([7, [], []]);
  });

  test('a story of five movements, by month, with NRR, GRR, quick ratio, ARPA and LTV', async () => {
    await describeCustomers([
      { externalId: 'ada', name: 'Ada', businessSegment: 'Enterprise' },
      { externalId: 'bob', name: 'Bob', businessSegment: 'Small' },
      { externalId: 'cleo', name: 'Cleo' },
    ]);
    await tell(
      [
        sub('ada-1', 10_000, { startedAt: '2026-01-05T00:00:00Z' }),
        sub('ada-2', 2_000, { startedAt: '2026-01-20T00:00:00Z', plan: 'add-on' }),
        sub('bob-1', 5_000, { startedAt: '2026-01-10T00:00:00Z' }),
        sub('cleo-1', 1_000, { startedAt: '2026-02-03T00:00:00Z' }),
      ],
      [
        sub('ada-1', 12_000, { changedAt: '2026-02-10T00:00:00Z', plan: 'pro' }),
        sub('ada-2', 2_000, { cancelledAt: '2026-02-15T00:00:00Z', plan: 'add-on' }),
        sub('bob-1', 5_000, { cancelledAt: '2026-02-20T00:00:00Z' }),
      ],
      // A plan changed by two subscriptions within the hour is one movement, and no going.
      [
        sub('cleo-1', 1_000, { cancelledAt: '2026-03-04T10:00:00Z' }),
        sub('cleo-2', 1_500, { startedAt: '2026-03-04T10:40:00Z' }),
      ],
      [sub('bob-2', 4_000, { startedAt: '2026-04-01T00:00:00Z' })],
    );
    const report = await revenue();
    expect(report.months.map((month) => [month.from.slice(0, 7), ...bridge(month)])).toEqual([
      ['2026-01', 0, 15_000, 2_000, 0, 0, 0, 17_000],
      ['2026-02', 17_000, 1_000, 2_000, -2_000, -5_000, 0, 13_000],
      ['2026-03', 13_000, 0, 500, 0, 0, 0, 13_500],
      ['2026-04', 13_500, 0, 0, 0, 0, 4_000, 17_500],
      ['2026-05', 17_500, 0, 0, 0, 0, 0, 17_500],
      ['2026-06', 17_500, 0, 0, 0, 0, 0, 17_500],
      ['2026-07', 17_500, 0, 0, 0, 0, 0, 17_500],
    ]);
    expect(report.months[0]).toMatchObject({ nrr: null, grr: null, quickRatio: null });
    expect(report.months[1]).toMatchObject({
      counts: { new: 1, expansion: 1, contraction: 1, churned: 1, reactivation: 0 },
      nrr: (17_000 + 2_000 - 2_000 - 5_000) / 17_000,
      grr: (17_000 - 2_000 - 5_000) / 17_000,
      quickRatio: 3_000 / 7_000,
      customersAtStart: 2,
      customersAtEnd: 2,
      arpa: { amountMinor: 6_500, currency: 'USD' },
      // One of two customers left in the month.
      ltv: { amountMinor: 13_000 },
    });
    expect(report.months[2]).toMatchObject({ nrr: 13_500 / 13_000, grr: 1, ltv: null });
    for (const figures of [report.totals, report.previousTotals, ...report.months]) addsUp(figures);
    // The churn of the same months: a change of plan within the hour is no going either.
    const { churn } = await app.query<{ churn: { months: { churned: number; new: number }[] } }>(
      'query ($period: PeriodInput!) { churn(period: $period) { months { churned new } } }',
      { period: PERIOD },
    );
    expect(churn.months.map(({ churned }) => churned)).toEqual([0, 1, 0, 0, 0, 0, 0]);
  });

  test('beside the period before, by group, and filtered', async () => {
    const period = { from: '2026-03-01', to: '2026-05-01' };
    const report = await revenue({ period, groupBy: { dimension: 'SEGMENT' } });
    expect([report.period, report.previousPeriod]).toEqual([period, { from: '2026-01-01', to: '2026-03-01' }]);
    expect(bridge(report.previousTotals)).toEqual([0, 16_000, 4_000, -2_000, -5_000, 0, 13_000]);
    expect(report.groups.map(({ group, totals }) => [group.kind, group.key, ...bridge(totals)])).toEqual([
      ['VALUE', 'Enterprise', 12_000, 0, 0, 0, 0, 0, 12_000],
      ['VALUE', 'Small', 0, 0, 0, 0, 0, 4_000, 4_000],
      ['UNKNOWN', null, 1_000, 0, 500, 0, 0, 0, 1_500],
    ]);
    const small = await revenue({ filter: { segment: ['Small'] } });
    expect(bridge(small.totals)).toEqual([0, 5_000, 0, 0, -5_000, 4_000, 4_000]);
    // Who is gone had a plan, too.
    const basic = await revenue({ filter: { plan: ['basic'] }, period: { from: '2026-02-01', to: '2026-03-01' } });
    expect(bridge(basic.totals)).toEqual([5_000, 1_000, 0, 0, -5_000, 0, 1_000]);
  });

  test('other currencies: by the rate of the day they began, apart while there is none', async () => {
    const euros = (mrrMinor: number, more: Partial<Step>) => sub('emil-1', mrrMinor, { currency: 'EUR', ...more });
    await tell(
      [euros(1_000, { startedAt: '2026-02-01T00:00:00Z' })],
      [euros(3_000, { changedAt: '2026-05-01T00:00:00Z' })],
    );
    const apart = await revenue();
    expect(apart.totals.end.amountMinor).toBe(17_500);
    expect(apart.unconverted.map(({ currency, totals }) => [currency, ...bridge(totals)])).toEqual([
      ['EUR', 0, 1_000, 2_000, 0, 0, 0, 3_000],
    ]);
    await app.query('mutation ($input: [ExchangeRateInput!]!) { setExchangeRates(input: $input) { __typename } }', {
      input: [
        { currency: 'EUR', validFrom: '2026-01-01', rate: '1.1' },
        { currency: 'EUR', validFrom: '2026-03-01', rate: '2' },
      ],
    });
    await app.settle();
    const converted = await revenue();
    expect(converted.unconverted).toEqual([]);
    expect(converted.months.map((month) => month.end.amountMinor)).toEqual([
      17_000, 14_100, 14_600, 18_600, 20_800, 20_800, 20_800,
    ]);
  });

  test('when the reporting currency changes, everything is reckoned anew', async () => {
    const change = async (reportingCurrency: string) => {
      const business = await app.query<{ settings: { key: string; value: object }[] }>('{ settings { key value } }');
      const profile = business.settings.find(({ key }) => key === 'business.profile')?.value;
      await app.query('mutation ($input: ChangeSettingInput!) { changeSetting(input: $input) { __typename } }', {
        input: { key: 'business.profile', value: { ...profile, reportingCurrency } },
      });
    };
    const { churn } = app.app.composition.services;
    await change('EUR');
    expect(await churn.refreshStale(systemCall('test'))).toBeGreaterThan(0);
    expect(await churn.refreshStale(systemCall('test'))).toBe(0);
    const euros = await revenue();
    expect(euros.totals.end.amountMinor).toBe(3_000);
    expect(euros.unconverted.map(({ currency, totals }) => [currency, totals.end.amountMinor])).toEqual([
      ['USD', 17_500],
    ]);
    await change('USD');
    await churn.refreshStale(systemCall('test'));
    expect((await revenue()).totals.end.amountMinor).toBe(20_800);
  });

  test('who is erased pays no longer and counts as gone; the sums of the past stay', async () => {
    const before = await revenue({ period: { from: '2026-01-01', to: '2026-07-01' } });
    const { customer } = await app.query<{ customer: { id: string } }>('{ customer(externalId: "cleo") { id } }');
    await app.query('mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { __typename } }', {
      input: { customerId: customer.id },
    });
    await app.settle();
    const after = await revenue();
    expect(after.months.slice(0, 6)).toEqual(before.months);
    expect(after.months[6]).toMatchObject({ churned: { amountMinor: 1_500 }, end: { amountMinor: 19_300 } });
    const { churn } = await app.query<{ churn: { months: { churned: number }[] } }>(
      '{ churn(period: {from: "2026-07-01", to: "2026-08-01"}) { months { churned } } }',
    );
    expect(churn.months).toEqual([{ churned: 1 }]);
  });
});
