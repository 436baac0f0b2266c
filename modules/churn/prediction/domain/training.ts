import {
  type CalibrationMap,
  calibrate,
  chooseThreshold,
  fitIsotonic,
  fitPlatt,
} from '../../../../src/learning/calibration/index.ts';
import {
  bootstrapAucDifference,
  brierScore,
  calibrationCurve,
  confusionAt,
  expectedCalibrationError,
  liftAt,
  logLoss,
  prAuc,
  rocAuc,
} from '../../../../src/learning/metrics/index.ts';
import { fromJson, importance, predict, toJson, trainTrees } from '../../../../src/learning/trees/index.ts';
import { profile } from './drift.ts';
import type {
  Economics,
  ModelMetrics,
  ModelParameters,
  ProfitFacts,
  Quality,
  ServedModel,
  TrainedModel,
} from './model.ts';

/** Customers of one or more snapshots, and what came of them. */
export interface LabelledRows {
  /** Row-major, as many columns as there are names; NaN = unknown. */
  readonly features: Float32Array;
  /** 1 = left within the horizon. */
  readonly labels: Float64Array;
  /** What each customer brings in a year, in minor units. */
  readonly values: Float64Array;
}

export interface TrainingInput {
  readonly names: readonly string[];
  readonly training: LabelledRows;
  readonly calibration: LabelledRows;
  readonly test: LabelledRows;
  readonly parameters: ModelParameters;
  /** The live model when it reads the same features. */
  readonly live: (ServedModel & { readonly modelId: string }) | null;
  readonly threads: number;
}

/** Of this feature alone the baseline is made: days since the last thing the customer did. */
export const BASELINE_FEATURE = 'activityRecencyDays';

const FOLDS = 5;
const REPLICATES = { most: 1_000, least: 200 } as const;
/** Rows drawn by the bootstrap in all: bounds its time to some seconds. */
const DRAWS_MAX = 20_000_000;

/** Trains a model, calibrates it, chooses its threshold, and measures it on the test window, which nothing was fitted to. */
export async function trainChurnModel(input: TrainingInput): Promise<TrainedModel> {
  const { names, training, calibration, test, parameters } = input;
  const { saveRate: _, contactCostMinor: __, ...tree } = parameters;
  const model = await trainTrees(
    {
      features: training.features,
      rows: training.labels.length,
      columns: names.length,
      labels: training.labels,
      names,
    },
    { loss: { kind: 'logistic' }, classWeight: 'balanced', ...tree, threads: input.threads },
  );
  const scoresOn = ({ features, labels }: LabelledRows) => predict(model, features, labels.length, 'raw');
  const calibrationScores = scoresOn(calibration);
  const testScores = scoresOn(test);
  const chosen = chooseCalibration(calibrationScores, calibration.labels);
  const economics = {
    value: calibration.values,
    saveRate: parameters.saveRate,
    contactCost: parameters.contactCostMinor,
  };
  const { threshold } = chooseThreshold(calibration.labels, calibrate(chosen.map, calibrationScores), economics);
  const probabilities = calibrate(chosen.map, testScores);
  const metrics: ModelMetrics = {
    ...qualityOf(test.labels, probabilities, testScores),
    calibrationCurve: calibrationCurve(test.labels, probabilities),
    confusion: threshold === null ? null : confusionAt(test.labels, probabilities, threshold),
    profit: threshold === null ? null : profitAt(test, probabilities, threshold, parameters),
    calibrationMethod: chosen.map.kind === 'platt' ? 'PLATT' : 'ISOTONIC',
    calibrationLogLoss: chosen.logLoss,
    baseline: againstRecency(names, test, testScores, parameters.seed),
    live: input.live === null ? null : { modelId: input.live.modelId, ...qualityOfServed(input.live, test) },
  };
  const shares = importance(model).map(({ name, gain }) => ({ feature: name, gain }));
  return {
    trees: toJson(model),
    calibration: chosen.map,
    threshold,
    metrics,
    importance: shares.sort((a, b) => b.gain - a.gain || (a.feature < b.feature ? -1 : 1)),
    profile: profile(training.features, names, calibrationScores),
  };
}

/** The method with the lower log-loss on rows it was not fitted to, and its fit to all. */
export function chooseCalibration(scores: Float64Array, labels: Float64Array) {
  const fold = (row: number) => row % FOLDS;
  const outside = { isotonic: new Float64Array(labels.length), platt: new Float64Array(labels.length) };
  for (let held = 0; held < FOLDS; held++) {
    const fitted = {
      scores: scores.filter((_, row) => fold(row) !== held),
      labels: labels.filter((_, row) => fold(row) !== held),
    };
    const maps = { isotonic: fitIsotonic(fitted.scores, fitted.labels), platt: fitPlatt(fitted.scores, fitted.labels) };
    for (let row = held; row < labels.length; row += FOLDS) {
      const own = scores.subarray(row, row + 1);
      outside.isotonic[row] = calibrate(maps.isotonic, own)[0] as number;
      outside.platt[row] = calibrate(maps.platt, own)[0] as number;
    }
  }
  const losses = { isotonic: logLoss(labels, outside.isotonic), platt: logLoss(labels, outside.platt) };
  const map: CalibrationMap = losses.isotonic < losses.platt ? fitIsotonic(scores, labels) : fitPlatt(scores, labels);
  return { map, logLoss: losses };
}

/** @param scores before calibration: steps of an isotonic map would tie customers whom the trees tell apart */
function qualityOf(labels: Float64Array, probabilities: Float64Array, scores: Float64Array): Quality {
  return {
    rocAuc: rocAuc(labels, scores),
    prAuc: prAuc(labels, scores),
    logLoss: logLoss(labels, probabilities),
    brier: brierScore(labels, probabilities),
    ece: expectedCalibrationError(labels, probabilities),
    liftAt10: liftAt(labels, scores, 0.1),
    accuracyAtHalf: confusionAt(labels, probabilities, 0.5).accuracy,
  };
}

function qualityOfServed({ trees, calibration }: ServedModel, { features, labels }: LabelledRows): Quality {
  const scores = predict(fromJson(trees), features, labels.length, 'raw');
  return qualityOf(labels, calibrate(calibration, scores), scores);
}

function againstRecency(
  names: readonly string[],
  { features, labels }: LabelledRows,
  scores: Float64Array,
  seed: number,
) {
  const column = names.indexOf(BASELINE_FEATURE);
  const recency = Float64Array.from(labels, (_, row) => features[row * names.length + column] as number);
  const replicates = Math.max(REPLICATES.least, Math.min(REPLICATES.most, Math.floor(DRAWS_MAX / labels.length)));
  return {
    rocAuc: rocAuc(labels, recency),
    aucDifference: bootstrapAucDifference(labels, scores, recency, { seed, replicates }),
  };
}

/** What contacting everybody at or above the threshold would have brought. */
function profitAt(
  { labels, values }: LabelledRows,
  probabilities: Float64Array,
  threshold: number,
  { saveRate, contactCostMinor }: Economics,
): ProfitFacts {
  let contacted = 0;
  let reached = 0;
  let profit = 0;
  let profitOfAll = 0;
  for (const [row, label] of labels.entries()) {
    const gain = label * saveRate * (values[row] as number) - contactCostMinor;
    profitOfAll += gain;
    if ((probabilities[row] as number) < threshold) continue;
    contacted += 1;
    reached += label;
    profit += gain;
  }
  return { contacted, reached, profitMinor: Math.round(profit), profitOfAllMinor: Math.round(profitOfAll) };
}
