import type { Loss } from './types.ts';

/** The least hessian of a logistic row, so that a sure row still weighs something (as XGBoost has it). */
const LEAST_HESSIAN = 1e-16;
/** A mean of 0 has no logarithm; labels that are all 0 are taken to have this one. */
const LEAST_MEAN = 1e-10;

/** Exp of the raw score, bounded so that a run-away score stays finite. */
const LARGEST_LOG = 80;
const bounded = (score: number): number => Math.exp(Math.min(score, LARGEST_LOG));

/** The inverse of the link: from raw score to probability, mean or quantile, in place. */
export function applyLink(loss: Loss, scores: Float64Array): void {
  if (loss.kind === 'logistic') {
    for (let row = 0; row < scores.length; row++) scores[row] = 1 / (1 + Math.exp(-scores[row]!));
  } else if (loss.kind === 'poisson' || loss.kind === 'tweedie') {
    for (let row = 0; row < scores.length; row++) scores[row] = Math.exp(scores[row]!);
  }
}

/** The rows [from, to) of what gradients are computed from. */
interface Rows {
  readonly from: number;
  readonly to: number;
  readonly labels: Float64Array;
  /** Empty: every row weighs 1. */
  readonly weights: Float64Array;
  readonly scores: Float64Array;
}

/** Writes gradient and hessian of each row, alternating, to `pairs`, by the derivatives of the loss at its score. */
export function writeGradients(loss: Loss, rows: Rows, pairs: Float32Array): void {
  const { from, to, labels, weights, scores } = rows;
  const weighted = weights.length > 0;
  switch (loss.kind) {
    case 'logistic':
      for (let row = from; row < to; row++) {
        const weight = weighted ? weights[row]! : 1;
        const probability = 1 / (1 + Math.exp(-scores[row]!));
        pairs[2 * row] = weight * (probability - labels[row]!);
        pairs[2 * row + 1] = weight * Math.max(probability * (1 - probability), LEAST_HESSIAN);
      }
      return;
    case 'squared':
      for (let row = from; row < to; row++) {
        const weight = weighted ? weights[row]! : 1;
        pairs[2 * row] = weight * (scores[row]! - labels[row]!);
        pairs[2 * row + 1] = weight;
      }
      return;
    case 'poisson':
      for (let row = from; row < to; row++) {
        const weight = weighted ? weights[row]! : 1;
        const mean = bounded(scores[row]!);
        pairs[2 * row] = weight * (mean - labels[row]!);
        pairs[2 * row + 1] = weight * mean;
      }
      return;
    case 'tweedie':
      for (let row = from; row < to; row++) {
        const weight = weighted ? weights[row]! : 1;
        const one = labels[row]! * bounded((1 - loss.power) * scores[row]!);
        const two = bounded((2 - loss.power) * scores[row]!);
        pairs[2 * row] = weight * (two - one);
        pairs[2 * row + 1] = weight * ((2 - loss.power) * two - (1 - loss.power) * one);
      }
      return;
    case 'quantile':
      for (let row = from; row < to; row++) {
        const weight = weighted ? weights[row]! : 1;
        const miss = labels[row]! - scores[row]!;
        // A row that is hit pulls nowhere: where many labels are equal, the others are told apart from them.
        pairs[2 * row] = miss === 0 ? 0 : weight * (miss < 0 ? 1 - loss.alpha : -loss.alpha);
        pairs[2 * row + 1] = weight;
      }
  }
}

/** The raw score that fits all rows best by itself. */
export function baseScore(loss: Loss, labels: Float64Array, weights: Float64Array): number {
  if (loss.kind === 'quantile') return weightedQuantile(Float64Array.from(labels), weights, loss.alpha);
  let sum = 0;
  let total = 0;
  for (let row = 0; row < labels.length; row++) {
    const weight = weights.length > 0 ? weights[row]! : 1;
    sum += weight * labels[row]!;
    total += weight;
  }
  const mean = sum / total;
  if (loss.kind === 'squared') return mean;
  if (loss.kind !== 'logistic') return Math.log(Math.max(mean, LEAST_MEAN));
  const share = Math.min(Math.max(mean, LEAST_MEAN), 1 - LEAST_MEAN);
  return Math.log(share / (1 - share));
}

/** The least value that `alpha` of the weight does not exceed. Sorts `values`, when all weigh the same. */
export function weightedQuantile(values: Float64Array, weights: Float64Array, alpha: number): number {
  if (weights.length === 0) {
    values.sort();
    return values[Math.max(0, Math.ceil(alpha * values.length) - 1)]!;
  }
  const order = Uint32Array.from(values, (_, index) => index).sort((a, b) => values[a]! - values[b]! || a - b);
  let total = 0;
  for (const index of order) total += weights[index]!;
  let sum = 0;
  for (const index of order) {
    sum += weights[index]!;
    if (sum >= alpha * total && sum > 0) return values[index]!;
  }
  return values[order.at(-1)!]!;
}

/** The mean loss of rows at their raw scores, up to what does not depend on the scores. */
export function meanLoss(loss: Loss, labels: Float64Array, weights: Float64Array, scores: Float64Array): number {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < labels.length; row++) {
    const weight = weights.length > 0 ? weights[row]! : 1;
    sum += weight * lossOf(loss, labels[row]!, scores[row]!);
    total += weight;
  }
  return sum / total;
}

function lossOf(loss: Loss, label: number, score: number): number {
  switch (loss.kind) {
    case 'logistic':
      return Math.max(score, 0) - label * score + Math.log1p(Math.exp(-Math.abs(score)));
    case 'squared':
      return (label - score) ** 2 / 2;
    case 'poisson':
      return bounded(score) - label * score;
    case 'tweedie':
      return (
        bounded((2 - loss.power) * score) / (2 - loss.power) -
        (label * bounded((1 - loss.power) * score)) / (1 - loss.power)
      );
    case 'quantile':
      return label < score ? (1 - loss.alpha) * (score - label) : loss.alpha * (label - score);
  }
}
