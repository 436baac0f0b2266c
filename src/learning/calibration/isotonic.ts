import { orderOf, rowsOf, type Vector } from '../metrics/vectors.ts';

/** A map from scores to probabilities that never falls: linear between knots, constant beyond them. */
export interface IsotonicMap {
  readonly kind: 'isotonic';
  /** Ascending scores. */
  readonly scores: readonly number[];
  /** The value at each of them, never falling. */
  readonly values: readonly number[];
}

/** Neighbouring rows that share one value. */
interface Block {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
  readonly mean: number;
}

const joined = (left: Block, right: Block): Block => {
  const weight = left.weight + right.weight;
  return {
    from: left.from,
    to: right.to,
    weight,
    mean: left.mean + (right.mean - left.mean) * (right.weight / weight),
  };
};

/** Equal scores as one block each, ascending. */
function tied(scores: Vector, targets: Vector, weights: Vector | null): Block[] {
  const blocks: Block[] = [];
  for (const row of orderOf(scores)) {
    const score = scores[row]!;
    const weight = weights === null ? 1 : weights[row]!;
    if (Number.isNaN(score)) throw new RangeError(`The score of row ${row} is NaN.`);
    if (!(weight >= 0)) throw new RangeError(`The weight of row ${row} is ${weight}.`);
    if (weight === 0) continue;
    const block = { from: score, to: score, weight, mean: targets[row]! };
    const last = blocks.at(-1);
    if (last?.from === score) blocks[blocks.length - 1] = joined(last, block);
    else blocks.push(block);
  }
  if (blocks.length === 0) throw new RangeError('All weights are 0.');
  return blocks;
}

/**
 * Least squares under the constraint that a higher score never has a lower value: pool adjacent violators (Ayer et al. 1955; for
 * probabilities, Zadrozny, Elkan 2002). The weighted mean of the fitted values is that of the targets.
 * @param targets 0/1 labels, or any numbers
 */
export function fitIsotonic(scores: Vector, targets: Vector, weights: Vector | null = null): IsotonicMap {
  rowsOf(scores, targets, ...(weights === null ? [] : [weights]));
  const blocks: Block[] = [];
  for (let block of tied(scores, targets, weights)) {
    for (let last = blocks.at(-1); last !== undefined && last.mean >= block.mean; last = blocks.at(-1)) {
      block = joined(last, block);
      blocks.pop();
    }
    blocks.push(block);
  }
  const knots = blocks.flatMap(({ from, to, mean }) =>
    from === to
      ? [[from, mean]]
      : [
          [from, mean],
          [to, mean],
        ],
  ) as [number, number][];
  return { kind: 'isotonic', scores: knots.map(([score]) => score), values: knots.map(([, value]) => value) };
}

/** The value of the map at a score. */
export function isotonicAt({ scores, values }: IsotonicMap, score: number): number {
  let low = 0;
  let high = scores.length - 1;
  if (score <= scores[low]!) return values[low]!;
  if (score >= scores[high]!) return values[high]!;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (scores[middle]! <= score) low = middle;
    else high = middle;
  }
  const share = (score - scores[low]!) / (scores[high]! - scores[low]!);
  return values[low]! + (values[high]! - values[low]!) * share;
}
