import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeCursor, ORIGIN } from '../../src/core/events/index.ts';
import { newId } from '../../src/core/ids.ts';
import type { TestApp } from '../support/app.ts';
import { subscribe } from '../support/subscriber.ts';
import { AWARD, type LoyaltyApp, NOW, startLoyaltyApp } from './api.ts';
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

  test('takes five thousand items in one request, each with its own answer', async () => {
    const customerId = await customer('many');
    const input = Array.from({ length: 5_000 }, (_, index) => ({
      idempotencyKey: newId(),
      customerId,
      ...(index % 1_000 === 7 ? { rule: 'unheard_of' } : { points: 1 }),
    }));
    const { awardPointsBatch } = await app.query<{ awardPointsBatch: { replayed?: boolean; path?: string[] }[] }>(
      `mutation ($input: [AwardPointsInput!]!) {
         awardPointsBatch(input: $input) {
           ... on AwardPointsSuccess {
             replayed entry { id points balanceAfter } account { balance { available pending held debt } tier { name } earned }
             tierChange { from { name } to { name } direction }
           }
           ... on DomainError { code path message }
         }
       }`,
      { input },
    );
    const refused = awardPointsBatch.flatMap(({ path }, index) => (path === undefined ? [] : [[index, ...path]]));
    expect(refused).toEqual([7, 1_007, 2_007, 3_007, 4_007].map((index) => [index, 'rule']));
    expect(awardPointsBatch.filter(({ replayed }) => replayed === false)).toHaveLength(4_995);
    expect(await loyaltyOf('many')).toMatchObject({ balance: { available: 4_995 }, tier: { name: 'Gold' } });
    const tooMany = await app.ask(
      'mutation ($input: [AwardPointsInput!]!) { awardPointsBatch(input: $input) { __typename } }',
      { input: [...input, input[0]] },
    );
    expect(tooMany.errors?.[0]?.message).toMatch(/send at most 5000/);
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

describe('points that wait', () => {
  const mutation = (name: string, type: string) =>
    `mutation ($input: ${type}!) {
    ${name}(input: $input) {
      __typename
      ... on ${name.charAt(0).toUpperCase()}${name.slice(1)}Success {
        replayed
        entry { id kind phase points pending held debt source settles expiresAt }
        account { balance { available pending held debt expiringNext { points at } } statement(first: 1) { edges { node { number } } } }
      }
      ... on DomainError { code path }
      INSUFFICIENT
    }
  }`.replace('INSUFFICIENT', type.startsWith('Settle') ? '' : '... on InsufficientPoints { available needed }');
  const ask = async (name: string, type: string, input: object) => {
    const answer = await app.query<Record<string, { entry: { id: string } }>>(mutation(name, type), {
      input: { idempotencyKey: newId(), ...input },
    });
    return answer[name] as { entry: { id: string } };
  };

  test('are set aside, confirmed, voided, told and followed', async () => {
    const customerId = await customer('wim');
    const after = encodeCursor(ORIGIN);
    const expiresAt = '2026-11-23T12:00:00.000Z';
    await award(customerId, { points: 100 });
    const held = await ask('holdPoints', 'HoldPointsInput', { customerId, points: 60, expiresAt, reason: 'a mug' });
    expect(held).toMatchObject({
      __typename: 'HoldPointsSuccess',
      replayed: false,
      entry: { kind: 'REDEEM', phase: 'PENDING', points: 0, held: 60, source: 'REDEMPTION', expiresAt },
      account: {
        balance: { available: 40, pending: 0, held: 60, debt: 0, expiringNext: null },
        statement: { edges: [{ node: { number: 1 } }] },
      },
    });
    expect(await ask('redeemPoints', 'RedeemPointsInput', { customerId, points: 41 })).toEqual({
      __typename: 'InsufficientPoints',
      code: 'LOYALTY_INSUFFICIENT_POINTS',
      path: ['points'],
      available: 40,
      needed: 41,
    });
    await ask('redeemPoints', 'RedeemPointsInput', { customerId, points: 15 });
    const entryId = held.entry.id;
    expect(await ask('confirmPoints', 'SettlePointsInput', { entryId })).toMatchObject({
      entry: { phase: 'CONFIRMED', points: -60, held: -60, settles: entryId },
      account: { balance: { available: 25, held: 0 } },
    });
    expect(await ask('voidPoints', 'SettlePointsInput', { entryId })).toMatchObject({
      __typename: 'EntryNotPending',
      code: 'LOYALTY_ENTRY_NOT_PENDING',
      path: ['entryId'],
    });
    const follow = (field: string, selection: string) =>
      subscribe<object>({
        url: `${app.server.url}/graphql`,
        key: app.adminKey,
        field,
        query: `subscription ($customerId: ID!, $after: Cursor) { ${field}(customerId: $customerId, after: $after) ${selection} }`,
        variables: { customerId, after },
      });
    const followers = [
      follow('pointsHeld', '{ entryId points available expiresAt }'),
      follow('pointsConfirmed', '{ settles points direction available }'),
      follow('pointsRedeemed', '{ points balance customer { externalId } }'),
    ] as const;
    expect(await followers[0].arrived(1)).toEqual([{ entryId, points: 60, available: 40, expiresAt }]);
    expect(await followers[1].arrived(1)).toEqual([
      { settles: entryId, points: 60, direction: 'DEBIT', available: 25 },
    ]);
    expect(await followers[2].arrived(2)).toEqual([
      { points: -15, balance: 85, customer: { externalId: 'wim' } },
      { points: -60, balance: 25, customer: { externalId: 'wim' } },
    ]);
    for (const follower of followers) follower.cut();
  });

  test('need the scope of who spends', async () => {
    const customerId = await customer('xia');
    const key = await app.createKey(['loyalty:award', 'loyalty:read']);
    const input = { idempotencyKey: newId(), customerId, points: 5 };
    const text = mutation('redeemPoints', 'RedeemPointsInput');
    const answer = await app.ask(text, { input }, { authorization: `Bearer ${key}` });
    expect(answer.errors?.[0]?.message).toMatch(/loyalty:redeem/);
  });
});

describe('a statement of account', () => {
  interface Statement {
    readonly statementFile: string;
    readonly statement: {
      readonly edges: readonly { readonly node: object }[];
      readonly pageInfo: { readonly endCursor: string; readonly hasNextPage: boolean };
    };
  }
  const statementOf = async (externalId: string, args: object) => {
    const { customer: found } = await app.query<{ customer: { loyalty: Statement } }>(
      `query ($externalId: String!, $first: Int!, $after: String, $from: DateTime, $to: DateTime) {
         customer(externalId: $externalId) { loyalty {
           statementFile(from: $from, to: $to)
           statement(first: $first, after: $after, from: $from, to: $to) {
             edges { node { number points balanceAfter } } pageInfo { endCursor hasNextPage }
           }
         } }
       }`,
      { externalId, first: 2, ...args },
    );
    return found.loyalty;
  };
  const fetchFile = (path: string, key = app.adminKey) =>
    fetch(`${app.server.url}${path}`, { headers: { authorization: `Bearer ${key}` } });

  test('runs from the oldest entry to the newest, page by page, within its time', async () => {
    const customerId = await customer('yan');
    for (const points of [10, 20, 30, 40]) {
      await award(customerId, { points, reason: points === 20 ? '=1+1, "so"' : null });
      app.clock?.advance(60_000);
    }
    const minute = (count: number) => new Date(NOW.getTime() + count * 60_000).toISOString();
    const first = await statementOf('yan', {});
    expect(first.statement.edges.map(({ node }) => node)).toEqual([
      { number: 1, points: 10, balanceAfter: 10 },
      { number: 2, points: 20, balanceAfter: 30 },
    ]);
    const second = await statementOf('yan', { after: first.statement.pageInfo.endCursor });
    expect(second.statement).toMatchObject({
      edges: [{ node: { number: 3 } }, { node: { number: 4, balanceAfter: 100 } }],
      pageInfo: { hasNextPage: false },
    });
    const within = await statementOf('yan', { from: minute(1), to: minute(3) });
    expect(within.statement.edges.map(({ node }) => node)).toMatchObject([{ number: 2 }, { number: 3 }]);
    const lines = async (path: string) => (await (await fetchFile(path)).text()).split('\r\n').slice(0, -1);
    const all = await lines(first.statementFile);
    expect(all[0]).toBe(
      'number,recorded_at,effective_at,kind,phase,source,rule,points,balance,pending,held,debt,expires_at,entry_id,reason',
    );
    expect(all).toHaveLength(5);
    expect(all[2]).toMatch(
      /^2,2026-11-22T12:01:00\.000Z,.*,EARN,POSTED,AWARD,,20,30,0,0,0,,[0-9a-f-]{36},"'=1\+1, ""so"""$/,
    );
    expect((await lines(within.statementFile)).map((line) => line.split(',')[0])).toEqual(['number', '2', '3']);
    app.clock?.set(NOW);
  });

  test('of thousands of entries is written as it is read', async () => {
    const { statementFile } = await statementOf('many', {});
    const text = await (await fetchFile(statementFile)).text();
    const numbers = text
      .split('\r\n')
      .slice(1, -1)
      .map((line) => Number.parseInt(line, 10));
    expect(numbers).toEqual(Array.from({ length: 4_995 }, (_, index) => index + 1));
  });

  test('is for who may read it, and of an account there is', async () => {
    const { statementFile } = await statementOf('yan', {});
    expect((await fetchFile(statementFile, await app.createKey(['customers:read']))).status).toBe(403);
    expect((await fetchFile(`/loyalty/accounts/${newId()}/statement.csv`)).status).toBe(404);
    expect((await fetchFile(`${statementFile}?from=yesterday`)).status).toBe(400);
    expect((await fetchFile('/loyalty/accounts/yan/statement.csv')).status).toBe(400);
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
