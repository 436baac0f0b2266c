import { type Clustering, kMeans, RESTARTS } from './kmeans.ts';
import { differentRows, type Matrix } from './matrix.ts';
import { silhouettes } from './silhouette.ts';

/** One number of clusters that was tried. */
export interface ClusterCount {
  readonly k: number;
  readonly inertia: number;
  readonly silhouette: number | null;
}

export interface ChosenK {
  readonly k: number;
  /** In words, for a person. */
  readonly reason: string;
  /** Where the inertia bends, or null when too few k were tried or it does not bend. */
  readonly elbow: number | null;
  readonly table: readonly ClusterCount[];
}

/** Two clusters only tell good from bad customers: every file has those, and nobody needs a clustering for it. */
export const K_MIN = 3;

/**
 * The elbow by Kneedle (Satopää, Albrecht, Irwin, Raghavan 2011) without smoothing: with k and inertia each scaled to [0, 1], the k at
 * which the curve lies farthest below the straight line from its first to its last point.
 * @returns null for fewer than three k or a curve that nowhere lies below the line
 */
export function elbowOf(table: readonly Pick<ClusterCount, 'k' | 'inertia'>[]): number | null {
  const first = table[0];
  const last = table.at(-1);
  if (first === undefined || last === undefined || table.length < 3 || !(first.inertia > last.inertia)) return null;
  let elbow: number | null = null;
  let depth = 1e-12;
  for (const { k, inertia } of table) {
    const along = (k - first.k) / (last.k - first.k);
    const below = 1 - along - (inertia - last.inertia) / (first.inertia - last.inertia);
    if (below > depth) {
      depth = below;
      elbow = k;
    }
  }
  return elbow;
}

const shown = (silhouette: number | null): string => (silhouette === null ? 'none' : silhouette.toFixed(3));

/**
 * The number of clusters by elbow and silhouette together: among the elbow of the inertia and its two neighbours, from three up, the one
 * with the highest silhouette; without an elbow, that of all from three up. The smaller one of equals.
 * @param table ascending in k
 */
export function chooseK(table: readonly ClusterCount[], kMin = K_MIN): ChosenK {
  const only = table[0];
  if (only === undefined) throw new RangeError('No number of clusters was tried.');
  const elbow = elbowOf(table);
  const allowed = table.filter(({ k }) => k >= kMin);
  if (allowed.length === 0) {
    const best = table.reduce((left, right) => ((right.silhouette ?? -2) > (left.silhouette ?? -2) ? right : left));
    const reason = `k = ${best.k}: nothing from ${kMin} clusters up was tried (silhouette ${shown(best.silhouette)}).`;
    return { k: best.k, reason, elbow, table };
  }
  // The nearest to the elbow that is allowed, when the elbow itself is not.
  const bend = elbow === null ? null : Math.max(elbow, kMin);
  const near = bend === null ? allowed : allowed.filter(({ k }) => Math.abs(k - bend) <= 1);
  const candidates = near.length === 0 ? allowed : near;
  const best = candidates.reduce((left, right) => ((right.silhouette ?? -2) > (left.silhouette ?? -2) ? right : left));
  return { k: best.k, reason: reasonFor(best, candidates, elbow, table, kMin), elbow, table };
}

function reasonFor(
  best: ClusterCount,
  candidates: readonly ClusterCount[],
  elbow: number | null,
  table: readonly ClusterCount[],
  kMin: number,
): string {
  const others = candidates.filter(({ k }) => k !== best.k).map(({ k, silhouette }) => `${shown(silhouette)} at ${k}`);
  const against = others.length === 0 ? '' : ` (the others: ${others.join(', ')})`;
  const bend = elbow === null ? 'the inertia has no elbow' : `the inertia bends at k = ${elbow}`;
  const among = elbow === null ? `from ${kMin} up` : 'there and beside it';
  const parts = [
    `k = ${best.k}: ${bend}, and ${among} ${best.k} clusters have the highest silhouette, ${shown(best.silhouette)}${against}.`,
  ];
  const widest = table.reduce((left, right) => ((right.silhouette ?? -2) > (left.silhouette ?? -2) ? right : left));
  if (widest.k !== best.k) {
    const why = widest.k < kMin ? `fewer than ${kMin} say too little about customers` : 'that is away from the elbow';
    parts.push(`By silhouette alone it would be ${widest.k} (${shown(widest.silhouette)}); ${why}.`);
  }
  return parts.join(' ');
}

export interface ClusterChoice extends ChosenK {
  /** The clustering with the chosen k. */
  readonly clustering: Clustering;
}

/**
 * Clusters the rows for each k of the range, as far as there are that many different rows, and chooses one of them.
 * @throws RangeError when there are fewer different rows than `from`
 */
export function clusterByBestK(
  matrix: Matrix,
  options: { readonly from: number; readonly to: number; readonly seed: number; readonly restarts?: number },
): ClusterChoice {
  const { from, to, seed, restarts = RESTARTS } = options;
  const most = differentRows(matrix, to);
  if (most < from) throw new RangeError(`${most} different rows cannot form ${from} clusters.`);
  const clusterings: Clustering[] = [];
  for (let k = from; k <= most; k++) clusterings.push(kMeans(matrix, { k, seed, restarts }));
  const widths = silhouettes(
    matrix,
    clusterings.map(({ clusters }) => clusters),
    seed,
  );
  const table = clusterings.map(({ k, inertia }, at) => ({ k, inertia, silhouette: widths[at] ?? null }));
  const chosen = chooseK(table);
  return { ...chosen, clustering: clusterings.find(({ k }) => k === chosen.k)! };
}
