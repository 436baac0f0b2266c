import type { Matrix } from './matrix.ts';
import { squaredDistance } from './seeding.ts';

export interface LloydResult {
  /** k centres, row after row. */
  readonly centres: Float64Array;
  /** The cluster of each row. */
  readonly clusters: Int32Array;
  /** Sum of squared distances of the rows to the centres of their clusters. */
  readonly inertia: number;
  readonly iterations: number;
  /** Whether no row changed its cluster in the last iteration. */
  readonly converged: boolean;
}

/** Room for the rounding of distances, so that a bound never rules out a nearer centre. */
const SLACK = 1 + 1e-12;

/**
 * Lloyd's iterations (1982) from given centres, with Hamerly's bounds (2010): a row whose distance to its centre is provably below that to
 * any other keeps it without looking at them. The outcome is that of the plain iteration, in a fraction of the distances.
 *
 * A cluster that loses all its rows is given the row farthest from its own centre.
 */
export function lloyd(matrix: Matrix, start: Float64Array, iterationsMax: number): LloydResult {
  const { values, rows, columns } = matrix;
  const k = start.length / columns;
  const centres = Float64Array.from(start);
  const clusters = new Int32Array(rows);
  /** Distance to the own centre at most, and to any other at least. */
  const upper = new Float64Array(rows).fill(Infinity);
  const lower = new Float64Array(rows);
  const sizes = new Int32Array(k);
  const sums = new Float64Array(k * columns);
  const half = new Float64Array(k);

  let iterations = 0;
  let changed = true;
  for (; changed && iterations < iterationsMax; iterations++) {
    changed = false;
    halfGaps(centres, columns, half);
    for (let row = 0; row < rows; row++) {
      const own = clusters[row]!;
      const bound = Math.max(half[own]!, lower[row]!);
      if (upper[row]! * SLACK < bound) continue;
      upper[row] = Math.sqrt(squaredDistance(matrix, row, centres, own));
      if (upper[row]! * SLACK < bound) continue;
      if (assign(matrix, row, centres, k, clusters, upper, lower)) changed = true;
    }
    if (fillEmpty(matrix, centres, clusters, sizes, upper, lower)) changed = true;
    if (!changed && iterations > 0) break;
    changed = true;
    sums.fill(0);
    for (let row = 0, at = 0; row < rows; row++) {
      const into = clusters[row]! * columns;
      for (let column = 0; column < columns; column++) sums[into + column]! += values[at++]!;
    }
    moveCentres(centres, sums, sizes, columns, { clusters, upper, lower });
  }
  let inertia = 0;
  for (let row = 0; row < rows; row++) inertia += squaredDistance(matrix, row, centres, clusters[row]!);
  return { centres, clusters, inertia, iterations, converged: !changed };
}

/** Half of each centre's distance to the nearest other one: rows nearer than that are surely its own. */
function halfGaps(centres: Float64Array, columns: number, half: Float64Array): void {
  const all = { values: centres, rows: half.length, columns };
  half.fill(Infinity);
  for (let one = 0; one < half.length; one++) {
    for (let other = 0; other < one; other++) {
      const gap = Math.sqrt(squaredDistance(all, one, centres, other)) / 2;
      half[one] = Math.min(half[one]!, gap);
      half[other] = Math.min(half[other]!, gap);
    }
  }
}

/** Gives the row to its nearest centre (the own one when equally near) and makes its bounds exact. */
function assign(
  matrix: Matrix,
  row: number,
  centres: Float64Array,
  k: number,
  clusters: Int32Array,
  upper: Float64Array,
  lower: Float64Array,
): boolean {
  const before = clusters[row]!;
  let own = before;
  let nearest = squaredDistance(matrix, row, centres, own);
  let second = Infinity;
  for (let centre = 0; centre < k; centre++) {
    if (centre === before) continue;
    const distance = squaredDistance(matrix, row, centres, centre);
    if (distance < nearest) {
      second = nearest;
      nearest = distance;
      own = centre;
    } else if (distance < second) second = distance;
  }
  clusters[row] = own;
  upper[row] = Math.sqrt(nearest);
  lower[row] = Math.sqrt(second);
  return own !== before;
}

/** Counts the rows of each cluster, and gives an empty one the row that lies farthest from its own centre. */
function fillEmpty(
  matrix: Matrix,
  centres: Float64Array,
  clusters: Int32Array,
  sizes: Int32Array,
  upper: Float64Array,
  lower: Float64Array,
): boolean {
  sizes.fill(0);
  for (const cluster of clusters) sizes[cluster]! += 1;
  let moved = false;
  for (let cluster = 0; cluster < sizes.length; cluster++) {
    if (sizes[cluster]! > 0) continue;
    let farthest = -1;
    let distance = 0;
    for (let row = 0; row < clusters.length; row++) {
      if (sizes[clusters[row]!]! < 2) continue;
      const own = squaredDistance(matrix, row, centres, clusters[row]!);
      if (own > distance) {
        distance = own;
        farthest = row;
      }
    }
    // All rows lie on their centres: there are fewer different rows than clusters, and this one stays empty.
    if (farthest < 0) return moved;
    sizes[clusters[farthest]!]! -= 1;
    sizes[cluster] = 1;
    clusters[farthest] = cluster;
    centres.set(
      matrix.values.subarray(farthest * matrix.columns, (farthest + 1) * matrix.columns),
      cluster * matrix.columns,
    );
    upper[farthest] = 0;
    // A centre jumped: no bound on the distance to other centres holds any more.
    lower.fill(0);
    moved = true;
  }
  return moved;
}

/** Puts each centre into the mean of its rows and widens the bounds by how far centres moved. */
function moveCentres(
  centres: Float64Array,
  sums: Float64Array,
  sizes: Int32Array,
  columns: number,
  bounds: { readonly clusters: Int32Array; readonly upper: Float64Array; readonly lower: Float64Array },
): void {
  const k = sizes.length;
  const moves = new Float64Array(k);
  for (let centre = 0; centre < k; centre++) {
    if (sizes[centre] === 0) continue;
    let square = 0;
    for (let column = 0; column < columns; column++) {
      const at = centre * columns + column;
      const mean = sums[at]! / sizes[centre]!;
      square += (mean - centres[at]!) ** 2;
      centres[at] = mean;
    }
    moves[centre] = Math.sqrt(square) * SLACK;
  }
  let farthest = 0;
  let second = 0;
  let mover = -1;
  for (let centre = 0; centre < k; centre++) {
    if (moves[centre]! > farthest) {
      second = farthest;
      farthest = moves[centre]!;
      mover = centre;
    } else second = Math.max(second, moves[centre]!);
  }
  const { clusters, upper, lower } = bounds;
  for (let row = 0; row < clusters.length; row++) {
    const own = clusters[row]!;
    upper[row]! += moves[own]!;
    lower[row]! -= own === mover ? second : farthest;
  }
}
