import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { NOW } from '../api.ts';
import { brokenInvariants } from '../world.ts';
import { type EngagementApp, startEngagementApp } from './api.ts';

let world: EngagementApp;

beforeAll(async () => {
  world = await startEngagementApp();
  await world.change('loyalty.badges', [
    { key: 'explorer', name: 'Explorer', description: 'Used two features.' },
    { key: 'regular', name: 'Regular', description: 'Placed three orders.' },
    { key: 'fan', name: 'Fan', description: 'Awarded by hand.' },
    { key: 'finisher', name: 'Finisher', description: 'Completed a challenge.' },
  ]);
  const milestone = { event: null, points: null, badge: null };
  await world.change('loyalty.milestones', [
    {
      ...milestone,
      key: 'orders_3',
      name: '3 orders',
      metric: 'ORDERS_PLACED',
      threshold: 3,
      points: 30,
      badge: 'regular',
    },
    { ...milestone, key: 'features_2', name: '2 features', metric: 'FEATURES_USED', threshold: 2, badge: 'explorer' },
    {
      ...milestone,
      key: 'visits_3',
      name: '3 visits',
      metric: 'EVENTS',
      event: 'session.started',
      threshold: 3,
      points: 5,
    },
    { ...milestone, key: 'points_100', name: '100 points', metric: 'POINTS_EARNED', threshold: 100, points: 7 },
  ]);
  await world.change('loyalty.challenges', [
    {
      key: 'three_uses',
      name: 'Three uses',
      description: 'Use features three times in November.',
      event: 'feature.used',
      measure: 'COUNT',
      goal: 3,
      from: '2026-11-01T00:00:00Z',
      until: '2026-12-01T00:00:00Z',
      joining: 'AUTOMATIC',
      points: 20,
      badge: 'finisher',
    },
    {
      key: 'spend_50',
      name: 'Spend 50',
      description: 'Order for 50 pounds.',
      event: 'order.placed',
      measure: 'VALUE',
      goal: 50,
      from: '2026-11-01T00:00:00Z',
      until: '2026-12-01T00:00:00Z',
      joining: 'OPT_IN',
      points: 10,
      badge: null,
    },
  ]);
});
afterAll(async () => {
  expect(await brokenInvariants(world.app.app.infra.database)).toEqual([]);
  await world.app.close();
});

const milestoneOf = async (customer: string, key: string) =>
  (await world.memberOf(customer)).milestones.find(({ milestone }) => milestone.key === key);

describe('milestones', () => {
  test('of orders are reached once, with points and a badge, and keep both when an order comes back', async () => {
    for (let n = 0; n < 2; n += 1) await world.order('olga', 100);
    expect(await milestoneOf('olga', 'orders_3')).toMatchObject({ value: 2, reached: false, points: 0 });
    const third = await world.order('olga', 100);
    expect(await milestoneOf('olga', 'orders_3')).toMatchObject({
      value: 3,
      reached: true,
      reachedAt: NOW.toISOString(),
      points: 30,
    });
    expect(await world.badgesOf('olga')).toEqual(['regular']);
    expect((await world.memberOf('olga')).balance.available).toBe(33);
    await world.app.query(
      'mutation ($input: [OrderInput!]!) { upsertOrders(input: $input) { __typename ... on DomainError { message } } }',
      { input: [{ ...third, returnedAmountMinor: 100, returnedAt: NOW.toISOString() }] },
    );
    await world.order('olga', 100);
    expect(await milestoneOf('olga', 'orders_3')).toMatchObject({ value: 4, points: 30 });
    expect((await world.told('loyalty.milestoneReached')).filter((one) => one.milestone === 'orders_3')).toEqual([
      { milestone: 'orders_3', name: '3 orders', metric: 'ORDERS_PLACED', threshold: 3, points: 30, badge: 'Regular' },
    ]);
  });

  test('count what history knows, and give nothing for it', async () => {
    const { database } = world.app.app.infra;
    const id = await world.customer('hana');
    await database.query(
      `insert into customer_order (id, external_id, customer_id, placed_at, amount_minor, currency, reporting_amount_minor,
                                   reporting_currency, created_at, updated_at)
       select gen_random_uuid(), 'old ' || n, (select id from customer where external_id = 'hana'), $1::timestamptz - n * interval '1 day',
              100, 'GBP', 100, 'GBP', $1, $1 from generate_series(1, 5) n returning id`,
      [NOW],
    );
    expect(id).not.toBe('');
    await world.order('hana', 100);
    expect(await milestoneOf('hana', 'orders_3')).toMatchObject({
      value: 6,
      reached: true,
      reachedAt: null,
      points: 0,
    });
    expect(await world.badgesOf('hana')).toEqual([]);
    // More of history turns up: it is counted anew, and still nothing is given.
    await database.query(
      `insert into customer_order (id, external_id, customer_id, placed_at, amount_minor, currency, reporting_amount_minor,
                                   reporting_currency, created_at, updated_at)
       select gen_random_uuid(), 'older', (select id from customer where external_id = 'hana'), $1::timestamptz - interval '1 year',
              100, 'GBP', 100, 'GBP', $1, $1 returning id`,
      [NOW],
    );
    await world.runJob('loyalty.recountHistory');
    expect(await milestoneOf('hana', 'orders_3')).toMatchObject({ value: 7, reachedAt: null });
    expect((await world.memberOf('hana')).balance.available).toBe(1);
  });

  test('of events, different features and points earned', async () => {
    const use = (feature: string) => ({ customer: 'fay', name: 'feature.used', properties: { feature } });
    await world.record([use('reports'), use('reports'), { customer: 'fay', name: 'session.started' }]);
    await world.record([{ customer: 'fay', name: 'session.started' }]);
    await world.record([use('alerts'), { customer: 'fay', name: 'session.started' }]);
    expect(await milestoneOf('fay', 'features_2')).toMatchObject({ value: 2, reached: true, points: 0 });
    expect(await milestoneOf('fay', 'visits_3')).toMatchObject({ value: 3, reached: true, points: 5 });
    expect(await world.badgesOf('fay')).toEqual(['explorer', 'finisher']);
    await world.award(await world.customer('fay'), { points: 80 });
    await world.app.settle();
    expect(await milestoneOf('fay', 'points_100')).toMatchObject({ value: 112, reached: true, points: 7 });
  });
});

describe('challenges', () => {
  test('go from 0 to the goal, and are completed once', async () => {
    const use = { customer: 'cleo', name: 'feature.used', properties: { feature: 'reports' } };
    await world.record([use, { ...use, at: '2026-10-31T23:59:59Z' }]);
    expect((await world.memberOf('cleo').catch(() => null))?.challenges).toBeUndefined();
    await world.award(await world.customer('cleo'), { points: 1 });
    expect((await world.memberOf('cleo')).challenges[0]).toMatchObject({ progress: 1, completedAt: null });
    await world.record([use, use, use]);
    await world.record([use]);
    expect((await world.memberOf('cleo')).challenges[0]).toEqual({
      challenge: { key: 'three_uses' },
      progress: 3,
      joinedAt: NOW.toISOString(),
      completedAt: NOW.toISOString(),
      points: 20,
    });
    expect((await world.memberOf('cleo')).balance.available).toBe(21);
    expect(await world.badgesOf('cleo')).toContain('finisher');
  });

  test('that have to be joined count from then on', async () => {
    const customerId = await world.customer('ove');
    await world.order('ove', 4_000);
    const join = () => world.mutate('joinChallenge', { customerId, challenge: 'spend_50' }, 'alreadyJoined');
    expect(await join()).toMatchObject({ alreadyJoined: false });
    expect(await join()).toMatchObject({ alreadyJoined: true });
    world.app.clock?.advance(60_000);
    await world.order('ove', 4_950, { placedAt: world.app.clock?.now().toISOString() });
    expect((await world.memberOf('ove')).challenges[1]).toMatchObject({ progress: 49.5, completedAt: null });
    await world.order('ove', 100, { placedAt: world.app.clock?.now().toISOString() });
    expect((await world.memberOf('ove')).challenges[1]).toMatchObject({ progress: 50, points: 10 });
    expect(await world.mutate('joinChallenge', { customerId, challenge: 'no_such' }, 'alreadyJoined')).toEqual({
      __typename: 'ChallengeNotOpen',
      code: 'LOYALTY_CHALLENGE_NOT_OPEN',
      path: ['challenge'],
    });
  });
});

test('what there is to be reached can be read', async () => {
  const { loyaltyEngagement } = await world.app.query<{ loyaltyEngagement: object }>(`{
    loyaltyEngagement {
      badges { key } milestones { key metric event threshold badge } streaks { key marks { length } }
      challenges { key goal measure joining until } referrals { enabled qualifying referredPoints }
    }
  }`);
  expect(loyaltyEngagement).toMatchObject({
    badges: [{ key: 'explorer' }, { key: 'regular' }, { key: 'fan' }, { key: 'finisher' }],
    milestones: [
      { key: 'orders_3', metric: 'ORDERS_PLACED', event: null, threshold: 3, badge: 'regular' },
      { key: 'features_2' },
      { key: 'visits_3', metric: 'EVENTS', event: 'session.started' },
      { key: 'points_100', metric: 'POINTS_EARNED' },
    ],
    streaks: [],
    challenges: [
      { key: 'three_uses', goal: 3, measure: 'COUNT', joining: 'AUTOMATIC', until: '2026-12-01T00:00:00.000Z' },
      { key: 'spend_50', measure: 'VALUE', joining: 'OPT_IN' },
    ],
    referrals: { enabled: true, qualifying: 'FIRST_ORDER', referredPoints: 50 },
  });
});

test.each([
  [
    'loyalty.milestones',
    { key: 'm', name: 'M', metric: 'EVENTS', event: null, threshold: 1, points: null, badge: null },
  ],
  [
    'loyalty.milestones',
    { key: 'm', name: 'M', metric: 'ORDERS_PLACED', event: null, threshold: 0, points: null, badge: null },
  ],
  ['loyalty.badges', { key: 'Not A Key', name: 'B', description: '' }],
  [
    'loyalty.challenges',
    {
      key: 'c',
      name: 'C',
      description: '',
      event: 'order.placed',
      measure: 'COUNT',
      goal: 1,
      from: '2026-12-01T00:00:00Z',
      until: '2026-11-01T00:00:00Z',
      joining: 'AUTOMATIC',
      points: null,
      badge: null,
    },
  ],
])('%s takes nothing that makes no sense', async (key, value) => {
  expect(await world.change(key, [value])).toMatchObject({ changeSetting: { __typename: 'InvalidInput' } });
});

describe('badges', () => {
  test('awarded by hand are held once', async () => {
    const customerId = await world.customer('bea');
    const award = (badge: string) =>
      world.mutate('awardBadge', { customerId, badge }, 'alreadyHeld award { source badge { name } }');
    expect(await award('fan')).toEqual({
      __typename: 'AwardBadgeSuccess',
      alreadyHeld: false,
      award: { source: 'HAND', badge: { name: 'Fan' } },
    });
    expect(await award('fan')).toMatchObject({ alreadyHeld: true });
    expect(await award('nope')).toMatchObject({ __typename: 'BadgeNotFound' });
    expect(await world.badgesOf('bea')).toEqual(['fan']);
  });

  test('need their scope', async () => {
    const key = await world.app.createKey(['loyalty:engage', 'loyalty:read']);
    const answer = await world.app.ask(
      'mutation ($input: AwardBadgeInput!) { awardBadge(input: $input) { __typename } }',
      { input: { customerId: await world.customer('bea'), badge: 'fan' } },
      { authorization: `Bearer ${key}` },
    );
    expect(answer.errors?.[0]?.message).toMatch(/loyalty:award/);
  });

  test('are part of what a mutation answers with, and of one statement for a page', async () => {
    const customerId = await world.customer('bea');
    const { awardPoints } = await world.app.query<{ awardPoints: object }>(
      `mutation ($input: AwardPointsInput!) {
         awardPoints(input: $input) { ... on AwardPointsSuccess { account { badges { edges { node { badge { key } } } } } } }
       }`,
      { input: { idempotencyKey: newId(), customerId, points: 1 } },
    );
    expect(awardPoints).toEqual({ account: { badges: { edges: [{ node: { badge: { key: 'fan' } } }] } } });
    const page = await world.app.ask(
      `{ customers(first: 50) { edges { node { loyalty {
        badges { edges { node { badge { key } } } } milestones { value } streaks { current } challenges { progress }
        leaderboard { rank } referring { successful } referrals { edges { node { state } } }
      } } } } }`,
      {},
      { 'x-holdfast-statements': '1' },
    );
    expect(page.errors).toBeUndefined();
    expect(page.extensions).toMatchObject({ statements: 1 });
  });
});

test('a customer who is merged takes along what was counted and given', async () => {
  const fromId = await world.customer('from');
  const intoId = await world.customer('into');
  const use = (customer: string, feature: string) => ({ customer, name: 'feature.used', properties: { feature } });
  await world.order('from', 100);
  await world.order('into', 100);
  await world.record([use('from', 'reports'), use('into', 'reports')]);
  await world.mutate('awardBadge', { customerId: fromId, badge: 'fan' }, 'alreadyHeld');
  await world.app.query(
    'mutation ($input: MergeCustomersInput!) { mergeCustomers(input: $input) { __typename ... on DomainError { message } } }',
    { input: { fromId, intoId } },
  );
  await world.app.settle();
  expect(await milestoneOf('into', 'orders_3')).toMatchObject({ value: 2, reached: false });
  expect(await milestoneOf('into', 'features_2')).toMatchObject({ value: 1 });
  expect(await world.badgesOf('into')).toEqual(['fan']);
  await world.order('from', 100);
  expect(await milestoneOf('into', 'orders_3')).toMatchObject({ value: 3, points: 30 });
});

test('of an erased customer nothing of what they did is kept', async () => {
  const customerId = await world.customer('gone');
  await world.order('gone', 100);
  await world.record([{ customer: 'gone', name: 'feature.used', properties: { feature: 'reports' } }]);
  await world.mutate('joinLeaderboard', { customerId, displayName: 'Gone Girl' }, 'displayName');
  await world.mutate('createReferralCode', { customerId }, 'code');
  await world.app.query(
    'mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { __typename ... on DomainError { message } } }',
    { input: { customerId } },
  );
  await world.app.settle();
  const [left] = await world.app.app.infra.database.query<{ rows: number }>(
    `with gone as (select id from customer where erased_at is not null)
     select ((select count(*) from loyalty_counter where customer_id in (select id from gone))
       + (select count(*) from loyalty_challenge_entry where customer_id in (select id from gone))
       + (select count(*) from loyalty_leaderboard_member where customer_id in (select id from gone))
       + (select count(*) from loyalty_leaderboard_score where customer_id in (select id from gone))
       + (select count(*) from loyalty_referral_code where customer_id in (select id from gone)))::int as rows`,
  );
  expect(left).toEqual({ rows: 0 });
});
