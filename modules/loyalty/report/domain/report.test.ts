import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BREAKAGE } from '../settings.ts';
import { type BreakageHistory, effectiveNumber, forecastBreakage, type PointsOfAge } from './breakage.ts';
import { memberCohorts } from './cohorts.ts';
import { NO_FLOWS, netOf, redemptionRate, valueOfPoints } from './flows.ts';

const rules = BREAKAGE.default;

describe('flows', () => {
  test('the rate is what was spent and not given back, of what was issued', () => {
    expect(redemptionRate({ ...NO_FLOWS, issued: 200, redeemed: 70, returned: 20 })).toBe(0.25);
    expect(redemptionRate({ ...NO_FLOWS, redeemed: 70 })).toBeNull();
    expect(redemptionRate({ ...NO_FLOWS, issued: 10, returned: 5 })).toBe(0);
  });

  test('points in money are exact', () => {
    expect([valueOfPoints(1, 0.5), valueOfPoints(3, 0.5), valueOfPoints(0, 7), valueOfPoints(7, 0)]).toEqual([
      1, 2, 0, 0,
    ]);
    expect(valueOfPoints(1_000_000_000_000, 0.0001)).toBe(100_000_000);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: 0, max: 1e6 }), (points, each) => {
        expect(valueOfPoints(points, each / 10_000)).toBe(Number((BigInt(points) * BigInt(each) + 5_000n) / 10_000n));
      }),
    );
  });

  test('what is earned and taken back again comes to nothing', () => {
    expect(netOf({ issued: 9, returned: 2, redeemed: 4, expired: 3, reversed: 9, adjusted: -1 })).toBe(-6);
  });
});

describe('breakage', () => {
  const enough = { redeemers: 100, effectiveMembers: 100 };
  /** A quarter redeemed at 100 days, another at 200; watched for 400. */
  const ages: readonly PointsOfAge[] = [
    { ageDays: 100, redeemed: 250, gone: 0, held: 0 },
    { ageDays: 200, redeemed: 250, gone: 0, held: 0 },
    { ageDays: 400, redeemed: 0, gone: 0, held: 500 },
  ];
  const forecast = (more: Partial<BreakageHistory>) =>
    forecastBreakage({ ages, outstanding: [], ...enough, ...more }, rules);
  const points = (ageDays: number, lapsesAtDays: number | null = null, many = 100) => ({
    ageDays,
    lapsesAtDays,
    points: many,
  });

  test('by hand: half of the new ones, two thirds of those past the first, all of the old ones', () => {
    expect(forecast({ outstanding: [points(0)] })).toMatchObject({ state: 'ESTIMATED', share: 0.5, horizonDays: 400 });
    expect(forecast({ outstanding: [points(150)] }).share).toBeCloseTo(2 / 3, 12);
    expect(forecast({ outstanding: [points(300)] })).toMatchObject({ share: 1, low: 1, high: 1 });
    expect(forecast({ outstanding: [points(900)] }).share).toBe(1);
    expect(forecast({ outstanding: [points(0), points(300, null, 300)] }).share).toBeCloseTo(0.875, 12);
  });

  test('what lapses before it would have been redeemed is broken too', () => {
    expect(forecast({ outstanding: [points(0, 150)] }).share).toBeCloseTo(0.75, 12);
    expect(forecast({ outstanding: [points(150, 150)] }).share).toBe(1);
  });

  test('says plainly when there is not enough history, or nothing to forecast', () => {
    expect(forecast({ outstanding: [points(0)], redeemers: 29 })).toEqual({
      state: 'NOT_ENOUGH_HISTORY',
      share: null,
      low: null,
      high: null,
      outstanding: 100,
      horizonDays: 400,
      redeemers: 29,
    });
    expect(forecast({ ages: [{ ageDays: 179, redeemed: 9, gone: 0, held: 9 }] }).state).toBe('NOT_ENOUGH_HISTORY');
    expect(forecast({ ages: [] }).state).toBe('NOT_ENOUGH_HISTORY');
    expect(forecast({}).state).toBe('NOTHING_OUTSTANDING');
  });

  test('the interval has the share within it, lies within 0 and 1, and is narrower the more members there are', () => {
    const anyAges = fc.array(
      fc.record({
        ageDays: fc.integer({ min: 0, max: 1_000 }),
        redeemed: fc.integer({ min: 0, max: 1_000 }),
        gone: fc.integer({ min: 0, max: 1_000 }),
        held: fc.integer({ min: 0, max: 1_000 }),
      }),
      { minLength: 1, maxLength: 20 },
    );
    const ends = fc.option(fc.integer({ min: 0, max: 1_200 }));
    fc.assert(
      fc.property(
        anyAges,
        fc.array(fc.tuple(fc.integer({ min: 0, max: 1_100 }), ends), { minLength: 1 }),
        (given, held) => {
          const history = { ages: given, outstanding: held.map(([age, end]) => points(age, end)), redeemers: 99 };
          const few = forecastBreakage({ ...history, effectiveMembers: 40 }, rules);
          const many = forecastBreakage({ ...history, effectiveMembers: 4_000 }, rules);
          if (few.state !== 'ESTIMATED') return;
          const { share, low, high } = few as { share: number; low: number; high: number };
          expect(low >= 0 && low <= share + 1e-12 && share <= high + 1e-12 && high <= 1).toBe(true);
          expect(many.share).toBe(few.share);
          expect((many.low as number) >= low - 1e-12 && (many.high as number) <= high + 1e-12).toBe(true);
        },
      ),
    );
  });

  test('finds a known rate: a tenth of what is left is redeemed each month, for two years', () => {
    const left = 0.9;
    const known = Array.from({ length: 24 }, (_, month): PointsOfAge[] => [
      { ageDays: 30 * month + 15, redeemed: 1e6 * left ** month * (1 - left), gone: 0, held: 0 },
    ]).flat();
    const history = [...known, { ageDays: 720, redeemed: 0, gone: 0, held: 1e6 * left ** 24 }];
    // From the end of month m on 24 - m months are left.
    for (const month of [0, 6, 18]) {
      const found = forecastBreakage({ ages: history, outstanding: [points(30 * month)], ...enough }, rules);
      expect(found.share).toBeCloseTo(left ** (24 - month), 9);
    }
  });

  test('equal members count in full, one big one as one', () => {
    expect(effectiveNumber(50 * 10, 50 * 10 * 10)).toBe(50);
    expect(effectiveNumber(1_000_000, 1_000_000 ** 2)).toBe(1);
    expect(effectiveNumber(0, 0)).toBe(0);
  });
});

test('cells of months to come are null, those in which nothing happened 0', () => {
  const cells = [
    { place: 0, age: 0, active: 2, earned: 30, redeemed: 5 },
    { place: 0, age: 2, active: 1, earned: 0, redeemed: 20 },
    { place: 2, age: 0, active: 1, earned: 7, redeemed: 0 },
  ];
  const none = { active: 0, earned: 0, redeemed: 0 };
  expect(memberCohorts(['2026-01-01', '2026-02-01', '2026-03-01'], new Map([[0, 3]]), cells)).toEqual([
    {
      month: '2026-01-01',
      members: 3,
      cells: [{ active: 2, earned: 30, redeemed: 5 }, none, { active: 1, earned: 0, redeemed: 20 }],
    },
    { month: '2026-02-01', members: 0, cells: [none, none, null] },
    { month: '2026-03-01', members: 0, cells: [{ active: 1, earned: 7, redeemed: 0 }, null, null] },
  ]);
});
