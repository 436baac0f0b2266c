import { quantileOfSorted, rowsOf, type Vector } from './vectors.ts';

/** Share below which a bin is taken to hold: an empty bin would make the index infinite. */
const SHARE_MIN = 1e-4;

/**
 * Population stability index (symmetric Kullback-Leibler divergence; Siddiqi, Credit Risk Scorecards, 2006) of two histograms over the
 * same bins. Never below 0. Customary reading: under 0.1 stable, 0.1-0.25 look at it, above 0.25 another population.
 * @throws RangeError when either histogram is empty
 */
export function psiOfCounts(expected: Vector, actual: Vector): number {
  const bins = rowsOf(expected, actual);
  let expectedTotal = 0;
  let actualTotal = 0;
  for (let bin = 0; bin < bins; bin++) {
    expectedTotal += expected[bin]!;
    actualTotal += actual[bin]!;
  }
  if (!(expectedTotal > 0 && actualTotal > 0))
    throw new RangeError('A histogram without rows has no shares to compare.');
  let index = 0;
  for (let bin = 0; bin < bins; bin++) {
    const before = Math.max(expected[bin]! / expectedTotal, SHARE_MIN);
    const after = Math.max(actual[bin]! / actualTotal, SHARE_MIN);
    index += (after - before) * Math.log(after / before);
  }
  return index;
}

/**
 * Inner edges of at most `bins` bins that hold about as many of the values each; fewer where values repeat. NaN is left out.
 */
export function quantileEdges(values: Vector, bins = 10): Float64Array {
  const sorted = Float64Array.from(values)
    .filter((value) => !Number.isNaN(value))
    .sort();
  if (sorted.length === 0) return new Float64Array(0);
  const edges = new Set<number>();
  for (let at = 1; at < bins; at++) edges.add(quantileOfSorted(sorted, at / bins));
  return Float64Array.from(edges);
}

/** Rows by bin: below or at the first edge, …, above the last one, and missing (NaN) last. */
export function countByBin(values: Vector, edges: Float64Array): Float64Array {
  const counts = new Float64Array(edges.length + 2);
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (Number.isNaN(value)) {
      counts[edges.length + 1]! += 1;
      continue;
    }
    let low = 0;
    let high = edges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value <= edges[middle]!) high = middle;
      else low = middle + 1;
    }
    counts[low]! += 1;
  }
  return counts;
}

/** Population stability index of two samples of one variable, in bins of the expected one's quantiles; missing is a bin too. */
export function populationStability(expected: Vector, actual: Vector, bins = 10): number {
  const edges = quantileEdges(expected, bins);
  return psiOfCounts(countByBin(expected, edges), countByBin(actual, edges));
}
