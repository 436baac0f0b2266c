import { digammaRise, logGammaRise } from '../special/index.ts';

/**
 * ln Γ(z + x) - ln Γ(z) and its derivative by z for each of several ascending whole x, as one running sum: a step of a few is a sum of
 * logarithms, which is exact, a long one a difference of Γ's.
 */
export function risesOf(z: number, counts: Float64Array, logRise: Float64Array, slope: Float64Array): void {
  let log = 0;
  let derivative = 0;
  let before = 0;
  for (let at = 0; at < counts.length; at++) {
    const step = counts[at]! - before;
    log += logGammaRise(z + before, step);
    derivative += digammaRise(z + before, step);
    logRise[at] = log;
    slope[at] = derivative;
    before = counts[at]!;
  }
}

/**
 * ln B(a, b + x) - ln B(a, b) = ln Π (b + i) / (a + b + i) for i < x, with its derivatives by a and b. Written as -Σ ln(1 + a / (b + i))
 * it stays exact for a far below and far above b.
 */
export function betaRisesOf(
  a: number,
  b: number,
  counts: Float64Array,
  logRise: Float64Array,
  slopeA: Float64Array,
  slopeB: Float64Array,
): void {
  let log = 0;
  let byA = 0;
  let byB = 0;
  let before = 0;
  for (let at = 0; at < counts.length; at++) {
    const step = counts[at]! - before;
    if (step <= SUM_MAX) {
      for (let i = before; i < counts[at]!; i++) {
        const factor = b + i;
        log -= Math.log1p(a / factor);
        byA -= 1 / (a + factor);
        byB += a / (factor * (a + factor));
      }
    } else {
      const whole = a + b + before;
      log += logGammaRise(b + before, step) - logGammaRise(whole, step);
      const fall = digammaRise(whole, step);
      byA -= fall;
      byB += digammaRise(b + before, step) - fall;
    }
    logRise[at] = log;
    slopeA[at] = byA;
    slopeB[at] = byB;
    before = counts[at]!;
  }
}

/** Steps up to this are summed one by one. */
const SUM_MAX = 64;
