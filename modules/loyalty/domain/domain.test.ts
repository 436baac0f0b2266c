import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_RULES, DEFAULT_TIERS } from '../defaults.ts';
import { type EarningRule, pointsOfRule } from './rules.ts';
import { faultInTiers, nextTierOf, TIER_KEYS, tierChange, tierOf } from './tiers.ts';

const NOW = new Date('2026-11-22T12:00:00Z');
const rule = (key: string): EarningRule => DEFAULT_RULES.find((one) => one.key === key) as EarningRule;

describe('tiers', () => {
  test.each([
    [0, 'BRONZE', 1_000],
    [999, 'BRONZE', 1],
    [1_000, 'SILVER', 1_500],
    [2_499, 'SILVER', 1],
    [2_500, 'GOLD', 2_500],
    [4_999, 'GOLD', 1],
    [5_000, 'PLATINUM', null],
    [1_000_000, 'PLATINUM', null],
  ])('%i points earned are %s', (earned, tier, pointsToGo) => {
    expect(tierOf(DEFAULT_TIERS, earned).key).toBe(tier);
    expect(nextTierOf(DEFAULT_TIERS, tierOf(DEFAULT_TIERS, earned).key, earned)?.pointsToGo ?? null).toBe(pointsToGo);
  });

  test('every number of points has one tier, which reaches to the start of the next', () => {
    fc.assert(
      fc.property(fc.nat(20_000), (earned) => {
        const tier = tierOf(DEFAULT_TIERS, earned);
        const next = nextTierOf(DEFAULT_TIERS, tier.key, earned);
        expect(earned).toBeGreaterThanOrEqual(tier.from);
        if (next === null) expect(tier.key).toBe('PLATINUM');
        else {
          expect(earned).toBeLessThan(next.tier.from);
          expect(TIER_KEYS.indexOf(next.tier.key)).toBe(TIER_KEYS.indexOf(tier.key) + 1);
          expect(tierOf(DEFAULT_TIERS, earned + next.pointsToGo)).toBe(next.tier);
        }
      }),
    );
  });

  test('a change knows its direction', () => {
    expect(tierChange('BRONZE', 'GOLD')).toEqual({ from: 'BRONZE', to: 'GOLD', direction: 'UP' });
    expect(tierChange('PLATINUM', 'SILVER')).toEqual({ from: 'PLATINUM', to: 'SILVER', direction: 'DOWN' });
    expect(tierChange('GOLD', 'GOLD')).toBeNull();
  });

  test('a ladder with a gap, a twin or a wrong start is refused', () => {
    expect(faultInTiers(DEFAULT_TIERS)).toBeNull();
    expect(faultInTiers([...DEFAULT_TIERS].reverse())).toMatch(/in this order/);
    expect(faultInTiers(DEFAULT_TIERS.slice(1))).toMatch(/in this order/);
    expect(faultInTiers(DEFAULT_TIERS.map((tier) => ({ ...tier, from: tier.from + 1 })))).toMatch(/start at 0/);
    expect(faultInTiers(DEFAULT_TIERS.map((tier) => ({ ...tier, from: Math.min(tier.from, 2_500) })))).toMatch(
      /PLATINUM must start above GOLD/,
    );
  });
});

describe('earning rules', () => {
  test('give what the programme promises', () => {
    const table = DEFAULT_RULES.map(({ key, points }) => [key, ...TIER_KEYS.map((tier) => points[tier])]);
    expect(table).toEqual([
      ['monthly_login', 10, 15, 20, 25],
      ['feature_usage', 5, 10, 15, 20],
      ['feedback', 15, 20, 25, 30],
      ['referral_successful', 50, 100, 150, 200],
      ['case_study', null, 50, 75, 100],
    ]);
  });

  test('are multiplied by the count', () => {
    expect(pointsOfRule(rule('referral_successful'), { tier: 'SILVER', count: 3, used: 0, at: NOW })).toBe(300);
  });

  test('say to whom they are open', () => {
    expect(pointsOfRule(rule('case_study'), { tier: 'BRONZE', count: 1, used: 0, at: NOW })).toEqual({
      kind: 'notOpenToTier',
      openTo: ['SILVER', 'GOLD', 'PLATINUM'],
    });
  });

  test('stop at their cap, and say what is left of it', () => {
    const capped: EarningRule = { ...rule('feedback'), cap: { times: 3, per: 'WEEK' } };
    const use = (count: number, used: number) => pointsOfRule(capped, { tier: 'BRONZE', count, used, at: NOW });
    expect(use(3, 0)).toBe(45);
    expect(use(1, 2)).toBe(15);
    expect(use(2, 2)).toEqual({ kind: 'capReached', left: 1 });
    expect(use(1, 3)).toEqual({ kind: 'capReached', left: 0 });
  });

  test('are valid from one instant until another, the latter not included', () => {
    const dated: EarningRule = {
      ...rule('feedback'),
      validFrom: '2026-11-01T00:00:00Z',
      validUntil: '2026-12-01T00:00:00Z',
    };
    const at = (text: string) => pointsOfRule(dated, { tier: 'BRONZE', count: 1, used: 0, at: new Date(text) });
    expect(at('2026-10-31T23:59:59.999Z')).toEqual({ kind: 'notValid' });
    expect(at('2026-11-01T00:00:00.000Z')).toBe(15);
    expect(at('2026-11-30T23:59:59.999Z')).toBe(15);
    expect(at('2026-12-01T00:00:00.000Z')).toEqual({ kind: 'notValid' });
  });
});
