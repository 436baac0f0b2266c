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

/** Rows that the cuts are found from: 400 per bin, so that a bin's share of rows is off by a twentieth. */
const SAMPLE = 100_000;
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

/** The bins of some columns, in their order. */
export function findBins(data: Binning, chosen: readonly number[]): ColumnBins[] {
  const { features, rows, columns, weights, seed } = data;
  const size = Math.min(rows, SAMPLE);
  const stream = streamOf(seed, SAMPLE_STREAM);
  const samples = chosen.map(() => new Float64Array(size));
  const sampledWeights = new Float64Array(weights.length > 0 ? size : 0);
  let count = 0;
  for (let index = 0; index < size; index++) {
    // One row out of each of as many equal stretches, so that sorted data are sampled evenly.
    const start = Math.floor((index * rows) / size);
    const stretch = Math.floor(((index + 1) * rows) / size) - start;
    const row = stretch === 1 ? start : start + (randomOf(stream, index) % stretch);
    if (weights.length > 0) {
      if (weights[row] === 0) continue;
      sampledWeights[count] = weights[row]!;
    }
    for (let place = 0; place < chosen.length; place++) {
      samples[place]![count] = features[row * columns + chosen[place]!]!;
    }
    count += 1;
  }
  return chosen.map((column, place) => {
    const distinct = countDistinct(samples[place]!.subarray(0, count), sampledWeights);
    return data.categorical.includes(column) ? categoryBins(distinct, data.bins) : numericBins(distinct, data.bins);
  });
}

/** The different values, ascending, and the weight of each. */
interface Distinct {
  readonly values: Float64Array;
  readonly weights: Float64Array;
}

/** Missing values are left out. */
function countDistinct(values: Float64Array, weights: Float64Array): Distinct {
  const present = values.filter((value) => !Number.isNaN(value));
  const found = new Float64Array(present.length);
  const sums = new Float64Array(present.length);
  let last = -1;
  const add = (value: number, weight: number): void => {
    if (last < 0 || value !== found[last]) found[++last] = value;
    sums[last]! += weight;
  };
  if (weights.length === 0) {
    for (const value of present.sort()) add(value, 1);
  } else {
    const order = Uint32Array.from(values.keys()).filter((index) => !Number.isNaN(values[index]!));
    for (const index of order.sort((a, b) => values[a]! - values[b]! || a - b)) add(values[index]!, weights[index]!);
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
  const rulers = bins.map(({ cuts }) => createRuler(cuts));
  let infinite = -1;
  for (let start = from; start < to; start += BLOCK) {
    const end = Math.min(start + BLOCK, to);
    for (let column = 0; column < data.columns; column++) {
      const table = tables[column]!;
      const found =
        table === null
          ? assignNumeric(data, rulers[column]!, column, start, end, matrix)
          : assignCategories(data, bins[column]!, table, column, start, end, matrix);
      if (found >= 0 && infinite < 0) infinite = found;
    }
  }
  return infinite;
}

/** Cells of equal width between the first and the last cut, in which a cut is looked for. */
const CELLS = 2048;

/** Finds the bin of a value: from its cell it is known between which cuts to search, mostly none or one. */
interface Ruler {
  readonly cuts: Float64Array;
  readonly start: number;
  readonly scale: number;
  /** Per cell, the number of cuts in the cells before it. */
  readonly before: Uint16Array;
}

function createRuler(cuts: Float64Array): Ruler {
  const start = cuts[0] ?? 0;
  const width = (cuts.at(-1) ?? 0) - start;
  const scale = width > 0 && Number.isFinite(CELLS / width) ? (CELLS - 1) / width : 0;
  const before = new Uint16Array(CELLS + 1);
  // A cut's cell is found as a value's is: cells never fall as values rise, whatever the rounding.
  for (const cut of cuts) before[cellOf(cut, start, scale) + 1]! += 1;
  for (let cell = 0; cell < CELLS; cell++) before[cell + 1]! += before[cell]!;
  return { cuts, start, scale, before };
}

function cellOf(value: number, start: number, scale: number): number {
  const cell = (value - start) * scale;
  return cell >= CELLS ? CELLS - 1 : cell > 0 ? Math.floor(cell) : 0;
}

/** The number of cuts that are not above the value. */
function binOf({ cuts, start, scale, before }: Ruler, value: number): number {
  const cell = cellOf(value, start, scale);
  let low = before[cell]!;
  let high = before[cell + 1]!;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cuts[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function assignNumeric(
  { features, rows, columns }: Binning,
  ruler: Ruler,
  column: number,
  from: number,
  to: number,
  { records, recordBytes, head, byColumn }: BinMatrix,
): number {
  let infinite = -1;
  const last = ruler.cuts.length;
  for (let row = from; row < to; row++) {
    const value = features[row * columns + column]!;
    const bin = Number.isNaN(value) ? last + 1 : binOf(ruler, value);
    // The largest number stands for "everything that is not missing" as a threshold.
    if (bin === last && value >= Number.MAX_VALUE) infinite = row;
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
