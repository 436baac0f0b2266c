import { createRandom, shuffledIndices } from '../random.ts';
import { type Matrix, pickRows } from './matrix.ts';

/** Up to so many rows every pair is looked at; of more, so many are drawn. */
export const SILHOUETTE_ROWS_MAX = 20_000;

/**
 * Mean silhouette (Rousseeuw 1987) of several clusterings of the same rows, whose distances are computed once for all of
 * them: (b - a) / max(a, b) with a the mean distance to the own cluster's other rows and b that to the nearest other cluster. Rows
 * alone in their cluster count as 0.
 *
 * Exact up to 20,000 rows. Above, it is that of 20,000 rows drawn with `seed`. Memory: 8 bytes × 20,000 × the clusters of all
 * clusterings at most.
 * @param clusterings the cluster of each row, from 0 on
 * @returns per clustering; null when there are fewer than two clusters, or as many as rows
 */
export function silhouettes(
  matrix: Matrix,
  clusterings: readonly Int32Array[],
  seed: number,
  rowsMax = SILHOUETTE_ROWS_MAX,
): (number | null)[] {
  const chosen =
    matrix.rows > rowsMax ? shuffledIndices(matrix.rows, createRandom(seed)).subarray(0, rowsMax).sort() : null;
  const sample = chosen === null ? matrix : pickRows(matrix, chosen);
  const labels = clusterings.map((clusters) =>
    chosen === null ? clusters : Int32Array.from(chosen, (row) => clusters[row]!),
  );
  return new Sums(sample, labels).silhouettes();
}

/** Mean silhouette of one clustering, as `silhouettes`. */
export function silhouette(matrix: Matrix, clusters: Int32Array, seed: number): number | null {
  return silhouettes(matrix, [clusters], seed)[0] ?? null;
}

/** Per row, the sum of distances to each cluster of each clustering, those of one row side by side. */
class Sums {
  readonly #rows: number;
  readonly #labels: readonly Int32Array[];
  readonly #counts: readonly number[];
  readonly #width: number;
  readonly #sums: Float64Array;

  constructor(matrix: Matrix, labels: readonly Int32Array[]) {
    this.#rows = matrix.rows;
    this.#labels = labels;
    this.#counts = labels.map((clusters) => clusters.reduce((most, cluster) => Math.max(most, cluster + 1), 0));
    this.#width = this.#counts.reduce((sum, count) => sum + count, 0);
    this.#sums = new Float64Array(matrix.rows * this.#width);
    this.#add(matrix);
  }

  /** Each pair of rows once, its distance added on both sides. */
  #add({ values, rows, columns }: Matrix): void {
    const width = this.#width;
    const sums = this.#sums;
    const clusterings = this.#labels.length;
    // Where in a row's sums its own cluster of each clustering lies.
    const places = new Int32Array(rows * clusterings);
    for (let row = 0; row < rows; row++) {
      let offset = 0;
      for (let at = 0; at < clusterings; at++) {
        places[row * clusterings + at] = offset + this.#labels[at]![row]!;
        offset += this.#counts[at]!;
      }
    }
    for (let one = 1; one < rows; one++) {
      const oneSums = one * width;
      const onePlaces = one * clusterings;
      for (let other = 0; other < one; other++) {
        let square = 0;
        for (let column = 0, left = one * columns, right = other * columns; column < columns; column++) {
          const difference = values[left++]! - values[right++]!;
          square += difference * difference;
        }
        const distance = Math.sqrt(square);
        const otherSums = other * width;
        const otherPlaces = other * clusterings;
        for (let at = 0; at < clusterings; at++) {
          sums[oneSums + places[otherPlaces + at]!]! += distance;
          sums[otherSums + places[onePlaces + at]!]! += distance;
        }
      }
    }
  }

  silhouettes(): (number | null)[] {
    let offset = 0;
    return this.#labels.map((clusters, at) => {
      const from = offset;
      offset += this.#counts[at]!;
      return this.#mean(clusters, this.#counts[at]!, from);
    });
  }

  #mean(clusters: Int32Array, count: number, offset: number): number | null {
    const sizes = new Int32Array(count);
    for (const cluster of clusters) sizes[cluster]! += 1;
    const used = sizes.reduce((sum, size) => sum + (size > 0 ? 1 : 0), 0);
    if (used < 2 || used >= this.#rows) return null;
    let total = 0;
    for (let row = 0; row < this.#rows; row++) {
      const own = clusters[row]!;
      if (sizes[own] === 1) continue;
      const at = row * this.#width + offset;
      const within = this.#sums[at + own]! / (sizes[own]! - 1);
      let nearest = Infinity;
      for (let cluster = 0; cluster < count; cluster++) {
        if (cluster !== own && sizes[cluster]! > 0)
          nearest = Math.min(nearest, this.#sums[at + cluster]! / sizes[cluster]!);
      }
      const larger = Math.max(within, nearest);
      // Rows that all lie on one point are neither near nor far.
      if (larger > 0) total += (nearest - within) / larger;
    }
    return total / this.#rows;
  }
}
