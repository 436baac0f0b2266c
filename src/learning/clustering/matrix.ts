/** Rows of numbers: the value of row r and column c is `values[r * columns + c]`. */
export interface Matrix {
  readonly values: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** @throws RangeError when the shape does not fit or a value is not finite */
export function matrixOf(values: Float64Array, columns: number): Matrix {
  const rows = values.length / columns;
  if (!(columns >= 1 && Number.isInteger(rows) && rows >= 1)) {
    throw new RangeError(`${values.length} values are no matrix of ${columns} columns.`);
  }
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    const place = `Row ${Math.floor(wrong / columns)}, column ${wrong % columns}`;
    throw new RangeError(`${place} is ${values[wrong]}, and distances need finite numbers.`);
  }
  return { values, rows, columns };
}

/** How many rows differ, counted up to `enough`. */
export function differentRows({ values, rows, columns }: Matrix, enough: number): number {
  const seen = new Set<string>();
  for (let row = 0; row < rows && seen.size < enough; row++) {
    seen.add(values.subarray(row * columns, (row + 1) * columns).join());
  }
  return seen.size;
}

/** The given rows as a matrix of their own. */
export function pickRows({ values, columns }: Matrix, rows: Uint32Array): Matrix {
  const picked = new Float64Array(rows.length * columns);
  for (const [at, row] of rows.entries()) {
    picked.set(values.subarray(row * columns, (row + 1) * columns), at * columns);
  }
  return { values: picked, rows: rows.length, columns };
}
