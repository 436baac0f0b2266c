import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alarmsOf, drift, driftLevel, profile } from '../../modules/churn/prediction/domain/drift.ts';
import type { ModelMetrics } from '../../modules/churn/prediction/domain/model.ts';
import { sentenceOf, topColumns, valueText } from '../../modules/churn/prediction/domain/reasons.ts';
import { judge, rollBackTarget, type Standing } from '../../modules/churn/prediction/domain/registry.ts';
import { score } from '../../modules/churn/prediction/domain/scoring.ts';
import { splitByTime } from '../../modules/churn/prediction/domain/split.ts';
import {
  chooseCalibration,
  type LabelledRows,
  trainChurnModel,
} from '../../modules/churn/prediction/domain/training.ts';
import { refuseLeaks } from '../../modules/churn/prediction/leaks.ts';
import { FEATURES, type FeatureLeak, featureNames } from '../../modules/value/contract.ts';
import { createRandom } from '../../src/learning/random.ts';
import { explain, fromJson, predict } from '../../src/learning/trees/index.ts';

const DAY_MS = 86_400_000;
const COLUMNS = featureNames.length;
const RECENCY = featureNames.indexOf('activityRecencyDays');
const REVENUE = featureNames.indexOf('revenue');
const PARAMETERS = {
  ...{ trees: 30, depth: 2, rate: 0.1, minChildWeight: 5, lambda: 1, rowShare: 0.8, columnShare: 0.8, seed: 7 },
  ...{ saveRate: 0.2, contactCostMinor: 2_000 },
};

/** Customers who leave the more likely the less they buy, and a little by recency. */
function customers(rows: number, seed: number): LabelledRows {
  const random = createRandom(seed);
  const features = Float32Array.from({ length: rows * COLUMNS }, () =>
    random.unit() < 0.1 ? Number.NaN : random.unit() * 100,
  );
  const labels = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const revenue = random.unit() * 1_000;
    const recency = random.unit() * 90;
    features[row * COLUMNS + REVENUE] = revenue;
    features[row * COLUMNS + RECENCY] = recency;
    labels[row] = random.unit() < 0.8 - revenue / 1_400 + recency / 900 ? 1 : 0;
  }
  return { features, labels, values: Float64Array.from(labels, () => 30_000) };
}

const input = (threads = 1) => ({
  names: featureNames,
  training: customers(1_500, 1),
  calibration: customers(600, 2),
  test: customers(600, 3),
  parameters: PARAMETERS,
  live: null,
  threads,
});

describe('the split', () => {
  test('is by time: what is fitted uses only what was known when the next window began', () => {
    const instants = fc.uniqueArray(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(
        instants,
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 0, max: 1_000 }),
        fc.integer({ min: 1, max: 12 }),
        (days, horizon, now, most) => {
          const snapshots = days.map((day) => ({ atMs: day * DAY_MS }));
          const split = splitByTime(snapshots, horizon * DAY_MS, now * DAY_MS, most);
          const labelled = days.filter((day) => day + horizon <= now);
          if (split === null) {
            // No three of them lie one horizon after another.
            const newest = Math.max(-1, ...labelled);
            const middle = Math.max(-1, ...labelled.filter((day) => day + horizon <= newest));
            expect(labelled.some((day) => day + horizon <= middle)).toBe(false);
            return;
          }
          const { training, calibration, test: newest } = split;
          expect(newest.atMs).toBe(Math.max(...labelled) * DAY_MS);
          expect(calibration.atMs + horizon * DAY_MS).toBeLessThanOrEqual(newest.atMs);
          for (const { atMs } of training) expect(atMs + horizon * DAY_MS).toBeLessThanOrEqual(calibration.atMs);
          expect(training.length).toBeLessThanOrEqual(most);
        },
      ),
    );
  });
});

describe('leaks', () => {
  test('a label smuggled into the features fails the run, by its name or under another', async () => {
    const honest = input().training;
    const smuggled = Float32Array.from(honest.features);
    for (const [row, label] of honest.labels.entries()) smuggled[row * COLUMNS + 4] = label;
    const found = (names: readonly string[], features: Float32Array) =>
      refuseLeaks(names, { ...honest, features }).then(
        () => [],
        ({ code, leaks }: FeatureLeak) => [code, ...leaks.map(({ column, kind }) => [column, kind])],
      );
    const renamed = featureNames.map((name, column) => (column === 4 ? 'label' : name));
    expect(await found(renamed, smuggled)).toEqual(['VALUE_FEATURE_LEAK', ['label', 'NOT_IN_CATALOGUE']]);
    expect(await found(featureNames, smuggled)).toEqual(['VALUE_FEATURE_LEAK', [featureNames[4], 'SEPARATES_LABEL']]);
    expect(await found(featureNames, honest.features)).toEqual([]);
  });
});

describe('a training', () => {
  test('gives the same model for the same data and seed, on any number of threads, and another for another seed', async () => {
    const [first, again, other] = await Promise.all([
      trainChurnModel(input(1)),
      trainChurnModel(input(2)),
      trainChurnModel({ ...input(1), parameters: { ...PARAMETERS, seed: 8 } }),
    ]);
    expect(again).toEqual(first);
    expect(other.trees).not.toBe(first.trees);
  });

  test('measures on the test window alone, and counts every customer of it once', async () => {
    const given = input();
    const { metrics, threshold } = await trainChurnModel(given);
    const rows = given.test.labels.length;
    const leavers = given.test.labels.reduce((sum, label) => sum + label, 0);
    expect(metrics.calibrationCurve.reduce((sum, { count }) => sum + count, 0)).toBe(rows);
    expect(metrics.rocAuc).toBeGreaterThan(metrics.baseline.rocAuc as number);
    const { truePositives = 0, falsePositives = 0, falseNegatives = 0, trueNegatives = 0 } = metrics.confusion ?? {};
    expect(truePositives + falsePositives + falseNegatives + trueNegatives).toBe(rows);
    expect(truePositives + falseNegatives).toBe(leavers);
    expect(metrics.profit).toMatchObject({ contacted: truePositives + falsePositives, reached: truePositives });
    const { saveRate, contactCostMinor } = PARAMETERS;
    expect(metrics.profit?.profitMinor).toBe(
      truePositives * saveRate * 30_000 - (truePositives + falsePositives) * contactCostMinor,
    );
    expect(threshold).toBeGreaterThan(0);
    const fate = await trainChurnModel({ ...given, test: { ...given.test, labels: new Float64Array(rows) } });
    expect(fate.trees).toBe((await trainChurnModel(given)).trees);
    expect(judge(fate.metrics).state).toBe('REFUSED');
  });

  test('takes the calibration that does better on rows it was not fitted to', () => {
    const random = createRandom(5);
    const scores = Float64Array.from({ length: 3_000 }, () => random.unit() * 8 - 4);
    const sigmoid = Float64Array.from(scores, (one) => (random.unit() < 1 / (1 + Math.exp(-one)) ? 1 : 0));
    const stairs = Float64Array.from(scores, (one) => (random.unit() < (one > 1 ? 0.9 : one > -3 ? 0.5 : 0.1) ? 1 : 0));
    expect(chooseCalibration(scores, sigmoid).map.kind).toBe('platt');
    expect(chooseCalibration(scores, stairs).map.kind).toBe('isotonic');
  });

  test('explains each score to the last digit', async () => {
    const given = input();
    const { trees, calibration, profile: then } = await trainChurnModel(given);
    const rows = given.test.labels.length;
    const scores = score({ model: { trees, calibration }, profile: then, features: given.test.features, rows });
    const model = fromJson(trees);
    const raw = predict(model, given.test.features, rows, 'raw');
    const { base, values } = explain(model, given.test.features, rows);
    for (let row = 0; row < rows; row += 50) {
      const own = values.subarray(row * COLUMNS, (row + 1) * COLUMNS);
      expect(base + own.reduce((sum, value) => sum + value, 0)).toBeCloseTo(raw[row] as number, 9);
      const [strongest = -1] = scores.reasonColumns.subarray(row * 5, row * 5 + 5);
      expect(Math.abs(own[strongest] as number)).toBe(Math.max(...own.map(Math.abs)));
    }
  });
});

describe('the registry', () => {
  const auc = fc.double({ min: 0, max: 1, noNaN: true });
  const interval = fc
    .record({ estimate: fc.double({ min: -1, max: 1, noNaN: true }), half: fc.double({ min: 0, max: 1, noNaN: true }) })
    .map(({ estimate, half }) => ({
      estimate,
      low: estimate - half,
      high: estimate + half,
      level: 0.95,
      replicates: 9,
    }));
  const reached = fc.record({
    rocAuc: fc.option(auc),
    difference: fc.option(interval),
    live: fc.option(fc.option(auc)),
  });

  test('lets a model live only if it beats the baseline beyond doubt, and the live one', () => {
    fc.assert(
      fc.property(reached, ({ rocAuc, difference, live }) => {
        const metrics = {
          rocAuc,
          baseline: { rocAuc: 0.5, aucDifference: difference },
          live: live === null ? null : ({ rocAuc: live } as ModelMetrics['live']),
        };
        const { state, reason } = judge(metrics);
        const beatsBaseline = rocAuc !== null && difference !== null && difference.low > 0;
        const beatsLive = live === null || (rocAuc ?? 0) > live;
        expect(state).toBe(!beatsBaseline ? 'REFUSED' : beatsLive ? 'LIVE' : 'CANDIDATE');
        expect(reason).not.toBe('');
      }),
      {
        examples: [
          [{ rocAuc: 0.7, difference: { estimate: 0.1, low: 0, high: 0.2, level: 0.95, replicates: 9 }, live: null }],
        ],
      },
    );
  });

  test('goes back to the model that was live last, or to the one asked for, never to one that was refused', () => {
    const standing: fc.Arbitrary<Standing> = fc.record({
      id: fc.uuid(),
      state: fc.constantFrom('CANDIDATE', 'LIVE', 'RETIRED', 'REFUSED'),
      wentLiveAt: fc.option(fc.date({ noInvalidDate: true })),
    });
    fc.assert(
      fc.property(fc.uniqueArray(standing, { selector: ({ id }) => id, maxLength: 12 }), (models) => {
        const before = rollBackTarget(models, null);
        const retired = models.filter(({ state, wentLiveAt }) => state === 'RETIRED' && wentLiveAt !== null);
        expect(before === null).toBe(retired.length === 0);
        for (const { wentLiveAt } of retired)
          expect(Number(before?.wentLiveAt)).toBeGreaterThanOrEqual(Number(wentLiveAt));
        for (const { id, state } of models) {
          const asked = rollBackTarget(models, id);
          expect(asked?.id ?? null).toBe(state === 'RETIRED' || state === 'CANDIDATE' ? id : null);
        }
      }),
    );
  });
});

describe('reasons', () => {
  test('name the feature, the value of the customer with its unit, and the direction', () => {
    const value = fc.option(fc.oneof(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.integer({ min: 0, max: 1e6 })));
    const contribution = fc.double({ min: -3, max: 3, noNaN: true }).filter((size) => size !== 0);
    fc.assert(
      fc.property(fc.constantFrom(...FEATURES), value, contribution, (feature, own, moved) => {
        const sentence = sentenceOf(feature, { feature: feature.name, contribution: moved, value: own }, 'GBP');
        expect(sentence).toContain(valueText(feature, own, 'GBP'));
        expect(sentence).toContain(moved > 0 ? 'raises' : 'lowers');
        expect(feature.description.startsWith(sentence.slice(0, sentence.indexOf(': ')))).toBe(true);
      }),
    );
    const of = (name: string, own: number | null, moved: number) =>
      sentenceOf(
        FEATURES.find((one) => one.name === name) as (typeof FEATURES)[number],
        { feature: name, contribution: moved, value: own },
        'GBP',
      );
    expect([
      of('recencyDays', 74.2, 0.4),
      of('revenue', 1234.5, -0.2),
      of('weekendShare', 0.25, -0.1),
      of('basketLines', 12.53, 0.1),
      of('recencyOverGap', null, 0.1),
    ]).toMatchInlineSnapshot(`
      [
        "Days since the last order: 74.2 days, which raises the probability of leaving.",
        "Amount of all orders so far: 1,234.5 GBP, which lowers the probability of leaving.",
        "Share of the orders placed on a Saturday or Sunday: 25 %, which lowers the probability of leaving.",
        "Mean lines of an order whose lines are known: 12.5 lines, which raises the probability of leaving.",
        "Days since the last order over the mean gap between orders: not known, which raises the probability of leaving.",
      ]
    `);
  });

  test('are the strongest ones, strongest first', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { maxLength: 33 }), (contributions) => {
        const top = topColumns(contributions, 0, contributions.length);
        const sizes = contributions
          .map(Math.abs)
          .filter((size) => size > 0)
          .sort((a, b) => b - a);
        expect(top.map((column) => Math.abs(contributions[column] as number))).toEqual(sizes.slice(0, 5));
      }),
    );
  });
});

describe('drift', () => {
  test('is nothing between equal customers, and an alarm where a feature moved', () => {
    const { features } = customers(2_000, 11);
    const scores = Float64Array.from({ length: 2_000 }, (_, row) => (row % 97) / 97);
    const then = profile(features, featureNames, scores);
    const same = drift(then, features, scores);
    expect(Math.max(same.score, ...same.features.map(({ psi }) => psi))).toBeCloseTo(0, 12);
    const limits = { watch: 0.1, alarm: 0.25 };
    const moved = Float32Array.from(features, (value, at) => (at % COLUMNS === REVENUE ? value * 3 : value));
    expect(alarmsOf(drift(then, moved, scores), limits)).toEqual(['revenue']);
    expect([0.0999, 0.1, 0.2499, 0.25].map((psi) => driftLevel(psi, limits))).toEqual([
      'STABLE',
      'WATCH',
      'WATCH',
      'ALARM',
    ]);
  });
});
