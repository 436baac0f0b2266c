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
    const paths = pathsOf(tree);
    for (const [node, column] of tree.feature.entries()) {
      if (column < 0) base += tree.value[node]! * paths[node]!.reach;
    }
    explainTree(tree, paths, features, rows, model.columns, values);
  }
  return { base, values };
}

/** The way from the root to a node. */
interface Path {
  /** The share of training rows that came here. */
  readonly reach: number;
  /** The different features asked for on the way. */
  readonly columns: readonly number[];
  /** Per feature, the share of training rows that its conditions let pass. */
  readonly shares: readonly number[];
}

function pathsOf(tree: Tree): readonly Path[] {
  const paths: Path[] = [{ columns: [], shares: [], reach: 1 }];
  for (const [node, column] of tree.feature.entries()) {
    if (column < 0) continue;
    const { columns, shares, reach } = paths[node]!;
    const place = placeOf(columns, column);
    for (const child of [tree.left[node]!, tree.left[node]! + 1]) {
      const share = tree.cover[node]! > 0 ? tree.cover[child]! / tree.cover[node]! : 0;
      const changed = [...shares];
      changed[place] = (shares[place] ?? 1) * share;
      paths[child] = {
        columns: place < columns.length ? columns : [...columns, column],
        shares: changed,
        reach: reach * share,
      };
    }
  }
  return paths;
}

function placeOf(columns: readonly number[], column: number): number {
  const known = columns.indexOf(column);
  return known < 0 ? columns.length : known;
}

/** Numbers that are remembered of a tree at most: 8 MiB. */
const REMEMBERED = 2 ** 20;

function explainTree(
  tree: Tree,
  paths: readonly Path[],
  features: Features,
  rows: number,
  columns: number,
  values: Float64Array,
): void {
  const { feature, left, threshold, categories } = tree;
  const count = feature.length;
  /** Per inner node, the bit of its feature among those of the path. */
  const bits = Int32Array.from(feature, (column, node) =>
    column < 0 ? 0 : 1 << placeOf(paths[node]!.columns, column),
  );
  const isNumeric = Uint8Array.from(categories, (set) => (set === null ? 1 : 0));
  const columnsOf = paths.map((path) => Int32Array.from(path.columns));
  /** Per leaf, where its values for each pattern begin in `known`; -1 where there is no room for them. */
  const starts = new Int32Array(count).fill(-1);
  let size = 0;
  for (let node = 0; node < count; node++) {
    const width = columnsOf[node]!.length;
    const wanted = feature[node]! < 0 ? width * 2 ** width : 0;
    if (wanted === 0 || size + wanted > REMEMBERED) continue;
    starts[node] = size;
    size += wanted;
  }
  const known = new Float64Array(size).fill(Number.NaN);
  /** Per node, the features on its path that send the row elsewhere. */
  const against = new Int32Array(count);
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    for (let node = 0; node < count; node++) {
      const before = against[node]!;
      const column = feature[node]!;
      if (column < 0) {
        const path = columnsOf[node]!;
        const from = starts[node]! + before * path.length;
        if (starts[node]! < 0) {
          addTo(values, at, path, shapleyOf(tree.value[node]!, paths[node]!.shares, before), 0);
          continue;
        }
        if (Number.isNaN(known[from]!)) known.set(shapleyOf(tree.value[node]!, paths[node]!.shares, before), from);
        addTo(values, at, path, known, from);
        continue;
      }
      const value = features[at + column]!;
      // As `goesLeft` has it, which is too slow to be asked for every number.
      const isLeft =
        isNumeric[node] === 1 && !Number.isNaN(value) ? value < threshold[node]! : goesLeft(tree, node, value);
      const child = left[node]!;
      against[child] = isLeft ? before : before | bits[node]!;
      against[child + 1] = isLeft ? before | bits[node]! : before;
    }
  }
}

function addTo(values: Float64Array, at: number, columns: Int32Array, added: Float64Array, from: number): void {
  for (let place = 0; place < columns.length; place++) values[at + columns[place]!]! += added[from + place]!;
}

/**
 * Shapley values of the game in which a coalition of features is paid the leaf's value times, for each feature in it, 1
 * or 0 as it speaks for or against the leaf, and for each other feature the share of rows it lets pass.
 */
function shapleyOf(value: number, shares: readonly number[], against: number): Float64Array {
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
