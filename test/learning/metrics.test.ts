import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bootstrap,
  bootstrapAuc,
  bootstrapAucDifference,
  bootstrapMean,
  brierScore,
  calibrationByQuantile,
  calibrationCurve,
  confusionAt,
  countByBin,
  coverage,
  expectedCalibrationError,
  liftAt,
  logLoss,
  meanAbsoluteError,
  pearson,
  pinballLoss,
  populationStability,
  prAuc,
  psiOfCounts,
  quantileEdges,
  quantileOfSorted,
  ranksOf,
  rocAuc,
  rootMeanSquaredError,
  rSquared,
  spearman,
} from '../../src/learning/metrics/index.ts';
import { createRandom } from '../../src/learning/random.ts';

/** Rows with a 0/1 label and a score; few different scores, so that there are ties. */
const labelled = fc.array(fc.tuple(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 8 })), {
  minLength: 2,
  maxLength: 40,
});
const split = (rows: readonly (readonly [number, number])[]) => ({
  labels: rows.map(([label]) => label),
  scores: rows.map(([, score]) => score / 8),
});

describe('ranking', () => {
  test('AUC is the share of pairs ranked rightly, ties half', () => {
    fc.assert(
      fc.property(labelled, (rows) => {
        const { labels, scores } = split(rows);
        let wins = 0;
        let pairs = 0;
        for (const [i, one] of labels.entries()) {
          for (const [j, other] of labels.entries()) {
            if (one !== 1 || other !== 0) continue;
            pairs++;
            wins += scores[i]! > scores[j]! ? 1 : scores[i] === scores[j] ? 0.5 : 0;
          }
        }
        if (pairs === 0) expect(rocAuc(labels, scores)).toBeNull();
        else expect(rocAuc(labels, scores)).toBeCloseTo(wins / pairs, 12);
      }),
    );
  });

  test('average precision is the sum over thresholds, whatever the order of the rows', () => {
    // scikit-learn's example: average_precision_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).
    expect(prAuc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])).toBeCloseTo(0.833_333_333_333, 11);
    fc.assert(
      fc.property(labelled, (rows) => {
        const { labels, scores } = split(rows);
        const positives = labels.filter((label) => label === 1).length;
        let area = 0;
        let before = 0;
        for (const threshold of [...new Set(scores)].sort((a, b) => b - a)) {
          const { truePositives, falsePositives } = confusionAt(labels, scores, threshold);
          area += ((truePositives - before) / positives) * (truePositives / (truePositives + falsePositives));
          before = truePositives;
        }
        if (positives === 0) expect(prAuc(labels, scores)).toBeNull();
        else expect(prAuc(labels, scores)).toBeCloseTo(area, 12);
        expect(prAuc(labels.toReversed(), scores.toReversed())).toBe(prAuc(labels, scores));
      }),
    );
  });

  test('lift counts ties at the edge in proportion', () => {
    expect(liftAt([1, 1, 0, 0, 0, 0, 0, 0, 0, 0], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], 0.2)).toBe(5);
    // One of the three best is taken, and one of them is the only positive.
    expect(liftAt([1, 0, 0, 0, 0, 0, 0, 0, 0, 0], [2, 2, 2, 1, 1, 1, 1, 1, 1, 1], 0.1)).toBeCloseTo(10 / 3, 12);
    expect(liftAt([0, 0], [1, 2], 0.5)).toBeNull();
    expect(liftAt([1, 0, 1], [3, 3, 1], 1)).toBe(1);
  });

  test('Spearman shares the ranks of ties', () => {
    expect([...ranksOf([10, 20, 20, 5])]).toEqual([2, 3.5, 3.5, 1]);
    // scipy.stats.spearmanr([1, 2, 2, 4, 5], [5, 6, 7, 8, 7]).
    expect(spearman([1, 2, 2, 4, 5], [5, 6, 7, 8, 7])).toBeCloseTo(0.763_157_894_736_842, 12);
    expect(spearman([1, 1], [1, 2])).toBeNull();
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 30 }), (values) => {
        expect(spearman(values, values.map(Math.exp))).toBeCloseTo(1, 12);
        expect(
          pearson(
            values,
            values.map((value) => 3 - 2 * value),
          ),
        ).toBeCloseTo(-1, 12);
      }),
    );
  });

  test('a score that is no number is refused', () => {
    expect(() => rocAuc([0, 1], [0.5, Number.NaN])).toThrow(/row 1/);
    expect(() => rocAuc([0, 1], [0.5])).toThrow(RangeError);
    expect(() => logLoss([], [])).toThrow(RangeError);
  });
});

describe('probabilities', () => {
  test('log-loss and Brier are lowest for the true share', () => {
    expect(logLoss([1, 0], [0.8, 0.4])).toBeCloseTo(-(Math.log(0.8) + Math.log(0.6)) / 2, 14);
    expect(logLoss([1], [0])).toBeCloseTo(-Math.log(Number.EPSILON), 12);
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0, 1), { minLength: 3, maxLength: 50 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        (labels, other) => {
          const share = labels.reduce((sum: number, label) => sum + label, 0) / labels.length;
          const constant = (value: number) => labels.map(() => value);
          expect(logLoss(labels, constant(share))).toBeLessThanOrEqual(logLoss(labels, constant(other)) + 1e-12);
          expect(brierScore(labels, constant(share))).toBeLessThanOrEqual(brierScore(labels, constant(other)) + 1e-12);
          expect(expectedCalibrationError(labels, constant(share))).toBeCloseTo(0, 12);
        },
      ),
    );
  });

  test('the calibration curve holds every row once', () => {
    const labels = [0, 1, 1, 0, 1];
    const probabilities = [0.05, 0.95, 1, 0.1, 0.55];
    const curve = calibrationCurve(labels, probabilities);
    expect(curve.map(({ count }) => count)).toEqual([1, 1, 0, 0, 0, 1, 0, 0, 0, 2]);
    expect(curve[9]).toMatchObject({ from: 0.9, to: 1, predicted: 0.975, observed: 1 });
    expect(curve[2]).toMatchObject({ predicted: null, observed: null });
    // (.05 + .1 + .45 + 2 × .025) / 5
    expect(expectedCalibrationError(labels, probabilities)).toBeCloseTo(0.13, 12);
    expect(calibrationByQuantile(labels, probabilities, 2).map(({ count }) => count)).toEqual([3, 2]);
    expect(() => calibrationCurve([1], [1.2])).toThrow(/row 0/i);
  });

  test('the confusion at a threshold adds up', () => {
    expect(confusionAt([1, 1, 0, 0, 0], [0.9, 0.3, 0.6, 0.2, 0.1], 0.5)).toEqual({
      threshold: 0.5,
      truePositives: 1,
      falsePositives: 1,
      trueNegatives: 2,
      falseNegatives: 1,
      accuracy: 0.6,
      precision: 0.5,
      recall: 0.5,
      specificity: 2 / 3,
      f1: 0.5,
    });
    expect(confusionAt([0], [0.1], 0.5)).toMatchObject({ precision: null, recall: null, f1: null, accuracy: 1 });
  });
});

describe('errors of amounts', () => {
  test('are what they are called', () => {
    const actual = [1, 2, 3, 4];
    const predicted = [1, 3, 3, 2];
    expect(meanAbsoluteError(actual, predicted)).toBe(0.75);
    expect(rootMeanSquaredError(actual, predicted)).toBeCloseTo(Math.sqrt(1.25), 14);
    expect(rSquared(actual, predicted)).toBe(0);
    expect(rSquared([2, 2], [1, 2])).toBeNull();
    expect(pinballLoss(actual, predicted, 0.9)).toBeCloseTo((0.1 + 0.9 * 2) / 4, 14);
    expect(pinballLoss(actual, predicted, 0.5)).toBeCloseTo(0.75 / 2, 14);
    expect(coverage(actual, [0, 0, 3, 5], [1, 1, 4, 6])).toBe(0.5);
  });

  test('pinball is least at the quantile', () => {
    const values = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(
        values,
        fc.double({ min: 0.05, max: 0.95, noNaN: true }),
        fc.integer({ min: 0, max: 100 }),
        (actual, quantile, other) => {
          const sorted = actual.toSorted((a, b) => a - b);
          const best = sorted[Math.min(sorted.length - 1, Math.ceil(quantile * sorted.length) - 1)]!;
          const loss = (value: number) =>
            pinballLoss(
              actual,
              actual.map(() => value),
              quantile,
            );
          expect(loss(best)).toBeLessThanOrEqual(loss(other) + 1e-9);
        },
      ),
    );
  });
});

describe('drift', () => {
  test('PSI is never below 0, and 0 for the same sample', () => {
    const sample = fc.array(fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant(Number.NaN)), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(sample, sample, (one, other) => {
        expect(populationStability(one, other)).toBeGreaterThanOrEqual(0);
        expect(populationStability(one, one)).toBe(0);
      }),
    );
    expect(psiOfCounts([50, 50], [60, 40])).toBeCloseTo(0.1 * Math.log(0.6 / 0.5) - 0.1 * Math.log(0.4 / 0.5), 14);
    expect(() => psiOfCounts([0, 0], [1, 1])).toThrow(RangeError);
  });

  test('bins hold as many rows each, and missing values apart', () => {
    const values = Array.from({ length: 100 }, (_, at) => at);
    const edges = quantileEdges(values, 4);
    expect([...edges]).toEqual([24.75, 49.5, 74.25]);
    expect([...countByBin([...values, Number.NaN], edges)]).toEqual([25, 25, 25, 25, 1]);
    expect(quantileOfSorted([1, 2, 4], 0.75)).toBe(3);
  });
});

describe('bootstrap', () => {
  const random = createRandom(11);
  const labels = Float64Array.from({ length: 400 }, () => (random.unit() < 0.3 ? 1 : 0));
  const good = labels.map((label) => label + 2 * random.unit());
  const poor = labels.map((label) => 0.2 * label + 2 * random.unit());

  test('brackets the estimate, and is the same for the same seed', () => {
    const interval = bootstrapAuc(labels, good, { seed: 1, replicates: 400 })!;
    expect(interval.estimate).toBe(rocAuc(labels, good));
    expect(interval.low).toBeLessThan(interval.estimate);
    expect(interval.high).toBeGreaterThan(interval.estimate);
    // Hanley and McNeil's standard error of this area is .022: the interval is about four of them wide.
    expect(interval.high - interval.low).toBeGreaterThan(0.05);
    expect(interval.high - interval.low).toBeLessThan(0.12);
    expect(bootstrapAuc(labels, good, { seed: 1, replicates: 400 })).toEqual(interval);
    expect(bootstrapAuc([1, 1], [0, 1], { seed: 1 })).toBeNull();
  });

  test('tells a better score from a worse one, and the same from none', () => {
    const better = bootstrapAucDifference(labels, good, poor, { seed: 2, replicates: 400 })!;
    expect(better.estimate).toBeCloseTo(rocAuc(labels, good)! - rocAuc(labels, poor)!, 14);
    expect(better.low).toBeGreaterThan(0);
    expect(bootstrapAucDifference(labels, good, good, { seed: 2, replicates: 50 })).toMatchObject({ low: 0, high: 0 });
  });

  test('covers a mean about as often as it says', () => {
    const draws = createRandom(5);
    let held = 0;
    for (let run = 0; run < 100; run++) {
      const values = Float64Array.from({ length: 60 }, () => draws.unit());
      const { low, high } = bootstrapMean(values, { seed: run, replicates: 200, level: 0.9 })!;
      if (low <= 0.5 && high >= 0.5) held++;
    }
    expect(held).toBeGreaterThan(78);
    expect(held).toBeLessThan(99);
  });

  test('gives up on a statistic that is hardly ever defined', () => {
    let calls = 0;
    expect(bootstrap(5, () => (calls++ === 0 ? 1 : null), { seed: 1, replicates: 20 })).toBeNull();
  });
});
