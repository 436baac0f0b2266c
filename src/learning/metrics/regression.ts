import { meanOf, rowsOf, type Vector } from './vectors.ts';

/** Mean absolute error. */
export function meanAbsoluteError(actual: Vector, predicted: Vector): number {
  const rows = rowsOf(actual, predicted);
  let sum = 0;
  for (let row = 0; row < rows; row++) sum += Math.abs(actual[row]! - predicted[row]!);
  return sum / rows;
}

/** Root of the mean squared error. */
export function rootMeanSquaredError(actual: Vector, predicted: Vector): number {
  const rows = rowsOf(actual, predicted);
  let sum = 0;
  for (let row = 0; row < rows; row++) sum += (actual[row]! - predicted[row]!) ** 2;
  return Math.sqrt(sum / rows);
}

/** Share of the variance explained: 1 is perfect, 0 the mean, below 0 worse than the mean; null when `actual` is constant. */
export function rSquared(actual: Vector, predicted: Vector): number | null {
  const rows = rowsOf(actual, predicted);
  const mean = meanOf(actual);
  let rest = 0;
  let total = 0;
  for (let row = 0; row < rows; row++) {
    rest += (actual[row]! - predicted[row]!) ** 2;
    total += (actual[row]! - mean) ** 2;
  }
  return total === 0 ? null : 1 - rest / total;
}

/**
 * Mean pinball loss of predicted quantiles (Koenker, Bassett 1978): lowest when a share `quantile` of the actual values lies below.
 * At one half it is half of the mean absolute error.
 */
export function pinballLoss(actual: Vector, predicted: Vector, quantile: number): number {
  const rows = rowsOf(actual, predicted);
  if (!(quantile > 0 && quantile < 1)) throw new RangeError(`A quantile lies in (0, 1), and ${quantile} does not.`);
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const above = actual[row]! - predicted[row]!;
    sum += above >= 0 ? quantile * above : (quantile - 1) * above;
  }
  return sum / rows;
}

/** Share of the actual values within [low, high], both ends included. */
export function coverage(actual: Vector, low: Vector, high: Vector): number {
  const rows = rowsOf(actual, low, high);
  let within = 0;
  for (let row = 0; row < rows; row++) if (actual[row]! >= low[row]! && actual[row]! <= high[row]!) within++;
  return within / rows;
}
