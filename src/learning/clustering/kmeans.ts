import { createRandom, shuffledIndices } from '../random.ts';
import { type LloydResult, lloyd } from './lloyd.ts';
import { type Matrix, pickRows } from './matrix.ts';
import { seedCentres, squaredDistance } from './seeding.ts';

export interface KMeansOptions {
  readonly k: number;
  readonly seed: number;
  /** Runs from centres of their own; the best is kept, so that more are never worse. */
  readonly restarts?: number;
  readonly iterationsMax?: number;
}

/** Restarts when nothing else is asked: enough to come within a thousandth of the best partition on data of customers. */
export const RESTARTS = 20;
/** Of more rows, restarts run on a sample of so many; the best few of their centres then go on with all rows. */
const ALL_ROWS_MAX = 50_000;
const SAMPLE_ROWS = 20_000;
const FINALISTS = 3;

export interface Clustering extends LloydResult {
  readonly k: number;
  /** Rows by cluster, largest first; below 1 only where there are fewer different rows than clusters. */
  readonly sizes: Int32Array;
}

/**
 * k-means: the partition into k clusters with the least sum of squared distances to their means, as far as restarts find it.
 * Above 50,000 rows the restarts run on a sample of 20,000, and the three best go on with all rows.
 * Same rows, options and version: the same clusters, numbered by size.
 * @throws RangeError unless 1 ≤ k ≤ rows
 */
export function kMeans(
  matrix: Matrix,
  { k, seed, restarts = RESTARTS, iterationsMax = 300 }: KMeansOptions,
): Clustering {
  if (!(Number.isInteger(k) && k >= 1 && k <= matrix.rows)) {
    throw new RangeError(`${matrix.rows} rows cannot form ${k} clusters.`);
  }
  if (restarts < 1) throw new RangeError(`${restarts} restarts find nothing.`);
  const random = createRandom(seed);
  const large = matrix.rows > ALL_ROWS_MAX;
  const searched = large ? pickRows(matrix, shuffledIndices(matrix.rows, random).subarray(0, SAMPLE_ROWS)) : matrix;
  let best: LloydResult[] = [];
  for (let run = 0; run < restarts; run++) {
    const found = lloyd(searched, seedCentres(searched, k, random), iterationsMax);
    best = [...best, found].sort((a, b) => a.inertia - b.inertia).slice(0, large ? FINALISTS : 1);
  }
  if (large) best = best.map(({ centres }) => lloyd(matrix, centres, iterationsMax));
  const winner = best.reduce((left, right) => (right.inertia < left.inertia ? right : left));
  return numberedBySize(winner, k, matrix.columns);
}

function numberedBySize(found: LloydResult, k: number, columns: number): Clustering {
  const counts = new Int32Array(k);
  for (const cluster of found.clusters) counts[cluster]! += 1;
  const order = Array.from(counts, (_, cluster) => cluster).sort((a, b) => counts[b]! - counts[a]! || a - b);
  const numbers = new Int32Array(k);
  const centres = new Float64Array(k * columns);
  for (const [number, cluster] of order.entries()) {
    numbers[cluster] = number;
    centres.set(found.centres.subarray(cluster * columns, (cluster + 1) * columns), number * columns);
  }
  return {
    ...found,
    k,
    centres,
    clusters: found.clusters.map((cluster) => numbers[cluster]!),
    sizes: Int32Array.from(order, (cluster) => counts[cluster]!),
  };
}

/** The cluster of each row: that of the nearest centre, the first of equally near ones. */
export function assignClusters(matrix: Matrix, centres: Float64Array): Int32Array {
  const k = centres.length / matrix.columns;
  return Int32Array.from({ length: matrix.rows }, (_, row) => {
    let nearest = 0;
    let least = Infinity;
    for (let centre = 0; centre < k; centre++) {
      const distance = squaredDistance(matrix, row, centres, centre);
      if (distance < least) {
        least = distance;
        nearest = centre;
      }
    }
    return nearest;
  });
}
