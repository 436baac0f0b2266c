import type { ColumnBins } from './bins.ts';
import { BINS, CANDIDATE_SIZE, JOB_SIZE, type Memory, NODE_SIZE, type Plan, SET_WORDS } from './memory.ts';
import { PARAMETER, type Work } from './phases.ts';
import { CANDIDATE, leafValue } from './splits.ts';
import type { Team } from './team.ts';
import type { Tree } from './types.ts';

/** A node while its tree grows. */
interface Node {
  readonly depth: number;
  /** Its rows are `order[from]` to `order[to - 1]`. */
  readonly from: number;
  readonly to: number;
  readonly gradient: number;
  readonly hessian: number;
  /** Monotone constraints above it keep its leaves within these values. */
  readonly least: number;
  readonly most: number;
  /** Where its histogram lies, -1 without one. */
  slot: number;
  split: Split | null;
  /** Number of the left child once split; the right one follows. */
  left: number;
}

interface Split {
  readonly gain: number;
  readonly column: number;
  readonly bin: number;
  readonly missingLeft: boolean;
  readonly leftGradient: number;
  readonly leftHessian: number;
  /** The bins that go left, of a categorical column. */
  readonly set: Uint32Array;
}

/** Histograms that a tree may hold at the same time: this many bytes, or as few as a path needs. */
const HISTOGRAM_BYTES = 2 ** 28;

/** How many nodes may have a histogram at once. More make no other tree, only fewer and larger steps. */
export function slotsFor(depth: number, leaves: number, totalBins: number): number {
  const wanted = 2 ** Math.min(depth - 1, 20);
  if (leaves > 0) return Math.min(wanted, leaves);
  return Math.min(wanted, Math.max(depth + 1, Math.floor(HISTOGRAM_BYTES / (totalBins * 16))));
}

/** Grows one tree on the gradients in memory, and adds its values to the scores. */
export function growTree(work: Work, team: Team): Tree {
  const { settings, plan } = work;
  const free = Array.from({ length: plan.slots }, (_, slot) => plan.slots - 1 - slot);
  const root = rootOf(work);
  root.slot = free.pop()!;
  const nodes = [root];
  judge(work, team, [{ built: root, sibling: null }], free);
  const open = root.split === null ? [] : [0];
  let leaves = 1;
  while (open.length > 0 && (settings.leaves === 0 || leaves < settings.leaves)) {
    // Leaf by leaf the best goes first; else as many of the deepest as there is memory for: few, large steps.
    if (settings.leaves > 0) open.sort((a, b) => nodes[a]!.split!.gain - nodes[b]!.split!.gain || b - a);
    const limit = settings.leaves > 0 ? 1 : Math.min(open.length, plan.jobs);
    const chosen = open.splice(open.length - fitting(settings.depth, nodes, open, limit, free.length));
    leaves += chosen.length;
    splitNodes(work, team, nodes, chosen, free);
    for (const number of chosen) {
      const { left } = nodes[number]!;
      for (const child of [left, left + 1]) if (nodes[child]!.split !== null) open.push(child);
    }
  }
  for (const number of open) nodes[number]!.split = null;
  return finish(work, team, nodes);
}

function rootOf({ plan, memory }: Work): Node {
  let gradient = 0;
  let hessian = 0;
  for (let thread = 0; thread < plan.threads; thread++) {
    gradient += memory.perThread[2 * thread]!;
    hessian += memory.perThread[2 * thread + 1]!;
  }
  return {
    depth: 0,
    from: 0,
    to: plan.rows,
    gradient: gradient * memory.parameters[PARAMETER.gradientUnit]!,
    hessian: hessian * memory.parameters[PARAMETER.hessianUnit]!,
    least: Number.NEGATIVE_INFINITY,
    most: Number.POSITIVE_INFINITY,
    slot: -1,
    split: null,
    left: 0,
  };
}

/** How many of the last open nodes can be split at once, so that a path from there to the greatest depth still fits. */
function fitting(depth: number, nodes: readonly Node[], open: readonly number[], limit: number, free: number): number {
  let shallowest = depth;
  let needed = 0;
  for (let count = 0; count < limit; count++) {
    const level = nodes[open[open.length - 1 - count]!]!.depth;
    shallowest = Math.min(shallowest, level);
    if (level + 1 < depth) needed += 1;
    if (count > 0 && needed + Math.max(depth - 2 - shallowest, 0) > free) return count;
  }
  return limit;
}

/** Splits nodes by the splits found for them, and finds the splits of their children. */
function splitNodes(work: Work, team: Team, nodes: Node[], chosen: readonly number[], free: number[]): void {
  const { settings, plan, memory, bins } = work;
  for (const [job, number] of chosen.entries()) {
    const { from, to, split } = nodes[number]!;
    memory.jobs.set([from, to, split!.column], job * JOB_SIZE);
    writeTable(memory.goesRight.subarray(job * BINS, (job + 1) * BINS), split!, bins[split!.column]!);
  }
  memory.leftCounts.fill(0);
  memory.parameters[PARAMETER.jobs] = chosen.length;
  team.run('partition');
  team.run('gather');
  const pairs: Pair[] = [];
  for (const [job, number] of chosen.entries()) {
    const node = nodes[number]!;
    let middle = node.from;
    for (let thread = 0; thread < plan.threads; thread++) middle += memory.leftCounts[job * plan.threads + thread]!;
    const [left, right] = childrenOf(work, node, middle);
    node.left = nodes.length;
    nodes.push(left, right);
    const large = Math.max(left.hessian, right.hessian);
    if (left.depth === settings.depth || large < 2 * settings.minChildWeight) {
      free.push(node.slot);
    } else {
      const leftIsSmaller = left.to - left.from <= right.to - right.from;
      const [built, sibling] = leftIsSmaller ? [left, right] : [right, left];
      built.slot = free.pop()!;
      // The sibling's histogram is what is left of the parent's.
      sibling.slot = node.slot;
      pairs.push({ built, sibling });
    }
    node.slot = -1;
  }
  judge(work, team, pairs, free);
}

/** Which bins go to the right. */
function writeTable(table: Uint8Array, split: Split, { categories, count }: ColumnBins): void {
  for (let bin = 0; bin < count; bin++) {
    const left = categories === null ? bin <= split.bin : ((split.set[bin >> 5]! >>> (bin & 31)) & 1) === 1;
    table[bin] = left ? 0 : 1;
  }
  table[count - 1] = split.missingLeft ? 0 : 1;
}

function childrenOf({ settings }: Work, node: Node, middle: number): [Node, Node] {
  const { leftGradient, leftHessian, column } = node.split!;
  const { least, most } = node;
  const shared = { depth: node.depth + 1, least, most, slot: -1, split: null, left: 0 };
  const left = { ...shared, from: node.from, to: middle, gradient: leftGradient, hessian: leftHessian };
  const right = {
    ...shared,
    from: middle,
    to: node.to,
    gradient: node.gradient - leftGradient,
    hessian: node.hessian - leftHessian,
  };
  const direction = settings.monotone?.[column] ?? 0;
  if (direction !== 0) {
    const leftValue = leafValue(settings, left.gradient, left.hessian, least, most);
    const rightValue = leafValue(settings, right.gradient, right.hessian, least, most);
    const border = (leftValue + rightValue) / 2;
    const [lower, higher] = direction > 0 ? [left, right] : [right, left];
    lower.most = border;
    higher.least = border;
  }
  return [left, right];
}

/** A node whose histogram is built from its rows, and the one that gets the rest of their parent's. */
interface Pair {
  readonly built: Node;
  readonly sibling: Node | null;
}

/** Builds histograms and finds the best split of each node; those that have none give their histogram back. */
function judge({ plan, memory }: Work, team: Team, pairs: readonly Pair[], free: number[]): void {
  if (pairs.length === 0) return;
  const judged = pairs.flatMap(({ built, sibling }) => (sibling === null ? [built] : [built, sibling]));
  for (const { slot, gradient, hessian, least, most } of judged) {
    memory.nodes.set([gradient, hessian, least, most], slot * NODE_SIZE);
  }
  for (const [job, { built, sibling }] of pairs.entries()) {
    memory.jobs.set([built.from, built.to, built.slot, sibling === null ? -1 : sibling.slot], job * JOB_SIZE);
  }
  memory.parameters[PARAMETER.jobs] = pairs.length;
  team.run('histograms');
  team.run('splits');
  for (const node of judged) {
    node.split = bestSplit(plan, memory, node.slot);
    if (node.split !== null) continue;
    free.push(node.slot);
    node.slot = -1;
  }
}

/** The best of what the threads found in their columns; of equal ones that of the first column. */
function bestSplit({ threads }: Plan, { candidates, candidateSets }: Memory, slot: number): Split | null {
  let best: Split | null = null;
  for (let thread = 0; thread < threads; thread++) {
    const at = (slot * threads + thread) * CANDIDATE_SIZE;
    const gain = candidates[at + CANDIDATE.gain]!;
    const column = candidates[at + CANDIDATE.column]!;
    if (gain === 0 || (best !== null && (gain < best.gain || (gain === best.gain && column > best.column)))) continue;
    const set = (slot * threads + thread) * SET_WORDS;
    best = {
      gain,
      column,
      bin: candidates[at + CANDIDATE.bin]!,
      missingLeft: candidates[at + CANDIDATE.missingLeft] === 1,
      leftGradient: candidates[at + CANDIDATE.leftGradient]!,
      leftHessian: candidates[at + CANDIDATE.leftHessian]!,
      set: candidateSets.slice(set, set + SET_WORDS),
    };
  }
  return best;
}

/** Gives the leaves their values, adds them to the scores and writes the tree down. */
function finish(work: Work, team: Team, nodes: readonly Node[]): Tree {
  const { settings, bins } = work;
  const leaves = nodes.filter(({ split }) => split === null);
  const values = new Map(
    leaves.map((leaf) => [leaf, leafValue(settings, leaf.gradient, leaf.hessian, leaf.least, leaf.most)]),
  );
  if (settings.loss.kind === 'quantile') {
    inBatches(
      work,
      leaves,
      () => 0,
      (batch) => {
        team.run('quantiles');
        for (const [job, leaf] of batch.entries()) values.set(leaf, work.memory.leafValues[job]!);
      },
    );
    if (settings.monotone !== null) settleOrder(settings.monotone, nodes, values);
  }
  // Adding 0 turns -0 into 0, which is all that JSON knows.
  for (const leaf of leaves) values.set(leaf, values.get(leaf)! * settings.rate + 0);
  inBatches(
    work,
    leaves,
    (leaf) => values.get(leaf)!,
    () => team.run('add'),
  );
  return {
    feature: Int32Array.from(nodes, ({ split }) => split?.column ?? -1),
    threshold: Float64Array.from(nodes, ({ split }) => (split === null ? 0 : thresholdOf(bins[split.column]!, split))),
    left: Int32Array.from(nodes, ({ left, split }) => (split === null ? 0 : left)),
    missingLeft: Uint8Array.from(nodes, ({ split }) => (split?.missingLeft ? 1 : 0)),
    value: Float64Array.from(nodes, (node) => values.get(node) ?? 0),
    cover: Float64Array.from(nodes, ({ hessian }) => hessian),
    gain: Float64Array.from(nodes, ({ split }) => split?.gain ?? 0),
    categories: nodes.map(({ split }) => (split === null ? null : categoriesOf(bins[split.column]!, split))),
  };
}

/** Hands leaves to phases, as many at a time as there are jobs. */
function inBatches(
  { plan, memory }: Work,
  leaves: readonly Node[],
  valueFor: (leaf: Node) => number,
  run: (batch: readonly Node[]) => void,
): void {
  for (let start = 0; start < leaves.length; start += plan.jobs) {
    const batch = leaves.slice(start, start + plan.jobs);
    for (const [job, leaf] of batch.entries()) {
      memory.jobs.set([leaf.from, leaf.to], job * JOB_SIZE);
      memory.leafValues[job] = valueFor(leaf);
    }
    memory.parameters[PARAMETER.jobs] = batch.length;
    run(batch);
  }
}

/** A row goes left below the threshold; the largest number sends all that is not missing there. */
function thresholdOf({ cuts, categories }: ColumnBins, { bin }: Split): number {
  if (categories !== null) return 0;
  return bin < cuts.length ? cuts[bin]! : Number.MAX_VALUE;
}

function categoriesOf({ categories }: ColumnBins, { set }: Split): Int32Array | null {
  if (categories === null) return null;
  return categories.filter((_, bin) => ((set[bin >> 5]! >>> (bin & 31)) & 1) === 1).sort();
}

/** Quantiles of leaves know nothing of monotone constraints: where they break one, both sides are cut at the middle. */
function settleOrder(monotone: Int8Array, nodes: readonly Node[], values: Map<Node, number>): void {
  const leavesBelow = (node: Node): Node[] =>
    node.split === null ? [node] : [...leavesBelow(nodes[node.left]!), ...leavesBelow(nodes[node.left + 1]!)];
  // Parents come before their children, whose cuts then move values only between those that are there already.
  for (const node of nodes) {
    const direction = node.split === null ? 0 : monotone[node.split.column]!;
    if (direction === 0) continue;
    const children = [leavesBelow(nodes[node.left]!), leavesBelow(nodes[node.left + 1]!)] as const;
    const [lower, higher] = direction > 0 ? children : [children[1], children[0]];
    const highest = Math.max(...lower.map((leaf) => values.get(leaf)!));
    const lowest = Math.min(...higher.map((leaf) => values.get(leaf)!));
    if (highest <= lowest) continue;
    const border = (highest + lowest) / 2;
    for (const leaf of lower) values.set(leaf, Math.min(values.get(leaf)!, border));
    for (const leaf of higher) values.set(leaf, Math.max(values.get(leaf)!, border));
  }
}
