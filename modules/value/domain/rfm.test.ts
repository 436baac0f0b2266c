import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  describeRule,
  quintiles,
  type RfmFacts,
  type RfmScores,
  SEGMENT_RULES,
  SEGMENTS,
  scoreAll,
  segmentOf,
} from './rfm.ts';

const score = fc.integer({ min: 1, max: 5 }) as fc.Arbitrary<1 | 2 | 3 | 4 | 5>;
const scores: fc.Arbitrary<RfmScores> = fc.record({ recency: score, frequency: score, monetary: score });
const customers: fc.Arbitrary<RfmFacts[]> = fc.array(
  fc.record({
    customerId: fc.uuid(),
    recencyDays: fc.integer({ min: 0, max: 400 }),
    orders: fc.integer({ min: 1, max: 30 }),
    revenue: fc.integer({ min: 0, max: 100_000 }),
  }),
  { minLength: 1, maxLength: 120 },
);

describe('quintile scores', () => {
  test('are 1 to 5, never worse for a better value, and equal for equal ones', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 200 }), (values) => {
        const found = quintiles(Float64Array.from(values));
        for (const [a, left] of values.entries()) {
          expect(found[a]).toBeGreaterThanOrEqual(1);
          expect(found[a]).toBeLessThanOrEqual(5);
          for (const [b, right] of values.entries()) {
            if (left < right) expect(found[a]).toBeLessThanOrEqual(found[b] as number);
            if (left === right) expect(found[a]).toBe(found[b]);
          }
        }
      }),
    );
  });

  test('of different values are fifths', () => {
    const found = quintiles(Float64Array.from({ length: 1_000 }, (_, at) => (at * 7_919) % 1_000));
    expect([1, 2, 3, 4, 5].map((one) => found.filter((own) => own === one).length)).toEqual([200, 200, 200, 200, 200]);
  });

  test('do not depend on the order of the rows', () => {
    fc.assert(
      fc.property(customers, (facts) => {
        const forward = new Map(scoreAll(facts).map((own, at) => [facts[at], own]));
        const turned = facts.toReversed();
        for (const [at, own] of scoreAll(turned).entries()) expect(own).toEqual(forward.get(turned[at] as RfmFacts));
      }),
    );
  });

  test('call few days since the last order good', () => {
    const facts = [400, 300, 200, 100, 0].map((recencyDays) => ({
      customerId: '',
      recencyDays,
      orders: 1,
      revenue: 1,
    }));
    expect(scoreAll(facts).map(({ recency }) => recency)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('segments', () => {
  /** The definition, word by word. */
  function defined(r: number, v: number, orders: number): string {
    if (r >= 4 && v >= 4) return 'CHAMPIONS';
    if (r >= 3 && v >= 3.5) return 'LOYAL';
    if (r === 5 && orders === 1) return 'NEW';
    if (r >= 4 && v < 2) return 'PROMISING';
    if (r >= 3 && v >= 2) return 'POTENTIAL_LOYALISTS';
    if (r === 3) return 'NEEDS_ATTENTION';
    if (r <= 2 && v >= 3) return 'AT_RISK';
    return 'HIBERNATING';
  }

  test('are those of the definition for every possible customer, and each has one', () => {
    const met = new Set<string>();
    for (let recency = 1; recency <= 5; recency++)
      for (let frequency = 1; frequency <= 5; frequency++)
        for (let monetary = 1; monetary <= 5; monetary++)
          for (const orders of [1, 2, 9]) {
            const own = { recency, frequency, monetary } as RfmScores;
            const segment = segmentOf(own, orders);
            expect(segment).toBe(defined(recency, (frequency + monetary) / 2, orders));
            met.add(segment);
          }
    expect(met).toEqual(new Set(SEGMENTS));
  });

  test('every customer has exactly one under any rules that end with one for everybody', () => {
    const rule = fc.record(
      {
        segment: fc.constantFrom(...SEGMENTS),
        recencyMin: score,
        recencyMax: score,
        valueMin: score,
        valueBelow: score,
        orders: fc.integer({ min: 1, max: 3 }),
      },
      { requiredKeys: ['segment'] },
    );
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 6 }), fc.constantFrom(...SEGMENTS), scores, (rules, last, own) => {
        expect(SEGMENTS).toContain(segmentOf(own, 1, [...rules, { segment: last }]));
      }),
    );
  });

  test('say their rules in words', () => {
    expect(SEGMENT_RULES.map((rule) => `${rule.segment}: ${describeRule(rule)}`)).toMatchInlineSnapshot(`
      [
        "CHAMPIONS: recency score 4 to 5, frequency and monetary score 4 or more on average",
        "LOYAL: recency score 3 to 5, frequency and monetary score 3.5 or more on average",
        "NEW: recency score 5, a single order",
        "PROMISING: recency score 4 to 5, frequency and monetary score below 2 on average",
        "POTENTIAL_LOYALISTS: recency score 3 to 5, frequency and monetary score 2 or more on average",
        "NEEDS_ATTENTION: recency score 3",
        "AT_RISK: recency score 1 to 2, frequency and monetary score 3 or more on average",
        "HIBERNATING: everybody else",
      ]
    `);
  });
});
