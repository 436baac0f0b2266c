import type { Explanation, Features, TreeModel } from './types.ts';

/**
 * Exact Shapley values of each row by TreeSHAP (Lundberg et al., "Consistent individualized feature attribution for
 * tree ensembles", 2018), path-dependent: a feature left out is averaged over the training rows that reached the node.
 * `base` plus the values of a row is its raw score, to rounding.
 *
 * @param features row-major, `rows` × `model.columns`, NaN = missing
 * @throws TreeInputError when the matrix does not have that size
 */
export function explain(_model: TreeModel, _features: Features, _rows: number): Explanation {
  throw new Error('not built yet');
}
