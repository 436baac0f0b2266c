import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  breakEvenProbability,
  calibrate,
  chooseThreshold,
  fitIsotonic,
  fitPlatt,
  isotonicAt,
} from '../../src/learning/calibration/index.ts';
import { expectedCalibrationError, logLoss } from '../../src/learning/metrics/index.ts';
import { createRandom } from '../../src/learning/random.ts';

const rows = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 15 }), fc.constantFrom(0, 1), fc.integer({ min: 1, max: 4 })),
  {
    minLength: 1,
    maxLength: 60,
  },
);

describe('isotonic regression', () => {
  test('never falls and keeps the mean', () => {
    fc.assert(
      fc.property(rows, (data) => {
        const scores = data.map(([score]) => score);
        const labels = data.map(([, label]) => label);
        const weights = data.map(([, , weight]) => weight);
        const map = fitIsotonic(scores, labels, weights);
        const fitted = calibrate(map, scores);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const mean = (values: ArrayLike<number>) =>
          weights.reduce((sum, weight, row) => sum + weight * values[row]!, 0) / total;
        expect(mean(fitted)).toBeCloseTo(mean(labels), 10);
        for (let at = 1; at < map.values.length; at++) {
          expect(map.values[at]!).toBeGreaterThanOrEqual(map.values[at - 1]!);
          expect(map.scores[at]!).toBeGreaterThan(map.scores[at - 1]!);
        }
      }),
    );
  });

  test('is the best of all rising maps', () => {
    fc.assert(
      fc.property(
        rows,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 16, maxLength: 16 }),
        (data, steps) => {
          const scores = data.map(([score]) => score);
          const labels = data.map(([, label]) => label);
          const rising = steps.toSorted((a, b) => a - b);
          const loss = (value: (score: number) => number) =>
            scores.reduce((sum, score, row) => sum + (value(score) - labels[row]!) ** 2, 0);
          const map = fitIsotonic(scores, labels);
          expect(loss((score) => isotonicAt(map, score))).toBeLessThanOrEqual(loss((score) => rising[score]!) + 1e-9);
        },
      ),
    );
  });

  test('runs straight between knots and flat beyond them', () => {
    const map = fitIsotonic([1, 2, 3, 4], [0, 1, 0, 1]);
    expect(map).toEqual({ kind: 'isotonic', scores: [1, 2, 3, 4], values: [0, 0.5, 0.5, 1] });
    expect([0, 1.5, 2.5, 3.5, 9].map((score) => isotonicAt(map, score))).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(() => fitIsotonic([1, Number.NaN], [0, 1])).toThrow(/row 1/);
  });
});

describe('Platt’s sigmoid', () => {
  const random = createRandom(21);
  const logits = Float64Array.from({ length: 4_000 }, () => 6 * random.unit() - 3);
  const labels = logits.map((logit) => (random.unit() < 1 / (1 + Math.exp(1 - 0.5 * logit)) ? 1 : 0));

  test('finds how overconfident scores are', () => {
    const map = fitPlatt(logits, labels);
    expect(map.slope).toBeCloseTo(-0.5, 1);
    expect(map.offset).toBeCloseTo(1, 1);
    const raw = logits.map((logit) => 1 / (1 + Math.exp(-logit)));
    expect(expectedCalibrationError(labels, calibrate(map, logits))).toBeLessThan(
      expectedCalibrationError(labels, raw) / 5,
    );
  });

  test('cannot be bettered by moving either parameter', () => {
    const map = fitPlatt(logits, labels);
    // The targets are drawn in a little, so that the plain loss is at its least up to that.
    const loss = (slope: number, offset: number) =>
      logLoss(labels, calibrate({ kind: 'platt', slope, offset }, logits));
    for (const by of [-0.05, 0.05]) {
      expect(loss(map.slope, map.offset)).toBeLessThan(loss(map.slope + by, map.offset));
      expect(loss(map.slope, map.offset)).toBeLessThan(loss(map.slope, map.offset + by));
    }
  });

  test('stays finite for labels of one kind, scores that tell all, and huge scores', () => {
    for (const [scores, kinds] of [
      [
        [1, 2, 3],
        [1, 1, 1],
      ],
      [
        [-1, -2, 1, 2],
        [0, 0, 1, 1],
      ],
      [
        [-1e6, 1e6, 2e6],
        [0, 1, 1],
      ],
    ] as const) {
      const probabilities = calibrate(fitPlatt(scores, kinds), scores);
      for (const probability of probabilities) {
        expect(probability).toBeGreaterThanOrEqual(0);
        expect(probability).toBeLessThanOrEqual(1);
      }
    }
  });
});

describe('the threshold of profit', () => {
  test('is the best of all thresholds', () => {
    const customers = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 10 }), fc.constantFrom(0, 1), fc.integer({ min: 0, max: 100 })),
      {
        minLength: 1,
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(customers, fc.integer({ min: 0, max: 30 }), (data, contactCost) => {
        const probabilities = data.map(([score]) => score / 10);
        const labels = data.map(([, label]) => label);
        const value = data.map(([, , worth]) => worth);
        const saveRate = 0.4;
        const profitAt = (threshold: number) =>
          data.reduce(
            (sum, _, row) =>
              sum + (probabilities[row]! >= threshold ? labels[row]! * saveRate * value[row]! - contactCost : 0),
            0,
          );
        const chosen = chooseThreshold(labels, probabilities, { value, saveRate, contactCost });
        const best = Math.max(0, ...probabilities.map(profitAt));
        expect(chosen.profit).toBeCloseTo(best, 8);
        expect(chosen.threshold === null ? 0 : profitAt(chosen.threshold)).toBeCloseTo(best, 8);
        expect(chosen.profitOfAll).toBeCloseTo(profitAt(0), 8);
      }),
    );
  });

  test('contacts nobody when no contact pays', () => {
    expect(chooseThreshold([1, 0], [0.9, 0.1], { value: 10, saveRate: 0.5, contactCost: 6 })).toEqual({
      threshold: null,
      profit: 0,
      contacted: 0,
      reached: 0,
      profitOfAll: -7,
    });
    expect(breakEvenProbability(100, 0.5, 5)).toBe(0.1);
    expect(breakEvenProbability(100, 0.5, 51)).toBeNull();
    expect(breakEvenProbability(0, 0.5, 0)).toBeNull();
  });
});
