import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import type { TestApp } from '../support/app.ts';

import { type LoyaltyApp, NOW, startLoyaltyApp } from './api.ts';
import { brokenInvariants } from './world.ts';

let app: TestApp;
let change: LoyaltyApp['change'];
let customer: LoyaltyApp['customer'];
let award: LoyaltyApp['award'];
let loyaltyOf: LoyaltyApp['loyaltyOf'];
let order: LoyaltyApp['order'];

beforeAll(async () => {
  ({ app, change, customer, award, loyaltyOf, order } = await startLoyaltyApp());
});
afterAll(async () => {
  expect(await brokenInvariants(app.app.infra.database)).toEqual([]);
  await app.close();
});

describe('orders', () => {
  test('earn a point for each whole unit of the reporting currency, once', async () => {
    const input = await order('ola', 100_099);
    expect(await loyaltyOf('ola')).toMatchObject({
      balance: { available: 1_000 },
      tier: { name: 'Silver' },
      entries: { edges: [{ node: { number: 1, kind: 'EARN', points: 1_000, rule: 'order_placed', source: 'ORDER' } }] },
    });
    await order('ola', 100_099, { externalId: input.externalId });
    await order('ola', 99);
    expect((await loyaltyOf('ola'))?.balance.available).toBe(1_000);
  });

  test('in a currency without a rate earn nothing, rather than a wrong number', async () => {
    await order('pia', 5_000, { currency: 'JPY' });
    expect(await loyaltyOf('pia')).toBeNull();
  });

  test('earn nothing when the business says so', async () => {
    await change('loyalty.orderPoints', { enabled: false, pointsPerUnit: 1 });
    await order('quy', 5_000);
    expect(await loyaltyOf('quy')).toBeNull();
    await change('loyalty.orderPoints', { enabled: true, pointsPerUnit: 2 });
    await order('quy', 5_000);
    expect((await loyaltyOf('quy'))?.balance.available).toBe(100);
    await change('loyalty.orderPoints', { enabled: true, pointsPerUnit: 1 });
  });
});

describe('customers who change', () => {
  const merge = async (fromId: string, intoId: string) => {
    await app.query(
      'mutation ($input: MergeCustomersInput!) { mergeCustomers(input: $input) { __typename ... on DomainError { message } } }',
      { input: { fromId, intoId } },
    );
    await app.settle();
  };

  test('take their account with them into a customer who has none', async () => {
    const [from, into] = [await customer('former'), await customer('latter')];
    await award(from, { points: 1_500, reason: 'before' });
    await merge(from, into);
    expect(await loyaltyOf('latter')).toMatchObject({ balance: { available: 1_500 }, tier: { name: 'Silver' } });
    expect(await award(from, { points: 1 })).toMatchObject({ account: { balance: { available: 1_501 } } });
  });

  test('add their points to those of a customer who has some', async () => {
    const [from, into] = [await customer('one'), await customer('two')];
    const { entry } = await award(from, { points: 800 });
    await award(from, { rule: 'monthly_login' });
    await award(into, { points: 300 });
    await merge(from, into);
    expect(await loyaltyOf('two')).toMatchObject({
      balance: { available: 1_110 },
      earned: 1_110,
      tier: { name: 'Silver' },
      entries: {
        edges: [{ node: { number: 2, kind: 'ADJUST', points: 810, source: 'MERGE' } }, { node: { number: 1 } }],
      },
    });
    expect(await award(into, { rule: 'monthly_login' })).toMatchObject({ __typename: 'EarningCapReached' });
    const { reversePoints } = await app.query<{ reversePoints: object }>(
      'mutation ($input: ReversePointsInput!) { reversePoints(input: $input) { __typename } }',
      { input: { idempotencyKey: newId(), entryId: entry.id } },
    );
    // What came before the merge can still be taken back: of the account that has the points now.
    expect(reversePoints).toEqual({ __typename: 'ReversePointsSuccess' });
    expect(await loyaltyOf('two')).toMatchObject({
      balance: { available: 310 },
      earned: 310,
      tier: { name: 'Bronze' },
    });
  });

  test('are forgotten: words go, entries and sums stay', async () => {
    const database = app.app.infra.database;
    const id = await customer('gone');
    await award(id, { points: 70, reason: 'for Mrs Gone of Gone Street' });
    await app.query('mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { __typename } }', {
      input: { customerId: id },
    });
    await app.settle();
    const kept = await database.query(`select e.points, e.reason, a.balance, a.closed_at is not null as closed
      from loyalty_entry e join loyalty_account a on a.id = e.account_id where e.points = 70`);
    expect(kept).toEqual([{ points: 70, reason: null, balance: 70, closed: true }]);
    expect(await award(id, { points: 1 })).toMatchObject({ __typename: 'CustomerNotFound' });
  });
});

describe('the ledger itself', () => {
  test('refuses to be rewritten, by whomever', async () => {
    const { database } = app.app.infra;
    await award(await customer('ada'), { points: 5, reason: 'kept' });
    for (const statement of [
      'update loyalty_entry set points = points + 1',
      `update loyalty_entry set reason = 'other'`,
      `update loyalty_entry set reason = null, points = 0 where reason = 'kept'`,
      'delete from loyalty_entry',
      'truncate loyalty_entry',
    ]) {
      await expect(database.query(statement), statement).rejects.toMatchObject({ code: '23001' });
    }
    await expect(database.query('update loyalty_account set balance = -1')).rejects.toMatchObject({ code: '23514' });
  });

  test('can be read page by page, and as of any time', async () => {
    const externalId = 'zoe';
    const customerId = await customer(externalId);
    for (let points = 1; points <= 5; points += 1) {
      await award(customerId, { points });
      app.clock?.advance(1_000);
    }
    interface EntriesPage {
      readonly edges: readonly { readonly node: { readonly points: number } }[];
      readonly pageInfo: { readonly endCursor: string; readonly hasNextPage: boolean };
    }
    const page = (after: string | null) =>
      app.query<{ customer: { loyalty: { entries: EntriesPage } } }>(
        `query ($externalId: String!, $after: String) {
           customer(externalId: $externalId) { loyalty {
             entries(first: 2, after: $after) { edges { node { points } } pageInfo { endCursor hasNextPage } } } } }`,
        { externalId, after },
      );
    const seen: number[] = [];
    for (let after: string | null = null; ; ) {
      const { edges, pageInfo }: EntriesPage = (await page(after)).customer.loyalty.entries;
      seen.push(...edges.map(({ node }) => node.points));
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor;
    }
    expect(seen).toEqual([5, 4, 3, 2, 1]);
    const answer = await app.query<{ customer: { loyalty: object } }>(
      `query ($externalId: String!, $before: DateTime!, $third: DateTime!) {
         customer(externalId: $externalId) { loyalty {
           before: balance(asOf: $before) { available } third: balance(asOf: $third) { available } now: balance { available } } } }`,
      { externalId, before: '2026-01-01T00:00:00Z', third: new Date(NOW.getTime() + 2_500) },
    );
    expect(answer.customer.loyalty).toEqual({
      before: { available: 0 },
      third: { available: 6 },
      now: { available: 15 },
    });
    app.clock?.set(NOW);
  });
});
