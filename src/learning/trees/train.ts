import { availableParallelism } from 'node:os';
import type { Binning } from './bins.ts';
import { findBins } from './bins.ts';
import { boost } from './boost.ts';
import { slotsFor } from './grow.ts';
import { createPlainKernel } from './kernel.ts';
import { baseScore } from './loss.ts';
import { planMemory, viewMemory } from './memory.ts';
import { createPhases, type Work } from './phases.ts';
import { categoricalOf, checkRows, namesOf, type Settings, settle } from './settings.ts';
import { soleTeam } from './team.ts';
import {
  type TrainingData,
  type TrainingOptions,
  type Tree,
  TreeInputError,
  type TreeModel,
  type ValidationData,
} from './types.ts';

/** A training, checked: what threads are told. */
export interface Training {
  readonly data: Binning;
  readonly labels: Float64Array;
  readonly settings: Settings;
  readonly base: number;
  readonly validation: ValidationData | null;
}

/**
 * Trains boosted trees. Large data are trained on worker threads and leave the caller's thread free; small data are
 * trained in it, being quicker done than handed over.
 *
 * The same data, options and version give the same model byte for byte, on any number of threads.
 *
 * @throws TreeInputError (as a rejection) when data or options cannot be used; `field` names which.
 */
export async function trainTrees(data: TrainingData, options: TrainingOptions): Promise<TreeModel> {
  if (!Number.isInteger(data.columns) || data.columns < 1) {
    throw new TreeInputError('columns', `has to be a whole number of at least 1, not ${data.columns}`);
  }
  const settings = settle(data, options, availableParallelism());
  checkRows(data, data.columns, settings.loss);
  const validation = options.earlyStopping?.validation ?? null;
  if (validation !== null) checkRows(validation, data.columns, settings.loss, 'earlyStopping.validation.');
  const names = namesOf(data);
  const categorical = categoricalOf(data);
  const weights = weightsOf(data, options.classWeight);
  const base = baseScore(settings.loss, data.labels, weights);
  const { features, rows, columns, labels } = data;
  const binning = { features, rows, columns, weights, categorical, bins: settings.bins, seed: settings.seed };
  const trees = trainHere({ data: binning, labels, settings, base, validation });
  return { loss: settings.loss, columns, names, categorical, base, trees };
}

/** The rows' weights times their classes'. */
function weightsOf(data: TrainingData, classWeight: TrainingOptions['classWeight']): Float64Array {
  const given = data.weights ?? new Float64Array(0);
  if (classWeight === undefined) return given;
  const factors = classWeight === 'balanced' ? balance(data.labels, given) : classWeight;
  for (const [label, factor] of factors.entries()) {
    if (!(factor > 0 && factor < Number.POSITIVE_INFINITY)) {
      throw new TreeInputError(`classWeight[${label}]`, 'has to be a finite number above 0');
    }
  }
  return data.labels.map((label, row) => factors[label === 0 ? 0 : 1] * (given.length > 0 ? given[row]! : 1));
}

/** Factors that give each class half of the weight there is. */
function balance(labels: Float64Array, weights: Float64Array): [number, number] {
  const sums: [number, number] = [0, 0];
  for (let row = 0; row < labels.length; row++)
    sums[labels[row] === 0 ? 0 : 1] += weights.length > 0 ? weights[row]! : 1;
  if (sums[0] === 0 || sums[1] === 0) throw new TreeInputError('labels', 'are all of one class: no balance to be had');
  const half = (sums[0] + sums[1]) / 2;
  return [half / sums[0], half / sums[1]];
}

/** Trains in this thread. */
function trainHere({ data, labels, settings, base, validation }: Training): Tree[] {
  const { rows, columns, weights } = data;
  const bins = Array.from({ length: columns }, (_, column) => findBins(data, column));
  const totalBins = bins.reduce((sum, { count }) => sum + count, 0);
  const slots = slotsFor(settings.depth, settings.leaves, totalBins);
  const plan = planMemory({ rows, columns, threads: 1, slots, bins, weighted: weights.length > 0 });
  const memory = viewMemory(plan, new ArrayBuffer(plan.bytes));
  memory.labels.set(labels);
  memory.weights.set(weights);
  const work: Work = { data, settings, bins, plan, memory, addHistogram: createPlainKernel(plan, memory) };
  return boost(work, soleTeam(createPhases(work, 0)), base, validation);
}
