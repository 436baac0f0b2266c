import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeCursor, ORIGIN } from '../../src/core/events/index.ts';
import { newId } from '../../src/core/ids.ts';
import type { TestApp } from '../support/app.ts';
import { subscribe } from '../support/subscriber.ts';
import { AWARD, type LoyaltyApp, startLoyaltyApp } from './api.ts';
import { brokenInvariants } from './world.ts';

let app: TestApp;
let customer: LoyaltyApp['customer'];
let award: LoyaltyApp['award'];
let loyaltyOf: LoyaltyApp['loyaltyOf'];

beforeAll(async () => {
  ({ app, customer, award, loyaltyOf } = await startLoyaltyApp());
});
afterAll(async () => {
  expect(await brokenInvariants(app.app.infra.database)).toEqual([]);
  await app.close();
});

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

  test('takes a thousand items in one request', async () => {
    const customerId = await customer('many');
    const { awardPointsBatch } = await app.query<{ awardPointsBatch: { replayed: boolean }[] }>(
      `mutation ($input: [AwardPointsInput!]!) {
         awardPointsBatch(input: $input) {
           ... on AwardPointsSuccess { replayed entry { id } tierChange { to { name } } } ... on DomainError { code path }
         }
       }`,
      { input: Array.from({ length: 1_000 }, () => ({ idempotencyKey: newId(), customerId, points: 1 })) },
    );
    expect(awardPointsBatch.filter(({ replayed }) => replayed === false)).toHaveLength(1_000);
    expect(await loyaltyOf('many')).toMatchObject({ balance: { available: 1_000 }, tier: { name: 'Silver' } });
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
      variables: { customerId, after: encodeCursor(ORIGIN) },
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
