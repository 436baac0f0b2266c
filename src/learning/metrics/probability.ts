import { orderOf, rowsOf, type Vector } from './vectors.ts';

/**
 * Mean negative log-likelihood of 0/1 labels. Probabilities are kept off 0 and 1 by the precision of numbers, so that one wrong
 * certainty costs 36, not everything.
 */
export function logLoss(labels: Vector, probabilities: Vector): number {
  const rows = rowsOf(labels, probabilities);
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const probability = Math.min(Math.max(probabilities[row]!, Number.EPSILON), 1 - Number.EPSILON);
    sum -= labels[row] === 1 ? Math.log(probability) : Math.log1p(-probability);
  }
  return sum / rows;
}

/** Mean squared distance of the probabilities from the 0/1 labels (Brier 1950). */
export function brierScore(labels: Vector, probabilities: Vector): number {
  const rows = rowsOf(labels, probabilities);
  let sum = 0;
  for (let row = 0; row < rows; row++) sum += (probabilities[row]! - labels[row]!) ** 2;
  return sum / rows;
}

/** Rows whose probabilities lie in [from, to) (the last bin includes its end). */
export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Mean probability and share of positives; null in an empty bin. */
  readonly predicted: number | null;
  readonly observed: number | null;
}

function binned(
  labels: Vector,
  probabilities: Vector,
  edges: readonly number[],
  binOf: (row: number) => number,
): CalibrationBin[] {
  const bins = edges.length - 1;
  const counts = new Float64Array(bins);
  const predicted = new Float64Array(bins);
  const observed = new Float64Array(bins);
  for (let row = 0; row < labels.length; row++) {
    const bin = binOf(row);
    counts[bin]! += 1;
    predicted[bin]! += probabilities[row]!;
    observed[bin]! += labels[row]!;
  }
  return Array.from(counts, (count, bin) => ({
    from: edges[bin]!,
    to: edges[bin + 1]!,
    count,
    predicted: count === 0 ? null : predicted[bin]! / count,
    observed: count === 0 ? null : observed[bin]! / count,
  }));
}

/** What was predicted and what came, in bins of equal width over [0, 1]. */
export function calibrationCurve(labels: Vector, probabilities: Vector, bins = 10): CalibrationBin[] {
  rowsOf(labels, probabilities);
  const edges = Array.from({ length: bins + 1 }, (_, at) => at / bins);
  return binned(labels, probabilities, edges, (row) => {
    const probability = probabilities[row]!;
    if (!(probability >= 0 && probability <= 1)) {
      throw new RangeError(`Row ${row} has probability ${probability}, outside of [0, 1].`);
    }
    return Math.min(Math.floor(probability * bins), bins - 1);
  });
}

/** The same in bins that hold as many rows each (to one), for predictions that crowd together. */
export function calibrationByQuantile(labels: Vector, probabilities: Vector, bins = 10): CalibrationBin[] {
  const rows = rowsOf(labels, probabilities);
  const used = Math.min(bins, rows);
  const order = orderOf(probabilities);
  const binByRow = new Uint32Array(rows);
  for (let at = 0; at < rows; at++) binByRow[order[at]!] = Math.floor((at * used) / rows);
  const edges = Array.from({ length: used }, (_, bin) => probabilities[order[Math.ceil((bin * rows) / used)]!]!);
  return binned(labels, probabilities, [...edges, probabilities[order[rows - 1]!]!], (row) => binByRow[row]!);
}

/**
 * Expected calibration error (Naeini, Cooper, Hauskrecht 2015): the mean distance between predicted and observed share over bins of equal
 * width, weighted by their rows.
 */
export function expectedCalibrationError(labels: Vector, probabilities: Vector, bins = 10): number {
  let sum = 0;
  for (const { count, predicted, observed } of calibrationCurve(labels, probabilities, bins)) {
    if (predicted !== null && observed !== null) sum += count * Math.abs(predicted - observed);
  }
  return sum / labels.length;
}

/** Rows by what was said (at or above the threshold is positive) and what came, and the usual shares; null where 0 / 0. */
export interface Confusion {
  readonly threshold: number;
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
  readonly accuracy: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly specificity: number | null;
  readonly f1: number | null;
}

const shareOf = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

export function confusionAt(labels: Vector, probabilities: Vector, threshold: number): Confusion {
  const rows = rowsOf(labels, probabilities);
  let truePositives = 0;
  let falsePositives = 0;
  let falseNegatives = 0;
  for (let row = 0; row < rows; row++) {
    const said = probabilities[row]! >= threshold;
    if (labels[row] === 1) {
      if (said) truePositives++;
      else falseNegatives++;
    } else if (said) falsePositives++;
  }
  const trueNegatives = rows - truePositives - falsePositives - falseNegatives;
  return {
    threshold,
    truePositives,
    falsePositives,
    trueNegatives,
    falseNegatives,
    accuracy: (truePositives + trueNegatives) / rows,
    precision: shareOf(truePositives, truePositives + falsePositives),
    recall: shareOf(truePositives, truePositives + falseNegatives),
    specificity: shareOf(trueNegatives, trueNegatives + falsePositives),
    f1: shareOf(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives),
  };
}
