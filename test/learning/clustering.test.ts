import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  assignClusters,
  chooseK,
  clusterByBestK,
  differentRows,
  elbowOf,
  fitScaler,
  kMeans,
  log1p,
  type Matrix,
  matrixOf,
  SILHOUETTE_ROWS_MAX,
  silhouette,
  silhouettes,
  standardise,
  unstandardise,
} from '../../src/learning/clustering/index.ts';
import { createRandom } from '../../src/learning/random.ts';
import { dataFile, numericColumns, relativeError } from './support.ts';

const distance = ({ values, columns }: Matrix, one: number, other: number) =>
  Math.hypot(
    ...Array.from({ length: columns }, (_, at) => values[one * columns + at]! - values[other * columns + at]!),
  );

/** Points on a coarse grid, so that some are equal. */
const points = (least: number) =>
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 })), {
      minLength: least,
      maxLength: 40,
    })
    .map((rows) => matrixOf(Float64Array.from(rows.flat()), 2));

/** Round clouds around centres far apart. */
function clouds(centres: readonly (readonly [number, number])[], each: number, seed: number): Matrix {
  const random = createRandom(seed);
  const rows = centres.flatMap(([x, y]) =>
    Array.from({ length: each }, () => [x + random.unit() + random.unit() - 1, y + random.unit() + random.unit() - 1]),
  );
  return matrixOf(Float64Array.from(rows.flat()), 2);
}

describe('scaling', () => {
  test('gives mean 0 and deviation 1 (ddof 0), leaves constants at 0, and goes back', () => {
    const matrix = matrixOf(Float64Array.of(1, 5, 3, 5, 5, 5, 7, 5), 2);
    const scaler = fitScaler(matrix);
    expect([...scaler.means]).toEqual([4, 5]);
    expect([...scaler.deviations]).toEqual([Math.sqrt(5), 1]);
    const scaled = standardise(matrix, scaler);
    expect([...scaled.values].filter((_, at) => at % 2 === 1)).toEqual([0, 0, 0, 0]);
    const back = unstandardise(scaled, scaler).values;
    for (const [at, value] of matrix.values.entries()) expect(back[at]).toBeCloseTo(value, 12);
  });

  test('names the value that has no logarithm or no distance', () => {
    expect(() => log1p(matrixOf(Float64Array.of(1, 2, -1, 3), 2))).toThrow('Row 1, column 0 is -1');
    expect(() => matrixOf(Float64Array.of(1, Number.NaN), 2)).toThrow('Row 0, column 1 is NaN');
    expect(() => matrixOf(Float64Array.of(1, 2, 3), 2)).toThrow(RangeError);
  });
});

describe('k-means', () => {
  test('each row is nearest to its own centre, which is the mean of its rows', () => {
    fc.assert(
      fc.property(points(4), fc.integer({ min: 1, max: 4 }), fc.nat({ max: 1000 }), (matrix, k, seed) => {
        const { clusters, centres, sizes, inertia, converged } = kMeans(matrix, { k, seed, restarts: 2 });
        expect(converged).toBe(true);
        let sum = 0;
        for (let row = 0; row < matrix.rows; row++) {
          const squares = Array.from({ length: k }, (_, c) =>
            [0, 1].reduce((total, at) => total + (matrix.values[row * 2 + at]! - centres[c * 2 + at]!) ** 2, 0),
          );
          sum += squares[clusters[row]!]!;
          expect(squares[clusters[row]!]!).toBeLessThanOrEqual(Math.min(...squares) + 1e-9);
        }
        expect(inertia).toBeCloseTo(sum, 8);
        expect([...sizes]).toEqual([...sizes].sort((a, b) => b - a));
        for (let c = 0; c < k; c++) {
          const own = Array.from(clusters.keys()).filter((row) => clusters[row] === c);
          expect(own).toHaveLength(sizes[c]!);
          for (const at of own.length === 0 ? [] : [0, 1]) {
            const mean = own.reduce((total, row) => total + matrix.values[row * 2 + at]!, 0) / own.length;
            expect(centres[c * 2 + at]).toBeCloseTo(mean, 9);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test('is never worse with more restarts, and the same for the same seed', () => {
    fc.assert(
      fc.property(points(5), fc.integer({ min: 2, max: 5 }), fc.nat({ max: 1000 }), (matrix, k, seed) => {
        const run = (restarts: number) => kMeans(matrix, { k, seed, restarts });
        expect(run(6).inertia).toBeLessThanOrEqual(run(2).inertia);
        expect(run(2)).toEqual(run(2));
      }),
      { numRuns: 40 },
    );
  });

  test('fills a cluster that lost its rows, as long as rows differ', () => {
    fc.assert(
      fc.property(points(3), fc.integer({ min: 1, max: 8 }), (matrix, k) => {
        fc.pre(k <= matrix.rows);
        const { sizes } = kMeans(matrix, { k, seed: 0, restarts: 1 });
        expect(sizes.filter((size) => size > 0)).toHaveLength(Math.min(k, differentRows(matrix, k)));
      }),
      { numRuns: 60 },
    );
    expect(() => kMeans(matrixOf(Float64Array.of(1, 2), 1), { k: 3, seed: 0 })).toThrow(RangeError);
  });

  test('of very many rows searches a sample, and ends in a minimum for all of them', () => {
    const matrix = clouds(
      [
        [0, 0],
        [9, 0],
        [0, 9],
      ],
      17_000,
      4,
    );
    const { sizes, converged } = kMeans(matrix, { k: 3, seed: 5, restarts: 3 });
    expect({ sizes: [...sizes], converged }).toEqual({ sizes: [17_000, 17_000, 17_000], converged: true });
  });

  test('gives new rows to the nearest centre', () => {
    const matrix = clouds(
      [
        [0, 0],
        [10, 0],
        [0, 10],
      ],
      30,
      1,
    );
    const { centres, clusters } = kMeans(matrix, { k: 3, seed: 1 });
    expect(assignClusters(matrix, centres)).toEqual(clusters);
  });
});

describe('silhouette', () => {
  test('is its definition', () => {
    fc.assert(
      fc.property(points(4), fc.integer({ min: 2, max: 3 }), (matrix, k) => {
        const clusters = Int32Array.from({ length: matrix.rows }, (_, row) => row % k);
        const meanTo = (row: number, cluster: number) => {
          const others = Array.from(clusters.keys()).filter((other) => other !== row && clusters[other] === cluster);
          return others.reduce((sum, other) => sum + distance(matrix, row, other), 0) / others.length;
        };
        let total = 0;
        for (let row = 0; row < matrix.rows; row++) {
          const own = clusters[row]!;
          if (clusters.filter((cluster) => cluster === own).length === 1) continue;
          const within = meanTo(row, own);
          const nearest = Math.min(...[0, 1, 2].filter((c) => c !== own && c < k).map((c) => meanTo(row, c)));
          total += Math.max(within, nearest) === 0 ? 0 : (nearest - within) / Math.max(within, nearest);
        }
        expect(silhouette(matrix, clusters, 0)).toBeCloseTo(total / matrix.rows, 9);
      }),
      { numRuns: 50 },
    );
    expect(silhouette(matrixOf(Float64Array.of(1, 2, 3), 1), Int32Array.of(0, 0, 0), 0)).toBeNull();
    expect(silhouette(matrixOf(Float64Array.of(1, 2, 3), 1), Int32Array.of(0, 1, 2), 0)).toBeNull();
  });

  test('of a sample is near that of all rows, and several at once are what each is alone', () => {
    const matrix = clouds(
      [
        [0, 0],
        [3, 0],
        [0, 3],
      ],
      500,
      2,
    );
    const clusterings = [2, 3].map((k) => kMeans(matrix, { k, seed: 1, restarts: 3 }).clusters);
    const exact = silhouettes(matrix, clusterings, 0);
    expect(exact).toEqual(clusterings.map((clusters) => silhouette(matrix, clusters, 0)));
    const sampled = silhouettes(matrix, clusterings, 7, 600);
    for (const [at, value] of sampled.entries()) expect(value).toBeCloseTo(exact[at]!, 1);
    expect(sampled).not.toEqual(exact);
    expect(SILHOUETTE_ROWS_MAX).toBe(20_000);
  });
});

describe('the choice of k', () => {
  const row = (k: number, inertia: number, width: number | null) => ({ k, inertia, silhouette: width });

  test('takes the elbow’s best neighbour, and says why', () => {
    const table = [row(2, 100, 0.6), row(3, 60, 0.3), row(4, 30, 0.4), row(5, 26, 0.35), row(6, 24, 0.5)];
    expect(elbowOf(table)).toBe(4);
    expect(chooseK(table)).toMatchObject({
      k: 4,
      elbow: 4,
      reason:
        'k = 4: the inertia bends at k = 4, and there and beside it 4 clusters have the highest silhouette, 0.400 (the others: 0.300 at 3, 0.350 at 5). ' +
        'By silhouette alone it would be 2 (0.600); fewer than 3 say too little about customers.',
    });
  });

  test('does without an elbow, without silhouettes and without k from three up', () => {
    expect(chooseK([row(2, 9, 0.9), row(3, 6, 0.2), row(4, 3, 0.3)])).toMatchObject({ k: 4, elbow: null });
    expect(chooseK([row(2, 9, 0.9)])).toMatchObject({ k: 2 });
    expect(chooseK([row(3, 2, null), row(4, 1, null)])).toMatchObject({ k: 3 });
    expect(() => chooseK([])).toThrow(RangeError);
  });

  test('finds the clouds that are there', () => {
    const matrix = clouds(
      [
        [0, 0],
        [8, 0],
        [0, 8],
        [8, 8],
      ],
      60,
      3,
    );
    const choice = clusterByBestK(matrix, { from: 2, to: 8, seed: 0 });
    expect(choice.k).toBe(4);
    expect([...choice.clustering.sizes]).toEqual([60, 60, 60, 60]);
    expect(() => clusterByBestK(matrixOf(new Float64Array(5), 1), { from: 2, to: 3, seed: 0 })).toThrow(
      '1 different rows',
    );
  });
});

test('agrees with scikit-learn on the customers of Online Retail', () => {
  const { recency, frequency, monetary } = numericColumns('online_retail_rfm.csv') as Record<string, Float64Array>;
  const reference: Record<string, { k: number; inertia: number; best_inertia_50: number; silhouette: number }[]> =
    JSON.parse(readFileSync(dataFile('online_retail_kmeans.json'), 'utf8'));
  const raw = matrixOf(
    Float64Array.from(
      { length: 3 * recency!.length },
      (_, at) => [recency!, frequency!, monetary!][at % 3]![Math.floor(at / 3)]!,
    ),
    3,
  );
  const logs = log1p(raw);
  const choice = clusterByBestK(standardise(logs, fitScaler(logs)), { from: 2, to: 10, seed: 0 });
  const expected = reference['online_retail_rfm/log1p_z']!;
  expect(choice.table.map(({ k }) => k)).toEqual(expected.map(({ k }) => k));
  for (const [at, { inertia, silhouette: width }] of choice.table.entries()) {
    expect(relativeError(inertia, expected[at]!.inertia)).toBeLessThan(0.001);
    expect(inertia).toBeLessThan(1.001 * expected[at]!.best_inertia_50);
    expect(Math.abs(width! - expected[at]!.silhouette)).toBeLessThan(0.005);
  }
  expect(choice).toMatchObject({ k: 4, elbow: 5 });
});
