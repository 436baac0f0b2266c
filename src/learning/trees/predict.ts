import { applyLink } from './loss.ts';
import { createScorer } from './score.ts';
import { type Features, type Tree, TreeInputError, type TreeModel } from './types.ts';

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
  model: TreeModel,
  features: Features,
  rows: number,
  output: 'response' | 'raw' = 'response',
): Float64Array {
  checkSize(model, features, rows);
  const scores = new Float64Array(rows).fill(model.base);
  if (rows * model.trees.length > FEW) scoreInBatches(model, features, rows, scores);
  else for (const tree of model.trees) addTree(tree, features, rows, model.columns, scores);
  if (output === 'response') applyLink(model.loss, scores);
  return scores;
}

/** Rows times trees up to which it does not pay to prepare WebAssembly. */
const FEW = 20_000;

/** The same sums in the same order as without WebAssembly, which leaves categories to `addTree`. */
function scoreInBatches(model: TreeModel, features: Features, rows: number, scores: Float64Array): void {
  const { trees, columns, base } = model;
  const scorer = createScorer(trees, columns, features.BYTES_PER_ELEMENT);
  const categorical = trees.map((tree) => tree.categories.some((categories) => categories !== null));
  for (let start = 0; start < rows; start += scorer.batch) {
    const count = Math.min(scorer.batch, rows - start);
    const part = features.subarray(start * columns, (start + count) * columns);
    scorer.begin(part, base);
    for (const [index, tree] of trees.entries()) {
      if (categorical[index]) addTree(tree, part, count, columns, scorer.scores);
      else scorer.add(index);
    }
    scores.set(scorer.scores.subarray(0, count), start);
  }
}

export function checkSize(model: TreeModel, features: Features, rows: number): void {
  if (!Number.isInteger(rows) || rows < 0) throw new TreeInputError('rows', `has to be a whole number, not ${rows}`);
  if (features.length !== rows * model.columns) {
    throw new TreeInputError('features', `has ${features.length} values, not ${rows} × ${model.columns}`);
  }
}

/** Adds what one tree says of each row to its score. */
export function addTree(tree: Tree, features: Features, rows: number, columns: number, scores: Float64Array): void {
  for (let row = 0; row < rows; row++) {
    let node = 0;
    while (tree.feature[node]! >= 0) {
      node = tree.left[node]! + (goesLeft(tree, node, features[row * columns + tree.feature[node]!]!) ? 0 : 1);
    }
    scores[row]! += tree.value[node]!;
  }
}

/** Whether a value goes left in an inner node. */
export function goesLeft(tree: Tree, node: number, value: number): boolean {
  if (Number.isNaN(value)) return tree.missingLeft[node] === 1;
  const categories = tree.categories[node];
  return categories ? categories.includes(value) : value < tree.threshold[node]!;
}
