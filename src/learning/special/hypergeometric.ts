const TERMS_MAX = 5_000_000;
const PRECISION = 1e-17;

/**
 * Gauss's hypergeometric function 2F1(a, b; c; z) for real z < 1 and c not 0, -1, -2, …
 *
 * The series (DLMF 15.2.1) after Pfaff's transformation for z < 0 (15.8.1), which brings the argument into [0, 1), and after Euler's
 * where that makes the terms fall sooner (c < a + b). Near z = 1 it needs about 40 / (1 - z) terms.
 * @throws RangeError outside of its domain, or when the series does not end within five million terms
 */
export function hypergeometric2F1(a: number, b: number, c: number, z: number): number {
  if (!(z < 1) || (c <= 0 && Number.isInteger(c))) throw new RangeError(`2F1(${a}, ${b}; ${c}; ${z}) is not covered.`);
  if (z < 0) {
    // Either parameter may be kept; the one that leaves terms of one sign cancels nothing.
    const keep = Math.abs(c - b) <= Math.abs(c - a) ? a : b;
    const other = keep === a ? b : a;
    return (1 - z) ** -keep * series(keep, c - other, c, z / (z - 1));
  }
  const euler = c - a - b;
  // Transformed parameters below 0 would alternate and cancel.
  if (euler < 0 && z > 0.5 && c - a > 0 && c - b > 0) return (1 - z) ** euler * series(c - a, c - b, c, z);
  return series(a, b, c, z);
}

function series(a: number, b: number, c: number, z: number): number {
  let term = 1;
  let sum = 1;
  for (let n = 0; n < TERMS_MAX; n++) {
    term *= (((a + n) * (b + n)) / ((c + n) * (n + 1))) * z;
    sum += term;
    if (Math.abs(term) <= PRECISION * Math.abs(sum) && n > -Math.min(a, b, c)) return sum;
  }
  throw new RangeError(`The series of 2F1(${a}, ${b}; ${c}; ${z}) is too long.`);
}
