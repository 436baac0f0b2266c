import { type Loss, type TrainingData, type TrainingOptions, TreeInputError, type ValidationData } from './types.ts';

/** Training options, checked and complete; plain data, so that a thread can be given them. */
export interface Settings {
  readonly loss: Loss;
  readonly trees: number;
  readonly depth: number;
  /** 0: grow level by level, as far as the depth allows. */
  readonly leaves: number;
  readonly rate: number;
  readonly lambda: number;
  readonly alpha: number;
  readonly minChildWeight: number;
  readonly minGain: number;
  readonly bins: number;
  readonly rowShare: number;
  readonly columnShare: number;
  readonly monotone: Int8Array | null;
  readonly seed: number;
  readonly threads: number;
  /** Rounds without improvement after which to stop; 0 without early stopping. */
  readonly patience: number;
}

const MAX_TREES = 100_000;
/** A tree's nodes are numbered with 32 bits, and nobody reads deeper ones. */
const MAX_DEPTH = 32;
const MAX_THREADS = 64;
/** Where hessians are of the order of 1, leaves of a few rows only learn noise; of the others nobody knows the scale. */
const LEAST_WEIGHT = { logistic: 10, quantile: 10, squared: 1, poisson: 1, tweedie: 1 };

function within(field: string, value: number, least: number, most: number): number {
  if (!(value >= least && value <= most)) {
    throw new TreeInputError(field, `has to be from ${least} to ${most}, not ${value}`);
  }
  return value;
}

function whole(field: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value)) throw new TreeInputError(field, `has to be a whole number, not ${value}`);
  return within(field, value, least, most);
}

function share(field: string, value: number): number {
  if (value === 0) throw new TreeInputError(field, 'has to be above 0');
  return within(field, value, 0, 1);
}

export function checkLoss(loss: Loss, field = 'loss'): Loss {
  switch (loss.kind) {
    case 'logistic':
    case 'squared':
    case 'poisson':
      return { kind: loss.kind };
    case 'tweedie':
      if (!(loss.power > 1 && loss.power < 2)) throw new TreeInputError(`${field}.power`, 'has to be between 1 and 2');
      return { kind: 'tweedie', power: loss.power };
    case 'quantile':
      if (!(loss.alpha > 0 && loss.alpha < 1)) throw new TreeInputError(`${field}.alpha`, 'has to be between 0 and 1');
      return { kind: 'quantile', alpha: loss.alpha };
    default:
      throw new TreeInputError(`${field}.kind`, 'has to be logistic, squared, poisson, tweedie or quantile');
  }
}

/** Checks rows, labels and weights: that they are there, finite and what the loss can take. */
export function checkRows(data: ValidationData, columns: number, loss: Loss, field = ''): void {
  whole(`${field}rows`, data.rows, 1, 2 ** 31 - 1);
  if (data.features.length !== data.rows * columns) {
    throw new TreeInputError(`${field}features`, `has ${data.features.length} values, not ${data.rows} × ${columns}`);
  }
  if (data.labels.length !== data.rows) {
    throw new TreeInputError(`${field}labels`, `has ${data.labels.length} values for ${data.rows} rows`);
  }
  for (let row = 0; row < data.rows; row++) {
    const label = data.labels[row]!;
    if (loss.kind === 'logistic' ? label !== 0 && label !== 1 : !Number.isFinite(label)) {
      throw new TreeInputError(
        `${field}labels[${row}]`,
        `has to be ${loss.kind === 'logistic' ? '0 or 1' : 'a finite number'}`,
      );
    }
    if ((loss.kind === 'poisson' || loss.kind === 'tweedie') && label < 0) {
      throw new TreeInputError(`${field}labels[${row}]`, 'has to be at least 0');
    }
  }
  if (data.weights === undefined) return;
  if (data.weights.length !== data.rows) {
    throw new TreeInputError(`${field}weights`, `has ${data.weights.length} values for ${data.rows} rows`);
  }
  let sum = 0;
  for (let row = 0; row < data.rows; row++) {
    const weight = data.weights[row]!;
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
      throw new TreeInputError(`${field}weights[${row}]`, 'has to be a finite number of at least 0');
    }
    sum += weight;
  }
  if (sum === 0) throw new TreeInputError(`${field}weights`, 'have to be above 0 somewhere');
}

/** The column names, checked, or made up. */
export function namesOf(data: TrainingData): string[] {
  if (data.names === undefined) return Array.from({ length: data.columns }, (_, column) => `f${column}`);
  if (data.names.length !== data.columns) {
    throw new TreeInputError('names', `has ${data.names.length} names for ${data.columns} columns`);
  }
  const seen = new Set<string>();
  for (const [column, name] of data.names.entries()) {
    if (seen.has(name)) throw new TreeInputError(`names[${column}]`, `is ${name}, as another column is`);
    seen.add(name);
  }
  return [...data.names];
}

/** The categorical columns, ascending; their values are checked. */
export function categoricalOf(data: TrainingData): number[] {
  const columns = [...new Set(data.categorical ?? [])].sort((a, b) => a - b);
  for (const column of columns) {
    whole('categorical', column, 0, data.columns - 1);
    for (let row = 0; row < data.rows; row++) {
      const value = data.features[row * data.columns + column]!;
      if (!Number.isNaN(value) && !(Number.isInteger(value) && value >= 0 && value < 2 ** 31)) {
        throw new TreeInputError(
          `features[${row}, ${column}]`,
          `is ${value}, and column ${column} is categorical: whole numbers from 0 on, or NaN`,
        );
      }
    }
  }
  return columns;
}

function monotoneOf(data: TrainingData, given: Int8Array | undefined): Int8Array | null {
  if (given === undefined) return null;
  if (given.length !== data.columns) {
    throw new TreeInputError('monotone', `has ${given.length} values for ${data.columns} columns`);
  }
  for (const [column, direction] of given.entries()) {
    whole(`monotone[${column}]`, direction, -1, 1);
    if (direction !== 0 && data.categorical?.includes(column)) {
      throw new TreeInputError(`monotone[${column}]`, 'has to be 0: the column is categorical');
    }
  }
  return given.some((direction) => direction !== 0) ? Int8Array.from(given) : null;
}

/** Checks all options and fills in the defaults. `available` is the number of threads when none is named. */
export function settle(data: TrainingData, options: TrainingOptions, available: number): Settings {
  const loss = checkLoss(options.loss);
  if (options.classWeight !== undefined && loss.kind !== 'logistic') {
    throw new TreeInputError('classWeight', 'is only for the logistic loss');
  }
  const most = Number.MAX_VALUE;
  return {
    loss,
    trees: whole('trees', options.trees ?? 200, 1, MAX_TREES),
    depth: whole('depth', options.depth ?? 4, 1, MAX_DEPTH),
    leaves: options.leaves === undefined ? 0 : whole('leaves', options.leaves, 2, 2 ** 16),
    rate: within('rate', options.rate ?? 0.05, 1e-6, 1),
    lambda: within('lambda', options.lambda ?? 1, 0, most),
    alpha: within('alpha', options.alpha ?? 0, 0, most),
    minChildWeight: within('minChildWeight', options.minChildWeight ?? LEAST_WEIGHT[loss.kind], 0, most),
    minGain: within('minGain', options.minGain ?? 0, 0, most),
    bins: whole('bins', options.bins ?? 256, 3, 256),
    rowShare: share('rowShare', options.rowShare ?? 1),
    columnShare: share('columnShare', options.columnShare ?? 1),
    monotone: monotoneOf(data, options.monotone),
    seed: whole('seed', options.seed ?? 0, 0, 2 ** 32 - 1),
    threads: whole('threads', options.threads ?? Math.min(available, MAX_THREADS), 1, MAX_THREADS),
    patience:
      options.earlyStopping === undefined
        ? 0
        : whole('earlyStopping.rounds', options.earlyStopping.rounds, 1, MAX_TREES),
  };
}
