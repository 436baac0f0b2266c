/** Numbers in a row: typed or plain. */
export type Vector = ArrayLike<number>;

/** @throws RangeError unless the vectors are of one length above 0 */
export function rowsOf(first: Vector, ...others: readonly Vector[]): number {
  const rows = first.length;
  if (rows === 0) throw new RangeError('There is not a single row to measure.');
  for (const other of others) {
    if (other.length !== rows)
      throw new RangeError(`Vectors of ${rows} and ${other.length} rows do not belong together.`);
  }
  return rows;
}

/** The rows in order of their values, smallest first; equal ones in order of their rows. NaN goes last. */
export function orderOf(values: Vector): Uint32Array {
  const sorted = Float64Array.from(values);
  const order = Uint32Array.from({ length: values.length }, (_, row) => row);
  return order.sort((a, b) => {
    const left = sorted[a]!;
    const right = sorted[b]!;
    if (left < right) return -1;
    if (left > right) return 1;
    if (left === right) return a - b;
    return Number(Number.isNaN(left)) - Number(Number.isNaN(right)) || a - b;
  });
}

export function meanOf(values: Vector): number {
  let sum = 0;
  for (let row = 0; row < values.length; row++) sum += values[row]!;
  return sum / rowsOf(values);
}

/**
 * The value below which a share of the sorted values lies, by linear interpolation (Hyndman, Fan 1996, type 7: the default of NumPy
 * and R).
 */
export function quantileOfSorted(sorted: Vector, share: number): number {
  const place = share * (rowsOf(sorted) - 1);
  const below = sorted[Math.floor(place)]!;
  const above = sorted[Math.ceil(place)]!;
  return below === above ? below : below + (above - below) * (place - Math.floor(place));
}

/** Ranks from 1, equal values sharing the mean of their ranks. */
export function ranksOf(values: Vector): Float64Array {
  const order = orderOf(values);
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
    const shared = (from + 1 + to) / 2;
    for (let at = from; at < to; at++) ranks[order[at]!] = shared;
    from = to;
  }
  return ranks;
}
