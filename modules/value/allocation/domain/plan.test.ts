import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { proportionDifferenceInterval } from '../../../../src/learning/special/index.ts';
import { ACTION_TIERS, planActions } from './actions.ts';
import { candidatesOf, expectedSavedMinor } from './candidates.ts';
import { holdOut } from './holdout.ts';
import { measureLift } from './lift.ts';

describe('actions of a plan', () => {
  test('cost what the setting says in the minor units of the currency, unless the plan says otherwise', () => {
    expect(planActions(ACTION_TIERS, [], 'EUR').map(({ costMinor }) => costMinor)).toEqual([10, 2_000, 3_000, 25_000]);
    expect(planActions(ACTION_TIERS, [], 'JPY').map(({ costMinor }) => costMinor)).toEqual([0, 20, 30, 250]);
    const own = planActions(
      ACTION_TIERS,
      [
        { key: 'email', leftOut: true },
        { key: 'call', costMinor: 900, capacity: 0 },
      ],
      'EUR',
    );
    expect(own.map(({ key, costMinor, capacity }) => [key, costMinor, capacity])).toEqual([
      ['discount', 2_000, null],
      ['call', 900, 0],
      ['executive', 25_000, 20],
    ]);
  });

  test('are refused when they are unknown, named twice or out of range', () => {
    for (const bad of [
      [{ key: 'fax' }],
      [{ key: 'call' }, { key: 'call' }],
      [{ key: 'call', saveRate: 1.1 }],
      [{ key: 'call', costMinor: -1 }],
      ACTION_TIERS.map(({ key }) => ({ key, leftOut: true })),
    ])
      expect(() => planActions(ACTION_TIERS, bad, 'EUR')).toThrow(
        expect.objectContaining({ code: 'CORE_INVALID_INPUT' }),
      );
  });
});

test('candidates have a predicted probability, else the assumed one; everybody else is left out and counted', () => {
  const actions = planActions(ACTION_TIERS, [], 'EUR');
  const facts = {
    values: ['gone', 'busy', 'known', 'unknown', 'cheap'].map((customerId) => ({
      customerId,
      valueMinor: customerId === 'cheap' ? 100 : 100_000,
    })),
    gone: new Set(['gone']),
    inCampaign: new Set(['busy', 'gone']),
    predictions: new Map([['known', 0.4]]),
    grossMargin: 0.5,
  };
  const shared = { valued: 5, gone: 1, inCampaign: 1, predicted: 1 };
  const known = { customerId: 'known', valueMinor: 50_000, probability: 0.4, source: 'PREDICTED' };
  expect(candidatesOf({ ...facts, assumedProbability: 0.2 }, actions)).toEqual({
    candidates: [known, { customerId: 'unknown', valueMinor: 50_000, probability: 0.2, source: 'ASSUMED' }],
    population: { ...shared, withoutProbability: 0, notWorthwhile: 1, assumed: 1 },
  });
  expect(candidatesOf({ ...facts, assumedProbability: null }, actions)).toEqual({
    candidates: [known],
    population: { ...shared, withoutProbability: 2, notWorthwhile: 0, assumed: 0 },
  });
  // 0.4 × 0.02 × 500.00 − 0.10
  expect(expectedSavedMinor({ probability: 0.4, valueMinor: 50_000 }, actions[0] as (typeof actions)[0])).toBe(390);
});

test('the holdout is the same for a seed, and its share of every stratum to within one customer', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(3), { maxLength: 200 }),
      fc.double({ min: 0, max: 0.5, noNaN: true }),
      fc.nat(),
      (strata, share, seed) => {
        const held = holdOut(strata, share, seed);
        expect(holdOut(strata, share, seed)).toEqual(held);
        for (const stratum of [0, 1, 2, 3]) {
          const own = [...held].filter((_, at) => strata[at] === stratum);
          const count = own.filter((one) => one === 1).length;
          expect(Math.abs(count - share * own.length)).toBeLessThanOrEqual(1 + 1e-9);
        }
      },
    ),
    { seed: 4, numRuns: 300 },
  );
  const seeds = Array.from({ length: 2_000 }, (_, seed) => holdOut([0, 0, 0, 0, 0], 0.2, seed).indexOf(1));
  for (const customer of [0, 1, 2, 3, 4]) expect(seeds.filter((at) => at === customer).length).toBeGreaterThan(320);
});

describe('the lift', () => {
  const arm = (heldOut: boolean, customers: number, retained: number, valueMinor = 0, costMinor = 0) => ({
    action: 'call',
    heldOut,
    customers,
    retained,
    valueMinor,
    costMinor,
  });
  const rule = { minimum: 30, level: 0.95 };

  test('is the difference of the retained shares with its interval, and what that saved', () => {
    const arms = [
      arm(false, 100, 60, 1_000_000, 30_000),
      arm(false, 100, 60, 500_000, 20_000),
      arm(true, 50, 20, 300_000),
    ];
    const interval = proportionDifferenceInterval({ successes: 120, trials: 200 }, { successes: 20, trials: 50 });
    const lift = measureLift(arms, rule);
    expect(lift).toMatchObject({ treated: 200, treatedRetained: 120, heldOut: 50, heldOutRetained: 20, missing: null });
    expect(lift.difference).toEqual(interval);
    expect(lift.difference?.estimate).toBeCloseTo(0.2, 12);
    expect(lift.saveRate).toBeCloseTo(0.2 / 0.6, 12);
    expect(lift.savedMinor).toEqual({
      estimate: 250_000,
      low: Math.round((interval?.low ?? 0) * 1_500_000) - 50_000,
      high: Math.round((interval?.high ?? 0) * 1_500_000) - 50_000,
    });
  });

  test('is not stated without a holdout, or with too few', () => {
    const nothing = { difference: null, saveRate: null, savedMinor: null };
    expect(measureLift([arm(false, 100, 60)], rule)).toMatchObject({ ...nothing, treated: 100, missing: 'NO_HOLDOUT' });
    expect(measureLift([arm(false, 100, 60), arm(true, 29, 9)], rule)).toMatchObject({
      ...nothing,
      missing: 'TOO_FEW',
    });
    expect(measureLift([arm(false, 100, 60), arm(true, 30, 30)], rule)).toMatchObject({
      saveRate: null,
      missing: null,
    });
  });
});
