import type { Objective } from '../optimise/objective.ts';
import { digamma, digammaRise, logGamma, logGammaRise } from '../special/index.ts';
import { type Boundary, endOf, type FitOutcome, LifetimeDataError, LOG_PARAMETER_MAX } from './result.ts';
import { minimiseFromBest } from './search.ts';

/**
 * Parameters of the Gamma-Gamma model: the values of a customer's purchases are Gamma(p, ν), and ν differs between customers as
 * Gamma(q, γ). γ is in the unit of money of the data.
 */
export interface GammaGammaParameters {
  readonly p: number;
  readonly q: number;
  readonly gamma: number;
}

export interface GammaGammaFit extends FitOutcome {
  readonly parameters: GammaGammaParameters;
  /** Mean value of a purchase over all customers, p γ / (q - 1); null when q ≤ 1, where it is infinite. */
  readonly meanValue: number | null;
}

/** Minus the mean log-likelihood with its gradient, by ln p, ln q, ln γ: equation 1a of Fader, Hardie (2013). */
export function gammaGammaObjective(x: Float64Array, means: Float64Array): Objective {
  const customers = x.length;
  return (at, gradient) => {
    gradient.fill(0);
    if (at.some((log) => !(Math.abs(log) <= LOG_PARAMETER_MAX))) return Infinity;
    const p = Math.exp(at[0]!);
    const q = Math.exp(at[1]!);
    const gamma = Math.exp(at[2]!);
    const logGammaQ = logGamma(q);
    const digammaQ = digamma(q);
    let sum = 0;
    let byP = 0;
    let byQ = 0;
    let byGamma = 0;
    for (let row = 0; row < customers; row++) {
      const shape = p * x[row]!;
      const spent = x[row]! * means[row]!;
      // px ln(xm) - (px + q) ln(γ + xm), without the difference of large numbers.
      const log = Math.log1p(gamma / spent);
      const logShare = at[2]! - Math.log(gamma + spent);
      sum += logGammaRise(shape, q) - logGammaQ + q * logShare - shape * log - Math.log(means[row]!);
      const rise = digammaRise(shape, q);
      byP += x[row]! * (rise - log);
      byQ += rise + digamma(shape) - digammaQ + logShare;
      byGamma += q / gamma - (shape + q) / (gamma + spent);
    }
    gradient[0] = (-byP * p) / customers;
    gradient[1] = (-byQ * q) / customers;
    gradient[2] = (-byGamma * gamma) / customers;
    return -sum / customers;
  };
}

/** p, q, γ in mean values. */
const STARTS = [
  [1, 2, 1],
  [6, 4, 0.5],
] as const;

const SMALL = 1e-3;
const LARGE = 1e4;

/**
 * Fits the Gamma-Gamma model of the value of purchases (Fader, Hardie: The Gamma-Gamma model of monetary value, 2013) by maximum
 * likelihood to customers with a repeat purchase; those with x = 0 or a mean of 0 are left out, and `customers` counts the rest.
 * @param x repeat purchases
 * @param means mean value of a customer's repeat purchases
 * @throws LifetimeDataError for a negative or infinite value, or fewer than two customers to learn from
 */
export function fitGammaGamma(x: Float64Array, means: Float64Array): GammaGammaFit {
  if (x.length !== means.length) throw new LifetimeDataError('mean_repeat_value', null, 'has not as many rows as x');
  const used: number[] = [];
  for (let row = 0; row < x.length; row++) {
    const mean = means[row]!;
    if (x[row] === 0) continue;
    if (!(mean >= 0 && Number.isFinite(mean))) {
      throw new LifetimeDataError('mean_repeat_value', row, `${mean} is not a value from 0 up`);
    }
    if (mean > 0) used.push(row);
  }
  if (used.length < 2) {
    throw new LifetimeDataError(
      'mean_repeat_value',
      null,
      `${used.length} customers came back and paid; two are the least to learn from`,
    );
  }
  const customers = used.length;
  const scale = used.reduce((sum, row) => sum + means[row]!, 0) / customers;
  const objective = gammaGammaObjective(
    Float64Array.from(used, (row) => x[row]!),
    Float64Array.from(used, (row) => means[row]! / scale),
  );
  const minimum = minimiseFromBest(objective, STARTS);
  const [p, q, gamma] = Array.from(minimum.at, Math.exp) as [number, number, number];
  const parameters = { p, q, gamma: gamma * scale };
  return {
    parameters,
    meanValue: expectedValue(parameters, 0, 0),
    logLikelihood: -minimum.value * customers - customers * Math.log(scale),
    customers,
    boundaries: boundariesOf(p, q),
    ...endOf(minimum),
  };
}

function boundariesOf(p: number, q: number): Boundary[] {
  const found: Boundary[] = [];
  if (p > LARGE) found.push({ parameter: 'p -> infinity', meaning: 'Each customer always pays the same.' });
  if (p < SMALL) found.push({ parameter: 'p -> 0', meaning: 'The values of one customer vary without measure.' });
  if (q > LARGE)
    found.push({ parameter: 'q -> infinity', meaning: 'Customers do not differ in what they pay on average.' });
  if (q <= 1) {
    found.push({
      parameter: 'q <= 1',
      meaning:
        'A few customers pay so much that the mean over all customers is infinite: for those who never came back no value is expected.',
    });
  }
  return found;
}

/**
 * Expected value of a customer's future purchases (equation 5 of the paper): the mean of his own purchases drawn towards that of all,
 * the more the fewer he made.
 * @param x repeat purchases; with 0 the mean over all customers
 * @returns null where the expectation is infinite (p x + q ≤ 1)
 */
export function expectedValue({ p, q, gamma }: GammaGammaParameters, x: number, mean: number): number | null {
  const weight = p * x + q - 1;
  return weight > 0 ? (p * (gamma + x * mean)) / weight : null;
}
