import type { BgNbdParameters } from './bgnbd.ts';

/** What is known of one customer, in the unit of time of the parameters. */
export interface Customer {
  readonly x: number;
  readonly tx: number;
  readonly T: number;
}

/** Weights of the series below this share of the largest one are left out. */
const NEGLIGIBLE = 1e-17;
const TERMS_MAX = 50_000_000;
/** Natural logarithm of the smallest weight that is carried as it is and not as its logarithm. */
const LOG_TINY = -700;

/**
 * Expected purchases in a time t of a customer who is alive at its start, with rate ~ Gamma(shape, rate) and drop-out ~ Beta(a, b):
 * E[(1 - (1 + p t / rate)^-shape) / p].
 *
 * Papers write it with Gauss's 2F1 and a factor 1 / (a - 1), which fails at a = 1 and cancels digits near it. Expanding in z = t / (rate + t)
 * gives a sum of positive terms instead, exact for every a > 0: Σ w(n) S(n), with w(n) the negative binomial probability of n purchases if
 * nobody ever left, and S(n) = Σ_{j<n} E[(1 - p)^j] how many of n chances are taken.
 */
export function purchasesWhenAlive(shape: number, rate: number, a: number, b: number, t: number): number {
  if (t === 0) return 0;
  const z = t / (rate + t);
  // Where w(n) starts too small to be written, its logarithm is carried until it can be.
  let logWeight = -shape * Math.log1p(t / rate);
  let weight = logWeight > LOG_TINY ? Math.exp(logWeight) : 0;
  let stays = 1;
  let taken = 0;
  let sum = 0;
  for (let n = 0; n < TERMS_MAX; n++) {
    const ratio = ((shape + n) / (n + 1)) * z;
    if (weight > 0) weight *= ratio;
    else {
      logWeight += Math.log(ratio);
      if (logWeight > LOG_TINY) weight = Math.exp(logWeight);
    }
    taken += stays;
    stays *= (b + n) / (a + b + n);
    sum += weight * taken;
    // Past the peak of the weights the rest is below a geometric series.
    if (ratio < 1 && weight * taken <= NEGLIGIBLE * sum * (1 - ratio)) return sum;
  }
  throw new RangeError(`A time of ${t} is too far beyond what the rate of ${rate} allows to sum up.`);
}

/** Expected purchases of a new customer, after the first one, up to time t: E[X(t)] (equation 9 of Fader, Hardie, Lee 2005). */
export function expectedPurchases({ r, alpha, a, b }: BgNbdParameters, t: number): number {
  return purchasesWhenAlive(r, alpha, a, b, t);
}

/**
 * Probability that the customer has not left by T. Customers without a repeat purchase have 1, since leaving follows a repeat purchase:
 * never rank by this, but by expected purchases.
 */
export function probabilityAlive({ r, alpha, a, b }: BgNbdParameters, { x, tx, T }: Customer): number {
  if (x === 0) return 1;
  const logOdds = Math.log(a) - Math.log(b + x - 1) + (r + x) * Math.log1p((T - tx) / (alpha + tx));
  return 1 / (1 + Math.exp(logOdds));
}

/** Expected purchases of the customer in the time t after T (equation 10 of the paper). */
export function conditionalPurchases(parameters: BgNbdParameters, customer: Customer, t: number): number {
  const { r, alpha, a, b } = parameters;
  const { x, T } = customer;
  return probabilityAlive(parameters, customer) * purchasesWhenAlive(r + x, alpha + T, a, b + x, t);
}

export interface LifetimeValueOptions {
  /** How long a month is in the unit of time of the parameters: 365.25 / 12 days or 365.25 / 84 weeks. */
  readonly month: number;
  readonly months?: number;
  /** Discount per month, e.g. 0.01; an annual rate d is (1 + d)^(1/12) - 1. */
  readonly monthlyDiscount: number;
}

/**
 * Discounted purchases expected in the coming months: what is expected within each month, discounted as if paid at the
 * month's end. Times the expected value of a purchase it is the customer's lifetime value over that horizon.
 */
export function discountedPurchases(
  parameters: BgNbdParameters,
  customer: Customer,
  { month, months = 12, monthlyDiscount }: LifetimeValueOptions,
): number {
  let before = 0;
  let sum = 0;
  for (let at = 1; at <= months; at++) {
    const upTo = conditionalPurchases(parameters, customer, at * month);
    sum += (upTo - before) / (1 + monthlyDiscount) ** at;
    before = upTo;
  }
  return sum;
}
