import type { Minimum } from './lbfgs.ts';
import { largest, type Objective } from './objective.ts';

/** Step of the differences of gradients: the cube root of the precision of numbers, best for central differences. */
const DIFFERENCE = 6e-6;
const STEPS_MAX = 8;
/** A gradient of a function of about 1 that is nothing but rounding. */
const GRADIENT_EXACT = 1e-13;

/** The matrix of second derivatives, row by row, from central differences of the gradient. */
export function hessianAt(objective: Objective, at: Float64Array): Float64Array {
  const size = at.length;
  const hessian = new Float64Array(size * size);
  const above = new Float64Array(size);
  const below = new Float64Array(size);
  for (let j = 0; j < size; j++) {
    const step = DIFFERENCE * Math.max(1, Math.abs(at[j]!));
    objective(
      at.map((component, i) => (i === j ? component + step : component)),
      above,
    );
    objective(
      at.map((component, i) => (i === j ? component - step : component)),
      below,
    );
    for (let i = 0; i < size; i++) hessian[i * size + j] = (above[i]! - below[i]!) / (2 * step);
  }
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) {
      const mean = (hessian[i * size + j]! + hessian[j * size + i]!) / 2;
      hessian[i * size + j] = mean;
      hessian[j * size + i] = mean;
    }
  }
  return hessian;
}

/** Solves A x = y for a symmetric positive definite A by Cholesky's decomposition; null when A is not. */
export function solvePositive(matrix: Float64Array, right: Float64Array): Float64Array | null {
  const size = right.length;
  const lower = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = matrix[i * size + j]!;
      for (let k = 0; k < j; k++) rest -= lower[i * size + k]! * lower[j * size + k]!;
      if (i !== j) lower[i * size + j] = rest / lower[j * size + j]!;
      else if (rest > 0) lower[i * size + i] = Math.sqrt(rest);
      else return null;
    }
  }
  const solution = Float64Array.from(right);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) solution[i]! -= lower[i * size + k]! * solution[k]!;
    solution[i]! /= lower[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) solution[i]! -= lower[k * size + i]! * solution[k]!;
    solution[i]! /= lower[i * size + i]!;
  }
  return solution;
}

/**
 * Newton steps from a minimum that quasi-Newton steps found, for the last digits of flat directions: a step is kept only when
 * it makes the gradient smaller.
 */
export function polish(objective: Objective, found: Minimum): Minimum {
  let { at, value, gradient } = found;
  for (let step = 0; step < STEPS_MAX && largest(gradient) > GRADIENT_EXACT; step++) {
    const move = solvePositive(hessianAt(objective, at), gradient);
    // A long step means that the surface is no parabola here: there is nothing to polish.
    if (move === null || largest(move) > 0.5) break;
    const next = at.map((component, i) => component - move[i]!);
    const nextGradient = new Float64Array(at.length);
    const nextValue = objective(next, nextGradient);
    if (!(largest(nextGradient) < largest(gradient) && Number.isFinite(nextValue))) break;
    at = next;
    value = nextValue;
    gradient = nextGradient;
  }
  return { ...found, at, value, gradient };
}
