/** A function to be made small: returns its value at `at` and writes its gradient there into `gradient`. */
export type Objective = (at: Float64Array, gradient: Float64Array) => number;

export const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!;
  return sum;
};

/** The size of the largest component. */
export const largest = (values: Float64Array): number => {
  let size = 0;
  for (let at = 0; at < values.length; at++) size = Math.max(size, Math.abs(values[at]!));
  return size;
};
