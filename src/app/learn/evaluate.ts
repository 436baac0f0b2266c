import { predict, TreeInputError, trainTrees } from '../../learning/trees/index.ts';
import { UnusableData } from './errors.ts';
import { type FeatureMatrix, featuresOf, type IgnoredColumn } from './features.ts';
import { type Folds, givenFolds, splitInFolds } from './folds.ts';
import { labelsOf } from './labels.ts';
import type { LossOption } from './loss.ts';
import { meanScores, type Scores, scoresOf } from './scores.ts';
import { columnOf, readTable } from './table.ts';

export interface EvaluateOptions {
  readonly data: string;
  readonly label: string;
  readonly folds: string | null;
  readonly drop: readonly string[];
  readonly loss: LossOption;
  readonly trees: number;
  readonly depth: number;
  readonly rate: number;
  readonly seed: number;
}

export interface Evaluation {
  readonly mean: Scores;
  readonly folds: readonly ({ readonly fold: string; readonly rows: number } & Record<string, unknown>)[];
  /** Over all rows at once, each predicted by the model that had not seen it. */
  readonly pooled: Scores;
  readonly rows: number;
  readonly features: number;
  readonly categorical: readonly string[];
  readonly ignored: readonly IgnoredColumn[];
  /** The text of the label that counts as 1; null for a regression. */
  readonly positive: string | null;
}

const rowsWhere = (byRow: Int32Array, wanted: (fold: number) => boolean): number[] =>
  Array.from(byRow, (fold, row) => (wanted(fold) ? row : -1)).filter((row) => row >= 0);

function pick({ values, columns }: FeatureMatrix, rows: readonly number[]): Float64Array {
  const picked = new Float64Array(rows.length * columns);
  for (const [at, row] of rows.entries()) picked.set(values.subarray(row * columns, (row + 1) * columns), at * columns);
  return picked;
}

/**
 * Trains trees on all folds but one and predicts that one, for each fold.
 * @throws UnusableData for files that nothing can be learnt from
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { loss, seed } = options;
  const table = await readTable(options.data);
  const label = columnOf(table, options.label, '--label');
  const { values: labels, positive } = labelsOf(table, label, loss);
  const matrix = featuresOf(table, label, options.drop);
  if (matrix.columns === 0) {
    throw new UnusableData(
      { file: table.file },
      'no column is left to learn from.',
      'Give more columns, or drop fewer.',
    );
  }
  const folds: Folds =
    options.folds === null
      ? splitInFolds(table, labels, loss.kind === 'logistic', seed)
      : givenFolds(await readTable(options.folds), table);

  const pooled = new Float64Array(table.rows);
  const scores: Scores[] = [];
  const sizes: number[] = [];
  for (let fold = 0; fold < folds.names.length; fold++) {
    const tested = rowsWhere(folds.byRow, (other) => other === fold);
    const predictions = await predictFold(matrix, labels, folds.byRow, fold, tested, options).catch(
      (error: unknown) => {
        if (!(error instanceof TreeInputError)) throw error;
        throw new UnusableData(
          { file: table.file },
          `nothing can be learnt from it: ${error.message}.`,
          'Mend the file.',
        );
      },
    );
    for (const [at, row] of tested.entries()) pooled[row] = predictions[at]!;
    scores.push(
      scoresOf(
        loss,
        Float64Array.from(tested, (row) => labels[row]!),
        predictions,
      ),
    );
    sizes.push(tested.length);
  }
  return {
    mean: meanScores(scores),
    folds: scores.map((score, fold) => ({ fold: folds.names[fold]!, rows: sizes[fold]!, ...score })),
    pooled: scoresOf(loss, labels, pooled),
    rows: table.rows,
    features: matrix.columns,
    categorical: matrix.categorical.map((column) => matrix.names[column]!),
    ignored: matrix.ignored,
    positive,
  };
}

async function predictFold(
  matrix: FeatureMatrix,
  labels: Float64Array,
  byRow: Int32Array,
  fold: number,
  tested: readonly number[],
  { loss, trees, depth, rate, seed }: EvaluateOptions,
): Promise<Float64Array> {
  const learnt = rowsWhere(byRow, (other) => other !== fold);
  const model = await trainTrees(
    {
      features: pick(matrix, learnt),
      rows: learnt.length,
      columns: matrix.columns,
      labels: Float64Array.from(learnt, (row) => labels[row]!),
      names: matrix.names,
      categorical: matrix.categorical,
    },
    { loss, trees, depth, rate, seed },
  );
  return predict(model, pick(matrix, tested), tested.length);
}
