import { growTree } from './grow.ts';
import { meanLoss } from './loss.ts';
import { PARAMETER, type Work } from './phases.ts';
import { addTree } from './predict.ts';
import { sampleOf, streamOf } from './random.ts';
import type { Team } from './team.ts';
import { type Tree, TreeInputError, type ValidationData } from './types.ts';

/** Bits that a gradient, as a whole number of its unit, has at most. */
const UNIT_BITS = 30;
/** Sums stay below 2^53 this way, and so exact. */
const SUM_BITS = 52;
/** Columns are drawn from streams of numbers from here on, one per tree; rows from those of phases.ts. */
const COLUMN_STREAM = 1 << 21;

/** The boosting loop: bins the data, then grows one tree after the other. */
export function boost(work: Work, team: Team, base: number, validation: ValidationData | null): Tree[] {
  const { settings, memory } = work;
  memory.parameters[PARAMETER.infiniteRow] = -1;
  team.run('bin');
  const infinite = memory.parameters[PARAMETER.infiniteRow]!;
  if (infinite >= 0) throw new TreeInputError(`features[${infinite}]`, 'holds infinity');
  memory.scores.fill(base);
  const trees: Tree[] = [];
  const stopper = validation === null ? null : createStopper(work, base, validation);
  while (trees.length < settings.trees) {
    memory.parameters[PARAMETER.tree] = trees.length;
    drawColumns(work, trees.length);
    team.run('gradients');
    chooseUnits(work);
    team.run('units');
    const tree = growTree(work, team);
    trees.push(tree);
    if (stopper?.(tree)) break;
    // A tree without a split, on all rows and columns, would only be followed by others like it.
    const whole = settings.rowShare === 1 && settings.columnShare === 1;
    if (tree.feature[0] === -1 && whole && settings.loss.kind !== 'quantile') break;
  }
  return stopper === null ? trees : trees.slice(0, stopper.best());
}

function drawColumns({ settings, plan, memory }: Work, tree: number): void {
  memory.usedColumns.fill(1);
  if (settings.columnShare === 1) return;
  const count = Math.max(1, Math.round(settings.columnShare * plan.columns));
  memory.usedColumns.fill(0);
  for (const column of sampleOf(streamOf(settings.seed, COLUMN_STREAM + tree), plan.columns, count)) {
    memory.usedColumns[column] = 1;
  }
}

/** The units are the least powers of two by which all gradients and their sums fit into their bits. */
function chooseUnits({ plan, memory }: Work): void {
  const bits = Math.min(UNIT_BITS, SUM_BITS - Math.ceil(Math.log2(plan.rows)));
  const largest = [0, 0];
  for (let thread = 0; thread < plan.threads; thread++) {
    for (const which of [0, 1]) {
      largest[which] = Math.max(largest[which]!, memory.perThread[2 * thread + which]!);
    }
  }
  for (const [which, place] of [PARAMETER.gradientUnit, PARAMETER.hessianUnit].entries()) {
    memory.parameters[place] = 2 ** (Math.ceil(Math.log2(largest[which] || 1)) - bits);
  }
}

/** Follows the loss on the validation rows; true when it has not improved for too long. */
function createStopper({ settings }: Work, base: number, data: ValidationData) {
  const scores = new Float64Array(data.rows).fill(base);
  const weights = data.weights ?? new Float64Array(0);
  let least = meanLoss(settings.loss, data.labels, weights, scores);
  let best = 0;
  let trees = 0;
  const stopper = (tree: Tree): boolean => {
    trees += 1;
    addTree(tree, data.features, data.rows, data.features.length / data.rows, scores);
    const found = meanLoss(settings.loss, data.labels, weights, scores);
    if (found < least) {
      least = found;
      best = trees;
    }
    return trees - best >= settings.patience;
  };
  return Object.assign(stopper, { best: () => best });
}
