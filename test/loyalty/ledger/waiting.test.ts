import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { REVERSAL_OF_SPENT_POINTS } from '../../../modules/loyalty/ledger/settings.ts';
import { systemCall } from '../../../src/core/call.ts';
import { newId } from '../../../src/core/ids.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type LoyaltyWorld, refusal, START } from '../world.ts';
import { closeDay, DAY_MS, memberOf, openLedger } from './member.ts';

let created: TestDatabase;
let world: LoyaltyWorld;
const call = systemCall('test');
const voiding = systemCall('loyalty.voidTimedOut');
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

describe('points set aside', () => {
  test('are not available, and are spent once', async () => {
    const one = await member();
    await one.award(100);
    const held = await one.hold(70);
    expect(held).toMatchObject({
      entry: { kind: 'REDEEM', phase: 'PENDING', points: 0, held: 70, balanceAfter: 100 },
      account: { balance: 100, held: 70 },
    });
    expect(await one.available()).toBe(30);
    expect(await refusal(one.redeem(31))).toMatchObject({ code: 'LOYALTY_INSUFFICIENT_POINTS' });
    expect(await refusal(one.reverse(held))).toMatchObject({ code: 'LOYALTY_ENTRY_NOT_REVERSIBLE' });
    const spent = await one.confirm(held);
    expect(spent).toMatchObject({
      entry: { phase: 'CONFIRMED', points: -70, held: -70, settles: held.entry.id, balanceAfter: 30 },
      account: { balance: 30, held: 0 },
    });
    expect(await refusal(one.confirm(held))).toMatchObject({ code: 'LOYALTY_ENTRY_NOT_PENDING' });
    expect(await refusal(one.giveBack(held))).toMatchObject({ code: 'LOYALTY_ENTRY_NOT_PENDING' });
    expect((await one.events()).slice(2)).toEqual(['pointsHeld', 'pointsConfirmed', 'pointsRedeemed']);
    expect(await one.reverse(spent)).toMatchObject({ account: { balance: 100 } });
    expect(await one.lots()).toEqual([100]);
  });

  test('are given back to their lots', async () => {
    const one = await member();
    await one.award(60);
    await one.award(40);
    const held = await one.hold(70);
    expect(await one.lots()).toEqual([30]);
    expect(await one.giveBack(held)).toMatchObject({
      entry: { phase: 'VOIDED', points: 0, held: -70 },
      account: { balance: 100, held: 0 },
    });
    expect(await one.lots()).toEqual([60, 40]);
    expect((await one.events()).slice(3)).toEqual(['pointsHeld', 'pointsVoided']);
  });

  test('do not lapse while they wait, and do when they are given back after their time', async () => {
    const one = await member();
    await one.award(60);
    later(360);
    const held = await one.hold(50, 300);
    later(10);
    expect(await world.service.expireLots(call)).toBe(10);
    expect(await one.giveBack(held)).toMatchObject({ account: { balance: 0, held: 0 }, lapsed: { points: -50 } });
  });

  test('are voided by a job when their time is over, and no longer confirmed', async () => {
    const one = await member();
    await one.award(60);
    const held = await one.hold(50, 2);
    later(2);
    expect(await refusal(one.confirm(held))).toMatchObject({ code: 'LOYALTY_ENTRY_NOT_PENDING' });
    expect(await world.service.voidTimedOut(voiding)).toBe(1);
    expect(await world.service.voidTimedOut(voiding)).toBe(0);
    expect(await one.available()).toBe(60);
  });

  test('can be asked for only within reason', async () => {
    const one = await member();
    await one.award(60);
    for (const days of [0, -1, 367, Number.NaN]) {
      expect(await refusal(one.hold(10, days))).toEqual({ code: 'CORE_INVALID_INPUT', path: ['expiresAt'] });
    }
    for (const points of [0, -1, 0.5, Number.NaN, 1e13]) {
      expect(await refusal(one.hold(points))).toEqual({ code: 'CORE_INVALID_INPUT', path: ['points'] });
      expect(await refusal(one.redeem(points))).toEqual({ code: 'CORE_INVALID_INPUT', path: ['points'] });
    }
    expect(await refusal(one.confirm(await one.award(1)))).toMatchObject({ code: 'LOYALTY_ENTRY_NOT_PENDING' });
    const nobody = { idempotencyKey: newId(), entryId: newId() };
    expect(await refusal(world.service.voidPoints(call, nobody))).toMatchObject({ code: 'LOYALTY_ENTRY_NOT_FOUND' });
  });
});

describe('pending points', () => {
  const until = (days: number) => ({ pendingUntil: new Date(START.getTime() + days * DAY_MS) });

  test('come when they are confirmed, and count for the tier from then on', async () => {
    const one = await member();
    const waits = await one.award(1_000, until(14));
    expect(waits).toMatchObject({
      entry: { kind: 'EARN', phase: 'PENDING', points: 0, pending: 1_000, qualifying: 0, balanceAfter: 0 },
      account: { balance: 0, pending: 1_000, tier: 'BRONZE' },
    });
    later(3);
    expect(await one.confirm(waits)).toMatchObject({
      entry: { phase: 'CONFIRMED', points: 1_000, pending: -1_000, qualifying: 1_000 },
      account: { balance: 1_000, pending: 0, earned: 1_000, tier: 'SILVER' },
      tierChange: { to: 'SILVER' },
    });
    expect(await one.expiring()).toEqual({ points: 1_000, at: new Date('2027-11-26T00:00:00.000Z') });
    expect((await one.events()).slice(1)).toEqual(['pointsPending', 'pointsConfirmed', 'pointsAwarded', 'tierChanged']);
  });

  test('do not come when they are voided, or not in time', async () => {
    const one = await member();
    const [first] = [await one.award(10, until(1)), await one.award(20, until(2))];
    expect(await one.giveBack(first)).toMatchObject({ account: { balance: 0, pending: 20, earned: 0 } });
    later(2);
    expect(await world.service.voidTimedOut(voiding)).toBe(1);
    expect(await one.available()).toBe(0);
    expect(await one.events()).toEqual([
      'customersEnrolled',
      'pointsPending',
      'pointsPending',
      'pointsVoided',
      'pointsVoided',
    ]);
  });
});

describe('a debt', () => {
  test('is paid by whatever becomes available', async () => {
    const one = await member();
    const first = await one.award(100);
    const held = await one.hold(40);
    const spent = await one.redeem(50);
    expect(await one.reverse(first)).toMatchObject({
      entry: { points: -10, debt: 90 },
      account: { balance: 40, held: 40, debt: 90 },
    });
    expect(await one.giveBack(held)).toMatchObject({ account: { balance: 0, held: 0, debt: 50 } });
    expect(await one.award(20)).toMatchObject({ account: { balance: 0, debt: 30, earned: 20 } });
    expect(await one.reverse(spent)).toMatchObject({
      entry: { points: 20, debt: -30 },
      account: { balance: 20, debt: 0 },
    });
  });

  test('is what an earning left that had itself paid one', async () => {
    const one = await member();
    const first = await one.award(100);
    await one.redeem(100);
    await one.reverse(first);
    const second = await one.award(130);
    expect(second).toMatchObject({ entry: { points: 30, debt: -100 } });
    expect(await one.reverse(second)).toMatchObject({ account: { balance: 0, debt: 100, earned: 0 } });
  });

  test('is refused where the business wants none', async () => {
    await world.settings.change(call, REVERSAL_OF_SPENT_POINTS.key, 'REFUSE');
    const one = await member();
    const first = await one.award(100);
    await one.redeem(1);
    expect(await refusal(one.reverse(first))).toEqual({ code: 'LOYALTY_INSUFFICIENT_POINTS', path: ['points'] });
    expect(await one.available()).toBe(99);
    await world.settings.change(call, REVERSAL_OF_SPENT_POINTS.key, 'DEBT');
  });
});

test('a repeated key is answered as it was the first time, whatever happened since', async () => {
  const one = await member();
  await one.award(100);
  const input = {
    idempotencyKey: newId(),
    customerId: one.customerId,
    points: 60,
    expiresAt: new Date(START.getTime() + DAY_MS),
  };
  const first = await world.service.holdPoints(call, input);
  const settle = { idempotencyKey: newId(), entryId: first.entry.id };
  const confirmed = await world.service.confirmPoints(call, settle);
  expect(await world.service.holdPoints(call, input)).toEqual({ ...first, replayed: true });
  expect(await world.service.confirmPoints(call, settle)).toEqual({ ...confirmed, replayed: true });
  expect(await refusal(world.service.voidPoints(call, settle))).toMatchObject({ code: 'CORE_IDEMPOTENCY_CONFLICT' });
  expect(await refusal(world.service.holdPoints(call, { ...input, points: 61 }))).toMatchObject({
    code: 'CORE_IDEMPOTENCY_CONFLICT',
  });
  await one.award(10);
});

test('a key whose first request has not come to its end is told so, with a time to wait', async () => {
  const one = await member();
  await one.award(1);
  const { pool } = world.database;
  const holder = await pool.connect();
  await holder.query('begin');
  await holder.query('select 1 from loyalty_account where customer_id = $1 for update', [one.customerId]);
  const input = { idempotencyKey: newId(), customerId: one.customerId, points: 1 };
  const first = world.service.redeemPoints(call, input);
  const second = await world.service.redeemPoints(call, input).catch((error: unknown) => error);
  expect(second).toMatchObject({ code: 'CORE_REQUEST_IN_FLIGHT', path: ['idempotencyKey'], retryAfterMs: 1_000 });
  await holder.query('rollback');
  holder.release();
  expect((await first).replayed).toBe(false);
  expect((await world.service.redeemPoints(call, input)).replayed).toBe(true);
});
