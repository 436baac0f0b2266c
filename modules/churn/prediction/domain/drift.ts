import { countByBin, psiOfCounts, quantileEdges } from '../../../../src/learning/metrics/index.ts';

/** A distribution by bins of about equal content, and a bin for what is unknown. */
export interface BinnedProfile {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/** What a model saw when it was made: its features in training, and its raw scores on the calibration window, which it did not learn from. */
export interface DriftProfile {
  readonly features: readonly (BinnedProfile & { readonly name: string })[];
  readonly score: BinnedProfile;
}

/** Population stability indices of now against then. */
export interface DriftReport {
  readonly score: number;
  readonly features: readonly { readonly name: string; readonly psi: number }[];
}

export type DriftLevel = 'STABLE' | 'WATCH' | 'ALARM';

export interface DriftLimits {
  readonly watch: number;
  readonly alarm: number;
}

/** Rows that tell a distribution well enough: shares of a tenth are right to half a percent. */
const ROWS_MAX = 50_000;

/** The name under which the score is among the alarms. */
export const SCORE = 'score';

/** A column of a row-major matrix, of large ones every nth row. */
export function columnOf(values: ArrayLike<number>, columns: number, column: number, rowsMax = ROWS_MAX): Float64Array {
  const rows = values.length / columns;
  const step = Math.max(1, Math.ceil(rows / rowsMax));
  return Float64Array.from(
    { length: Math.ceil(rows / step) },
    (_, at) => values[at * step * columns + column] as number,
  );
}

function profileOf(values: Float64Array): BinnedProfile {
  const edges = quantileEdges(values);
  return { edges: [...edges], counts: [...countByBin(values, edges)] };
}

/** @param features row-major, NaN = unknown */
export function profile(features: ArrayLike<number>, names: readonly string[], scores: Float64Array): DriftProfile {
  return {
    features: names.map((name, column) => ({ name, ...profileOf(columnOf(features, names.length, column)) })),
    score: profileOf(columnOf(scores, 1, 0)),
  };
}

const psiOf = ({ edges, counts }: BinnedProfile, values: Float64Array): number =>
  psiOfCounts(counts, countByBin(values, Float64Array.from(edges)));

/** How far some customers are from those of a profile. There has to be at least one. */
export function drift(then: DriftProfile, features: ArrayLike<number>, scores: Float64Array): DriftReport {
  const columns = then.features.length;
  return {
    score: psiOf(then.score, columnOf(scores, 1, 0)),
    features: then.features.map((one, column) => ({
      name: one.name,
      psi: psiOf(one, columnOf(features, columns, column)),
    })),
  };
}

/** An index at a limit has reached it. */
export const driftLevel = (psi: number, { watch, alarm }: DriftLimits): DriftLevel =>
  psi >= alarm ? 'ALARM' : psi >= watch ? 'WATCH' : 'STABLE';

/** Names of what is past the alarm limit; `score` is the score. */
export function alarmsOf({ score, features }: DriftReport, limits: DriftLimits): string[] {
  return [{ name: SCORE, psi: score }, ...features]
    .filter(({ psi }) => driftLevel(psi, limits) === 'ALARM')
    .map(({ name }) => name);
}
