import {
  brierScore,
  confusionAt,
  expectedCalibrationError,
  liftAt,
  logLoss,
  meanAbsoluteError,
  pinballLoss,
  prAuc,
  rocAuc,
  rootMeanSquaredError,
  rSquared,
  spearman,
} from '../../learning/metrics/index.ts';
import type { LossOption } from './loss.ts';

/** A measure by name; null where it is not defined, as AUC is for rows of one kind. */
export type Scores = Readonly<Record<string, number | null>>;

/** Share of the rows with the highest scores that lift looks at. */
const LIFT_SHARE = 0.1;
const THRESHOLD = 0.5;
/** Half of the mean absolute error, for losses that ask for no quantile of their own. */
const MEDIAN = 0.5;

/** How good predictions are, by the measures that fit the loss. */
export function scoresOf(loss: LossOption, labels: Float64Array, predictions: Float64Array): Scores {
  if (loss.kind === 'logistic') {
    return {
      auc: rocAuc(labels, predictions),
      prAuc: prAuc(labels, predictions),
      logloss: logLoss(labels, predictions),
      brier: brierScore(labels, predictions),
      ece: expectedCalibrationError(labels, predictions),
      lift: liftAt(labels, predictions, LIFT_SHARE),
      accuracy: confusionAt(labels, predictions, THRESHOLD).accuracy,
    };
  }
  return {
    mae: meanAbsoluteError(labels, predictions),
    rmse: rootMeanSquaredError(labels, predictions),
    r2: rSquared(labels, predictions),
    spearman: spearman(labels, predictions),
    pinball: pinballLoss(labels, predictions, loss.kind === 'quantile' ? loss.alpha : MEDIAN),
  };
}

/** The mean of each measure over the folds in which it is defined. */
export function meanScores(folds: readonly Scores[]): Scores {
  const names = Object.keys(folds[0] ?? {});
  return Object.fromEntries(
    names.map((name) => {
      const known = folds.map((fold) => fold[name] ?? null).filter((value) => value !== null);
      return [name, known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length];
    }),
  );
}
