import type { Minimum } from '../optimise/lbfgs.ts';

/**
 * A parameter, or a pair of them, that ran away: the likelihood goes on rising, ever less, towards a limit. The likelihood and what is
 * expected of customers are sound then, the parameter itself means only "very small" or "very large".
 */
export interface Boundary {
  readonly parameter: string;
  /** In words: what the limit says about the customers. */
  readonly meaning: string;
}

/** How a fit by maximum likelihood ended. */
export interface FitOutcome {
  readonly logLikelihood: number;
  readonly customers: number;
  readonly converged: boolean;
  /** Why it did not converge, in words; null when it did. */
  readonly problem: string | null;
  readonly boundaries: readonly Boundary[];
  readonly iterations: number;
}

/** Logarithms of parameters are kept within ± this: beyond it nothing that anyone can observe changes. */
export const LOG_PARAMETER_MAX = 25;

/** Gradient of the mean log-likelihood per customer below which a fit counts as converged. */
const GRADIENT_CONVERGED = 1e-6;

export function endOf(minimum: Minimum): Pick<FitOutcome, 'converged' | 'problem' | 'iterations'> {
  const steepest = minimum.gradient.reduce((most, component) => Math.max(most, Math.abs(component)), 0);
  const converged = steepest <= GRADIENT_CONVERGED;
  const { iterations } = minimum;
  if (converged) return { converged, problem: null, iterations };
  const slope = steepest.toExponential(1);
  const problem =
    minimum.ended === 'iterations'
      ? `The search was stopped after ${iterations} steps; the likelihood per customer still rises by ${slope} per unit of a log-parameter.`
      : `No step raises the likelihood, yet its slope per customer is ${slope}: numbers are not precise enough for this data.`;
  return { converged, problem, iterations };
}

/** Data that cannot be told apart by the model. `row` is 0-based, null when it is about all of them. */
export class LifetimeDataError extends Error {
  override readonly name = 'LifetimeDataError';
  readonly field: string;
  readonly row: number | null;
  readonly problem: string;

  constructor(field: string, row: number | null, problem: string) {
    super(row === null ? `${field}: ${problem}` : `${field} of row ${row}: ${problem}`);
    this.field = field;
    this.row = row;
    this.problem = problem;
  }
}
