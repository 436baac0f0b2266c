import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HEALTH_RULES } from '../settings.ts';
import type { CustomerFacts } from './facts.ts';
import { assessHealth, tierOf } from './health.ts';

const nothing: CustomerFacts = {
  days: [],
  everActive: false,
  expectedActiveDays: 20,
  planFeatures: null,
  lastNps: null,
  invoices: [],
  tickets: [],
  churnProbability: null,
};
const rules = HEALTH_RULES.default;
const usedOn = (daysAgo: number, feature = '') => ({
  daysAgo,
  name: feature === '' ? 'session.started' : 'feature.used',
  feature,
  count: 1,
  durationS: 0,
});
const partOf = (facts: Partial<CustomerFacts>, name: string) =>
  assessHealth({ ...nothing, ...facts }, rules).parts.find((part) => part.name === name)?.value;

describe('health', () => {
  test('nothing known is no score, not a bad one', () => {
    expect(assessHealth(nothing, rules)).toMatchObject({ score: null, tier: null, coverage: 0 });
  });

  test('known parts are re-weighed and the score says how much it covers', () => {
    const health = assessHealth({ ...nothing, lastNps: 9, tickets: [{ daysAgo: 3, satisfaction: 4 }] }, rules);
    // (10 × 0.9 + 15 × 0.8) / 25
    expect(health).toMatchObject({ score: 84, tier: 'HEALTHY', coverage: 0.25 });
  });

  test('usage is active days of 30 over the days expected, capped; silence is zero once there was activity', () => {
    const days = [...Array.from({ length: 10 }, (_, day) => usedOn(day)), usedOn(3), usedOn(30)];
    expect(partOf({ days, everActive: true }, 'USAGE_FREQUENCY')).toBe(0.5);
    expect(partOf({ days, everActive: true, expectedActiveDays: 5 }, 'USAGE_FREQUENCY')).toBe(1);
    expect(partOf({ everActive: true }, 'USAGE_FREQUENCY')).toBe(0);
    expect(partOf({}, 'USAGE_FREQUENCY')).toBeNull();
  });

  test('adoption counts different features of 90 days', () => {
    const days = [usedOn(1, 'a'), usedOn(2, 'a'), usedOn(89, 'b'), usedOn(90, 'c')];
    expect(partOf({ days, everActive: true, planFeatures: 4 }, 'FEATURE_ADOPTION')).toBe(0.5);
  });

  test('payment history falls with the days an invoice is late, up to 60', () => {
    const invoice = (daysLate: number) => ({ daysLate, open: false });
    expect(partOf({ invoices: [invoice(-5), invoice(0)] }, 'PAYMENT_HISTORY')).toBe(1);
    expect(partOf({ invoices: [invoice(30), invoice(0)] }, 'PAYMENT_HISTORY')).toBe(0.75);
    expect(partOf({ invoices: [invoice(400)] }, 'PAYMENT_HISTORY')).toBe(0);
  });

  test('tiers begin at their edge', () => {
    expect([39.99, 40, 69.99, 70].map((score) => tierOf(score, rules.tiers))).toEqual([
      'POOR',
      'NEUTRAL',
      'NEUTRAL',
      'HEALTHY',
    ]);
  });

  test('a score stays within 0 and 100, and a better answer never makes it worse', () => {
    const facts = fc.record({
      nps: fc.integer({ min: 0, max: 9 }),
      lateness: fc.array(fc.double({ min: -100, max: 500, noNaN: true }), { maxLength: 12 }),
      active: fc.array(fc.integer({ min: 0, max: 119 }), { maxLength: 60 }),
    });
    fc.assert(
      fc.property(facts, ({ nps, lateness, active }) => {
        const given = {
          ...nothing,
          everActive: active.length > 0,
          days: active.map((day) => usedOn(day)),
          invoices: lateness.map((daysLate) => ({ daysLate, open: false })),
        };
        const worse = assessHealth({ ...given, lastNps: nps }, rules);
        const better = assessHealth({ ...given, lastNps: nps + 1 }, rules);
        expect(worse.score).toBeGreaterThanOrEqual(0);
        expect(better.score).toBeLessThanOrEqual(100);
        expect(better.score).toBeGreaterThanOrEqual(worse.score ?? 0);
      }),
    );
  });
});
