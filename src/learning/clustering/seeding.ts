import type { Random } from '../random.ts';
import type { Matrix } from './matrix.ts';

/** Squared distance of a row to a centre. */
export function squaredDistance(matrix: Matrix, row: number, centres: Float64Array, centre: number): number {
  const { values, columns } = matrix;
  let sum = 0;
  for (let column = 0, left = row * columns, right = centre * columns; column < columns; column++) {
    const difference = values[left++]! - centres[right++]!;
    sum += difference * difference;
  }
  return sum;
}

/** The row at which the running sum of weights passes `mark`. */
function rowAt(weights: Float64Array, mark: number): number {
  let sum = 0;
  let last = 0;
  for (let row = 0; row < weights.length; row++) {
    if (weights[row]! <= 0) continue;
    sum += weights[row]!;
    last = row;
    if (sum > mark) return row;
  }
  return last;
}

/**
 * Greedy k-means++ (Arthur, Vassilvitskii 2007): each next centre is a row drawn with probability proportional to its squared distance to the
 * centres so far, the best of 2 + ln k draws.
 * @returns k centres, row after row; where fewer than k rows differ, some centres are equal
 */
export function seedCentres(matrix: Matrix, k: number, random: Random): Float64Array {
  const { values, rows, columns } = matrix;
  const centres = new Float64Array(k * columns);
  const place = (centre: number, row: number) =>
    centres.set(values.subarray(row * columns, (row + 1) * columns), centre * columns);
  const draws = 2 + Math.floor(Math.log(k));

  place(0, random.below(rows));
  let nearest = new Float64Array(rows);
  let total = 0;
  for (let row = 0; row < rows; row++) {
    nearest[row] = squaredDistance(matrix, row, centres, 0);
    total += nearest[row]!;
  }
  for (let centre = 1; centre < k; centre++) {
    let best: { row: number; distances: Float64Array<ArrayBuffer>; total: number } | null = null;
    for (let draw = 0; draw < draws; draw++) {
      const row = total > 0 ? rowAt(nearest, random.unit() * total) : random.below(rows);
      place(centre, row);
      const distances = new Float64Array(rows);
      let sum = 0;
      for (let other = 0; other < rows; other++) {
        const distance = Math.min(nearest[other]!, squaredDistance(matrix, other, centres, centre));
        distances[other] = distance;
        sum += distance;
      }
      if (best === null || sum < best.total) best = { row, distances, total: sum };
    }
    place(centre, best!.row);
    nearest = best!.distances;
    total = best!.total;
  }
  return centres;
}
