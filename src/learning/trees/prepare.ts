import { availableParallelism } from 'node:os';
import type { Binning } from './bins.ts';
import { baseScore } from './loss.ts';
import { categoricalOf, checkRows, namesOf, type Settings, settle } from './settings.ts';
import { type TrainingData, type TrainingOptions, TreeInputError, type ValidationData } from './types.ts';

/** A training, checked: what threads are told. */
export interface Training {
  readonly names: readonly string[];
  readonly data: Binning;
  readonly labels: Float64Array;
  readonly settings: Settings;
  readonly base: number;
  readonly validation: ValidationData | null;
}

/** Checks data and options. Throws TreeInputError when they cannot be used. */
export function prepare(data: TrainingData, options: TrainingOptions): Training {
  const { features, rows, columns, labels } = data;
  if (!Number.isInteger(columns) || columns < 1) {
    throw new TreeInputError('columns', `has to be a whole number of at least 1, not ${columns}`);
  }
  const settings = settle(data, options, availableParallelism());
  checkRows(data, columns, settings.loss);
  const validation = options.earlyStopping?.validation ?? null;
  if (validation !== null) checkRows(validation, columns, settings.loss, 'earlyStopping.validation.');
  const weights = weightsOf(data, options.classWeight);
  const { bins, seed } = settings;
  return {
    names: namesOf(data),
    data: { features, rows, columns, weights, categorical: categoricalOf(data), bins, seed },
    labels,
    settings,
    base: baseScore(settings.loss, labels, weights) + 0,
    validation,
  };
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
