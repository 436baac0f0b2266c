import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeCursor, ORIGIN } from '../../../src/core/events/index.ts';
import { subscribe } from '../../support/subscriber.ts';
import { brokenInvariants } from '../world.ts';
import { type EngagementApp, startEngagementApp } from './api.ts';

let world: EngagementApp;
const at = (time: string) => world.app.clock?.set(new Date(time));

beforeAll(async () => {
  world = await startEngagementApp();
  await world.change('loyalty.streaks', [
    {
      key: 'visits',
      name: 'Daily visits',
      per: 'DAY',
      events: ['session.started'],
      forgiven: 0,
      marks: [{ length: 3, points: 9, badge: null }],
      tellEndFrom: 3,
    },
  ]);
});
afterAll(async () => {
  expect(await brokenInvariants(world.app.app.infra.database)).toEqual([]);
  await world.app.close();
});

const contact = (customerExternalId: string, more: object = {}) =>
  world.app.query(
    'mutation ($input: [ContactInput!]!) { upsertContacts(input: $input) { __typename ... on DomainError { message } } }',
    { input: [{ customerExternalId, email: `${customerExternalId}@mail.example`, ...more }] },
  );

const subjects = async (externalId: string) => {
  const { customer } = await world.app.query<{
    customer: { messages: { edges: readonly { node: { template: string; subject: string; state: string } }[] } };
  }>(
    'query ($externalId: String!) { customer(externalId: $externalId) { messages { edges { node { template subject state } } } } }',
    { externalId },
  );
  return customer.messages.edges.map(({ node }) => [node.subject, node.state]);
};

describe('streaks', () => {
  test('go by the days of the customer, are rewarded at their marks, and end with a word', async () => {
    // In Auckland the days of these visits are the 4th, 5th and 6th; in London two of them would be one.
    await contact('kiwi', { timeZone: 'Pacific/Auckland' });
    await contact('brit', { timeZone: 'Europe/London' });
    at('2026-11-05T20:00:00Z');
    const visits = ['2026-11-04T09:00:00Z', '2026-11-04T12:00:00Z', '2026-11-05T12:00:00Z'];
    await world.record(
      ['kiwi', 'brit'].flatMap((customer) => visits.map((time) => ({ customer, name: 'session.started', at: time }))),
    );
    await world.award(await world.customer('brit'), { points: 1 });
    expect((await world.memberOf('kiwi')).streaks).toEqual([
      { streak: { key: 'visits' }, current: 3, longest: 3, endsAt: '2026-11-07T11:00:00.000Z' },
    ]);
    expect((await world.memberOf('kiwi')).balance.available).toBe(9);
    expect((await world.memberOf('brit')).streaks).toEqual([
      { streak: { key: 'visits' }, current: 2, longest: 2, endsAt: '2026-11-07T00:00:00.000Z' },
    ]);
    at('2026-11-07T11:00:00Z');
    expect((await world.memberOf('kiwi')).streaks).toMatchObject([{ current: 0, longest: 3, endsAt: null }]);
    await world.runJob('loyalty.endStreaks');
    await world.runJob('loyalty.endStreaks');
    const expected = { streak: 'visits', name: 'Daily visits', per: 'DAY', length: 3 };
    expect(await world.told('loyalty.streakBroken')).toEqual([expected]);
    expect(await world.told('loyalty.streakExtended')).toEqual([{ ...expected, points: 9, badge: null }]);
  });
});

describe('anniversaries', () => {
  const signUp = (externalId: string, signupAt: string) =>
    world.app.query(
      'mutation ($input: [CustomerInput!]!) { upsertCustomers(input: $input) { __typename ... on DomainError { message } } }',
      { input: [{ externalId, name: externalId, signupAt }] },
    );

  test('are thanked for once, with points, a milestone and one e-mail, wherever the day begins', async () => {
    await world.change('business.profile', {
      ...(await profile()),
      timeZone: 'America/New_York',
    });
    await signUp('leap', '2024-02-29T18:00:00Z');
    await signUp('five', '2022-02-28T18:00:00Z');
    await signUp('next', '2023-03-01T18:00:00Z');
    // Is no member, and nobody knows of it.
    await signUp('gone', '2024-02-28T18:00:00Z');
    for (const externalId of ['leap', 'five', 'next']) {
      await contact(externalId, externalId === 'next' ? { consent: [{ topic: 'loyalty', granted: false }] } : {});
      await world.award(await world.customer(externalId), { points: 1 });
    }
    const balanceOf = async (customer: string) => (await world.memberOf(customer)).balance.available;
    at('2027-02-28T04:30:00Z');
    await world.runJob('loyalty.celebrate');
    expect([await balanceOf('leap'), await balanceOf('five')]).toEqual([1, 1]);
    at('2027-02-28T05:30:00Z');
    await world.runJob('loyalty.celebrate');
    await world.runJob('loyalty.celebrate');
    expect([await balanceOf('leap'), await balanceOf('five'), await balanceOf('next')]).toEqual([51, 301, 1]);
    expect(await world.badgesOf('five')).toEqual(['veteran']);
    expect(await subjects('leap')).toEqual([['3 years with Our company: thank you', 'HELD']]);
    expect(await subjects('five')).toEqual([['5 years with Our company: thank you', 'HELD']]);
    // A day on which no worker ran is made up for.
    at('2027-03-02T09:00:00Z');
    await world.runJob('loyalty.celebrate');
    expect(await balanceOf('next')).toBe(51);
    expect(await subjects('next')).toEqual([['4 years with Our company: thank you', 'SUPPRESSED']]);
    const told = (await world.told('loyalty.anniversary')).sort((a, b) => Number(a.years) - Number(b.years));
    expect(told).toEqual([
      { years: 3, points: 50, badge: null, milestone: null },
      { years: 4, points: 50, badge: null, milestone: null },
      { years: 5, points: 50, badge: null, milestone: 'Five years' },
    ]);
  });

  const profile = async () => {
    const { settings } = await world.app.query<{ settings: { key: string; value: object }[] }>(
      '{ settings { key value } }',
    );
    return settings.find(({ key }) => key === 'business.profile')?.value;
  };
});

test('a milestone is written about once', async () => {
  await contact('mila');
  await world.change('loyalty.milestones', [
    {
      key: 'first',
      name: 'First order',
      metric: 'ORDERS_PLACED',
      event: null,
      threshold: 1,
      points: 3,
      badge: 'regular',
    },
  ]);
  await world.order('mila', 100, { placedAt: world.app.clock?.now().toISOString() });
  await world.order('mila', 100, { placedAt: world.app.clock?.now().toISOString() });
  expect(await subjects('mila')).toEqual([['First order: well done', 'HELD']]);
});

describe('the leaderboard', () => {
  const join = async (customer: string, displayName: string) =>
    world.mutate('joinLeaderboard', { customerId: await world.customer(customer), displayName }, 'displayName');
  const board = async (period: string, after: string | null = null) => {
    const { leaderboard } = await world.app.query<{
      leaderboard: { edges: { node: object }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
    }>(
      `query ($period: LeaderboardPeriod!, $after: String) {
        leaderboard(period: $period, first: 2, after: $after) {
          edges { node { rank displayName points } } pageInfo { hasNextPage endCursor }
        }
      }`,
      { period, after },
    );
    return leaderboard;
  };

  test('shows who asked to be shown, page by page, by what they earned in the week', async () => {
    at('2027-06-07T12:00:00Z');
    const earn = async (customer: string, points: number) => world.award(await world.customer(customer), { points });
    await earn('lb-a', 100);
    await earn('lb-hidden', 900);
    at('2027-06-15T12:00:00Z');
    await join('lb-a', 'Ann');
    await join('lb-b', 'Ben');
    await join('lb-c', ' Cat ');
    await join('lb-d', 'Dan');
    await earn('lb-a', 10);
    await earn('lb-b', 40);
    await earn('lb-c', 40);
    await world.app.settle();
    const first = await board('WEEK');
    expect(first.edges.map(({ node }) => node)).toMatchObject([
      { rank: 1, points: 40 },
      { rank: 1, points: 40 },
    ]);
    const second = await board('WEEK', first.pageInfo.endCursor);
    expect(second).toMatchObject({
      edges: [{ node: { rank: 3, displayName: 'Ann', points: 10 } }],
      pageInfo: { hasNextPage: false },
    });
    expect((await board('ALL')).edges[0]?.node).toEqual({ rank: 1, displayName: 'Ann', points: 110 });
    expect((await world.memberOf('lb-a')).leaderboard).toEqual({ displayName: 'Ann', points: 10, rank: 3 });
    expect((await world.memberOf('lb-d')).leaderboard).toEqual({ displayName: 'Dan', points: 0, rank: null });
    expect((await world.memberOf('lb-hidden')).leaderboard).toBeNull();
  });

  test('takes back what was reversed, and who leaves it', async () => {
    const answer = await world.award(await world.customer('lb-b'), { points: 5 });
    await world.mutate('reversePoints', { idempotencyKey: 'board', entryId: answer.entry.id }, 'replayed');
    await world.app.settle();
    expect((await world.memberOf('lb-b')).leaderboard).toMatchObject({ points: 40, rank: 1 });
    const customerId = await world.customer('lb-c');
    expect(await world.mutate('leaveLeaderboard', { customerId }, 'left')).toMatchObject({ left: true });
    expect((await board('WEEK')).edges.map(({ node }) => node)).toMatchObject([
      { displayName: 'Ben', rank: 1 },
      { displayName: 'Ann', rank: 2 },
    ]);
  });

  test('takes no name that cannot be seen', async () => {
    expect(await join('lb-a', ' \u200b')).toMatchObject({ __typename: 'InvalidInput', path: ['displayName'] });
    expect(await join('lb-a', 'x'.repeat(41))).toMatchObject({ __typename: 'InvalidInput' });
  });
});

test('what happens is told to subscribers', async () => {
  const subscriber = subscribe<object>({
    url: `${world.app.server.url}/graphql`,
    key: world.app.adminKey,
    field: 'milestoneReached',
    query: `subscription ($after: Cursor) {
      milestoneReached(after: $after) { milestone milestoneName metric threshold points badge customer { externalId } }
    }`,
    variables: { after: encodeCursor(ORIGIN) },
  });
  const years = { milestone: 'years_5', milestoneName: 'Five years', metric: 'YEARS_AS_CUSTOMER', threshold: 5 };
  const first = { milestone: 'first', milestoneName: 'First order', metric: 'ORDERS_PLACED', threshold: 1 };
  expect(await subscriber.arrived(2)).toEqual([
    { ...years, points: 250, badge: 'Veteran', customer: { externalId: 'five' } },
    { ...first, points: 3, badge: 'Regular', customer: { externalId: 'mila' } },
  ]);
  subscriber.cut();
});
