import type { FeatureImportance, TreeModel } from './types.ts';

/** How much each feature was used, one entry per column, in the columns' order. Shares are 0 when no tree split. */
export function importance(model: TreeModel): FeatureImportance[] {
  const gain = new Float64Array(model.columns);
  const cover = new Float64Array(model.columns);
  const splits = new Int32Array(model.columns);
  for (const tree of model.trees) {
    for (const [node, column] of tree.feature.entries()) {
      if (column < 0) continue;
      gain[column]! += tree.gain[node]!;
      cover[column]! += tree.cover[node]!;
      splits[column]! += 1;
    }
  }
  const allGain = gain.reduce((sum, value) => sum + value, 0) || 1;
  const allCover = cover.reduce((sum, value) => sum + value, 0) || 1;
  return model.names.map((name, column) => ({
    name,
    gain: gain[column]! / allGain,
    cover: cover[column]! / allCover,
    splits: splits[column]!,
  }));
}
