import type { Features, TreeModel } from './types.ts';

/**
 * Predicts `rows` rows, in this thread; a million rows and more at a time are fine.
 *
 * @param features row-major, `rows` × `model.columns`, NaN = missing
 * @param output `response` (default) is a probability, a mean or a quantile as the loss has it; `raw` is the score
 *   before the link: log-odds with the logistic loss, a logarithm with Poisson and Tweedie
 * @returns one number per row
 * @throws TreeInputError when the matrix does not have that size
 */
export function predict(
  _model: TreeModel,
  _features: Features,
  _rows: number,
  _output: 'response' | 'raw' = 'response',
): Float64Array {
  throw new Error('not built yet');
}
