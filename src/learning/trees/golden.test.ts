import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Loss, predict, type TrainingOptions, trainTrees } from './index.ts';

/** A table of test/data with its folds. */
interface Table {
  readonly rows: readonly (readonly number[])[];
  readonly labels: readonly number[];
  readonly folds: readonly number[];
}

function readCsv(name: string): { head: string[]; rows: number[][] } {
  const file = new URL(`../../../test/data/${name}.csv.gz`, import.meta.url);
  const [head, ...lines] = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n');
  const numberOf = (cell: string): number => (cell === '' ? Number.NaN : Number(cell));
  return { head: head!.split(','), rows: lines.map((line) => line.split(',').map(numberOf)) };
}

function readTable(name: string, folds: string): Table {
  const { head, rows } = readCsv(name);
  const label = head.indexOf('label');
  const used = head.flatMap((column, index) => (index === label || column === 'cust' ? [] : [index]));
  return {
    rows: rows.map((row) => used.map((index) => row[index]!)),
    labels: rows.map((row) => row[label]!),
    folds: readCsv(folds).rows.map(([, fold]) => fold!),
  };
}

/** Predicts each fold by a model of the others. */
async function crossValidate({ rows, labels, folds }: Table, options: TrainingOptions): Promise<number[]> {
  const predictions = new Array<number>(rows.length);
  for (const fold of new Set(folds)) {
    const inside = rows.flatMap((_, row) => (folds[row] === fold ? [] : [row]));
    const outside = rows.flatMap((_, row) => (folds[row] === fold ? [row] : []));
    const matrix = (part: readonly number[]) => Float64Array.from(part.flatMap((row) => rows[row]!));
    const model = await trainTrees(
      {
        features: matrix(inside),
        rows: inside.length,
        columns: rows[0]!.length,
        labels: Float64Array.from(inside, (row) => labels[row]!),
      },
      options,
    );
    const found = predict(model, matrix(outside), outside.length);
    for (const [index, row] of outside.entries()) predictions[row] = found[index]!;
  }
  return predictions;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The mean over folds of a measure of one fold. */
function overFolds(
  { labels, folds }: Table,
  predictions: readonly number[],
  measure: (labels: number[], predictions: number[]) => number,
): number {
  const found = [...new Set(folds)].map((fold) => {
    const rows = labels.flatMap((_, row) => (folds[row] === fold ? [row] : []));
    return measure(
      rows.map((row) => labels[row]!),
      rows.map((row) => predictions[row]!),
    );
  });
  return mean(found);
}

/** Ranks from 1; equal values share their mean rank. */
function ranksOf(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end += 1;
    for (let place = start; place < end; place++) ranks[order[place]!] = (start + end + 1) / 2;
    start = end;
  }
  return ranks;
}

function aucOf(labels: readonly number[], predictions: readonly number[]): number {
  const positives = labels.filter((label) => label === 1).length;
  const ranks = ranksOf(predictions);
  const sum = labels.reduce((total, label, row) => total + (label === 1 ? ranks[row]! : 0), 0);
  return (sum - (positives * (positives + 1)) / 2) / (positives * (labels.length - positives));
}

const logLossOf = (labels: readonly number[], predictions: readonly number[]): number =>
  mean(labels.map((label, row) => -Math.log(label === 1 ? predictions[row]! : 1 - predictions[row]!)));

function correlation(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  const covariance = mean(a.map((value, row) => (value - meanA) * (b[row]! - meanB)));
  return covariance / Math.sqrt(mean(a.map((value) => (value - meanA) ** 2)) * mean(b.map((v) => (v - meanB) ** 2)));
}

const pinballOf = (alpha: number, labels: readonly number[], predictions: readonly number[]): number =>
  mean(
    labels.map((label, row) =>
      Math.max(alpha * (label - predictions[row]!), (alpha - 1) * (label - predictions[row]!)),
    ),
  );

/** The references: 200 trees of depth 4 at rate 0.05, on the same rows and folds. */
describe('against XGBoost and scikit-learn on real data', () => {
  const logistic: Loss = { kind: 'logistic' };

  it('IBM Telco churn: XGBoost reaches AUC 0.8454 and log-loss 0.4166', async () => {
    const table = readTable('telco_encoded', 'telco_folds');
    const predictions = await crossValidate(table, { loss: logistic });
    expect(overFolds(table, predictions, aucOf)).toBeGreaterThan(0.8454);
    expect(overFolds(table, predictions, logLossOf)).toBeLessThan(0.4166);
  });

  it('Online Retail, inactivity of 90 days: XGBoost reaches AUC 0.7384 and log-loss 0.5903', async () => {
    const table = readTable('online_retail_churn90', 'online_retail_churn90_folds');
    const predictions = await crossValidate(table, { loss: logistic });
    expect(overFolds(table, predictions, aucOf)).toBeGreaterThan(0.7384);
    expect(overFolds(table, predictions, logLossOf)).toBeLessThan(0.5903);
  });

  it('Online Retail, revenue of 180 days by Tweedie: XGBoost reaches MAE 904.27 and Spearman 0.5826', async () => {
    const table = readTable('online_retail_rev180', 'online_retail_rev180_folds');
    const predictions = await crossValidate(table, { loss: { kind: 'tweedie', power: 1.5 } });
    expect(mean(table.labels.map((label, row) => Math.abs(label - predictions[row]!)))).toBeLessThan(904.27);
    expect(correlation(ranksOf(table.labels), ranksOf(predictions))).toBeGreaterThan(0.5826);
  });

  it.each([
    { alpha: 0.5, reference: 479.31 },
    { alpha: 0.9, reference: 388.47 },
  ])(
    'Online Retail, quantile $alpha of revenue: scikit-learn reaches a pinball loss of $reference',
    async ({ alpha, reference }) => {
      const table = readTable('online_retail_rev180', 'online_retail_rev180_folds');
      const predictions = await crossValidate(table, { loss: { kind: 'quantile', alpha } });
      expect(pinballOf(alpha, table.labels, predictions)).toBeLessThan(reference);
    },
  );
});
