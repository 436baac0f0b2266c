import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemCall } from '../../src/core/call.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

const NOW = new Date('2026-06-15T12:00:00Z');

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: NOW });
});
afterAll(async () => {
  await app.close();
});

const order = (externalId: string, customer: string, day: string) => ({
  externalId,
  customerExternalId: customer,
  amountMinor: 1_000,
  currency: 'USD',
  placedAt: `${day}T10:00:00Z`,
});
const place = async (...orders: readonly object[]) => {
  const { upsertOrders } = await app.query<{ upsertOrders: readonly { __typename: string; message?: string }[] }>(
    'mutation Place($input: [OrderInput!]!) { upsertOrders(input: $input) { __typename ... on DomainError { message } } }',
    { input: orders },
  );
  expect(upsertOrders.map((result) => result.__typename)).toEqual(orders.map(() => 'UpsertOrderSuccess'));
  await app.settle();
};
const MONTHS = /* GraphQL */ `
  query Churn($period: PeriodInput!) {
    churn(period: $period) {
      inactiveAfterDays
      months { month start new churned reactivated joinedAndLeft end rate }
      causes { cause customers }
    }
  }
`;
interface Months {
  readonly churn: {
    readonly months: readonly Record<string, unknown>[];
    readonly causes: readonly object[];
    readonly inactiveAfterDays: number;
  };
}
const churnOf = (externalId: string) =>
  app
    .query<{ customer: { churn: { status: string; since: string; dueAt: string | null } | null } }>(
      'query One($id: String!) { customer(externalId: $id) { churn { status since dueAt } } }',
      { id: externalId },
    )
    .then(({ customer }) => customer.churn);

describe('churn', () => {
  test('ninety days without activity are a going; the month it falls in counts it', async () => {
    await place(
      order('a1', 'leaves', '2026-01-10'),
      order('b1', 'stays', '2026-01-20'),
      order('b2', 'stays', '2026-04-10'),
      order('b3', 'stays', '2026-06-01'),
      order('c1', 'returns', '2026-01-05'),
      order('c2', 'returns', '2026-05-20'),
    );
    const { churn } = await app.query<Months>(MONTHS, { period: { from: '2026-01-01', to: '2026-07-01' } });
    expect(churn.inactiveAfterDays).toBe(90);
    expect(
      churn.months.map(({ month, start, new: came, churned, reactivated, end, rate }) => [
        month,
        start,
        came,
        churned,
        reactivated,
        end,
        rate,
      ]),
    ).toEqual([
      ['2026-01-01', 0, 3, 0, 0, 3, null],
      ['2026-02-01', 3, 0, 0, 0, 3, 0],
      ['2026-03-01', 3, 0, 0, 0, 3, 0],
      ['2026-04-01', 3, 0, 2, 0, 1, 2 / 3],
      ['2026-05-01', 1, 0, 0, 1, 2, 0],
      ['2026-06-01', 2, 0, 0, 0, 2, 0],
    ]);
    expect(churn.causes).toEqual([{ cause: 'INACTIVITY', customers: 2 }]);
    expect(await churnOf('leaves')).toEqual({ status: 'CHURNED', since: '2026-04-10T10:00:00.000Z', dueAt: null });
    expect(await churnOf('stays')).toMatchObject({ status: 'ACTIVE', dueAt: '2026-08-30T10:00:00.000Z' });
  });

  test('time alone makes customers leave: the sweep finds them, says so once, and a return is told', async () => {
    app.clock?.set(new Date('2026-09-01T00:00:00Z'));
    const { churn } = app.app.composition.services;
    expect(await churn.sweep(systemCall('test'))).toBe(2);
    expect(await churn.sweep(systemCall('test'))).toBe(0);
    expect(await churnOf('stays')).toMatchObject({ status: 'CHURNED' });
    await place(order('b4', 'stays', '2026-08-31'));
    expect(await churnOf('stays')).toMatchObject({ status: 'ACTIVE', since: '2026-08-31T10:00:00.000Z' });
    const told = await app.app.infra.database.query<{ type: string }>(
      `select type from outbox_event where type like 'churn.%' order by epoch, xid, seq`,
    );
    expect(told.map((event) => event.type)).toEqual([
      'churn.customerChurned',
      'churn.customerChurned',
      'churn.customerReactivated',
    ]);
  });

  test('a subscription outweighs activity; its end is a cancellation', async () => {
    const subscription = (cancelledAt: string | null) =>
      app.query(
        'mutation Subscribe($input: [SubscriptionInput!]!) { upsertSubscriptions(input: $input) { __typename } }',
        {
          input: [
            {
              externalId: 's1',
              customerExternalId: 'subscriber',
              plan: 'pro',
              mrrMinor: 9_900,
              currency: 'USD',
              startedAt: '2026-01-01T00:00:00Z',
              ...(cancelledAt === null ? {} : { cancelledAt }),
            },
          ],
        },
      );
    await subscription(null);
    await app.settle();
    expect(await churnOf('subscriber')).toMatchObject({ status: 'ACTIVE', dueAt: null });
    await subscription('2026-08-30T00:00:00Z');
    await app.settle();
    expect(await churnOf('subscriber')).toMatchObject({ status: 'CHURNED', since: '2026-08-30T00:00:00.000Z' });
  });

  test.each([
    [{ from: '2026-02-01', to: '2026-02-01' }],
    [{ from: '2026-02-02', to: '2026-02-01' }],
    [{ from: '1900-01-01', to: '2026-02-01' }],
  ])('a period that is empty or endless is refused: %j', async (period) => {
    const answer = await app.ask(MONTHS, { period });
    expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'CORE_INVALID_INPUT' });
  });
});
