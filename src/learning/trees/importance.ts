import type { FeatureImportance, TreeModel } from './types.ts';

/** How much each feature was used, one entry per column, in the columns' order. Shares are 0 when no tree split. */
export function importance(_model: TreeModel): FeatureImportance[] {
  throw new Error('not built yet');
}
