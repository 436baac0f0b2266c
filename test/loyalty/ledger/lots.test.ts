import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { loyaltyEvents } from '../../../modules/loyalty/events.ts';
import type { AwardInput, Posted } from '../../../modules/loyalty/ledger/commands.ts';
import { POINTS_EXPIRY, REVERSAL_OF_SPENT_POINTS } from '../../../modules/loyalty/ledger/settings.ts';
import { systemCall } from '../../../src/core/call.ts';
import { newId } from '../../../src/core/ids.ts';
import { BUSINESS } from '../../../src/core/settings/index.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { brokenInvariants, type LoyaltyWorld, openLoyalty, plantCustomers, refusal, START } from '../world.ts';

let created: TestDatabase;
let world: LoyaltyWorld;
const call = systemCall('test');
const voiding = systemCall('loyalty.voidTimedOut');
const DAY_MS = 86_400_000;
const later = (days: number) => world.clock.advance(days * DAY_MS);

beforeAll(async () => {
  created = await createTestDatabase();
  world = await openLoyalty(created.url);
  // A year, to the end of the day, on a wall where the clocks change.
  await world.settings.change(call, BUSINESS.key, { ...BUSINESS.default, timeZone: 'Europe/London' });
  await world.settings.change(call, POINTS_EXPIRY.key, { months: 12, at: 'END_OF_DAY' });
});
afterEach(async () => {
  // What one test leaves is no longer due in the next.
  later(3_650);
  await world.service.expireLots(call);
  expect(await brokenInvariants(world.database)).toEqual([]);
  world.clock.set(START);
});
afterAll(async () => {
  await world.close();
  await created.drop();
});

/** A customer, and what tests say about one. */
async function member() {
  const [customerId] = (await plantCustomers(world.database, 1)) as [string];
  const { service } = world;
  const key = () => ({ idempotencyKey: newId() });
  const facts = async () => (await service.members([customerId]))[0];
  return {
    customerId,
    award: (points: number, more: Partial<AwardInput> = {}) =>
      service.awardPoints(call, { ...key(), customerId, points, ...more }),
    redeem: (points: number) => service.redeemPoints(call, { ...key(), customerId, points }),
    hold: (points: number, days = 1) =>
      service.holdPoints(call, {
        ...key(),
        customerId,
        points,
        expiresAt: new Date(world.clock.now().getTime() + days * DAY_MS),
      }),
    confirm: ({ entry }: Posted) => service.confirmPoints(call, { ...key(), entryId: entry.id }),
    giveBack: ({ entry }: Posted) => service.voidPoints(call, { ...key(), entryId: entry.id }),
    reverse: ({ entry }: Posted) => service.reversePoints(call, { ...key(), entryId: entry.id }),
    available: async () => (await facts())?.available,
    /** What is left of each lot, the oldest first. */
    lots: async () =>
      (
        await world.database.query<{ points: number }>(
          `select l.points from loyalty_lot l join loyalty_account a on a.id = l.account_id
           where a.customer_id = $1 order by l.earned_at, l.entry_id`,
          [customerId],
        )
      ).map(({ points }) => points),
    events: async () =>
      (
        await world.database.query<{ type: string; payload: Record<string, unknown> }>(
          'select type, payload from outbox_event where customer_id = $1 order by seq',
          [customerId],
        )
      ).map((event) => {
        expect(loyaltyEvents.find(({ type }) => type === event.type)?.payload.safeParse(event.payload).error).toBe(
          undefined,
        );
        return event.type.replace('loyalty.', '');
      }),
    expiring: async () =>
      (await service.expiringNext([(await facts()) === undefined ? '' : await accountOf(customerId)]))[0],
  };
}

async function accountOf(customerId: string): Promise<string> {
  const rows = await world.database.query<{ id: string }>('select id from loyalty_account where customer_id = $1', [
    customerId,
  ]);
  return rows[0]?.id as string;
}

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
  const accountId = await accountOf(one.customerId);
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
