import type { Objective } from '../optimise/objective.ts';
import { checkHistory, type PurchaseHistory } from './history.ts';
import { type Boundary, endOf, type FitOutcome, LOG_PARAMETER_MAX } from './result.ts';
import { betaRisesOf, risesOf } from './rises.ts';
import { minimiseFromBest } from './search.ts';

/**
 * Parameters of BG/NBD: while alive a customer buys at random with a rate drawn from Gamma(r, α), and after each purchase
 * leaves for good with a probability drawn from Beta(a, b). α is in the unit of time of the data.
 */
export interface BgNbdParameters {
  readonly r: number;
  readonly alpha: number;
  readonly a: number;
  readonly b: number;
}

export interface BgNbdFit extends FitOutcome {
  readonly parameters: BgNbdParameters;
}

/** Customers in the form the likelihood runs over: equal ones as one, and the different counts x apart. */
interface Grouped {
  readonly weights: Float64Array;
  readonly tx: Float64Array;
  readonly T: Float64Array;
  /** The place of x among `counts`, which ascend. */
  readonly group: Int32Array;
  readonly counts: Float64Array;
  readonly customersByCount: Float64Array;
}

function grouped({ x, tx, T }: PurchaseHistory): Grouped {
  const rowsByKey = new Map<string, { row: number; weight: number }>();
  for (let row = 0; row < x.length; row++) {
    const key = `${x[row]} ${tx[row]} ${T[row]}`;
    const equal = rowsByKey.get(key);
    if (equal === undefined) rowsByKey.set(key, { row, weight: 1 });
    else equal.weight++;
  }
  const rows = [...rowsByKey.values()];
  const counts = Float64Array.from(new Set(x)).sort();
  const places = new Map(Array.from(counts, (count, at) => [count, at]));
  const customersByCount = new Float64Array(counts.length);
  for (const count of x) customersByCount[places.get(count)!]! += 1;
  return {
    weights: Float64Array.from(rows, ({ weight }) => weight),
    tx: Float64Array.from(rows, ({ row }) => tx[row]!),
    T: Float64Array.from(rows, ({ row }) => T[row]!),
    group: Int32Array.from(rows, ({ row }) => places.get(x[row]!)!),
    counts,
    customersByCount,
  };
}

/**
 * Minus the mean log-likelihood per customer with its gradient, as a function of ln r, ln α, ln a, ln b: equation 6 of
 * Fader, Hardie, Lee ("Counting your customers" the easy way, Marketing Science 24, 2005), in the form of Fader and Hardie's note on
 * numerical stability (2019), with the sum of the last two terms taken in logarithms, so that no count is too large.
 */
export function bgNbdObjective(history: PurchaseHistory): Objective {
  const customers = history.x.length;
  const { weights, tx, T, group, counts, customersByCount } = grouped(history);
  const buffers = Array.from({ length: 5 }, () => new Float64Array(counts.length));
  const [gammaLog, gammaSlope, betaLog, betaByA, betaByB] = buffers as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];

  return (at, gradient) => {
    gradient.fill(0);
    if (at.some((log) => !(Math.abs(log) <= LOG_PARAMETER_MAX))) return Infinity;
    const r = Math.exp(at[0]!);
    const alpha = Math.exp(at[1]!);
    const a = Math.exp(at[2]!);
    const b = Math.exp(at[3]!);
    risesOf(r, counts, gammaLog, gammaSlope);
    betaRisesOf(a, b, counts, betaLog, betaByA, betaByB);
    let sum = 0;
    let byR = 0;
    let byAlpha = 0;
    let byA = 0;
    let byB = 0;
    for (let g = 0; g < counts.length; g++) {
      sum += customersByCount[g]! * (gammaLog[g]! + betaLog[g]!);
      byR += customersByCount[g]! * gammaSlope[g]!;
      byA += customersByCount[g]! * betaByA[g]!;
      byB += customersByCount[g]! * betaByB[g]!;
    }
    for (let row = 0; row < weights.length; row++) {
      const weight = weights[row]!;
      const g = group[row]!;
      const shape = r + counts[g]!;
      const end = alpha + T[row]!;
      // r ln α - (r + x) ln(α + T), which for α far above T is a difference of large numbers.
      const logEnd = Math.log1p(T[row]! / alpha);
      byAlpha += weight * (r / alpha - shape / end);
      byR -= weight * logEnd;
      if (counts[g] === 0) {
        sum -= weight * r * logEnd;
        continue;
      }
      // The customer is alive at T (1), or left at the last purchase (odds).
      const last = alpha + tx[row]!;
      const beta = b + counts[g]! - 1;
      const logLate = Math.log1p((T[row]! - tx[row]!) / last);
      const logOdds = at[2]! - Math.log(beta) + shape * logLate;
      const gone = 1 / (1 + Math.exp(-logOdds));
      const either = logOdds > 0 ? logOdds + Math.log1p(Math.exp(-logOdds)) : Math.log1p(Math.exp(logOdds));
      sum += weight * (either - r * logEnd - counts[g]! * Math.log(end));
      byR += weight * gone * logLate;
      byAlpha += weight * gone * shape * (1 / end - 1 / last);
      byA += (weight * gone) / a;
      byB -= (weight * gone) / beta;
    }
    gradient[0] = (-byR * r) / customers;
    gradient[1] = (-byAlpha * alpha) / customers;
    gradient[2] = (-byA * a) / customers;
    gradient[3] = (-byB * b) / customers;
    return -sum / customers;
  };
}

/** ln-likelihood of the parameters. */
export function bgNbdLogLikelihood(history: PurchaseHistory, { r, alpha, a, b }: BgNbdParameters): number {
  checkHistory(history);
  const at = Float64Array.of(Math.log(r), Math.log(alpha), Math.log(a), Math.log(b));
  return -bgNbdObjective(history)(at, new Float64Array(4)) * history.x.length;
}

/** Where searches begin (r, α in mean lengths of observation, a, b): plain ones, and what shops often look like. */
const STARTS = [
  [1, 1, 1, 1],
  [0.3, 0.2, 0.8, 2.5],
] as const;

/**
 * Fits BG/NBD by maximum likelihood: L-BFGS from two starts on the logarithms of the parameters, then Newton steps. Time is scaled inside,
 * so that days and weeks fit alike.
 *
 * Data can have their optimum at a limit, a → 0 above all, when those observed were too short to tell that anyone left. The
 * result then names it in `boundaries`.
 * @throws LifetimeDataError for rows that cannot be
 */
export function fitBgNbd(history: PurchaseHistory): BgNbdFit {
  checkHistory(history);
  const customers = history.x.length;
  let scale = 0;
  let repeats = 0;
  for (let row = 0; row < customers; row++) {
    scale += history.T[row]! / customers;
    repeats += history.x[row]!;
  }
  const T = history.T.map((time) => time / scale);
  const scaled = { x: history.x, T, tx: history.tx.map((time, row) => Math.min(time / scale, T[row]!)) };
  const objective = bgNbdObjective(scaled);
  const minimum = minimiseFromBest(objective, STARTS);
  const [r, alpha, a, b] = Array.from(minimum.at, Math.exp) as [number, number, number, number];
  return {
    parameters: { r, alpha: alpha * scale, a, b },
    // The density of a purchase's time is per unit of time.
    logLikelihood: -minimum.value * customers - repeats * Math.log(scale),
    customers,
    boundaries: boundariesOf({ r, alpha, a, b }, repeats),
    ...endOf(minimum),
  };
}

/** Beyond these, with time in mean lengths of observation, a parameter stands for its limit. */
const SMALL = 1e-3;
const LARGE = 1e3;

function boundariesOf({ r, alpha, a, b }: BgNbdParameters, repeats: number): Boundary[] {
  const found: Boundary[] = [];
  const limit = (parameter: string, meaning: string) => found.push({ parameter, meaning });
  if (repeats === 0)
    limit('r, alpha, a, b', 'Nobody bought again, so nothing is known about how often and how long customers do.');
  else {
    // How many of all repeat purchases are expected to have been a last one.
    if ((repeats * a) / (a + b) < 1) limit('a -> 0', 'In the time observed nobody can be told to have left for good.');
    else if (a < SMALL && b < SMALL) {
      limit('a, b -> 0', 'Customers either leave at once after their first repeat purchase or never.');
    } else if (b < SMALL) limit('b -> 0', 'Customers leave at once after their first repeat purchase.');
    else if (a > LARGE && b > LARGE) {
      limit('a, b -> infinity', 'All customers have the same probability of leaving after a purchase.');
    }
    if (r > LARGE && alpha > LARGE) limit('r, alpha -> infinity', 'All customers buy at the same rate.');
    else if (r < SMALL) limit('r -> 0', 'A few customers make all the repeat purchases.');
  }
  return found;
}
