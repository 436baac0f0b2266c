import { checkSize, goesLeft } from './predict.ts';
import type { Explanation, Features, Tree, TreeModel } from './types.ts';

/**
 * Exact Shapley values of each row by TreeSHAP (Lundberg et al., "Consistent individualized feature attribution for
 * tree ensembles", 2018), path-dependent: a feature left out is averaged over the training rows that reached the node.
 * `base` plus the values of a row is its raw score, to rounding.
 *
 * The values of a leaf depend on a row only by which of the features on its path speak against it, so they are worked out
 * once for each such pattern (Yang, "Fast TreeSHAP", 2021) and then only added up.
 *
 * @param features row-major, `rows` × `model.columns`, NaN = missing
 * @throws TreeInputError when the matrix does not have that size
 */
export function explain(model: TreeModel, features: Features, rows: number): Explanation {
  checkSize(model, features, rows);
  const values = new Float64Array(rows * model.columns);
  let base = model.base;
  for (const tree of model.trees) {
    const { leaves, bits } = walk(tree);
    for (const leaf of leaves) if (leaf !== null) base += leaf.value * leaf.reach;
    // Per node, the features on its path that send this row elsewhere.
    const against = new Int32Array(tree.feature.length);
    for (let row = 0; row < rows; row++) {
      const at = row * model.columns;
      for (let node = 0; node < against.length; node++) {
        const leaf = leaves[node]!;
        if (leaf !== null) {
          addLeaf(leaf, against[node]!, values, at);
          continue;
        }
        const left = tree.left[node]!;
        const wentLeft = goesLeft(tree, node, features[at + tree.feature[node]!]!);
        against[left] = against[node]! | (wentLeft ? 0 : bits[node]!);
        against[left + 1] = against[node]! | (wentLeft ? bits[node]! : 0);
      }
    }
  }
  return { base, values };
}

/** A leaf and the different features on the path to it. */
interface Leaf {
  readonly value: number;
  /** The share of training rows that came here. */
  readonly reach: number;
  readonly columns: readonly number[];
  /** Per feature, the share of training rows that its conditions on the path let pass. */
  readonly shares: readonly number[];
  /** Values per pattern of features against it, as far as they were asked for. */
  readonly known: (Float64Array | undefined)[];
}

/** Features of a path up to which its patterns are remembered. */
const REMEMBERED = 10;

/** Per node the leaf it is, or null and the bit of its feature among those on the path. */
function walk(tree: Tree): { leaves: readonly (Leaf | null)[]; bits: Int32Array } {
  const count = tree.feature.length;
  const bits = new Int32Array(count);
  const paths: { columns: number[]; shares: number[]; reach: number }[] = [{ columns: [], shares: [], reach: 1 }];
  const leaves: (Leaf | null)[] = [];
  for (let node = 0; node < count; node++) {
    const { columns, shares, reach } = paths[node]!;
    const column = tree.feature[node]!;
    if (column < 0) {
      leaves.push({ value: tree.value[node]!, reach, columns, shares, known: [] });
      continue;
    }
    leaves.push(null);
    const known = columns.indexOf(column);
    const place = known < 0 ? columns.length : known;
    bits[node] = 1 << place;
    for (const child of [tree.left[node]!, tree.left[node]! + 1]) {
      const share = tree.cover[node]! > 0 ? tree.cover[child]! / tree.cover[node]! : 0;
      const changed = [...shares];
      changed[place] = (shares[place] ?? 1) * share;
      paths[child] = { columns: known < 0 ? [...columns, column] : columns, shares: changed, reach: reach * share };
    }
  }
  return { leaves, bits };
}

function addLeaf(leaf: Leaf, against: number, values: Float64Array, at: number): void {
  const { columns, known } = leaf;
  let added = known[against];
  if (added === undefined) {
    added = shapleyOf(leaf, against);
    if (columns.length <= REMEMBERED) known[against] = added;
  }
  for (let place = 0; place < columns.length; place++) values[at + columns[place]!]! += added[place]!;
}

/**
 * Shapley values of the game in which a coalition of features is paid the leaf's value times, for each feature in it, 1
 * or 0 as it speaks for or against the leaf, and for each other feature the share of rows it lets pass.
 */
function shapleyOf({ value, shares }: Leaf, against: number): Float64Array {
  const count = shares.length;
  const speaksAgainst = (place: number): boolean => ((against >>> place) & 1) === 1;
  return Float64Array.from(shares, (share, place) => {
    // sums[s]: over all coalitions of s other features, what the features outside of them let pass.
    let sums = [1];
    for (let other = 0; other < count; other++) {
      if (other === place) continue;
      const passing = sums.map((sum) => sum * shares[other]!);
      // A coalition with a feature against the leaf is paid nothing.
      sums = speaksAgainst(other) ? passing : [...passing, 0].map((sum, size) => sum + (sums[size - 1] ?? 0));
    }
    let weight = 1 / count;
    let expected = 0;
    for (const [size, sum] of sums.entries()) {
      expected += weight * sum;
      // size! (count - size - 1)! / count!, from one size to the next.
      weight *= (size + 1) / (count - size - 1);
    }
    return value * ((speaksAgainst(place) ? 0 : 1) - share) * expected;
  });
}
