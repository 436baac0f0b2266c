export {
  type ChosenK,
  type ClusterChoice,
  type ClusterCount,
  chooseK,
  clusterByBestK,
  elbowOf,
} from './choice.ts';
export { assignClusters, type Clustering, type KMeansOptions, kMeans } from './kmeans.ts';
export { differentRows, type Matrix, matrixOf } from './matrix.ts';
export { fitScaler, log1p, type Scaler, standardise, unstandardise } from './scale.ts';
export { SILHOUETTE_ROWS_MAX, silhouette, silhouettes } from './silhouette.ts';
