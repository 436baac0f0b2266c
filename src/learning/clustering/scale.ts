import type { Matrix } from './matrix.ts';

/** What standardising subtracts and divides by, per column. */
export interface Scaler {
  readonly means: Float64Array;
  /** Standard deviations with ddof 0 (divided by n); 1 for a constant column, which becomes 0. */
  readonly deviations: Float64Array;
}

/** Means and standard deviations of the columns, in two passes so that large offsets do not cost digits. */
export function fitScaler({ values, rows, columns }: Matrix): Scaler {
  const means = new Float64Array(columns);
  const squares = new Float64Array(columns);
  for (let at = 0; at < values.length; at++) means[at % columns]! += values[at]! / rows;
  for (let at = 0; at < values.length; at++) squares[at % columns]! += (values[at]! - means[at % columns]!) ** 2;
  const deviations = squares.map((square, column) => {
    const deviation = Math.sqrt(square / rows);
    // What rounding leaves of a constant column is no deviation.
    return deviation > 1e-12 * Math.abs(means[column]!) ? deviation : 1;
  });
  return { means, deviations };
}

/** The matrix with mean 0 and deviation 1 by the scaler's measure. */
export function standardise(matrix: Matrix, { means, deviations }: Scaler): Matrix {
  const { columns } = matrix;
  return {
    ...matrix,
    values: matrix.values.map((value, at) => (value - means[at % columns]!) / deviations[at % columns]!),
  };
}

/** The way back, e.g. for centres of clusters. */
export function unstandardise(matrix: Matrix, { means, deviations }: Scaler): Matrix {
  const { columns } = matrix;
  return {
    ...matrix,
    values: matrix.values.map((value, at) => value * deviations[at % columns]! + means[at % columns]!),
  };
}

/**
 * ln(1 + x) of every value, which draws in the long tails of money and counts; `Math.expm1` is the way back.
 * @throws RangeError for a value of -1 or below
 */
export function log1p(matrix: Matrix): Matrix {
  const wrong = matrix.values.findIndex((value) => !(value > -1));
  if (wrong >= 0) {
    const place = `Row ${Math.floor(wrong / matrix.columns)}, column ${wrong % matrix.columns}`;
    throw new RangeError(`${place} is ${matrix.values[wrong]}; ln(1 + x) needs values above -1.`);
  }
  return { ...matrix, values: matrix.values.map(Math.log1p) };
}
