import { randomOf, streamOf } from './random.ts';
import type { Features } from './types.ts';

/**
 * How the values of one column become bins. Numeric: bin b holds the values from `cuts[b - 1]` up to, and without,
 * `cuts[b]`. Categorical: bin b holds the category `categories[b]`, the next one all other categories. The last bin of
 * either kind holds missing values.
 */
export interface ColumnBins {
  /** Ascending; empty when categorical. */
  readonly cuts: Float64Array;
  /** The most frequent first; null when numeric. */
  readonly categories: Int32Array | null;
  /** With the bin of missing values, which is the last. */
  readonly count: number;
}

/** Rows that the cuts are found from; more do not move them noticeably (LightGBM takes as many). */
const SAMPLE = 200_000;
const SAMPLE_STREAM = 0x62696e73;

/** A matrix of features and how it is cut into bins. */
export interface Binning {
  readonly features: Features;
  readonly rows: number;
  readonly columns: number;
  /** Empty: every row weighs 1. */
  readonly weights: Float64Array;
  readonly categorical: readonly number[];
  readonly bins: number;
  readonly seed: number;
}

/** The bins of one column. */
export function findBins(data: Binning, column: number): ColumnBins {
  const { features, rows, columns, weights, seed } = data;
  const size = Math.min(rows, SAMPLE);
  const stream = streamOf(seed, SAMPLE_STREAM);
  const values = new Float64Array(size);
  const weighted = weights.length > 0;
  const kept = weighted ? new Float64Array(size) : weights;
  let count = 0;
  for (let index = 0; index < size; index++) {
    // One row out of each of as many equal stretches, so that sorted data are sampled evenly.
    const start = Math.floor((index * rows) / size);
    const stretch = Math.floor(((index + 1) * rows) / size) - start;
    const row = stretch === 1 ? start : start + (randomOf(stream, index) % stretch);
    const value = features[row * columns + column]!;
    if (Number.isNaN(value) || (weighted && weights[row] === 0)) continue;
    if (weighted) kept[count] = weights[row]!;
    values[count++] = value;
  }
  const distinct = countDistinct(values.subarray(0, count), kept.subarray(0, weighted ? count : 0));
  return data.categorical.includes(column) ? categoryBins(distinct, data.bins) : numericBins(distinct, data.bins);
}

/** The different values, ascending, and the weight of each. */
interface Distinct {
  readonly values: Float64Array;
  readonly weights: Float64Array;
}

function countDistinct(values: Float64Array, weights: Float64Array): Distinct {
  let order: Uint32Array | null = null;
  if (weights.length === 0) values.sort();
  else order = Uint32Array.from(values, (_, index) => index).sort((a, b) => values[a]! - values[b]! || a - b);
  const found = new Float64Array(values.length);
  const sums = new Float64Array(values.length);
  let last = -1;
  for (let rank = 0; rank < values.length; rank++) {
    const index = order === null ? rank : order[rank]!;
    const value = values[index]!;
    if (last < 0 || value !== found[last]) found[++last] = value;
    sums[last]! += order === null ? 1 : weights[index]!;
  }
  return { values: found.subarray(0, last + 1), weights: sums.subarray(0, last + 1) };
}

/** A cut between two neighbouring values: a number above the lower one and not above the higher one, and not -0. */
function between(lower: number, higher: number): number {
  const middle = lower / 2 + higher / 2;
  return (middle > lower && middle <= higher ? middle : higher) + 0;
}

function numericBins({ values, weights }: Distinct, bins: number): ColumnBins {
  const most = bins - 1;
  const cuts: number[] = [];
  let remaining = 0;
  for (const weight of weights) remaining += weight;
  let inBin = 0;
  for (let index = 0; index + 1 < values.length; index++) {
    inBin += weights[index]!;
    const binsLeft = most - cuts.length;
    if (binsLeft <= 1) break;
    // Few values have a bin each; of many, each bin takes its share of the weight that is left.
    if (values.length <= most || inBin >= remaining / binsLeft) {
      cuts.push(between(values[index]!, values[index + 1]!));
      remaining -= inBin;
      inBin = 0;
    }
  }
  return { cuts: Float64Array.from(cuts), categories: null, count: cuts.length + 2 };
}

function categoryBins({ values, weights }: Distinct, bins: number): ColumnBins {
  const byWeight = Array.from(values, (_, index) => index).sort((a, b) => weights[b]! - weights[a]! || a - b);
  const categories = Int32Array.from(byWeight.slice(0, bins - 2), (index) => values[index]!);
  return { cuts: new Float64Array(0), categories, count: categories.length + 2 };
}

/** Where `assignBins` puts the bins of each value: once into the rows' records, once column after column. */
export interface BinMatrix {
  readonly records: Uint8Array;
  readonly recordBytes: number;
  /** Bytes of a record before its bins. */
  readonly head: number;
  readonly byColumn: Uint8Array;
}

/** Rows whose values stay in the processor's cache while they are cut column by column. */
const BLOCK = 1024;

/** Writes the bins of rows [from, to). Returns the first row that holds infinity, or -1. */
export function assignBins(
  data: Binning,
  bins: readonly ColumnBins[],
  from: number,
  to: number,
  matrix: BinMatrix,
): number {
  const tables = bins.map(({ categories }) =>
    categories === null ? null : new Map(Array.from(categories, (category, bin) => [category, bin])),
  );
  let infinite = -1;
  for (let start = from; start < to; start += BLOCK) {
    const end = Math.min(start + BLOCK, to);
    for (let column = 0; column < data.columns; column++) {
      const table = tables[column]!;
      const found =
        table === null
          ? assignNumeric(data, bins[column]!, column, start, end, matrix)
          : assignCategories(data, bins[column]!, table, column, start, end, matrix);
      if (found >= 0 && infinite < 0) infinite = found;
    }
  }
  return infinite;
}

function assignNumeric(
  { features, rows, columns }: Binning,
  { cuts, count }: ColumnBins,
  column: number,
  from: number,
  to: number,
  { records, recordBytes, head, byColumn }: BinMatrix,
): number {
  let infinite = -1;
  const last = cuts.length;
  for (let row = from; row < to; row++) {
    const value = features[row * columns + column]!;
    let bin = count - 1;
    if (!Number.isNaN(value)) {
      let low = 0;
      let high = last;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (cuts[middle]! <= value) low = middle + 1;
        else high = middle;
      }
      bin = low;
      // The largest number stands for "everything that is not missing" as a threshold.
      if (bin === last && value >= Number.MAX_VALUE) infinite = row;
    }
    records[row * recordBytes + head + column] = bin;
    byColumn[column * rows + row] = bin;
  }
  return infinite;
}

function assignCategories(
  { features, rows, columns }: Binning,
  { count }: ColumnBins,
  table: ReadonlyMap<number, number>,
  column: number,
  from: number,
  to: number,
  { records, recordBytes, head, byColumn }: BinMatrix,
): number {
  for (let row = from; row < to; row++) {
    const value = features[row * columns + column]!;
    const bin = Number.isNaN(value) ? count - 1 : (table.get(value) ?? count - 2);
    records[row * recordBytes + head + column] = bin;
    byColumn[column * rows + row] = bin;
  }
  return -1;
}
