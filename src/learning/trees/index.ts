/**
 * Gradient-boosted decision trees on histograms: trained on any number of threads, to the same bytes.
 *
 * Friedman, "Greedy function approximation", Annals of Statistics 29 (2001); the penalised second-order gain of Chen and
 * Guestrin, "XGBoost", KDD 2016; ordered category subsets of Fisher (1958) as in Ke et al., "LightGBM", NIPS 2017.
 */
export { explain } from './explain.ts';
export { importance } from './importance.ts';
export { fromJson, toJson } from './json.ts';
export { predict } from './predict.ts';
export { trainTrees } from './train.ts';
export {
  type Explanation,
  type FeatureImportance,
  type Features,
  type Loss,
  type TrainingData,
  type TrainingOptions,
  type Tree,
  TreeInputError,
  type TreeModel,
  type ValidationData,
} from './types.ts';
