import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TIER_KEYS } from '../../domain/tiers.ts';
import { fellLow, type RewardTerms, type RewardWish, refusalOf } from './reward.ts';

const FROM = new Date('2026-11-01T00:00:00.000Z');
const UNTIL = new Date('2026-12-01T00:00:00.000Z');
const justBefore = (at: Date) => new Date(at.getTime() - 1);

const terms: RewardTerms = {
  cost: 100,
  stock: 3,
  lowestTier: 'SILVER',
  validFrom: FROM,
  validUntil: UNTIL,
  limitPerCustomer: 2,
  archivedAt: null,
};
const wish: RewardWish = { quantity: 1, tier: 'SILVER', had: 0, at: FROM };
const refused = (change: Partial<RewardTerms>, wanted: Partial<RewardWish> = {}) =>
  refusalOf({ ...terms, ...change }, { ...wish, ...wanted });
const notAvailable = (why: string) => ({ kind: 'notAvailable', why });

describe('a reward can be had', () => {
  test('from its first instant to the one before its last', () => {
    expect(refused({}, { at: justBefore(FROM) })).toEqual(notAvailable('NOT_YET_VALID'));
    expect(refused({}, { at: FROM })).toBeNull();
    expect(refused({}, { at: justBefore(UNTIL) })).toBeNull();
    expect(refused({}, { at: UNTIL })).toEqual(notAvailable('NO_LONGER_VALID'));
  });

  test('from its lowest tier on', () => {
    const answers = TIER_KEYS.map((tier) => refused({}, { tier }));
    expect(answers).toEqual([notAvailable('TIER_TOO_LOW'), null, null, null]);
  });

  test('until it is archived', () => {
    expect(refused({ archivedAt: FROM })).toEqual(notAvailable('ARCHIVED'));
  });

  test('as often as its limit and its stock allow, to the last one', () => {
    expect(refused({}, { quantity: 2 })).toBeNull();
    expect(refused({}, { had: 1, quantity: 2 })).toEqual({ kind: 'limitReached', left: 1 });
    expect(refused({ limitPerCustomer: null }, { quantity: 3 })).toBeNull();
    expect(refused({ limitPerCustomer: null }, { quantity: 4 })).toEqual({ kind: 'outOfStock', left: 3 });
    expect(refused({ limitPerCustomer: null, stock: null }, { quantity: 4 })).toBeNull();
    // The limit was lowered since.
    expect(refused({ limitPerCustomer: 1 }, { had: 2 })).toEqual({ kind: 'limitReached', left: 0 });
  });
});

test('of any wishes, no more are met than there is stock, and the mark is passed once on each way down', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.nat(20), fc.array(fc.integer({ min: 1, max: 9 })), (stock, mark, wishes) => {
      let left = stock;
      let told = 0;
      for (const quantity of wishes) {
        const open = { ...terms, stock: left, limitPerCustomer: null };
        if (refusalOf(open, { ...wish, quantity }) !== null) continue;
        if (fellLow(left, left - quantity, mark)) told += 1;
        left -= quantity;
      }
      expect(left).toBeGreaterThanOrEqual(0);
      expect(told).toBe(stock > mark && left <= mark ? 1 : 0);
    }),
  );
});
