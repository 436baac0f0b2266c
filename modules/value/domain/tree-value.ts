import { createRandom, shuffledIndices } from '../../../src/learning/random.ts';
import { fromJson, predict, type TreeModel, toJson, trainTrees } from '../../../src/learning/trees/index.ts';
import { BAND, type Bands, rearranged, stretched, stretchFor } from './bands.ts';
import { FEATURES, featureNames } from './catalogue.ts';
import { errorsOf, type HoldoutErrors, holdoutErrors } from './holdout.ts';
import { FeatureLeak, refuseLeaks } from './leakage.ts';
import { expectWithin, type PurchaseFacts } from './lifetime.ts';

/** Days ahead that trees look, and days after a snapshot that they learn from. */
export const TREE_HORIZON_DAYS = 180;
/** Fewer customers at a snapshot, or fewer who bought after it, are too few to learn from. */
export const CUSTOMERS_MIN = 200;
const BUYERS_MIN = 50;
const FOLDS = 5;
const SEED = 1;
/** Raised when the same history would give other models than before. */
export const TREE_METHOD_VERSION = 1;
/**
 * Few, shallow, and on half of the columns each: on Online Retail more of them at a lower rate, or deeper ones, err as much and take
 * two to three times as long. What BG/NBD and Gamma-Gamma expect is no feature: there it helped with some settings (by up to 1.5 % of
 * the mean absolute error) and harmed with others.
 */
const TREES = { trees: 50, depth: 3, rate: 0.12, columnShare: 0.5, threads: 1, seed: SEED } as const;
const TWEEDIE = { kind: 'tweedie', power: 1.5 } as const;
const COLUMNS = featureNames.length;
const REVENUE_BEFORE = featureNames.indexOf('revenue180');

/** Customers at a snapshot, one row each, and what they bought in the days after it. */
export interface ValueWindow {
  /** `YYYY-MM-DD` */
  readonly on: string;
  /** Row after row in the order of the catalogue; NaN where unknown. */
  readonly features: Float32Array;
  readonly facts: PurchaseFacts;
  /** Major units. */
  readonly bought: Float64Array;
}

/** Models that are ready for use; plain data. */
export interface TreeValue {
  /** As JSON text each, see `toJson`. */
  readonly models: { readonly mean: string; readonly low: string; readonly median: string; readonly high: string };
  /** What the band is stretched by. */
  readonly stretch: number;
  readonly learntFrom: number;
  /** Each method's error on the same customers. */
  readonly errors: HoldoutErrors;
  readonly remarks: readonly string[];
}

export type TreeValueOutcome =
  | { readonly learnt: TreeValue; readonly problem: null }
  | { readonly learnt: null; readonly problem: string };

interface Models {
  readonly mean: TreeModel;
  readonly low: TreeModel;
  readonly median: TreeModel;
  readonly high: TreeModel;
}

/**
 * Learns what customers bring within the days after a snapshot.
 *
 * Three windows follow one another without overlap: the first is learnt from, the second calibrates the band, the third judges; then
 * the same a window later, learning from the second and calibrating on the third, is what is used. With a single window time
 * cannot be held out, so customers are: in five parts, each judged by models that learnt from the other four.
 * @param windows three, the oldest first, or one
 */
export async function learnTreeValue(windows: readonly ValueWindow[]): Promise<TreeValueOutcome> {
  const few = windows.find(({ bought }) => bought.filter((amount) => amount > 0).length < BUYERS_MIN);
  if (few !== undefined) {
    return refuse(`Fewer than ${BUYERS_MIN} customers bought in the ${TREE_HORIZON_DAYS} days from ${few.on} on.`);
  }
  try {
    for (const window of windows) checkLeaks(window);
  } catch (error) {
    if (error instanceof FeatureLeak) return refuse(error.message);
    throw error;
  }
  const [first, second, third] = windows;
  if (first === undefined) return refuse('There is nothing to learn from.');
  return second === undefined || third === undefined ? byCustomers(first) : byTime(first, second, third);
}

const refuse = (problem: string): TreeValueOutcome => ({ learnt: null, problem });
const NO_STRETCH = 'Too few customers bought to calibrate the band.';

async function byTime(first: ValueWindow, second: ValueWindow, third: ValueWindow): Promise<TreeValueOutcome> {
  const tried = await learnFrom(first);
  const triedStretch = stretchFor(second.bought, bandsOf(tried, second.features));
  if (triedStretch === null) return refuse(NO_STRETCH);
  const judged = stretched(bandsOf(tried, third.features), () => triedStretch);
  const models = await learnFrom(second);
  const stretch = stretchFor(third.bought, bandsOf(models, third.features));
  if (stretch === null) return refuse(NO_STRETCH);
  const remark = `Errors are of the customers of ${third.on}, by models learnt from ${first.on} and calibrated on ${second.on}, each with all its ${TREE_HORIZON_DAYS} days over before the next. In use are models learnt in the same way from ${second.on} and calibrated on ${third.on}.`;
  return ready(models, stretch, second, third, judged, remark);
}

async function byCustomers(window: ValueWindow): Promise<TreeValueOutcome> {
  const foldOf = foldsOf(window.bought.length);
  const raw = emptyBands(window.bought.length);
  for (let fold = 0; fold < FOLDS; fold++) {
    const models = await learnFrom(pick(window, (row) => foldOf[row] !== fold));
    const held = bandsOf(models, pick(window, (row) => foldOf[row] === fold).features);
    let next = 0;
    for (const [row, own] of foldOf.entries()) {
      if (own !== fold) continue;
      for (const name of BAND_NAMES) raw[name][row] = held[name][next] as number;
      next += 1;
    }
  }
  const stretches = Array.from({ length: FOLDS }, (_, fold) =>
    stretchFor(window.bought, raw, (row) => foldOf[row] !== fold),
  );
  const stretch = stretchFor(window.bought, raw);
  if (stretch === null || stretches.includes(null)) return refuse(NO_STRETCH);
  const judged = stretched(raw, (row) => stretches[foldOf[row] as number] as number);
  const remark = `There is too little history to hold out time (three times ${TREE_HORIZON_DAYS} days and the customers before them): errors are of the customers of ${window.on}, in ${FOLDS} parts, each by models learnt and calibrated on the others. In use are models learnt from all of them.`;
  return ready(await learnFrom(window), stretch, window, window, judged, remark);
}

function ready(
  models: Models,
  stretch: number,
  learntFrom: ValueWindow,
  judgedOn: ValueWindow,
  judged: Bands,
  remark: string,
): TreeValueOutcome {
  const { bought, facts, features } = judgedOn;
  const before = bought.map((_, row) => features[row * COLUMNS + REVENUE_BEFORE] as number);
  const expected = expectWithin(facts, TREE_HORIZON_DAYS);
  const { mean, low, median, high } = models;
  const learnt: TreeValue = {
    models: { mean: toJson(mean), low: toJson(low), median: toJson(median), high: toJson(high) },
    stretch,
    learntFrom: learntFrom.bought.length,
    errors: {
      HISTORICAL: errorsOf(bought, before),
      BG_NBD: expected === null ? {} : errorsOf(bought, expected),
      TREES: holdoutErrors(bought, judged),
    },
    remarks: [remark],
  };
  return { learnt, problem: null };
}

async function learnFrom({ features, bought }: ValueWindow): Promise<Models> {
  const data = { features, rows: bought.length, columns: COLUMNS, labels: bought, names: featureNames };
  const quantile = (alpha: number) => trainTrees(data, { ...TREES, loss: { kind: 'quantile', alpha } });
  return {
    mean: await trainTrees(data, { ...TREES, loss: TWEEDIE }),
    low: await quantile(BAND.low),
    median: await quantile(BAND.median),
    high: await quantile(BAND.high),
  };
}

function bandsOf({ mean, low, median, high }: Models, features: Float32Array): Bands {
  const rows = features.length / COLUMNS;
  const of = (model: TreeModel) => predict(model, features, rows);
  return rearranged({ mean: of(mean), low: of(low), median: of(median), high: of(high) });
}

/** Reads kept models, for batches of customers. */
export function treeValuer({ models, stretch }: TreeValue): (features: Float32Array) => Bands {
  const read: Models = {
    mean: fromJson(models.mean),
    low: fromJson(models.low),
    median: fromJson(models.median),
    high: fromJson(models.high),
  };
  return (features) => stretched(bandsOf(read, features), () => stretch);
}

/** @throws FeatureLeak */
function checkLeaks({ features, bought }: ValueWindow): void {
  const columns = FEATURES.map(({ name, expression }, column) => {
    const values = bought.map((_, row) => features[row * COLUMNS + column] as number);
    return { name, expression, values };
  });
  refuseLeaks(columns, bought);
}

const BAND_NAMES = ['mean', 'low', 'median', 'high'] as const;

const emptyBands = (rows: number): Bands => ({
  mean: new Float64Array(rows),
  low: new Float64Array(rows),
  median: new Float64Array(rows),
  high: new Float64Array(rows),
});

/** Parts of equal size, the same for the same number of customers. */
function foldsOf(rows: number): Uint8Array {
  const folds = new Uint8Array(rows);
  for (const [place, row] of shuffledIndices(rows, createRandom(SEED)).entries()) folds[row] = place % FOLDS;
  return folds;
}

/** Some rows of a window, for learning and predicting. */
function pick(window: ValueWindow, chosen: (row: number) => boolean): ValueWindow {
  const rows = Array.from(window.bought.keys()).filter(chosen);
  const features = new Float32Array(rows.length * COLUMNS);
  for (const [at, row] of rows.entries())
    features.set(window.features.subarray(row * COLUMNS, (row + 1) * COLUMNS), at * COLUMNS);
  return { ...window, features, bought: Float64Array.from(rows, (row) => window.bought[row] as number) };
}
