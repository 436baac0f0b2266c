import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RISK_RULES } from '../settings.ts';
import type { CustomerFacts } from './facts.ts';
import { assessRisk, categoryOf, RISK_CATEGORIES } from './retention-risk.ts';

const rules = RISK_RULES.default;
const nothing: CustomerFacts = {
  days: [],
  everActive: true,
  expectedActiveDays: 20,
  planFeatures: null,
  lastNps: null,
  invoices: [],
  tickets: [],
  churnProbability: null,
};
const used = (daysAgo: number, count: number) => ({
  daysAgo,
  name: 'session.started',
  feature: '',
  count,
  durationS: 0,
});
const indicatorOf = (facts: Partial<CustomerFacts>, name: string) =>
  assessRisk({ ...nothing, ...facts }, rules, null).indicators.find((indicator) => indicator.name === name)?.value;

describe('retention risk', () => {
  test('usage decline is 0 without a fall and 1 at −80 %', () => {
    expect(indicatorOf({ days: [used(5, 10), used(60, 30)] }, 'USAGE_DECLINE')).toBe(0);
    expect(indicatorOf({ days: [used(5, 2), used(60, 30)] }, 'USAGE_DECLINE')).toBeCloseTo(1, 10);
    expect(indicatorOf({ days: [used(5, 6), used(60, 30)] }, 'USAGE_DECLINE')).toBeCloseTo(0.5, 10);
    expect(indicatorOf({ days: [used(5, 6)] }, 'USAGE_DECLINE')).toBeNull();
  });

  test('support frequency is 1 at three times the own rate', () => {
    const tickets = (...daysAgo: number[]) => daysAgo.map((days) => ({ daysAgo: days, satisfaction: null }));
    expect(indicatorOf({ tickets: tickets(1, 40, 70, 100, 130, 160) }, 'SUPPORT_FREQUENCY')).toBe(0);
    expect(indicatorOf({ tickets: tickets(1, 2, 3, 40, 70, 100) }, 'SUPPORT_FREQUENCY')).toBe(1);
  });

  test('payment delay counts open invoices only, over 30 days', () => {
    expect(
      indicatorOf(
        {
          invoices: [
            { daysLate: 15, open: true },
            { daysLate: 90, open: false },
          ],
        },
        'PAYMENT_DELAY',
      ),
    ).toBe(0.5);
  });

  test('what is not known is left out', () => {
    expect(assessRisk({ ...nothing, churnProbability: 0.6 }, rules, null)).toMatchObject({
      score: 60,
      coverage: 0.3,
      category: 'AT_RISK',
    });
    expect(assessRisk(nothing, rules, null)).toMatchObject({ score: null, category: null });
  });

  test('a customer goes up at the edge and comes down five points below it', () => {
    expect(categoryOf(50, rules, 'MONITOR')).toBe('AT_RISK');
    expect(categoryOf(45, rules, 'AT_RISK')).toBe('AT_RISK');
    expect(categoryOf(44.99, rules, 'AT_RISK')).toBe('MONITOR');
    expect(categoryOf(3, rules, 'CRITICAL')).toBe('SECURE');
  });

  test('nobody flaps: a score that moves by less than the hysteresis changes the category at most once', () => {
    const wobble = fc.record({
      start: fc.double({ min: 0, max: 95, noNaN: true }),
      moves: fc.array(fc.double({ min: 0, max: 4.99, noNaN: true }), { minLength: 2, maxLength: 40 }),
    });
    fc.assert(
      fc.property(wobble, ({ start, moves }) => {
        let category = categoryOf(start, rules, null);
        let changes = 0;
        for (const move of moves) {
          const next = categoryOf(start + move, rules, category);
          if (next !== category) changes += 1;
          category = next;
        }
        expect(changes).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('without a past the category is that of the score', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 100, noNaN: true }), (score) => {
        const expected = [25, 50, 75].filter((edge) => score >= edge).length;
        expect(categoryOf(score, rules, null)).toBe(RISK_CATEGORIES[expected]);
      }),
    );
  });
});
