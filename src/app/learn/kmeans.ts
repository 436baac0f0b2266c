import {
  type ClusterCount,
  clusterByBestK,
  differentRows,
  fitScaler,
  log1p,
  matrixOf,
  standardise,
} from '../../learning/clustering/index.ts';
import { UnusableData, UnusableOption } from './errors.ts';
import { columnOf, numbersOf, placeOf, readTable } from './table.ts';

export interface ClusterOptions {
  readonly data: string;
  readonly columns: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly log: boolean;
  readonly seed: number;
}

export interface ClusterReport {
  readonly k: number;
  readonly reason: string;
  readonly table: readonly ClusterCount[];
  readonly rows: number;
  /** Rows of each cluster with the chosen k, largest first. */
  readonly sizes: readonly number[];
}

/** Clusters beyond this say nothing to a person and take long. */
const K_MAX = 100;

/**
 * Reads "2..10" or "4".
 * @throws UnusableOption
 */
export function rangeOf(text: string): { readonly from: number; readonly to: number } {
  const [from, to] = /^\s*(\d+)\s*(?:(?:\.\.|-)\s*(\d+)\s*)?$/.exec(text)?.slice(1) ?? [];
  const range = { from: Number(from), to: Number(to ?? from) };
  if (from === undefined || range.from < 1 || range.to < range.from || range.to > K_MAX) {
    throw new UnusableOption('--k', text, `Give a number of clusters or a range like 2..10, from 1 to ${K_MAX}.`);
  }
  return range;
}

/**
 * Clusters the rows by k-means on standardised columns.
 * @throws UnusableData naming the line that cannot be
 */
export async function clusterFile({ data, columns, from, to, log, seed }: ClusterOptions): Promise<ClusterReport> {
  const table = await readTable(data);
  const numbers = columns.map((name) => numbersOf(table, name, '--columns'));
  const values = Float64Array.from(
    { length: table.rows * columns.length },
    (_, at) => numbers[at % columns.length]![Math.floor(at / columns.length)]!,
  );
  const low = log ? values.findIndex((value) => value <= -1) : -1;
  if (low >= 0) {
    throw new UnusableData(
      placeOf(table, columnOf(table, columns[low % columns.length]!, '--columns'), Math.floor(low / columns.length)),
      'is not above -1, so that --log has no logarithm for it.',
      'Leave the row out, or leave out --log.',
    );
  }
  const raw = matrixOf(values, columns.length);
  const different = differentRows(raw, from);
  if (different < from) {
    throw new UnusableData(
      { file: table.file },
      `${different} different row${different === 1 ? '' : 's'} cannot form ${from} clusters.`,
      'Give more rows, or a smaller --k.',
    );
  }
  const scaled = log ? log1p(raw) : raw;
  const chosen = clusterByBestK(standardise(scaled, fitScaler(scaled)), { from, to, seed });
  return {
    k: chosen.k,
    reason: chosen.reason,
    table: chosen.table,
    rows: table.rows,
    sizes: [...chosen.clustering.sizes],
  };
}
