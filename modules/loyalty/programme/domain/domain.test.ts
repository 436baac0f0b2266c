import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_RULES, DEFAULT_TIERS } from '../../defaults.ts';
import { type EarningRule, pointsOfRule } from '../../domain/rules.ts';
import { higherTier, TIER_KEYS, type TierKey, tierHeld, tierOf } from '../../domain/tiers.ts';
import { boost, type Campaign, isFor, runningCampaigns, STACKINGS, times } from './campaigns.ts';
import { basePointsOfOrder, boundedPointsOfOrder, type OrderPoints, tierPointsOfOrder } from './orders.ts';
import { addTo, placeOf, type QualificationWindow, review, stretchesOf } from './qualification.ts';
import { type Comparison, isTriggered } from './triggers.ts';

const AT = new Date('2026-11-25T12:00:00Z');
const nobodyInParticular = { tiers: null, businessSegments: null, plans: null, rfmSegments: null };
const campaign = (more: Partial<Campaign> = {}): Campaign => ({
  key: 'double_week',
  name: 'Double week',
  validFrom: '2026-11-23T00:00:00Z',
  validUntil: '2026-11-30T00:00:00Z',
  rules: null,
  multiplier: 2,
  segment: nobodyInParticular,
  ...more,
});
const aCampaign = fc.integer({ min: 100, max: 1_000 }).map((percent) => campaign({ multiplier: percent / 100 }));
const tierKey = fc.constantFrom(...TIER_KEYS);

describe('campaigns', () => {
  test('the best one wins, or what each adds is added', () => {
    const [double, half, none] = [
      campaign({ key: 'a' }),
      campaign({ key: 'b', multiplier: 1.5 }),
      campaign({ key: 'c', multiplier: 1 }),
    ];
    expect(boost(15, [none, half, double], 'BEST')).toEqual({ points: 30, by: [double] });
    expect(boost(15, [none, half, double], 'ADD')).toEqual({ points: 37, by: [half, double] });
    expect(boost(15, [double, campaign({ key: 'd' })], 'ADD').points).toBe(45);
    expect(boost(15, [none], 'ADD')).toEqual({ points: 15, by: [] });
  });

  test('never take anything away, and more of them, or greater ones, never give less', () => {
    fc.assert(
      fc.property(
        fc.nat(1_000_000),
        fc.nat(1_000),
        fc.array(aCampaign, { maxLength: 6 }),
        aCampaign,
        fc.constantFrom(...STACKINGS),
        (points, more, campaigns, another, stacking) => {
          const boosted = boost(points, campaigns, stacking).points;
          expect(boosted).toBeGreaterThanOrEqual(points);
          expect(boost(points + more, campaigns, stacking).points).toBeGreaterThanOrEqual(boosted);
          expect(boost(points, [...campaigns, another], stacking).points).toBeGreaterThanOrEqual(boosted);
          expect(boost(points, campaigns, 'ADD').points).toBeGreaterThanOrEqual(
            boost(points, campaigns, 'BEST').points,
          );
        },
      ),
    );
  });

  test('multiply exactly: what decimals cannot hold is no reason to lose a point', () => {
    expect([times(100, 1.1), times(100, 2.3), times(1_000_000, 1.01), times(3, 1.15)]).toEqual([
      110, 230, 1_010_000, 3,
    ]);
  });

  test('run for a while, for some rules and for some customers', () => {
    const week = campaign({ rules: ['feedback'] });
    const running = (rule: string, at: string) => runningCampaigns([week], rule, new Date(at)).length;
    expect(running('feedback', '2026-11-22T23:59:59.999Z')).toBe(0);
    expect(running('feedback', '2026-11-23T00:00:00.000Z')).toBe(1);
    expect(running('feedback', '2026-11-29T23:59:59.999Z')).toBe(1);
    expect(running('feedback', '2026-11-30T00:00:00.000Z')).toBe(0);
    expect(running('order_placed', '2026-11-25T00:00:00.000Z')).toBe(0);
    const traits = { businessSegment: 'SMB', plans: ['team'], rfmSegment: null };
    const among = (segment: Partial<Campaign['segment']>, tier: TierKey = 'GOLD') =>
      isFor(campaign({ segment: { ...nobodyInParticular, ...segment } }), tier, traits);
    expect(among({})).toBe(true);
    expect(among({ tiers: ['GOLD', 'PLATINUM'], businessSegments: ['SMB'], plans: ['solo', 'team'] })).toBe(true);
    expect(among({ tiers: ['SILVER'] })).toBe(false);
    expect(among({ businessSegments: ['SMB'], plans: ['solo'] })).toBe(false);
    expect(among({ rfmSegments: ['CHAMPIONS'] })).toBe(false);
    expect(isFor(campaign({ segment: { ...nobodyInParticular, plans: ['team'] } }), 'GOLD', undefined)).toBe(false);
  });
});

describe('rules', () => {
  test('never give more often than their cap allows, whatever is asked', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 30 }),
        tierKey,
        (cap, counts, tier) => {
          const rule: EarningRule = { ...(DEFAULT_RULES[2] as EarningRule), cap: { times: cap, per: 'LIFETIME' } };
          let used = 0;
          for (const count of counts) {
            const points = pointsOfRule(rule, { tier, count, used, at: AT });
            if (typeof points === 'number') used += count;
            else expect(points).toEqual({ kind: 'capReached', left: cap - used });
            expect(used).toBeLessThanOrEqual(cap);
          }
          expect(pointsOfRule(rule, { tier, count: cap - used + 1, used, at: AT })).toMatchObject({ left: cap - used });
        },
      ),
    );
  });
});

describe('orders', () => {
  const terms: OrderPoints = {
    enabled: true,
    pointsPerUnit: 2,
    minimumUnits: 10,
    multipliers: { BRONZE: 1, SILVER: 1.25, GOLD: 1.5, PLATINUM: 2 },
    maxPointsPerOrder: 500,
    cap: { points: 800, per: 'MONTH' },
  };

  test('earn by unit and tier, from the minimum on, and never beyond what one order and a period may', () => {
    expect([9, 10, 11].map((units) => basePointsOfOrder(terms, units))).toEqual([0, 20, 22]);
    expect(basePointsOfOrder({ ...terms, minimumUnits: 0 }, 0)).toBe(0);
    expect(TIER_KEYS.map((tier) => tierPointsOfOrder(terms, tier, 22))).toEqual([22, 27, 33, 44]);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1_000), tierKey), { maxLength: 20 }), (orders) => {
        let used = 0;
        for (const [units, tier] of orders) {
          const wanted = tierPointsOfOrder(terms, tier, basePointsOfOrder(terms, units));
          const points = boundedPointsOfOrder(terms, wanted, used);
          expect(points).toBe(Math.min(wanted, 500, 800 - used));
          used += points;
        }
        expect(used).toBeLessThanOrEqual(800);
      }),
    );
  });
});

describe('triggers', () => {
  const event = { name: 'feature.used', value: '4.5', properties: { feature: 'reports', plan: 'team', seats: 12 } };
  const holds = (field: string, is: Comparison, to?: string | number | boolean | string[]) =>
    isTriggered({ event: 'feature.used', where: [{ field, is, to }] }, event);

  test.each<[boolean, string, Comparison, (string | number | boolean | string[])?]>([
    [true, 'value', 'GTE', 4.5],
    [false, 'value', 'GT', 4.5],
    [true, 'value', 'LT', 5],
    [false, 'value', 'LTE', '5'],
    [true, 'properties.feature', 'EQ', 'reports'],
    [true, 'properties.feature', 'NE', 'alerts'],
    [true, 'properties.plan', 'IN', ['solo', 'team']],
    [false, 'properties.plan', 'IN', ['solo']],
    [true, 'properties.seats', 'EXISTS'],
    [false, 'properties.none', 'EXISTS'],
    [false, 'properties.none', 'NE', 'anything'],
    [false, 'properties.constructor', 'EXISTS'],
  ])('%s: %s %s %j', (expected, field, is, to) => {
    expect(holds(field, is, to)).toBe(expected);
  });

  test('all conditions have to hold, and the name above all', () => {
    const where = [
      { field: 'value', is: 'GT', to: 1 },
      { field: 'properties.plan', is: 'EQ', to: 'solo' },
    ] as const;
    expect(isTriggered({ event: 'feature.used', where }, event)).toBe(false);
    expect(isTriggered({ event: 'feature.used', where: where.slice(0, 1) }, event)).toBe(true);
    expect(isTriggered({ event: 'session.started', where: [] }, event)).toBe(false);
  });
});

describe('qualification', () => {
  const NOVEMBER = 2026 * 12 + 10;

  test.each<[QualificationWindow, object | null]>([
    [{ kind: 'LIFETIME' }, null],
    [{ kind: 'ROLLING_MONTHS', months: 1 }, [{ from: NOVEMBER, to: NOVEMBER + 1 }]],
    [{ kind: 'ROLLING_MONTHS', months: 12 }, [{ from: NOVEMBER - 11, to: NOVEMBER + 1 }]],
    [
      { kind: 'CALENDAR_YEAR' },
      [
        { from: 2026 * 12, to: 2027 * 12 },
        { from: 2025 * 12, to: 2026 * 12 },
      ],
    ],
  ])('%j in November', (window, stretches) => {
    expect(stretchesOf(window, NOVEMBER)).toEqual(stretches);
  });

  test('the best stretch upholds the tier', () => {
    expect(placeOf(DEFAULT_TIERS, [10, 2_500])).toBe('GOLD');
    expect(placeOf(DEFAULT_TIERS, [-5])).toBe('BRONZE');
    expect(addTo([{ from: 5, to: 7 }], [1], 6, 10)).toEqual([11]);
    expect(addTo([{ from: 5, to: 7 }], [1], 7, 10)).toEqual([1]);
  });

  test('a movement raises at once, and lowers only who rested on what was taken back', () => {
    fc.assert(
      fc.property(tierKey, fc.nat(6_000), fc.integer({ min: -6_000, max: 6_000 }), (held, counting, movement) => {
        const after = Math.max(counting + movement, 0);
        const places = { before: tierOf(DEFAULT_TIERS, counting).key, after: tierOf(DEFAULT_TIERS, after).key };
        const tier = tierHeld(held, places);
        if (movement >= 0) expect(tier).toBe(higherTier(held, places.after));
        else if (held === places.before) expect(tier).toBe(places.after);
        else if (higherTier(held, places.before) === held) expect(tier).toBe(held);
      }),
    );
  });

  test('a review warns, waits, and lowers when the grace is over, and forgives who has earned enough', () => {
    const now = AT;
    const later = new Date(AT.getTime() + 1);
    const look = (tier: TierKey, sum: number, downgradeAt: Date | null, graceEnds = later) =>
      review({ tier, sums: [sum], downgradeAt }, DEFAULT_TIERS, now, graceEnds);
    expect(look('GOLD', 2_500, null)).toEqual({ kind: 'KEEP' });
    expect(look('SILVER', 2_500, null)).toEqual({ kind: 'RAISE', to: 'GOLD' });
    expect(look('GOLD', 2_499, null)).toEqual({ kind: 'WARN', to: 'SILVER', downgradeAt: later });
    expect(look('GOLD', 2_499, null, now)).toEqual({ kind: 'LOWER', to: 'SILVER' });
    expect(look('GOLD', 0, later)).toEqual({ kind: 'WAIT', to: 'BRONZE', downgradeAt: later });
    expect(look('GOLD', 0, now)).toEqual({ kind: 'LOWER', to: 'BRONZE' });
    expect(look('GOLD', 2_500, now)).toEqual({ kind: 'RELIEVE' });
  });
});
