import type { Features, Tree } from './types.ts';
import { assemble, type Code, I32, local, wasm } from './wasm.ts';

/** Adds what trees say of a stretch of rows to the scores, by WebAssembly. */
export interface Scorer {
  /** Rows that may be scored at a time. */
  readonly batch: number;
  /** Puts rows into the scorer's memory, `base` as their scores so far. */
  begin(features: Features, base: number): void;
  /** Adds the tree of that number. */
  add(tree: number): void;
  readonly scores: Float64Array;
}

/** Rows of a batch: enough to make good for the calls, few enough for the processor's cache. */
const BATCH = 1024;
/** Rows that walk down a tree side by side, so that the processor has others to go on with while one waits. */
const LANES = 16;
/** A node: threshold and value (64-bit floats), where in a row to look, where the first of its children lies. */
const NODE_BYTES = 32;
const NODE = { threshold: 0, value: 8, feature: 16, first: 20 } as const;
const PAGE = 65_536;

/** @param bytes of a feature: 4 or 8 */
export function createScorer(trees: readonly Tree[], columns: number, bytes: number): Scorer {
  const starts = [0];
  for (const tree of trees) starts.push(starts.at(-1)! + tree.feature.length * NODE_BYTES);
  const scoresAt = starts.at(-1)!;
  const rowsAt = scoresAt + BATCH * 8;
  // Each row, and then each row negated, see `writeTree`.
  const rowBytes = 2 * columns * bytes;
  const pages = Math.ceil((rowsAt + BATCH * rowBytes) / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  for (const [index, tree] of trees.entries())
    writeTree(tree, new DataView(memory.buffer), starts[index]!, columns, bytes);
  const module = new WebAssembly.Module(scorerCode(pages, rowBytes, bytes));
  const run = new WebAssembly.Instance(module, { of: { memory } }).exports.run as (
    root: number,
    steps: number,
    row: number,
    score: number,
    end: number,
  ) => number;
  // A leaf leads to itself, so that a lone one may take a step, too.
  const depths = trees.map((tree) => Math.max(1, depthOf(tree)));
  const scores = new Float64Array(memory.buffer, scoresAt, BATCH);
  const values = 2 * BATCH * columns;
  const rows =
    bytes === 4 ? new Float32Array(memory.buffer, rowsAt, values) : new Float64Array(memory.buffer, rowsAt, values);
  let end = scoresAt;
  return {
    batch: BATCH,
    scores,
    begin(features, base) {
      for (let from = 0, at = 0; from < features.length; from += columns, at += 2 * columns) {
        for (let column = 0; column < columns; column++) {
          const value = features[from + column]!;
          rows[at + column] = value;
          rows[at + columns + column] = -value;
        }
      }
      scores.fill(base);
      // Lanes beyond the last row walk over what lay there before; nobody looks at their scores.
      end = scoresAt + 8 * LANES * Math.ceil(features.length / columns / LANES);
    },
    add(tree) {
      run(starts[tree]!, depths[tree]!, rowsAt, scoresAt, end);
    },
  };
}

function depthOf({ feature, left }: Tree): number {
  const depths = new Int32Array(feature.length);
  for (const [node, column] of feature.entries()) {
    if (column >= 0) depths.fill(depths[node]! + 1, left[node]!, left[node]! + 2);
  }
  return depths.reduce((most, depth) => Math.max(most, depth), 0);
}

/**
 * One comparison decides a step, also for missing values, which no comparison holds for: where it does not hold, a row
 * goes to the first child. So the side of missing values comes first; if that is the left one, "at least the threshold"
 * is asked as "the negated value is below the number after the negated threshold".
 */
function writeTree(tree: Tree, view: DataView, start: number, columns: number, bytes: number): void {
  const places = new Int32Array(tree.feature.length).fill(start);
  for (const [node, column] of tree.feature.entries()) {
    const at = places[node]!;
    const isLeaf = column < 0;
    const leftFirst = tree.missingLeft[node] === 1;
    const first = start + tree.left[node]! * NODE_BYTES;
    if (!isLeaf) {
      places[tree.left[node]!] = leftFirst ? first : first + NODE_BYTES;
      places[tree.left[node]! + 1] = leftFirst ? first + NODE_BYTES : first;
    }
    const threshold = leftFirst ? nextAfter(-tree.threshold[node]!) : tree.threshold[node]!;
    // Nothing is below NaN, and a leaf leads to itself.
    view.setFloat64(at + NODE.threshold, isLeaf ? Number.NaN : threshold, true);
    view.setFloat64(at + NODE.value, tree.value[node]!, true);
    view.setInt32(at + NODE.feature, isLeaf ? 0 : (leftFirst ? columns + column : column) * bytes, true);
    view.setInt32(at + NODE.first, isLeaf ? at : first, true);
  }
}

/** The least number above a finite one. */
function nextAfter(value: number): number {
  if (value === 0) return Number.MIN_VALUE;
  const bits = new BigInt64Array(1);
  const float = new Float64Array(bits.buffer);
  float[0] = value;
  bits[0]! += value > 0 ? 1n : -1n;
  return float[0]!;
}

/** `LANES` rows at a time take `steps` steps from the root; who is in a leaf before stays there. */
function scorerCode(pages: number, rowBytes: number, bytes: number): Uint8Array<ArrayBuffer> {
  const [root, steps, row, score, end] = [local(0), local(1), local(2), local(3), local(4)];
  const lanes = Array.from({ length: LANES }, (_, lane) => local(5 + lane));
  const rest = local(5 + LANES);
  const load = bytes === 4 ? wasm.loadNarrowFloat : wasm.loadFloat;
  const step = lanes.flatMap((node, lane): Code => {
    const value = load(wasm.add(row.get, wasm.load(node.get, NODE.feature)), lane * rowBytes);
    const isSecond = wasm.floatBelow(value, wasm.loadFloat(node.get, NODE.threshold));
    const place = wasm.shiftLeft(isSecond, Math.log2(NODE_BYTES));
    return node.set(wasm.add(wasm.load(node.get, NODE.first), place));
  });
  const addValue = (node: (typeof lanes)[number], lane: number): Code => {
    const sum = wasm.addFloats(wasm.loadFloat(score.get, 8 * lane), wasm.loadFloat(node.get, NODE.value));
    return wasm.storeFloat(score.get, sum, 8 * lane);
  };
  return assemble({
    ...{ pages, shared: false, parameters: [I32, I32, I32, I32, I32] },
    locals: [...lanes.map(() => I32), I32],
    body: [
      wasm.repeat(
        [
          ...lanes.map((node) => node.set(root.get)),
          rest.set(steps.get),
          wasm.repeat(
            [step, rest.set(wasm.subtract(rest.get, wasm.const(1)))],
            wasm.lessUnsigned(wasm.const(0), rest.get),
          ),
          ...lanes.map(addValue),
          row.set(wasm.add(row.get, wasm.const(LANES * rowBytes))),
          score.set(wasm.add(score.get, wasm.const(8 * LANES))),
        ],
        wasm.lessUnsigned(score.get, end.get),
      ),
      score.get,
    ],
  });
}
