import { createRandom } from '../random.ts';
import type { Interval } from '../special/index.ts';
import { weightedAuc } from './ranking.ts';
import { orderOf, quantileOfSorted, rowsOf, type Vector } from './vectors.ts';

export interface BootstrapOptions {
  readonly seed: number;
  readonly replicates?: number;
  /** Share of such intervals that hold the truth. */
  readonly level?: number;
}

export interface BootstrapInterval extends Interval {
  readonly level: number;
  /** Resamples the interval stands on: those in which the statistic was defined. */
  readonly replicates: number;
}

/** How many resamples in a row may leave the statistic undefined, per one asked for. */
const PATIENCE = 10;

/**
 * Percentile bootstrap (Efron 1979): rows are drawn with replacement, and the statistic gets how often each row was drawn.
 * Resamples for which it is null are drawn again.
 * @returns null when the statistic is null on the rows themselves or on nearly all resamples
 */
export function bootstrap(
  rows: number,
  statistic: (weights: Uint32Array) => number | null,
  { seed, replicates = 1_000, level = 0.95 }: BootstrapOptions,
): BootstrapInterval | null {
  const weights = new Uint32Array(rows).fill(1);
  const estimate = statistic(weights);
  if (estimate === null) return null;
  const random = createRandom(seed);
  const values = new Float64Array(replicates);
  let found = 0;
  for (let drawn = 0; found < replicates && drawn < replicates * PATIENCE; drawn++) {
    weights.fill(0);
    for (let draw = 0; draw < rows; draw++) weights[random.below(rows)]! += 1;
    const value = statistic(weights);
    if (value !== null) values[found++] = value;
  }
  if (found < replicates) return null;
  values.sort();
  const tail = (1 - level) / 2;
  return {
    estimate,
    low: quantileOfSorted(values, tail),
    high: quantileOfSorted(values, 1 - tail),
    level,
    replicates,
  };
}

/** Interval of the area under the ROC curve; null when all labels are equal. */
export function bootstrapAuc(labels: Vector, scores: Vector, options: BootstrapOptions): BootstrapInterval | null {
  const order = orderOf(scores);
  return bootstrap(rowsOf(labels, scores), (weights) => weightedAuc(order, labels, scores, weights), options);
}

/**
 * Interval of AUC(first) - AUC(second) on the same rows. Both are computed on each resample, so that what they have in common
 * cancels: a model beats another when the lower end is above 0.
 */
export function bootstrapAucDifference(
  labels: Vector,
  first: Vector,
  second: Vector,
  options: BootstrapOptions,
): BootstrapInterval | null {
  const firstOrder = orderOf(first);
  const secondOrder = orderOf(second);
  return bootstrap(
    rowsOf(labels, first, second),
    (weights) => {
      const one = weightedAuc(firstOrder, labels, first, weights);
      const two = weightedAuc(secondOrder, labels, second, weights);
      return one === null || two === null ? null : one - two;
    },
    options,
  );
}

/** Interval of the mean of some values, e.g. the error per row or the difference of two models' errors. */
export function bootstrapMean(values: Vector, options: BootstrapOptions): BootstrapInterval | null {
  const rows = rowsOf(values);
  return bootstrap(
    rows,
    (weights) => {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += weights[row]! * values[row]!;
      return sum / rows;
    },
    options,
  );
}
