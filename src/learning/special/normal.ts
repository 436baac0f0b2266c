/** c[0] + c[1] x + c[2] x² + … */
function polynomial(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (let at = coefficients.length - 1; at >= 0; at--) value = value * x + coefficients[at]!;
  return value;
}

// Coefficients of algorithm AS 241, PPND16, with about 16 digits.
const CENTRE_OVER = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
  33430.57558358813, 2509.0809287301227,
];
const CENTRE_UNDER = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943,
  5226.495278852854,
];
const MIDDLE_OVER = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506,
  0.022723844989269184, 0.0007745450142783414,
];
const MIDDLE_UNDER = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  0.0005475938084995345, 1.0507500716444169e-9,
];
const TAIL_OVER = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
  0.0012426609473880784, 0.000027115555687434876, 2.0103343992922881e-7,
];
const TAIL_UNDER = [
  1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 0.000018463183175100548,
  1.421511758316446e-7, 2.0442631033899397e-15,
];

/**
 * The z below which a standard normal variable lies with probability p, 0 < p < 1 (Wichura 1988, AS 241), to about 1e-16 of its
 * size; ∓Infinity for 0 and 1.
 */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`A probability lies in [0, 1], and ${p} does not.`);
  if (p === 0 || p === 1) return p === 0 ? -Infinity : Infinity;
  const centred = p - 0.5;
  if (Math.abs(centred) <= 0.425) {
    const r = 0.180625 - centred * centred;
    return (centred * polynomial(CENTRE_OVER, r)) / polynomial(CENTRE_UNDER, r);
  }
  const r = Math.sqrt(-Math.log(Math.min(p, 1 - p)));
  const size =
    r <= 5
      ? polynomial(MIDDLE_OVER, r - 1.6) / polynomial(MIDDLE_UNDER, r - 1.6)
      : polynomial(TAIL_OVER, r - 5) / polynomial(TAIL_UNDER, r - 5);
  return centred < 0 ? -size : size;
}

/** An estimate with the interval around it. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Wilson's interval for a share (Wilson 1927): sound for few trials and shares near 0 or 1.
 * @param level share of such intervals that hold the truth, e.g. 0.95
 * @returns null without trials
 */
export function proportionInterval(successes: number, trials: number, level = 0.95): Interval | null {
  if (!(successes >= 0 && successes <= trials)) throw new RangeError(`${successes} of ${trials} is no share.`);
  if (trials === 0) return null;
  const z = normalQuantile(0.5 + level / 2);
  const estimate = successes / trials;
  const spread = z * Math.sqrt((estimate * (1 - estimate) + (z * z) / (4 * trials)) / trials);
  const centre = estimate + (z * z) / (2 * trials);
  const shrink = 1 + (z * z) / trials;
  return {
    estimate,
    low: successes === 0 ? 0 : (centre - spread) / shrink,
    high: successes === trials ? 1 : (centre + spread) / shrink,
  };
}

/**
 * Interval of the difference of two independent shares, first minus second (Newcombe 1998, method 10).
 * @returns null when either has no trials
 */
export function proportionDifferenceInterval(
  first: { readonly successes: number; readonly trials: number },
  second: { readonly successes: number; readonly trials: number },
  level = 0.95,
): Interval | null {
  const one = proportionInterval(first.successes, first.trials, level);
  const two = proportionInterval(second.successes, second.trials, level);
  if (one === null || two === null) return null;
  const estimate = one.estimate - two.estimate;
  return {
    estimate,
    low: estimate - Math.hypot(one.estimate - one.low, two.high - two.estimate),
    high: estimate + Math.hypot(one.high - one.estimate, two.estimate - two.low),
  };
}
