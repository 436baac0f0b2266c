import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeCursor, ORIGIN } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import { subscribe } from '../../support/subscriber.ts';
import { NOW } from '../api.ts';
import { brokenInvariants } from '../world.ts';
import { type RewardsApp, startRewardsApp } from './api.ts';
import { REDEEM } from './documents.ts';
import { brokenRedemptions } from './world.ts';

let api: RewardsApp;

beforeAll(async () => {
  api = await startRewardsApp();
});
afterAll(async () => {
  const { database } = api.app.app.infra;
  expect(await brokenInvariants(database)).toEqual([]);
  expect(await brokenRedemptions(database)).toEqual([]);
  await api.app.close();
});

const inDays = (days: number) => new Date(NOW.getTime() + days * 86_400_000).toISOString();

describe('the catalogue', () => {
  test('takes a reward once, however often it is sent', async () => {
    const input = { idempotencyKey: newId(), name: ' Mug ', cost: 250, stock: 7, lowestTier: 'SILVER' };
    const first = await api.create(input);
    expect(first).toMatchObject({
      __typename: 'CreateRewardSuccess',
      reward: { name: 'Mug', cost: 250, stock: 7, lowestTier: { key: 'SILVER' } },
    });
    expect(await api.create(input)).toEqual(first);
    expect(await api.create({ ...input, cost: 251 })).toMatchObject({ __typename: 'IdempotencyConflict' });
  });

  test.each([
    [{ name: ' ' }, 'name'],
    [{ name: 'x'.repeat(201) }, 'name'],
    [{ description: 'x'.repeat(5_001) }, 'description'],
    [{ cost: 2_000_000_000 }, 'cost'],
    [{ voucherLifetimeDays: 4_000 }, 'voucherLifetimeDays'],
    [{ validFrom: inDays(2), validUntil: inDays(2) }, 'validUntil'],
  ])('refuses %j', async (input, field) => {
    expect(await api.create(input)).toMatchObject({ __typename: 'InvalidInput', path: [field] });
  });

  test('changes what is said and keeps the rest, with null taking a limit away', async () => {
    const id = await api.reward({ name: 'Cap', stock: 3, limitPerCustomer: 2, validUntil: inDays(5) });
    expect(await api.alter(id, { cost: 80, limitPerCustomer: null, description: 'blue' })).toMatchObject({
      reward: { name: 'Cap', cost: 80, stock: 3, limitPerCustomer: null, description: 'blue', validUntil: inDays(5) },
    });
    expect(await api.alter(id, { addStock: -2 })).toMatchObject({ reward: { stock: 1 } });
    expect(await api.alter(id, { addStock: -2 })).toMatchObject({ __typename: 'InvalidInput', path: ['addStock'] });
    expect(await api.alter(id, { addStock: 1, stock: 9 })).toMatchObject({ path: ['addStock'] });
    expect(await api.alter(id, { name: null })).toMatchObject({ __typename: 'InvalidInput', path: ['name'] });
    expect(await api.alter(id, { stock: null })).toMatchObject({ reward: { stock: null } });
    expect(await api.alter(id, { addStock: 1 })).toMatchObject({ path: ['addStock'] });
    const unknown = Buffer.from(`Reward:${newId()}`).toString('base64url');
    expect(await api.alter(unknown, { cost: 1 })).toMatchObject({ __typename: 'RewardNotFound', path: ['rewardId'] });
    expect(await api.archive(unknown)).toMatchObject({ __typename: 'RewardNotFound' });
  });

  test('writes down who changed what', async () => {
    const id = await api.reward({ name: 'Pen', cost: 10 });
    await api.alter(id, { cost: 12 });
    await api.alter(id, { cost: 12 });
    await api.archive(id);
    const uuid = Buffer.from(id, 'base64url').toString().split(':')[1];
    const entries = await api.app.app.infra.database.query(
      'select action, detail from audit_entry where subject = $1 order by id',
      [uuid],
    );
    expect(entries).toEqual([
      { action: 'loyalty.rewardCreated', detail: expect.objectContaining({ name: 'Pen', cost: 10 }) },
      { action: 'loyalty.rewardChanged', detail: { cost: { from: 10, to: 12 } } },
      { action: 'loyalty.rewardArchived', detail: {} },
    ]);
  });

  test('is read page by page, the cheapest first, and by what a customer could redeem', async () => {
    const { totalCount } = await api.list();
    const made = ['p1', 'p2', 'p3'].map((name, index) => api.reward({ name, cost: 900 + index, kind: 'GOODS' }));
    const [, second] = (await Promise.all(made)) as [string, string, string];
    const seen: string[] = [];
    const filter = { kinds: ['GOODS'] };
    for (let after: string | null = null; ; ) {
      const { edges, pageInfo } = await api.list({ first: 1, after, filter });
      seen.push(...edges.map(({ node }) => node.name));
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor;
    }
    expect(seen).toEqual(['p1', 'p2', 'p3']);
    expect((await api.list()).totalCount).toBe(totalCount + 3);
    await api.archive(second);
    expect((await api.list({ filter: { ...filter, archived: true } })).edges).toEqual([{ node: { name: 'p2' } }]);

    const availableTo = await api.member('window-shopper', 901);
    const terms = { kind: 'GOODS', cost: 5 };
    await api.reward({ ...terms, name: 'later', validFrom: inDays(1) });
    await api.reward({ ...terms, name: 'over', validUntil: inDays(0) });
    await api.reward({ ...terms, name: 'now', validFrom: inDays(0), validUntil: inDays(1) });
    await api.reward({ ...terms, name: 'gone', stock: 0 });
    await api.reward({ ...terms, name: 'for gold', lowestTier: 'GOLD' });
    const once = await api.reward({ ...terms, name: 'once', limitPerCustomer: 1 });
    const names = async (more: object) => {
      const page = await api.list({ filter: { ...filter, availableTo, ...more } });
      expect(page.totalCount).toBe(page.edges.length);
      return page.edges.map(({ node }) => node.name);
    };
    expect(await names({})).toEqual(['now', 'once', 'p1', 'p3']);
    expect(await names({ affordable: true })).toEqual(['now', 'once', 'p1']);
    await api.redeem(availableTo, once);
    expect(await names({ affordable: true })).toEqual(['now']);
    expect(await names({ availableTo: await api.customer('no-member') })).toEqual([]);
  });

  test('is found by id, and asks for what makes sense', async () => {
    const id = await api.reward({ name: 'found' });
    const { reward, node } = await api.app.query<{ reward: object; node: object }>(
      'query ($id: ID!) { reward(id: $id) { name } node(id: $id) { ... on Reward { name } } }',
      { id },
    );
    expect([reward, node]).toEqual([{ name: 'found' }, { name: 'found' }]);
    const wrong = await api.app.ask('{ rewards(filter: { affordable: true }) { totalCount } }');
    expect(wrong.errors?.[0]?.extensions).toMatchObject({ code: 'CORE_INVALID_INPUT' });
  });
});

describe('redeemReward', () => {
  test('holds points and stock, gives a voucher code, and the same answer when sent again', async () => {
    const customerId = await api.member('ada', 1_000);
    const rewardId = await api.reward({ name: 'Voucher', cost: 300, stock: 5, voucherLifetimeDays: 30 });
    const input = { idempotencyKey: newId(), quantity: 2 };
    const first = await api.redeem(customerId, rewardId, input);
    expect(first).toMatchObject({
      __typename: 'RedeemRewardSuccess',
      replayed: false,
      redemption: {
        state: 'OPEN',
        pointsState: 'HELD',
        quantity: 2,
        points: 600,
        voucherCode: expect.stringMatching(/^([2-9A-HJKMNP-RTV-Z]{5}-){4}[2-9A-HJKMNP-RTV-Z]{5}$/),
        redeemedAt: inDays(0),
        expiresAt: inDays(30),
        closedAt: null,
        reward: { name: 'Voucher', stock: 3 },
        customer: { externalId: 'ada' },
      },
      account: { balance: { available: 400 } },
    });
    await api.fulfil({ redemptionId: first.redemption.id });
    expect(await api.redeem(customerId, rewardId, input)).toEqual({ ...first, replayed: true });
    expect(await api.redeem(customerId, rewardId, { ...input, quantity: 1 })).toMatchObject({
      __typename: 'IdempotencyConflict',
    });
  });

  test('says why not', async () => {
    const poor = await api.member('poor', 50);
    const stranger = await api.customer('stranger');
    const nobody = Buffer.from(`Customer:${newId()}`).toString('base64url');
    const nothing = Buffer.from(`Reward:${newId()}`).toString('base64url');
    const cheap = await api.reward({ cost: 10, limitPerCustomer: 3, stock: 5 });
    const archived = await api.reward({ cost: 10 });
    await api.archive(archived);
    const unavailable = async (terms: object) => api.redeem(poor, await api.reward({ cost: 10, ...terms }));
    expect(await api.redeem(nobody, cheap)).toMatchObject({ __typename: 'CustomerNotFound', path: ['customerId'] });
    expect(await api.redeem(stranger, cheap)).toMatchObject({ __typename: 'NotAMember', path: ['customerId'] });
    expect(await api.redeem(poor, nothing)).toMatchObject({ __typename: 'RewardNotFound', path: ['rewardId'] });
    expect(await api.redeem(poor, archived)).toMatchObject({ __typename: 'RewardNotAvailable', why: 'ARCHIVED' });
    expect(await unavailable({ validFrom: inDays(1) })).toMatchObject({ why: 'NOT_YET_VALID' });
    expect(await unavailable({ validUntil: inDays(0) })).toMatchObject({ why: 'NO_LONGER_VALID' });
    expect(await unavailable({ lowestTier: 'SILVER' })).toMatchObject({ why: 'TIER_TOO_LOW', path: ['rewardId'] });
    expect(await unavailable({ stock: 0 })).toMatchObject({ __typename: 'OutOfStock', left: 0, path: ['quantity'] });
    expect(await unavailable({ cost: 51 })).toMatchObject({
      __typename: 'InsufficientPoints',
      available: 50,
      needed: 51,
      path: ['rewardId'],
    });
    expect(await api.redeem(poor, cheap, { quantity: 4 })).toMatchObject({ limit: 3, left: 3 });
    await api.redeem(poor, cheap, { quantity: 2 });
    expect(await api.redeem(poor, cheap, { quantity: 2 })).toMatchObject({
      __typename: 'RedemptionLimitReached',
      left: 1,
      path: ['quantity'],
    });
    expect(await api.redeem(poor, cheap, { quantity: 101 })).toMatchObject({
      __typename: 'InvalidInput',
      path: ['quantity'],
    });
  });

  test.each([{ quantity: 0 }, { quantity: 1.5 }, { quantity: -1 }, { idempotencyKey: 'a blank' }, { surprise: 1 }])(
    'refuses %j',
    async (more) => {
      const [customerId, rewardId] = [await api.customer('eve'), await api.reward({})];
      const input = { idempotencyKey: newId(), customerId, rewardId, ...more };
      const answer = await api.app.ask(REDEEM, { input });
      expect(answer.errors?.length ?? 0).toBeGreaterThan(0);
    },
  );

  test('needs its scope, and so does a voucher code', async () => {
    const key = await api.app.createKey(['customers:read', 'loyalty:read', 'loyalty:award']);
    const input = { idempotencyKey: newId(), customerId: await api.customer('eve'), rewardId: await api.reward({}) };
    const authorization = { authorization: `Bearer ${key}` };
    const answer = await api.app.ask(REDEEM, { input }, authorization);
    expect(answer.errors?.[0]?.message).toMatch(/loyalty:redeem/);
    const peek = await api.app.ask(
      '{ customer(externalId: "ada") { loyalty { redemptions { edges { node { voucherCode } } } } } }',
      {},
      authorization,
    );
    expect(peek.errors?.[0]?.message).toMatch(/loyalty:redeem/);
  });
});

describe('a redemption', () => {
  test('is fulfilled by its code, once, however the code is typed', async () => {
    const customerId = await api.member('bob', 500);
    const rewardId = await api.reward({ cost: 200, stock: 1 });
    const { redemption } = await api.redeem(customerId, rewardId);
    const input = { idempotencyKey: newId(), voucherCode: redemption.voucherCode.toLowerCase().replaceAll('-', ' ') };
    const first = await api.fulfil({ ...input, reason: 'at the till' });
    expect(first).toMatchObject({
      __typename: 'FulfilRedemptionSuccess',
      replayed: false,
      redemption: {
        id: redemption.id,
        state: 'FULFILLED',
        pointsState: 'TAKEN',
        closedAt: inDays(0),
        reason: 'at the till',
      },
      account: { balance: { available: 300 } },
    });
    expect(await api.fulfil({ ...input, reason: 'at the till' })).toEqual({ ...first, replayed: true });
    expect(await api.fulfil(input)).toMatchObject({ __typename: 'IdempotencyConflict' });
    expect(await api.fulfil({ redemptionId: redemption.id })).toMatchObject({
      __typename: 'RedemptionNotOpen',
      state: 'FULFILLED',
      path: ['redemptionId'],
    });
    expect(await api.cancel({ redemptionId: redemption.id })).toMatchObject({ __typename: 'RedemptionNotOpen' });
    expect((await api.redeem(customerId, rewardId)).__typename).toBe('OutOfStock');
  });

  test('is cancelled once: points and stock go back and can be had again', async () => {
    const customerId = await api.member('cyd', 200);
    const rewardId = await api.reward({ cost: 200, stock: 1, limitPerCustomer: 1 });
    const { redemption } = await api.redeem(customerId, rewardId);
    const input = { idempotencyKey: newId(), redemptionId: redemption.id, reason: 'changed her mind' };
    const first = await api.cancel(input);
    expect(first).toMatchObject({
      __typename: 'CancelRedemptionSuccess',
      redemption: { state: 'CANCELLED', pointsState: 'RETURNED', reward: { stock: 1 } },
      account: { balance: { available: 200 } },
    });
    expect(await api.cancel(input)).toEqual({ ...first, replayed: true });
    expect(await api.cancel({ ...input, idempotencyKey: newId() })).toMatchObject({ state: 'CANCELLED' });
    expect((await api.redeem(customerId, rewardId)).__typename).toBe('RedeemRewardSuccess');
  });

  test('is looked up by id and code; a slip of the finger is no unknown code', async () => {
    const { redemption } = await api.redeem(await api.member('dee', 100), await api.reward({ name: 'Looked up' }));
    const { id, voucherCode } = redemption;
    const found = { id, state: 'OPEN', reward: { name: 'Looked up' } };
    expect(await api.find({ id })).toEqual(found);
    expect(await api.find({ voucherCode })).toEqual(found);
    const last = voucherCode.endsWith('2') ? '3' : '2';
    const mistyped = voucherCode.slice(0, -1) + last;
    const unknown = '22222-22222-22222-22222-22222';
    expect(await api.find({ voucherCode: unknown })).toBeNull();
    const wrong = await api.app.ask('query ($code: String!) { redemption(voucherCode: $code) { id } }', {
      code: mistyped,
    });
    expect(wrong.errors?.[0]?.extensions).toMatchObject({ code: 'LOYALTY_VOUCHER_CODE_MISTYPED' });
    expect(await api.fulfil({ voucherCode: mistyped })).toMatchObject({ __typename: 'VoucherCodeMistyped' });
    expect(await api.fulfil({ voucherCode: unknown })).toMatchObject({ __typename: 'RedemptionNotFound' });
    expect(await api.fulfil({})).toMatchObject({ __typename: 'InvalidInput', path: ['redemptionId'] });
    expect(await api.fulfil({ redemptionId: id, voucherCode })).toMatchObject({ path: ['voucherCode'] });
    const long = { redemptionId: id, reason: 'x'.repeat(501) };
    expect(await api.cancel(long)).toMatchObject({ __typename: 'InvalidInput', path: ['reason'] });
  });

  test('looks after its points alone: nobody settles them behind its back', async () => {
    const { redemption } = await api.redeem(await api.member('gil', 100), await api.reward({}));
    const { entryId } = (
      await api.app.query<{ redemption: { entryId: string } }>('query ($id: ID!) { redemption(id: $id) { entryId } }', {
        id: redemption.id,
      })
    ).redemption;
    for (const mutation of ['confirmPoints', 'voidPoints']) {
      const { answer } = await api.app.query<{ answer: object }>(
        `mutation ($input: SettlePointsInput!) { answer: ${mutation}(input: $input) { __typename } }`,
        { input: { idempotencyKey: newId(), entryId } },
      );
      expect(answer).toEqual({ __typename: 'EntryNotPending' });
    }
    expect((await api.cancel({ redemptionId: redemption.id })).redemption.pointsState).toBe('RETURNED');
  });

  test('stands in the history of the customer, newest first, page by page', async () => {
    const customerId = await api.member('fay', 600);
    for (const cost of [100, 200, 300]) await api.redeem(customerId, await api.reward({ cost, name: `for ${cost}` }));
    const first = await api.history('fay', { first: 2 });
    expect(first).toMatchObject({
      balance: { available: 0 },
      redemptions: {
        edges: [{ node: { points: 300, state: 'OPEN', reward: { name: 'for 300' } } }, { node: { points: 200 } }],
        pageInfo: { hasNextPage: true },
      },
    });
    const rest = await api.history('fay', { after: first?.redemptions.pageInfo.endCursor });
    expect(rest?.redemptions.edges.map(({ node }) => node.points)).toEqual([100]);
  });
});

test('all of it is told to subscribers', async () => {
  const follow = (field: string, selection: string) =>
    subscribe<object>({
      url: `${api.app.server.url}/graphql`,
      key: api.app.adminKey,
      field,
      query: `subscription ($after: Cursor) { ${field}(after: $after) { ${selection} } }`,
      variables: { after: encodeCursor(ORIGIN) },
    });
  const of = (subscriber: { readonly events: readonly object[] }) =>
    subscriber.events.filter((event) => JSON.stringify(event).includes('Told'));
  const redeemed = follow('rewardRedeemed', 'quantity points expiresAt customer { externalId } reward { name }');
  const low = follow('rewardStockLow', 'stock lowStockAt reward { name }');
  const fulfilled = follow('redemptionFulfilled', 'points redemption { state } reward { name }');
  const cancelled = follow('redemptionCancelled', 'points redemption { pointsState } reward { name }');
  const expired = follow('redemptionExpired', 'points pointsState redemption { state } reward { name }');
  const changed = follow('rewardChanged', 'change fields reward { name }');

  const customerId = await api.member('sue', 100);
  const rewardId = await api.reward({ name: 'Told', cost: 10, stock: 4, lowStockAt: 2 });
  const one = await api.redeem(customerId, rewardId, { quantity: 2 });
  const two = await api.redeem(customerId, rewardId);
  await api.fulfil({ redemptionId: one.redemption.id });
  await api.cancel({ redemptionId: two.redemption.id });
  await api.alter(rewardId, { voucherLifetimeDays: 1 });
  await api.redeem(customerId, rewardId);
  await api.archive(rewardId);
  api.app.clock?.advance(86_400_000);
  await api.app.app.composition.services.loyalty.rewards.expireRedemptions();
  api.app.clock?.set(NOW);
  const told = { name: 'Told' };
  const common = { expiresAt: null, customer: { externalId: 'sue' }, reward: told };
  await expect
    .poll(() => [redeemed, low, fulfilled, cancelled, expired, changed].map(of), { timeout: 10_000 })
    .toEqual([
      [
        { quantity: 2, points: 20, ...common },
        { quantity: 1, points: 10, ...common },
        { quantity: 1, points: 10, ...common, expiresAt: inDays(1) },
      ],
      [{ stock: 2, lowStockAt: 2, reward: told }],
      [{ points: 20, redemption: { state: 'FULFILLED' }, reward: told }],
      [{ points: 10, redemption: { pointsState: 'RETURNED' }, reward: told }],
      [{ points: 10, pointsState: 'RETURNED', redemption: { state: 'EXPIRED' }, reward: told }],
      [
        { change: 'CREATED', fields: expect.any(Array), reward: told },
        { change: 'CHANGED', fields: ['voucherLifetimeDays'], reward: told },
        { change: 'ARCHIVED', fields: [], reward: told },
      ],
    ]);
  for (const subscriber of [redeemed, low, fulfilled, cancelled, expired, changed]) subscriber.cut();
});
