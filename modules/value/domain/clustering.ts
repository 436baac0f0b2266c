import {
  assignClusters,
  type ClusterCount,
  clusterByBestK,
  differentRows,
  fitScaler,
  log1p,
  type Matrix,
  matrixOf,
  standardise,
} from '../../../src/learning/clustering/index.ts';
import { createRandom, shuffledIndices } from '../../../src/learning/random.ts';
import { CLUSTER_FEATURES, type ClusterFeature, type ClusterProfile, nameClusters } from './clusters.ts';

export interface ClusterOptions {
  readonly kMin: number;
  readonly kMax: number;
  readonly restarts: number;
  readonly seed: number;
  /** Customers looked at; more are assigned to the clusters found. */
  readonly sampleMax: number;
}

/** A cluster of customers. */
export interface Cluster {
  readonly name: string;
  readonly customers: number;
  readonly revenue: number;
  /** Mean of the logarithms, as a value: the typical customer. */
  readonly typical: Readonly<Record<ClusterFeature, number>>;
  /** The centre in standard deviations of the logarithms. */
  readonly centre: Readonly<Record<ClusterFeature, number>>;
}

export interface CustomerClusters {
  readonly k: number;
  /** Why this k, in words. */
  readonly reason: string;
  readonly trials: readonly ClusterCount[];
  readonly clusters: readonly Cluster[];
  /** Place in `clusters` of each customer. */
  readonly clusterOf: Int32Array;
}

/** Fewer customers to a cluster say nothing. */
const CUSTOMERS_PER_CLUSTER = 5;
const COLUMNS = CLUSTER_FEATURES.length;
const REVENUE = CLUSTER_FEATURES.indexOf('revenue');

/**
 * Clusters customers by k-means on the logarithms of seven features, standardised; k by silhouette and elbow together.
 * @param values one row a customer, columns as CLUSTER_FEATURES, none below 0
 * @returns null when there are too few customers, or too few that differ
 */
export function clusterCustomers(values: Float64Array, options: ClusterOptions): CustomerClusters | null {
  const { kMin, restarts, seed } = options;
  const customers = values.length / COLUMNS;
  const kMax = Math.min(options.kMax, Math.floor(customers / CUSTOMERS_PER_CLUSTER));
  if (kMax < kMin) return null;
  const logs = log1p(matrixOf(values, COLUMNS));
  const scaler = fitScaler(logs);
  const all = standardise(logs, scaler);
  const sample = sampleOf(all, options);
  if (differentRows(sample, kMin) < kMin) return null;
  const choice = clusterByBestK(sample, { from: kMin, to: kMax, seed, restarts });
  const clusterOf = sample === all ? choice.clustering.clusters : assignClusters(all, choice.clustering.centres);
  return { reason: choice.reason, trials: choice.table, ...describe(values, all, logs, clusterOf, choice.k) };
}

/** The same rows for the same seed and number of customers. */
function sampleOf(all: Matrix, { sampleMax, seed }: ClusterOptions): Matrix {
  if (all.rows <= sampleMax) return all;
  const rows = shuffledIndices(all.rows, createRandom(seed)).subarray(0, sampleMax).sort();
  const values = new Float64Array(sampleMax * COLUMNS);
  for (const [at, row] of rows.entries())
    values.set(all.values.subarray(row * COLUMNS, (row + 1) * COLUMNS), at * COLUMNS);
  return matrixOf(values, COLUMNS);
}

/** What the clusters are like. */
function describe(values: Float64Array, all: Matrix, logs: Matrix, clusterOf: Int32Array, k: number) {
  const sizes = new Float64Array(k);
  const centres = new Float64Array(k * COLUMNS);
  const typical = new Float64Array(k * COLUMNS);
  const revenue = new Float64Array(k);
  const add = (sums: Float64Array, at: number, value = 0) => {
    sums[at] = (sums[at] ?? 0) + value;
  };
  for (const [row, cluster] of clusterOf.entries()) {
    add(sizes, cluster, 1);
    add(revenue, cluster, values[row * COLUMNS + REVENUE]);
    for (let column = 0; column < COLUMNS; column++) {
      add(centres, cluster * COLUMNS + column, all.values[row * COLUMNS + column]);
      add(typical, cluster * COLUMNS + column, logs.values[row * COLUMNS + column]);
    }
  }
  const mean = (sums: Float64Array, cluster: number, read: (value: number) => number) =>
    Object.fromEntries(
      CLUSTER_FEATURES.map((feature, column) => [
        feature,
        read((sums[cluster * COLUMNS + column] ?? 0) / (sizes[cluster] ?? 1)),
      ]),
    ) as Record<ClusterFeature, number>;
  const profiles: ClusterProfile[] = Array.from(sizes, (customers, cluster) => ({
    customers,
    centre: mean(centres, cluster, (value) => value),
  }));
  const names = nameClusters(profiles);
  const clusters = profiles.map(({ customers, centre }, cluster) => ({
    name: names[cluster] ?? '',
    customers,
    revenue: revenue[cluster] ?? 0,
    typical: mean(typical, cluster, Math.expm1),
    centre,
  }));
  return { k, clusters, clusterOf };
}
