import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RedemptionStep } from '../../../modules/loyalty/rewards/domain/redemption.ts';
import type { Redeemed } from '../../../modules/loyalty/rewards/service-redeem.ts';
import { systemCall } from '../../../src/core/call.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { newId } from '../../../src/core/ids.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { brokenInvariants, refusal, START } from '../world.ts';
import {
  brokenRedemptions,
  countsOf,
  openRewards,
  plantMembers,
  plantReward,
  type RewardsWorld,
  seededBytes,
} from './world.ts';

let created: TestDatabase;
let world: RewardsWorld;
const call = systemCall('test');
const DAY_MS = 86_400_000;

beforeAll(async () => {
  created = await createTestDatabase();
  world = await openRewards(created.url, { seed: 7 });
});
afterAll(async () => {
  expect(await brokenInvariants(world.database)).toEqual([]);
  expect(await brokenRedemptions(world.database)).toEqual([]);
  await world.close();
  await created.drop();
});

const member = async (points: number) => (await plantMembers(world, 1, points))[0] as string;
const redeem = (customerId: string, rewardId: string, input: object = {}) =>
  world.rewards.redeemReward(call, { idempotencyKey: newId(), customerId, rewardId, ...input });
const outcome = (asked: Promise<Redeemed>) =>
  asked.then(
    ({ redemption }) => redemption.state as string,
    (error: unknown) => (error instanceof DomainError ? error.code : String(error)),
  );
const availableTo = async (customerId: string) => (await world.service.members([customerId]))[0]?.available;

describe('redemptions of one batch', () => {
  test('share a stock to the last one, and the same keys share an answer', async () => {
    const rewardId = await plantReward(world, { stock: 3 });
    const customers = await plantMembers(world, 5, 100);
    const keys = customers.map(() => newId());
    const asked = [...keys, ...keys].map((idempotencyKey, index) =>
      redeem(customers[index % 5] as string, rewardId, { idempotencyKey }),
    );
    const answers = await Promise.allSettled(asked);
    const ids = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.redemption.id : null));
    expect(ids.slice(0, 5).filter((id) => id !== null)).toHaveLength(3);
    expect(ids.slice(5)).toEqual(ids.slice(0, 5));
    expect(answers.filter((answer) => answer.status === 'fulfilled' && answer.value.replayed)).toHaveLength(3);
    expect(await countsOf(world, rewardId)).toEqual({ stock: 0, OPEN: 3 });
  });

  test('give the last one to whoever can pay for it', async () => {
    const rewardId = await plantReward(world, { stock: 1, cost: 50 });
    const [poor, rich, late] = await Promise.all([member(49), member(50), member(50)]);
    const answers = await Promise.all([poor, rich, late].map((id) => outcome(redeem(id, rewardId))));
    expect(answers).toEqual(['LOYALTY_INSUFFICIENT_POINTS', 'OPEN', 'LOYALTY_OUT_OF_STOCK']);
  });

  test('of one customer stay within points and limit together', async () => {
    const limited = await plantReward(world, { cost: 10, limitPerCustomer: 2 });
    const dear = await plantReward(world, { cost: 40 });
    const customerId = await member(100);
    const wishes = [limited, limited, limited, dear, dear].map((rewardId) => outcome(redeem(customerId, rewardId)));
    expect(await Promise.all(wishes)).toEqual(['OPEN', 'OPEN', 'LOYALTY_REDEMPTION_LIMIT_REACHED', 'OPEN', 'OPEN']);
    expect(await availableTo(customerId)).toBe(0);
    expect(await outcome(redeem(customerId, dear))).toBe('LOYALTY_INSUFFICIENT_POINTS');
  });

  test('with one key and two inputs are one redemption and a conflict', async () => {
    const rewardId = await plantReward(world, {});
    const customerId = await member(100);
    const idempotencyKey = newId();
    const answers = [1, 2].map((quantity) => outcome(redeem(customerId, rewardId, { idempotencyKey, quantity })));
    expect(await Promise.all(answers)).toEqual(['OPEN', 'CORE_IDEMPOTENCY_CONFLICT']);
  });
});

test('voucher codes come from the source that was handed in', async () => {
  const again = await openRewards(created.url, { seed: 99 });
  const rewardId = await plantReward(world);
  const request = { idempotencyKey: newId(), customerId: await member(10), rewardId };
  const { redemption } = await again.rewards.redeemReward(call, request);
  const { newVoucherCode } = await import('../../../modules/loyalty/rewards/domain/voucher.ts');
  expect(redemption.voucherCode).toBe(newVoucherCode(seededBytes(99)));
  await again.close();
});

test('a stock is told of once when it falls to its mark, in whatever way', async () => {
  const rewardId = await plantReward(world, { stock: 6, lowStockAt: 3 });
  const customerId = await member(100);
  const told = async () =>
    (
      await world.database.query<{ stock: number }>(
        `select (payload ->> 'stock')::int as stock from outbox_event
         where type = 'loyalty.rewardStockLow' and payload ->> 'rewardId' = $1 order by seq`,
        [rewardId],
      )
    ).map(({ stock }) => stock);
  await redeem(customerId, rewardId, { quantity: 2 });
  expect(await told()).toEqual([]);
  const { redemption } = await redeem(customerId, rewardId, { quantity: 2 });
  await redeem(customerId, rewardId);
  expect(await told()).toEqual([2]);
  await world.rewards.cancelRedemption(call, { idempotencyKey: newId(), redemptionId: redemption.id });
  expect(await told()).toEqual([2]);
  await world.rewards.changeReward(call, { rewardId, addStock: 5 });
  await world.rewards.changeReward(call, { rewardId, stock: 1 });
  expect(await told()).toEqual([2, 1]);
});

describe('redemptions whose time is over', () => {
  const expire = async (points: 'RETURN' | 'FORFEIT') => {
    await world.settings.change(call, 'loyalty.expiredRedemptions', points);
    const rewardId = await plantReward(world, { stock: 5, cost: 10, voucherLifetimeDays: 2 });
    const customerId = await member(100);
    const one = await redeem(customerId, rewardId, { quantity: 2 });
    const two = await redeem(customerId, rewardId);
    await world.rewards.fulfilRedemption(call, { idempotencyKey: newId(), redemptionId: two.redemption.id });
    const close = (kind: 'fulfil' | 'cancel') =>
      refusal(world.rewards[`${kind}Redemption`](call, { idempotencyKey: newId(), redemptionId: one.redemption.id }));
    world.clock.advance(2 * DAY_MS - 1);
    expect(await world.rewards.expireRedemptions()).toBe(0);
    world.clock.advance(1);
    expect(await close('fulfil')).toMatchObject({ code: 'LOYALTY_REDEMPTION_NOT_OPEN' });
    expect(await close('cancel')).toMatchObject({ code: 'LOYALTY_REDEMPTION_NOT_OPEN' });
    expect(await world.rewards.expireRedemptions()).toBe(1);
    expect(await world.rewards.expireRedemptions()).toBe(0);
    expect(await close('fulfil')).toMatchObject({ code: 'LOYALTY_REDEMPTION_NOT_OPEN' });
    expect(await countsOf(world, rewardId)).toEqual({ stock: 4, EXPIRED: 2, FULFILLED: 1 });
    world.clock.set(START);
    return availableTo(customerId);
  };

  test('give points and stock back', async () => expect(await expire('RETURN')).toBe(90));

  test('or the stock only, when the business says so', async () => expect(await expire('FORFEIT')).toBe(70));
});

test('whatever befalls redemptions, points and stock add up', async () => {
  await world.settings.change(call, 'loyalty.expiredRedemptions', 'RETURN');
  const rewardId = await plantReward(world, { stock: 20, cost: 7, voucherLifetimeDays: 1 });
  const customers = await plantMembers(world, 3, 50);
  const step = fc.record({
    who: fc.nat(2),
    what: fc.constantFrom<RedemptionStep['kind'] | 'redeem'>('redeem', 'redeem', 'fulfil', 'cancel', 'expire'),
    which: fc.nat(30),
    quantity: fc.integer({ min: 1, max: 3 }),
  });
  const model = { stock: 20, points: [50, 50, 50], open: new Map<string, { who: number; quantity: number }>() };
  const ids: string[] = [];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 10 }), async (steps) => {
      for (const { who, what, which, quantity } of steps) {
        const points = model.points[who] as number;
        if (what === 'redeem') {
          const code = await outcome(redeem(customers[who] as string, rewardId, { quantity }));
          const isMet = quantity <= model.stock && quantity * 7 <= points;
          expect(code === 'OPEN').toBe(isMet);
          if (!isMet) continue;
          const [row] = await world.database.query<{ id: string }>(
            'select id from loyalty_redemption order by id desc limit 1',
          );
          const id = row?.id as string;
          ids.push(id);
          model.open.set(id, { who, quantity });
          model.stock -= quantity;
          model.points[who] = points - quantity * 7;
        } else if (what === 'expire') {
          world.clock.advance(DAY_MS);
          expect(await world.rewards.expireRedemptions()).toBe(model.open.size);
          for (const one of model.open.values()) {
            model.stock += one.quantity;
            model.points[one.who] = (model.points[one.who] as number) + one.quantity * 7;
          }
          model.open.clear();
        } else if (ids.length > 0) {
          const id = ids[which % ids.length] as string;
          const one = model.open.get(id);
          const input = { idempotencyKey: newId(), redemptionId: id };
          const code = await outcome(world.rewards[`${what}Redemption`](call, input));
          expect(code).toBe(
            one === undefined ? 'LOYALTY_REDEMPTION_NOT_OPEN' : what === 'fulfil' ? 'FULFILLED' : 'CANCELLED',
          );
          model.open.delete(id);
          if (one === undefined || what === 'fulfil') continue;
          model.stock += one.quantity;
          model.points[one.who] = (model.points[one.who] as number) + one.quantity * 7;
        }
        expect((await countsOf(world, rewardId)).stock).toBe(model.stock);
        expect(await Promise.all(customers.map(availableTo))).toEqual(model.points);
      }
    }),
    { numRuns: 15, seed: 20_261_127, endOnFailure: true },
  );
  world.clock.set(START);
});
