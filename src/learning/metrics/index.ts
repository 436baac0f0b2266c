export {
  type BootstrapInterval,
  type BootstrapOptions,
  bootstrap,
  bootstrapAuc,
  bootstrapAucDifference,
  bootstrapMean,
} from './bootstrap.ts';
export { countByBin, populationStability, psiOfCounts, quantileEdges } from './drift.ts';
export {
  brierScore,
  type CalibrationBin,
  type Confusion,
  calibrationByQuantile,
  calibrationCurve,
  confusionAt,
  expectedCalibrationError,
  logLoss,
} from './probability.ts';
export { liftAt, pearson, prAuc, rocAuc, spearman } from './ranking.ts';
export { coverage, meanAbsoluteError, pinballLoss, rootMeanSquaredError, rSquared } from './regression.ts';
export { quantileOfSorted, ranksOf, type Vector } from './vectors.ts';
