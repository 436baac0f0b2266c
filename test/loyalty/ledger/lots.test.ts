import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { POINTS_EXPIRY } from '../../../modules/loyalty/ledger/settings.ts';
import { systemCall } from '../../../src/core/call.ts';
import { newId } from '../../../src/core/ids.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type LoyaltyWorld, openLoyalty, plantCustomers, refusal, START } from '../world.ts';
import { accountOf, closeDay, DAY_MS, memberOf, openLedger } from './member.ts';

let created: TestDatabase;
let world: LoyaltyWorld;
const call = systemCall('test');
const member = () => memberOf(world);
const later = (days: number) => world.clock.advance(days * DAY_MS);

beforeAll(async () => {
  created = await createTestDatabase();
  world = await openLedger(created.url);
});
afterEach(() => closeDay(world));
afterAll(async () => {
  await world.close();
  await created.drop();
});

describe('points are spent the oldest first', () => {
  test('whatever the order in which they were told of', async () => {
    const one = await member();
    await one.award(50);
    await one.award(30, { effectiveAt: new Date(START.getTime() - 10 * DAY_MS) });
    await one.award(20);
    expect(await one.redeem(40)).toMatchObject({
      entry: { kind: 'REDEEM', points: -40, balanceAfter: 60, source: 'REDEMPTION' },
      account: { balance: 60, earned: 100 },
      lapsed: null,
    });
    expect(await one.lots()).toEqual([40, 20]);
    expect(await one.redeem(60)).toMatchObject({ account: { balance: 0 } });
    expect(await one.lots()).toEqual([]);
    expect(await refusal(one.redeem(1))).toEqual({ code: 'LOYALTY_INSUFFICIENT_POINTS', path: ['points'] });
  });

  test('also out of hundreds of small ones', async () => {
    const one = await member();
    const input = () => ({ idempotencyKey: newId(), customerId: one.customerId, points: 2 });
    await world.service.awardPointsBatch(call, Array.from({ length: 700 }, input));
    expect((await one.redeem(1_399)).account.balance).toBe(1);
    expect(await one.lots()).toEqual([1]);
  });

  test('and come back to the lots they were taken from', async () => {
    const one = await member();
    await one.award(50);
    later(1);
    await one.award(50);
    const spent = await one.redeem(70);
    later(1);
    await one.award(10);
    expect(await one.reverse(spent)).toMatchObject({ entry: { kind: 'REVERSE', points: 70, balanceAfter: 110 } });
    expect(await one.lots()).toEqual([50, 50, 10]);
    expect(await refusal(one.reverse(spent))).toMatchObject({ code: 'LOYALTY_ENTRY_NOT_REVERSIBLE' });
  });

  test('taken back leave their own lot first', async () => {
    const one = await member();
    await one.award(50);
    const second = await one.award(30);
    await one.award(20);
    await one.reverse(second);
    expect(await one.lots()).toEqual([50, 20]);
  });
});

describe('points lapse', () => {
  test('at the end of their day, by a job, once', async () => {
    const one = await member();
    await one.award(100);
    later(1);
    await one.award(40);
    await one.redeem(30);
    expect(await one.expiring()).toEqual({ points: 70, at: new Date('2027-11-23T00:00:00.000Z') });
    world.clock.set(new Date('2027-11-22T23:59:59.999Z'));
    expect(await world.service.expireLots(call)).toBe(0);
    world.clock.set(new Date('2027-11-23T00:00:00.000Z'));
    const other = await openLoyalty(created.url);
    other.clock.set(world.clock.now());
    const lapsed = await Promise.all([world.service.expireLots(call), other.service.expireLots(call)]);
    await other.close();
    expect(lapsed[0] + lapsed[1]).toBe(70);
    expect(await one.available()).toBe(40);
    expect(await one.expiring()).toEqual({ points: 40, at: new Date('2027-11-24T00:00:00.000Z') });
    expect(await one.events()).toEqual([
      'customersEnrolled',
      'pointsAwarded',
      'pointsAwarded',
      'pointsRedeemed',
      'pointsExpired',
    ]);
  });

  test('before somebody can spend them, job or not', async () => {
    const one = await member();
    await one.award(100);
    later(10);
    await one.award(40);
    later(360);
    expect(await refusal(one.redeem(41))).toEqual({ code: 'LOYALTY_INSUFFICIENT_POINTS', path: ['points'] });
    expect(await one.available()).toBe(140);
    expect(await one.redeem(25)).toMatchObject({
      entry: { number: 4, points: -25, balanceAfter: 15 },
      lapsed: { number: 3, kind: 'EXPIRE', source: 'EXPIRY', points: -100, balanceAfter: 40 },
    });
    expect(await one.lots()).toEqual([15]);
    expect((await one.events()).slice(-2)).toEqual(['pointsExpired', 'pointsRedeemed']);
  });

  test('at once when they come back after their time', async () => {
    const one = await member();
    await one.award(60);
    later(2);
    await one.award(40);
    const spent = await one.redeem(80);
    later(364);
    expect(await one.reverse(spent)).toMatchObject({
      entry: { points: 80, balanceAfter: 100 },
      lapsed: { kind: 'EXPIRE', points: -60, balanceAfter: 40 },
      account: { balance: 40 },
    });
    expect(await one.lots()).toEqual([40]);
  });

  test('and are not owed when what earned them is taken back', async () => {
    const one = await member();
    const first = await one.award(60);
    await one.redeem(20);
    later(366);
    await world.service.expireLots(call);
    expect(await one.reverse(first)).toMatchObject({ entry: { points: 0, debt: 20, qualifying: -60 } });
  });

  test('many of many accounts in bounded batches', async () => {
    const members = await plantCustomers(world.database, 600);
    await world.service.awardPointsBatch(
      call,
      members.flatMap((customerId) => [1, 2].map((points) => ({ idempotencyKey: newId(), customerId, points }))),
    );
    later(366);
    expect(await world.service.expireLots(call)).toBe(1_800);
    expect(await world.service.expireLots(call)).toBe(0);
    const left = await world.service.members(members);
    expect(new Set(left.map(({ balance }) => balance))).toEqual(new Set([0]));
  });

  test('never unless the business says so', async () => {
    await world.settings.change(call, POINTS_EXPIRY.key, { months: null, at: 'END_OF_DAY' });
    const one = await member();
    await one.award(10);
    await world.settings.change(call, POINTS_EXPIRY.key, { months: 12, at: 'END_OF_DAY' });
    later(5_000);
    await world.service.expireLots(call);
    expect(await one.available()).toBe(10);
    expect(await one.expiring()).toBeNull();
  });
});

test('what lapsed next at a past instant is what was known then', async () => {
  const one = await member();
  await one.award(30);
  later(1);
  await one.award(50);
  later(1);
  const spent = await one.redeem(40);
  later(1);
  const held = await one.hold(10);
  later(1);
  await one.reverse(spent);
  const accountId = await accountOf(world, one.customerId);
  const at = (days: number) => ({ accountId, asOf: new Date(START.getTime() + days * DAY_MS) });
  const first = new Date('2027-11-23T00:00:00.000Z');
  const second = new Date('2027-11-24T00:00:00.000Z');
  expect(await world.service.expiringNextAsOf([-1, 0, 1, 2, 3, 4].map(at))).toEqual([
    null,
    { points: 30, at: first },
    { points: 30, at: first },
    { points: 40, at: second },
    { points: 30, at: second },
    { points: 30, at: first },
  ]);
  expect(await one.expiring()).toEqual({ points: 30, at: first });
  expect(await world.service.sumsAsOf([at(2), at(3), at(4)])).toEqual([
    { balance: 40, pending: 0, held: 0, debt: 0 },
    { balance: 40, pending: 0, held: 10, debt: 0 },
    { balance: 80, pending: 0, held: 10, debt: 0 },
  ]);
  expect((await one.giveBack(held)).account.held).toBe(0);
});
