import { rowsOf, type Vector } from '../metrics/vectors.ts';

/** Probability = 1 / (1 + exp(slope × score + offset)); a useful score has a slope below 0. */
export interface PlattMap {
  readonly kind: 'platt';
  readonly slope: number;
  readonly offset: number;
}

const ITERATIONS_MAX = 100;
const STEP_MIN = 1e-10;
/** Added to the diagonal of the Hessian, so that it can always be inverted. */
const RIDGE = 1e-12;
const GRADIENT_MAX = 1e-9;
const DECREASE = 1e-4;

/** 1 / (1 + e^f) without overflow. */
const sigmoidOfMinus = (f: number): number => (f >= 0 ? Math.exp(-f) / (1 + Math.exp(-f)) : 1 / (1 + Math.exp(f)));

/**
 * Platt's sigmoid (Probabilistic outputs for support vector machines, 1999) by Newton's method with backtracking, in the form of Lin, Lin,
 * Weng (A note on Platt's probabilistic outputs, 2007): targets drawn in from 0 and 1 by Laplace's rule, and no catastrophic cancellation.
 * @param scores raw scores such as log-odds
 * @param labels 0 or 1
 */
export function fitPlatt(scores: Vector, labels: Vector): PlattMap {
  const rows = rowsOf(scores, labels);
  let positives = 0;
  for (let row = 0; row < rows; row++) {
    if (!Number.isFinite(scores[row]!)) throw new RangeError(`The score of row ${row} is ${scores[row]}.`);
    positives += labels[row] === 1 ? 1 : 0;
  }
  const high = (positives + 1) / (positives + 2);
  const low = 1 / (rows - positives + 2);
  const cost = (slope: number, offset: number): number => {
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const target = labels[row] === 1 ? high : low;
      const f = slope * scores[row]! + offset;
      sum += f >= 0 ? target * f + Math.log1p(Math.exp(-f)) : (target - 1) * f + Math.log1p(Math.exp(f));
    }
    return sum;
  };

  let slope = 0;
  let offset = Math.log((rows - positives + 1) / (positives + 1));
  let value = cost(slope, offset);
  for (let iteration = 0; iteration < ITERATIONS_MAX; iteration++) {
    let h11 = RIDGE;
    let h22 = RIDGE;
    let h21 = 0;
    let g1 = 0;
    let g2 = 0;
    for (let row = 0; row < rows; row++) {
      const score = scores[row]!;
      const p = sigmoidOfMinus(slope * score + offset);
      const curvature = p * (1 - p);
      h11 += score * score * curvature;
      h22 += curvature;
      h21 += score * curvature;
      const miss = (labels[row] === 1 ? high : low) - p;
      g1 += score * miss;
      g2 += miss;
    }
    if (Math.abs(g1) < GRADIENT_MAX * rows && Math.abs(g2) < GRADIENT_MAX * rows) break;
    const determinant = h11 * h22 - h21 * h21;
    const moveSlope = -(h22 * g1 - h21 * g2) / determinant;
    const moveOffset = -(h11 * g2 - h21 * g1) / determinant;
    const descent = g1 * moveSlope + g2 * moveOffset;
    let step = 1;
    for (; step >= STEP_MIN; step /= 2) {
      const next = cost(slope + step * moveSlope, offset + step * moveOffset);
      if (next < value + DECREASE * step * descent) {
        slope += step * moveSlope;
        offset += step * moveOffset;
        value = next;
        break;
      }
    }
    // No step is lower within the precision of numbers: this is the minimum.
    if (step < STEP_MIN) break;
  }
  return { kind: 'platt', slope, offset };
}

/** The probability at a score. */
export const plattAt = ({ slope, offset }: PlattMap, score: number): number => sigmoidOfMinus(slope * score + offset);
