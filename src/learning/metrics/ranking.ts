import { orderOf, ranksOf, rowsOf, type Vector } from './vectors.ts';

/**
 * Area under the ROC curve: the probability that a positive row scores above a negative one, ties counting one half (Mann,
 * Whitney 1947; Hanley, McNeil 1982).
 * @param labels 0 or 1
 * @returns null when all labels are equal
 */
export function rocAuc(labels: Vector, scores: Vector): number | null {
  rowsOf(labels, scores);
  return weightedAuc(orderOf(scores), labels, scores, null);
}

/** The same over rows already in the order of their scores, each counted as often as `weights` says. */
export function weightedAuc(order: Uint32Array, labels: Vector, scores: Vector, weights: Vector | null): number | null {
  let negatives = 0;
  let positives = 0;
  let wins = 0;
  for (let from = 0; from < order.length; ) {
    const score = scores[order[from]!]!;
    let tiedPositives = 0;
    let tiedNegatives = 0;
    let at = from;
    for (; at < order.length && scores[order[at]!] === score; at++) {
      const row = order[at]!;
      const weight = weights === null ? 1 : weights[row]!;
      if (labels[row] === 1) tiedPositives += weight;
      else tiedNegatives += weight;
    }
    // NaN equals nothing, itself included.
    if (at === from) throw new RangeError(`The score of row ${order[from]} is ${score}, which has no rank.`);
    wins += tiedPositives * (negatives + tiedNegatives / 2);
    positives += tiedPositives;
    negatives += tiedNegatives;
    from = at;
  }
  return positives === 0 || negatives === 0 ? null : wins / (positives * negatives);
}

/**
 * Area under the precision-recall curve as average precision: the sum over thresholds of (gain in recall) × precision, without
 * interpolation, which would flatter (Davis, Goadrich 2006).
 * @returns null without a positive row
 */
export function prAuc(labels: Vector, scores: Vector): number | null {
  rowsOf(labels, scores);
  const order = orderOf(scores);
  let positives = 0;
  let seen = 0;
  let area = 0;
  for (let to = order.length; to > 0; ) {
    const score = scores[order[to - 1]!];
    const before = positives;
    let from = to;
    for (; from > 0 && (from === to || scores[order[from - 1]!] === score); from--) {
      if (labels[order[from - 1]!] === 1) positives++;
      seen++;
    }
    area += (positives - before) * (positives / seen);
    to = from;
  }
  return positives === 0 ? null : area / positives;
}

/**
 * How many times more positives there are among the best-scored `share` of the rows than among all. Rows that tie at the edge count
 * in proportion, so that the order of the rows does not matter.
 * @param share in (0, 1], e.g. 0.1; the number of rows is rounded up
 * @returns null without a positive row
 */
export function liftAt(labels: Vector, scores: Vector, share: number): number | null {
  const rows = rowsOf(labels, scores);
  if (!(share > 0 && share <= 1)) throw new RangeError(`A share lies in (0, 1], and ${share} does not.`);
  const chosen = Math.ceil(share * rows - 1e-9);
  const order = orderOf(scores);
  const edge = scores[order[rows - chosen]!]!;
  let positives = 0;
  let above = 0;
  let positivesAbove = 0;
  let tied = 0;
  let positivesTied = 0;
  for (let row = 0; row < rows; row++) {
    const label = labels[row] === 1 ? 1 : 0;
    positives += label;
    if (scores[row]! > edge) {
      above++;
      positivesAbove += label;
    } else if (scores[row] === edge) {
      tied++;
      positivesTied += label;
    }
  }
  if (positives === 0) return null;
  const found = positivesAbove + (positivesTied * (chosen - above)) / tied;
  return found / chosen / (positives / rows);
}

/**
 * Spearman's rank correlation: Pearson's of the ranks, ties sharing their mean rank.
 * @returns null when either side is constant
 */
export function spearman(first: Vector, second: Vector): number | null {
  rowsOf(first, second);
  return pearson(ranksOf(first), ranksOf(second));
}

/** Pearson's correlation; null when either side is constant. */
export function pearson(first: Vector, second: Vector): number | null {
  const rows = rowsOf(first, second);
  let meanFirst = 0;
  let meanSecond = 0;
  for (let row = 0; row < rows; row++) {
    meanFirst += first[row]! / rows;
    meanSecond += second[row]! / rows;
  }
  let both = 0;
  let squaresFirst = 0;
  let squaresSecond = 0;
  for (let row = 0; row < rows; row++) {
    const left = first[row]! - meanFirst;
    const right = second[row]! - meanSecond;
    both += left * right;
    squaresFirst += left * left;
    squaresSecond += right * right;
  }
  if (squaresFirst === 0 || squaresSecond === 0) return null;
  return both / Math.sqrt(squaresFirst * squaresSecond);
}
