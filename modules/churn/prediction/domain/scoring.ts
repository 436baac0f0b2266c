import { calibrate } from '../../../../src/learning/calibration/index.ts';
import { explain, fromJson, predict } from '../../../../src/learning/trees/index.ts';
import { type DriftProfile, type DriftReport, drift } from './drift.ts';
import type { ServedModel } from './model.ts';
import { REASONS, topColumns } from './reasons.ts';

export interface ScoringInput {
  readonly model: ServedModel;
  readonly profile: DriftProfile;
  /** Row-major, NaN = unknown; at least one row. */
  readonly features: Float32Array;
  readonly rows: number;
}

/** Predictions of customers, row by row. */
export interface Scores {
  readonly probabilities: Float64Array;
  /** Columns of the features that moved each row most, REASONS a row; -1 where there are fewer. */
  readonly reasonColumns: Int16Array;
  /** Their Shapley values, in log-odds. */
  readonly contributions: Float64Array;
  readonly drift: DriftReport;
}

/** Rows explained at once: bounds the memory of their Shapley values. */
const EXPLAINED = 10_000;

/** Probabilities with their reasons, and how far these customers are from those the model was made of. */
export function score({ model, profile, features, rows }: ScoringInput): Scores {
  const trees = fromJson(model.trees);
  const raw = predict(trees, features, rows, 'raw');
  const reasonColumns = new Int16Array(rows * REASONS).fill(-1);
  const contributions = new Float64Array(rows * REASONS);
  for (let start = 0; start < rows; start += EXPLAINED) {
    const count = Math.min(EXPLAINED, rows - start);
    const { values } = explain(trees, features.subarray(start * trees.columns, (start + count) * trees.columns), count);
    for (let row = 0; row < count; row++) {
      for (const [place, column] of topColumns(values, row * trees.columns, trees.columns).entries()) {
        reasonColumns[(start + row) * REASONS + place] = column;
        contributions[(start + row) * REASONS + place] = values[row * trees.columns + column] as number;
      }
    }
  }
  return {
    probabilities: calibrate(model.calibration, raw),
    reasonColumns,
    contributions,
    drift: drift(profile, features, raw),
  };
}
