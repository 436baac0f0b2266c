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
/** Sums are kept up to date while fewer than this share of the rows change their cluster, and made anew otherwise. */
const CHANGED_SHARE = 0.25;

/** What the iteration knows of the rows and of the clusters. */
interface State {
  readonly matrix: Matrix;
  readonly centres: Float64Array;
  readonly clusters: Int32Array;
  /** Distance of a row to its own centre at most, and to any other at least. */
  readonly upper: Float64Array;
  readonly lower: Float64Array;
  readonly sizes: Int32Array;
  readonly sums: Float64Array;
  /** How far each centre moved last, the farthest of all, and the farthest but for that one. */
  readonly moves: Float64Array;
  readonly mover: { centre: number; farthest: number; second: number };
}

/**
 * Lloyd's iterations (1982) from given centres, with Hamerly's bounds (2010): a row whose distance to its centre is provably below that to
 * any other keeps it without looking at them. The outcome is that of the plain iteration, in a fraction of the distances.
 *
 * A cluster that loses all its rows is given the row farthest from its own centre.
 */
export function lloyd(matrix: Matrix, start: Float64Array, iterationsMax: number): LloydResult {
  const { rows, columns } = matrix;
  const k = start.length / columns;
  const state: State = {
    matrix,
    centres: Float64Array.from(start),
    clusters: new Int32Array(rows),
    upper: new Float64Array(rows).fill(Infinity),
    lower: new Float64Array(rows),
    sizes: new Int32Array(k),
    sums: new Float64Array(k * columns),
    moves: new Float64Array(k),
    mover: { centre: -1, farthest: 0, second: 0 },
  };
  sumUp(state);
  const half = new Float64Array(k);
  let iterations = 0;
  let converged = false;
  while (!converged && iterations < iterationsMax) {
    halfGaps(state.centres, columns, half);
    const changes = assignAll(state, half);
    if (iterations === 0 || changes > CHANGED_SHARE * rows) sumUp(state);
    const filled = fillEmpty(state);
    converged = changes === 0 && !filled && iterations > 0;
    if (!converged) moveCentres(state);
    iterations++;
  }
  // What rounding left in sums kept up to date is not to stay in the centres.
  sumUp(state);
  moveCentres(state);
  let inertia = 0;
  for (let row = 0; row < rows; row++) inertia += squaredDistance(matrix, row, state.centres, state.clusters[row]!);
  return { centres: state.centres, clusters: state.clusters, inertia, iterations, converged };
}

/** Adds a row to the sums of a cluster, or takes it away. */
function count({ matrix, sums, sizes }: State, row: number, cluster: number, sign: 1 | -1): void {
  const { values, columns } = matrix;
  sizes[cluster]! += sign;
  for (let column = 0, from = row * columns, into = cluster * columns; column < columns; column++) {
    sums[into++]! += sign * values[from++]!;
  }
}

/** Makes sizes and sums of the clusters anew. */
function sumUp(state: State): void {
  state.sizes.fill(0);
  state.sums.fill(0);
  for (let row = 0; row < state.clusters.length; row++) count(state, row, state.clusters[row]!, 1);
}

/** Gives every row to its nearest centre; returns how many changed. */
function assignAll(state: State, half: Float64Array): number {
  const { matrix, centres, clusters, upper, lower, moves, mover } = state;
  let changes = 0;
  for (let row = 0; row < clusters.length; row++) {
    const own = clusters[row]!;
    // The bounds widen by how far the centres moved.
    lower[row]! -= own === mover.centre ? mover.second : mover.farthest;
    upper[row]! += moves[own]!;
    const bound = Math.max(half[own]!, lower[row]!);
    if (upper[row]! * SLACK < bound) continue;
    upper[row] = Math.sqrt(squaredDistance(matrix, row, centres, own));
    if (upper[row]! * SLACK < bound) continue;
    const nearest = assign(state, row);
    if (nearest === own) continue;
    changes++;
    count(state, row, own, -1);
    count(state, row, nearest, 1);
  }
  return changes;
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

/** Gives a row to its nearest centre (the own one when equally near) and makes its bounds exact. */
function assign({ matrix, centres, clusters, upper, lower, sizes }: State, row: number): number {
  const before = clusters[row]!;
  let own = before;
  let nearest = upper[row]! ** 2;
  let second = Infinity;
  for (let centre = 0; centre < sizes.length; centre++) {
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
  return own;
}

/** Gives each empty cluster the row that lies farthest from its own centre; whether there was one. */
function fillEmpty(state: State): boolean {
  const { matrix, centres, clusters, sizes, upper, lower } = state;
  let filled = false;
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
    if (farthest < 0) return filled;
    count(state, farthest, clusters[farthest]!, -1);
    count(state, farthest, cluster, 1);
    clusters[farthest] = cluster;
    const from = farthest * matrix.columns;
    centres.set(matrix.values.subarray(from, from + matrix.columns), cluster * matrix.columns);
    upper[farthest] = 0;
    // A centre jumped: no bound on the distance to other centres holds any more.
    lower.fill(0);
    filled = true;
  }
  return filled;
}

/** Puts each centre into the mean of its rows. */
function moveCentres({ matrix, centres, sums, sizes, moves, mover }: State): void {
  const { columns } = matrix;
  mover.centre = -1;
  mover.farthest = 0;
  mover.second = 0;
  for (let centre = 0; centre < sizes.length; centre++) {
    let square = 0;
    for (let column = 0; column < columns && sizes[centre]! > 0; column++) {
      const at = centre * columns + column;
      const mean = sums[at]! / sizes[centre]!;
      square += (mean - centres[at]!) ** 2;
      centres[at] = mean;
    }
    const move = Math.sqrt(square) * SLACK;
    moves[centre] = move;
    if (move > mover.farthest) {
      mover.second = mover.farthest;
      mover.farthest = move;
      mover.centre = centre;
    } else mover.second = Math.max(mover.second, move);
  }
}
