/** From here on the asymptotic series are exact to the last bits. */
const ASYMPTOTIC_FROM = 10;
const HALF_LOG_TWO_PI = 0.9189385332046728;

/** ln Γ(x) - [(x - 1/2) ln x - x + ln(2π)/2], Stirling's series (NIST DLMF 5.11.1), x ≥ 10. */
function stirlingRest(x: number): number {
  const inverse = 1 / x;
  const square = inverse * inverse;
  return (
    inverse *
    (1 / 12 +
      square * (-1 / 360 + square * (1 / 1260 + square * (-1 / 1680 + square * (1 / 1188 - (square * 691) / 360360)))))
  );
}

/** ln Γ(x) for x > 0, to about 1e-15 of max(1, its size). */
export function logGamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`logGamma is for numbers above 0, not ${x}.`);
  if (x === 1 || x === 2) return 0;
  let product = 1;
  let shifted = x;
  for (; shifted < ASYMPTOTIC_FROM; shifted++) product *= shifted;
  return (shifted - 0.5) * Math.log(shifted) - shifted + HALF_LOG_TWO_PI + stirlingRest(shifted) - Math.log(product);
}

/** ψ(x) = d ln Γ(x) / dx for x > 0 (DLMF 5.5.2 and 5.11.2). */
export function digamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`digamma is for numbers above 0, not ${x}.`);
  let below = 0;
  let shifted = x;
  for (; shifted < ASYMPTOTIC_FROM; shifted++) below += 1 / shifted;
  const square = 1 / (shifted * shifted);
  const rest =
    square *
    (1 / 12 -
      square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square * (1 / 132 - (square * 691) / 32760)))));
  return Math.log(shifted) - 0.5 / shifted - rest - below;
}

/** Up to here a product of so many factors is both faster and more exact than two logarithms of Γ. */
const PRODUCT_MAX = 24;

/**
 * ln Γ(z + d) - ln Γ(z) for z > 0, d ≥ 0, without the cancellation that the difference of two large numbers has:
 * exact for large z, where both terms are huge and their difference is about d ln z.
 */
export function logGammaRise(z: number, d: number): number {
  if (d === 0) return 0;
  if (Number.isInteger(d) && d <= PRODUCT_MAX) {
    let sum = 0;
    for (let at = 0; at < d; at++) sum += Math.log(z + at);
    return sum;
  }
  if (z < ASYMPTOTIC_FROM) return logGamma(z + d) - logGamma(z);
  return (z - 0.5) * Math.log1p(d / z) + d * Math.log(z + d) - d + stirlingRest(z + d) - stirlingRest(z);
}

/** ψ(z + d) - ψ(z), by the sum of 1/(z + i) where d is a small whole number. */
export function digammaRise(z: number, d: number): number {
  if (d === 0) return 0;
  if (Number.isInteger(d) && d <= PRODUCT_MAX) {
    let sum = 0;
    for (let at = 0; at < d; at++) sum += 1 / (z + at);
    return sum;
  }
  return digamma(z + d) - digamma(z);
}
