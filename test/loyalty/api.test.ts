import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { subscribe } from '../support/subscriber.ts';
import { brokenInvariants } from './world.ts';

const NOW = new Date('2026-11-22T12:00:00.000Z');
let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: NOW });
  await change('business.profile', { ...(await profile()), reportingCurrency: 'GBP' });
});
afterAll(async () => {
  expect(await brokenInvariants(app.app.infra.database)).toEqual([]);
  await app.close();
});

async function profile(): Promise<object> {
  const { settings } = await app.query<{ settings: { key: string; value: object }[] }>('{ settings { key value } }');
  return settings.find((setting) => setting.key === 'business.profile')?.value ?? {};
}

const change = (key: string, value: unknown) =>
  app.query<{ changeSetting: { __typename: string } }>(
    'mutation ($input: ChangeSettingInput!) { changeSetting(input: $input) { __typename ... on DomainError { message } } }',
    { input: { key, value } },
  );

async function customer(externalId: string): Promise<string> {
  const { upsertCustomers } = await app.query<{ upsertCustomers: { customer: { id: string } }[] }>(
    `mutation ($input: [CustomerInput!]!) {
       upsertCustomers(input: $input) { ... on UpsertCustomerSuccess { customer { id } } ... on DomainError { message } }
     }`,
    { input: [{ externalId, name: externalId }] },
  );
  return upsertCustomers[0]?.customer.id as string;
}

const AWARD = `mutation Award($input: AwardPointsInput!) {
  awardPoints(input: $input) {
    __typename
    ... on AwardPointsSuccess {
      replayed
      entry { id number kind points balanceAfter rule source reason }
      account {
        balance { available } earned tier { name } nextTier { name pointsToGo }
        entries(first: 2) { edges { node { number points } } pageInfo { hasNextPage } }
      }
      tierChange { from { name } to { name benefits } direction }
    }
    ... on DomainError { code path }
    ... on EarningCapReached { left resetsAt }
    ... on RuleNotOpenToTier { tier openTo }
  }
}`;

interface Awarded {
  readonly __typename: string;
  readonly entry: { readonly id: string };
}

const award = async (customerId: string, input: object) =>
  (await app.query<{ awardPoints: Awarded }>(AWARD, { input: { idempotencyKey: newId(), customerId, ...input } }))
    .awardPoints;

const LOYALTY = `query ($externalId: String!) {
  customer(externalId: $externalId) {
    loyalty {
      balance { available } earned tier { name }
      entries { edges { node { number kind points balanceAfter rule source reason } } }
    }
  }
}`;

interface Loyalty {
  readonly balance: { readonly available: number };
  readonly earned: number;
  readonly tier: { readonly name: string };
  readonly entries: {
    readonly edges: readonly { readonly node: { readonly points: number; readonly reason: string | null } }[];
  };
}

const loyaltyOf = async (externalId: string) =>
  (await app.query<{ customer: { loyalty: Loyalty | null } | null }>(LOYALTY, { externalId })).customer?.loyalty;

describe('awardPoints', () => {
  test('answers with entry, account and tier, and again when sent again', async () => {
    const customerId = await customer('ada');
    await award(customerId, { points: 990, reason: 'welcome' });
    await award(customerId, { rule: 'feedback' });
    const input = { idempotencyKey: newId(), customerId, rule: 'referral_successful', count: 2 };
    const { awardPoints: first } = await app.query<{ awardPoints: object }>(AWARD, { input });
    expect(first).toMatchObject({
      __typename: 'AwardPointsSuccess',
      replayed: false,
      entry: {
        number: 3,
        kind: 'EARN',
        points: 200,
        balanceAfter: 1_205,
        rule: 'referral_successful',
        source: 'AWARD',
      },
      account: {
        balance: { available: 1_205 },
        earned: 1_205,
        tier: { name: 'Silver' },
        nextTier: { name: 'Gold', pointsToGo: 1_295 },
        entries: {
          edges: [{ node: { number: 3, points: 200 } }, { node: { number: 2, points: 15 } }],
          pageInfo: { hasNextPage: true },
        },
      },
      tierChange: null,
    });
    const { awardPoints: again } = await app.query<{ awardPoints: object }>(AWARD, { input });
    expect(again).toEqual({ ...first, replayed: true });
    const { awardPoints: other } = await app.query<{ awardPoints: object }>(AWARD, { input: { ...input, count: 1 } });
    expect(other).toEqual({
      __typename: 'IdempotencyConflict',
      code: 'CORE_IDEMPOTENCY_CONFLICT',
      path: ['idempotencyKey'],
    });
  });

  test('says which tiers a rule is open to, and when a cap ends', async () => {
    const customerId = await customer('bob');
    expect(await award(customerId, { rule: 'case_study' })).toEqual({
      __typename: 'RuleNotOpenToTier',
      code: 'LOYALTY_RULE_NOT_OPEN_TO_TIER',
      path: ['rule'],
      tier: 'BRONZE',
      openTo: ['SILVER', 'GOLD', 'PLATINUM'],
    });
    await award(customerId, { rule: 'monthly_login' });
    expect(await award(customerId, { rule: 'monthly_login' })).toMatchObject({
      __typename: 'EarningCapReached',
      left: 0,
      resetsAt: '2026-12-01T00:00:00.000Z',
    });
  });

  test.each([
    [{ points: -5 }],
    [{ points: 0 }],
    [{ points: 1.5 }],
    [{ points: 3_000_000_000 }],
    [{ points: 5, idempotencyKey: 'with a blank' }],
    [{ points: 5, surprise: true }],
  ])('refuses %j', async (input) => {
    const customerId = await customer('eve');
    const answer = await app.ask(AWARD, { input: { idempotencyKey: newId(), customerId, ...input } });
    expect(answer.errors?.length ?? 0).toBeGreaterThan(0);
    expect(await loyaltyOf('eve')).toBeNull();
  });

  test('needs its scope', async () => {
    const customerId = await customer('eve');
    const key = await app.createKey(['customers:read', 'loyalty:read']);
    const input = { idempotencyKey: newId(), customerId, points: 5 };
    const answer = await app.ask(AWARD, { input }, { authorization: `Bearer ${key}` });
    expect(answer.errors?.[0]?.message).toMatch(/loyalty:award/);
    expect(await loyaltyOf('eve')).toBeNull();
  });

  test('takes no id that this API did not make', async () => {
    expect(await award('bm9uc2Vuc2U', { points: 5 })).toMatchObject({ __typename: 'InvalidInput' });
  });

  test('in a batch answers each item by itself', async () => {
    const [ida, joe] = [await customer('ida'), await customer('joe')];
    const { awardPointsBatch } = await app.query<{ awardPointsBatch: object[] }>(
      `mutation ($input: [AwardPointsInput!]!) {
         awardPointsBatch(input: $input) {
           __typename ... on AwardPointsSuccess { account { balance { available } } } ... on DomainError { path }
         }
       }`,
      {
        input: [
          { idempotencyKey: newId(), customerId: ida, points: 10 },
          { idempotencyKey: newId(), customerId: joe, rule: 'unheard_of' },
          { idempotencyKey: newId(), customerId: joe, points: 20 },
          { idempotencyKey: newId(), customerId: joe },
        ],
      },
    );
    expect(awardPointsBatch).toEqual([
      { __typename: 'AwardPointsSuccess', account: { balance: { available: 10 } } },
      { __typename: 'InvalidInput', path: ['rule'] },
      { __typename: 'AwardPointsSuccess', account: { balance: { available: 20 } } },
      { __typename: 'InvalidInput', path: ['rule'] },
    ]);
  });

  test('is told to subscribers', async () => {
    const customerId = await customer('sue');
    const subscriber = subscribe<object>({
      url: `${app.server.url}/graphql`,
      key: app.adminKey,
      field: 'pointsAwarded',
      query: `subscription ($customerId: ID!, $after: Cursor) {
        pointsAwarded(customerId: $customerId, after: $after) { points balance earned rule tier { name } customer { externalId } }
      }`,
      variables: { customerId, after: await firstCursor() },
    });
    await award(await customer('tom'), { points: 1 });
    await award(customerId, { points: 2_600 });
    await award(customerId, { rule: 'feedback' });
    const expected = { earned: 2_600, tier: { name: 'Gold' }, customer: { externalId: 'sue' } };
    expect(await subscriber.arrived(2)).toEqual([
      { ...expected, points: 2_600, balance: 2_600, rule: null },
      { ...expected, points: 25, balance: 2_625, earned: 2_625, rule: 'feedback' },
    ]);
    subscriber.cut();
  });
});

/** A cursor before everything: subscriptions that begin with it miss nothing. */
async function firstCursor(): Promise<string> {
  const { encodeCursor, ORIGIN } = await import('../../src/core/events/index.ts');
  return encodeCursor(ORIGIN);
}

const ORDER = `mutation ($input: [OrderInput!]!) {
  upsertOrders(input: $input) { __typename ... on DomainError { message } }
}`;
const order = async (customerExternalId: string, amountMinor: number, more: object = {}) => {
  const input = {
    externalId: newId(),
    customerExternalId,
    amountMinor,
    currency: 'GBP',
    placedAt: NOW.toISOString(),
    ...more,
  };
  await app.query(ORDER, { input: [input] });
  await app.settle();
  return input;
};

describe('orders', () => {
  test('earn a point for each whole unit of the reporting currency, once', async () => {
    const input = await order('ola', 100_099);
    expect(await loyaltyOf('ola')).toMatchObject({
      balance: { available: 1_000 },
      tier: { name: 'Silver' },
      entries: { edges: [{ node: { number: 1, kind: 'EARN', points: 1_000, rule: 'order_placed', source: 'ORDER' } }] },
    });
    await app.query(ORDER, { input: [input] });
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
    expect(reversePoints).toEqual({ __typename: 'EntryNotReversible' });
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

test('the programme says what it offers and who takes part', async () => {
  const { loyaltyProgram } = await app.query<{
    loyaltyProgram: Record<string, unknown> & { statistics: { members: number } };
  }>(`{
    loyaltyProgram {
      tiers { key name from benefits }
      rules { key points { tier points } cap { times per } }
      orderPoints { enabled pointsPerUnit }
      autoEnrol
      statistics { members participation outstandingPoints byTier { tier { name } members } }
    }
  }`);
  expect(loyaltyProgram.tiers).toMatchObject([
    { key: 'BRONZE', name: 'Bronze', from: 0 },
    { key: 'SILVER', from: 1_000 },
    { key: 'GOLD', from: 2_500 },
    { key: 'PLATINUM', from: 5_000, benefits: expect.arrayContaining(['20 % off add-ons']) },
  ]);
  const { data } = await app.ask<{ silver: { totalCount: number }; all: { totalCount: number } }>(`{
    silver: customers(filter: { tier: [SILVER] }) { totalCount }
    all: customers(filter: { tier: [BRONZE, SILVER, GOLD, PLATINUM] }) { totalCount }
  }`);
  expect(loyaltyProgram.statistics).toMatchObject({ members: data.all.totalCount, participation: 1 });
  expect(data.silver.totalCount).toBeGreaterThan(0);
  expect(data.silver.totalCount).toBeLessThan(data.all.totalCount);
});

test('everybody can be enrolled at once', async () => {
  await customer('newcomer');
  const enrol = (dryRun: boolean) =>
    app.query<{ enrolEverybody: { customers: number } }>(
      'mutation ($input: EnrolEverybodyInput!) { enrolEverybody(input: $input) { ... on EnrolEverybodySuccess { customers } } }',
      { input: { dryRun } },
    );
  const { customers } = (await enrol(true)).enrolEverybody;
  expect(customers).toBeGreaterThan(0);
  expect(await loyaltyOf('newcomer')).toBeNull();
  expect((await enrol(false)).enrolEverybody.customers).toBe(customers);
  await app.settle();
  expect(await loyaltyOf('newcomer')).toMatchObject({ balance: { available: 0 }, tier: { name: 'Bronze' } });
  expect((await enrol(true)).enrolEverybody.customers).toBe(0);
});
