/** What the trees learn to predict, and how a miss is measured. */
export type Loss =
  /** Labels 0 and 1; the raw score is the log-odds, the response a probability. */
  | { readonly kind: 'logistic' }
  /** Any labels; half the squared error; raw score and response are the same. */
  | { readonly kind: 'squared' }
  /** Labels of at least 0 (counts); the raw score is the logarithm of the mean. */
  | { readonly kind: 'poisson' }
  /** Labels of at least 0, many of them exactly 0 (revenue); `power` between 1 and 2; the raw score is the logarithm of the mean. */
  | { readonly kind: 'tweedie'; readonly power: number }
  /** Any labels; the pinball loss of the `alpha` quantile, between 0 and 1; raw score and response are the same. */
  | { readonly kind: 'quantile'; readonly alpha: number };

/** A matrix of features, row after row: the value of row r and column c is `features[r * columns + c]`; NaN is missing. */
export type Features = Float32Array | Float64Array;

/** Rows that are only looked at to find the number of trees. */
export interface ValidationData {
  /** As in the training data, with the same columns. */
  readonly features: Features;
  readonly rows: number;
  readonly labels: Float64Array;
  readonly weights?: Float64Array;
}

export interface TrainingData extends ValidationData {
  /**
   * Large matrices are handed to the threads in shared memory: one that lies in a SharedArrayBuffer already is not
   * copied. Nothing here is changed.
   */
  readonly features: Features;
  readonly columns: number;
  /** One finite label per row. */
  readonly labels: Float64Array;
  /** One finite weight of at least 0 per row; a row of weight 2 counts like two rows. */
  readonly weights?: Float64Array;
  /** One name per column, all different; `f0`, `f1` ... when left out. */
  readonly names?: readonly string[];
  /** Columns that hold categories, as whole numbers from 0 on without an order. The 254 most frequent ones are told apart; the others, and those never seen, go right in each split. */
  readonly categorical?: readonly number[];
}

export interface TrainingOptions {
  readonly loss: Loss;
  /** How many trees at most (early stopping may keep fewer). Default 200. */
  readonly trees?: number;
  /** Splits from the root to a leaf at most. Default 4. */
  readonly depth?: number;
  /** Leaves of a tree at most; when given, the leaf that gains most is split next, else a tree grows level by level. */
  readonly leaves?: number;
  /** The learning rate: what share of a tree's advice is taken. Default 0.05. */
  readonly rate?: number;
  /** L2 penalty on leaf values. Default 1. */
  readonly lambda?: number;
  /** L1 penalty on leaf values. Default 0. */
  readonly alpha?: number;
  /**
   * The least sum of hessians on each side of a split: of weights with the squared and quantile losses, of p (1 - p) with
   * the logistic one. Default 10 with the logistic and quantile losses, else 1.
   */
  readonly minChildWeight?: number;
  /** The least a split must reduce the penalised loss. Default 0. */
  readonly minGain?: number;
  /** Bins per feature at most, 3 to 256, the one for missing values among them. Default 256. */
  readonly bins?: number;
  /** The share of rows each tree sees, above 0 up to 1. Default 1. */
  readonly rowShare?: number;
  /** The share of columns each tree sees, above 0 up to 1. Default 1. */
  readonly columnShare?: number;
  /** Per column: 1 when the prediction may only rise with the feature, -1 when it may only fall, 0 when free (and for categories). */
  readonly monotone?: Int8Array;
  /** Weights of labels 0 and 1 (logistic only), on top of the rows' weights; `balanced` gives both classes half of the weight. */
  readonly classWeight?: 'balanced' | readonly [negative: number, positive: number];
  /** The seed of row and column sampling, a whole number of 0 to 2^32 - 1. Default 0. */
  readonly seed?: number;
  /** Threads at most; the model is the same for any number. Default: as many as the machine offers. */
  readonly threads?: number;
  /** Stops when the loss on `validation` has not improved for `rounds` trees, and keeps the trees up to the best. */
  readonly earlyStopping?: { readonly validation: ValidationData; readonly rounds: number };
}

/**
 * One tree as parallel arrays over its nodes, the root first. A row goes left when its value is below `threshold` (or
 * its category is among `categories`), a missing value where `missingLeft` says.
 */
export interface Tree {
  /** The column that splits, -1 in a leaf. */
  readonly feature: Int32Array;
  readonly threshold: Float64Array;
  /** The left child; the right child is the one after it. 0 in a leaf. */
  readonly left: Int32Array;
  /** 1 when missing values go left. */
  readonly missingLeft: Uint8Array;
  /** What a leaf adds to the raw score, the learning rate applied; 0 in an inner node. */
  readonly value: Float64Array;
  /** Sum of hessians of the training rows that came through. */
  readonly cover: Float64Array;
  /** By how much the split reduced the penalised loss; 0 in a leaf. */
  readonly gain: Float64Array;
  /** Of a categorical split, the categories that go left, ascending; null elsewhere. */
  readonly categories: readonly (Int32Array | null)[];
}

/** What was learnt. Never changed after training. */
export interface TreeModel {
  readonly loss: Loss;
  readonly columns: number;
  readonly names: readonly string[];
  readonly categorical: readonly number[];
  /** The raw score before the first tree. */
  readonly base: number;
  readonly trees: readonly Tree[];
}

/** Shapley values of rows. */
export interface Explanation {
  /** What the model expects of a row it knows nothing about, as a raw score. */
  readonly base: number;
  /** Row after row, one per column: how much the feature moved the raw score. `base` plus a row's values is its raw score. */
  readonly values: Float64Array;
}

/** How much a feature was used, over all trees. */
export interface FeatureImportance {
  readonly name: string;
  /** Share of all gain that its splits had, 0 to 1. */
  readonly gain: number;
  /** Share of all cover that its splits had, 0 to 1. */
  readonly cover: number;
  /** How many splits. */
  readonly splits: number;
}

/** Input that cannot be used; `field` names the part, e.g. `weights[3]` or `trees[0].left[2]`. */
export class TreeInputError extends Error {
  override readonly name = 'TreeInputError';
  readonly field: string;
  readonly problem: string;

  constructor(field: string, problem: string) {
    super(`${field} ${problem}`);
    this.field = field;
    this.problem = problem;
  }
}
