import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fitLifetime } from '../../src/app/learn/bgnbd.ts';
import { type EvaluateOptions, evaluate } from '../../src/app/learn/evaluate.ts';
import { clusterFile, rangeOf } from '../../src/app/learn/kmeans.ts';
import { lossOf } from '../../src/app/learn/loss.ts';
import { readTable } from '../../src/app/learn/table.ts';
import { createRandom } from '../../src/learning/random.ts';
import { dataFile } from './support.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-learn-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Uint8Array): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

const learn = (data: string, label: string, more: Partial<EvaluateOptions> = {}) =>
  evaluate({
    data,
    label,
    folds: null,
    drop: [],
    loss: lossOf('logistic'),
    trees: 20,
    depth: 3,
    rate: 0.1,
    seed: 0,
    ...more,
  });

/** Customers who leave by what they do and are, as people export them. */
function churnCsv({ newline = '\n', delimiter = ',' } = {}): string {
  const random = createRandom(1);
  const pick = <Value>(values: readonly Value[]) => values[random.below(values.length)]!;
  const lines = [['customerId', 'name', 'usage', 'plan', 'member', 'since', 'always', 'left']];
  for (let at = 0; at < 240; at++) {
    const usage = random.unit();
    const plan = pick(['basic', 'plus', '"pro, ""big"""', '']);
    const leaves = random.unit() < (1 - usage) ** 2 * (plan === 'basic' ? 1.2 : 0.8);
    lines.push([
      String(1000 + at),
      `customer ${at}`,
      random.unit() < 0.1 ? pick(['', 'NA', 'null']) : usage.toFixed(4),
      plan,
      pick(['true', 'false', '']),
      `2024-0${1 + random.below(9)}-1${random.below(9)}`,
      '7',
      leaves ? 'Yes' : 'No',
    ]);
  }
  return lines.map((fields) => fields.join(delimiter)).join(newline);
}

describe('learn evaluate', () => {
  test('reads what people export: missing values, quotes, categories, yes and no, dates, identifiers', async () => {
    const evaluation = await learn(write('churn.csv', churnCsv()), 'left');
    expect(evaluation).toMatchObject({
      rows: 240,
      positive: 'Yes',
      features: 5,
      categorical: ['plan'],
      ignored: [
        { column: 'customerId', reason: 'a different whole number in every row: an identifier' },
        { column: 'name', reason: 'text with 240 different values in 240 rows' },
      ],
    });
    expect(Object.keys(evaluation.mean)).toEqual(['auc', 'prAuc', 'logloss', 'brier', 'ece', 'lift', 'accuracy']);
    expect(evaluation.mean.auc).toBeGreaterThan(0.65);
    expect(evaluation.folds.map(({ rows }) => rows)).toEqual([48, 48, 48, 48, 48]);
  });

  test('does not mind line ends, delimiters, a byte order mark or gzip', async () => {
    const plain = await learn(write('plain.csv', churnCsv()), 'left');
    for (const file of [
      write('crlf.csv', churnCsv({ newline: '\r\n' })),
      write('bom.csv', `\uFEFF${churnCsv()}`),
      write('tab.tsv', churnCsv({ delimiter: '\t' })),
      write('packed.csv.gz', gzipSync(churnCsv({ newline: '\r\n' }))),
    ]) {
      expect(await learn(file, 'left')).toEqual(plain);
    }
  });

  test('takes the folds it is given, in any order and by any name', async () => {
    const data = write('churn.csv', churnCsv());
    const rows = Array.from({ length: 240 }, (_, row) => `${row},${row % 3 === 0 ? 'x' : 'y'}`);
    const folds = write('folds.csv', `row,fold\n${rows.toReversed().join('\n')}\n`);
    const evaluation = await learn(data, 'left', { folds });
    expect(evaluation.folds.map(({ fold, rows: tested }) => [fold, tested])).toEqual([
      ['x', 80],
      ['y', 160],
    ]);
    const short = write('short.csv', `row,fold\n${rows.slice(1).join('\n')}`);
    await expect(learn(data, 'left', { folds: short })).rejects.toThrow(`${short}, column "row": "0" is missing.`);
    const beyond = write('beyond.csv', `row,fold\n${rows.join('\n')}\n240,x`);
    await expect(learn(data, 'left', { folds: beyond })).rejects.toThrow('line 242, column "row": "240" is no row of');
  });

  test('gives the errors of amounts, and the pinball of the quantile', async () => {
    const random = createRandom(2);
    const rows = Array.from({ length: 200 }, () => {
      const visits = random.below(20);
      return `${visits},${random.unit() < 0.3 ? 0 : (visits * (5 + 10 * random.unit())).toFixed(2)}`;
    });
    const data = write('spend.csv', `visits,spend\n${rows.join('\n')}\n`);
    for (const loss of ['squared', 'tweedie', 'poisson', 'quantile:0.9']) {
      const { mean } = await learn(data, 'spend', { loss: lossOf(loss) });
      expect(Object.keys(mean)).toEqual(['mae', 'rmse', 'r2', 'spearman', 'pinball']);
      expect(mean.spearman).toBeGreaterThan(0.3);
      if (loss !== 'quantile:0.9') expect(mean.pinball).toBeCloseTo(mean.mae! / 2, 10);
    }
    expect(() => lossOf('quantile:1.2')).toThrow('--loss is "quantile:1.2". Give logistic');
    await expect(
      learn(write('negative.csv', 'a,spend\n1,2\n2,-3\n3,1'), 'spend', { loss: lossOf('tweedie') }),
    ).rejects.toThrow(
      'line 3, column "spend": "-3" is below 0, which the tweedie loss does not know. Use --loss squared',
    );
  });

  test('works on few rows, constant and empty columns, and infinite values', async () => {
    const few = await learn(write('few.csv', 'a,b,c,y\n1,5,,0\n2,5,,1\ninf,5,,0\n-inf,5,,1\n'), 'y');
    expect(few).toMatchObject({ rows: 4, positive: '1', mean: { auc: null } });
    expect(few.pooled.brier).toBeGreaterThan(0);
  });

  test.each([
    [
      'unknown label',
      'a,y\n1,0\n2,1\n',
      'z',
      'column "z": there is no such column (--label). The file has "a", "y"; name one of them.',
    ],
    [
      'missing label',
      'a,y\n1,0\n2,\n3,1\n',
      'y',
      'line 3, column "y": "" is no label. Fill it in, or leave the row out.',
    ],
    [
      'three kinds',
      'a,y\n1,u\n2,v\n3,w\n',
      'y',
      'holds 3 different values ("u", "v", "w"), and the logistic loss needs two.',
    ],
    ['one kind', 'a,y\n1,1\n2,1\n', 'y', 'holds 1 different value ("1")'],
    ['a kind once', 'a,y\n1,1\n2,0\n3,1\n', 'y', '"0" comes only once'],
    ['no rows', 'a,y\n', 'y', 'there are no rows below the header.'],
    ['no file content', '', 'y', 'line 1: there is no header.'],
    ['a short line', 'a,y\n1,0\n2\n', 'y', 'line 3: "2" has fewer fields than the header. Mend the line.'],
    ['a name twice', 'a,a\n1,0\n', 'a', 'The header names column "a" twice.'],
    ['nothing but the label', 'y\n1\n0\n1\n0\n', 'y', 'no column is left to learn from.'],
  ])('refuses %s, naming place and remedy', async (name, content, label, message) => {
    const file = write(`${name}.csv`, content);
    const failure = await learn(file, label).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'LEARN_DATA_UNUSABLE', message: expect.stringContaining(message) });
    expect(failure).toMatchObject({ message: expect.stringContaining(file) });
  });

  test('drops what it is told, and says when that is no column', async () => {
    const data = write('churn.csv', churnCsv());
    const { features } = await learn(data, 'left', { drop: ['plan,member', 'since'] });
    expect(features).toBe(2);
    await expect(learn(data, 'left', { drop: ['nope'] })).rejects.toThrow(
      'column "nope": there is no such column (--drop)',
    );
  });
});

describe('learn bgnbd and kmeans', () => {
  test('reach the references from the files', async () => {
    const report = await fitLifetime(dataFile('cdnow_sample_cbs_39w.csv'));
    expect(report).toMatchObject({ customers: 2357, converged: true, gammaGamma: { p: expect.closeTo(6.25, 2) } });
    expect(report.params.alpha).toBeCloseTo(4.4136, 4);
    const clusters = await clusterFile({
      data: dataFile('online_retail_rfm.csv'),
      columns: ['recency', 'frequency', 'monetary'],
      ...rangeOf('3'),
      log: true,
      seed: 0,
    });
    expect(clusters.table.map(({ k, inertia }) => [k, Math.round(inertia)])).toEqual([[3, 4877]]);
  });

  test('know no values without their column, and name the row that cannot be', async () => {
    const without = await fitLifetime(write('cbs.csv', 'x,t_x,T\n0,0,10\n2,5,10\n1,3,9\n0,0,8\n'));
    expect(without).toMatchObject({ gammaGamma: null, gammaGammaFit: null });
    const once = await fitLifetime(write('once.csv', 'x,t_x,T,mean_repeat_value\n0,0,10,\n2,5,10,7.5\n'));
    expect(once).toMatchObject({
      gammaGamma: null,
      gammaGammaFit: { problem: expect.stringContaining('two are the least') },
    });
    await expect(fitLifetime(write('late.csv', 'x,t_x,T\n1,5,10\n2,11,10\n'))).rejects.toThrow(
      'line 3, column "t_x": 11 is not within 0 and T = 10.',
    );
    await expect(fitLifetime(write('blank.csv', 'x,t_x,T,mean_repeat_value\n1,5,10,\n'))).rejects.toThrow(
      'line 2, column "mean_repeat_value": "" is missing',
    );
    const shape = { columns: ['recency', 'frequency', 'monetary'], from: 2, to: 3, log: true, seed: 0 };
    const negative = write('negative-rfm.csv', 'recency,frequency,monetary\n1,2,3\n2,3,-50\n4,5,6\n');
    await expect(clusterFile({ ...shape, data: negative })).rejects.toThrow(
      'line 3, column "monetary": "-50" is not above -1',
    );
    expect(() => rangeOf('10..2')).toThrow('--k is "10..2"');
  });
});

test('a table keeps quoted line ends and tabs, and numbers that became texts', async () => {
  const table = await readTable(write('odd.csv', 'a,b\n1,"x\ty"\n"2\n3",\\n\n'));
  expect(table.columns).toEqual([
    { kind: 'text', name: 'a', texts: ['1', '2\n3'], values: Float64Array.of(0, 1) },
    { kind: 'text', name: 'b', texts: ['\\n', 'x\ty'], values: Float64Array.of(1, 0) },
  ]);
  expect([...table.lines]).toEqual([2, 3]);
});

test('the command prints one line of JSON, and a failure on stderr with exit code 1', async () => {
  const main = fileURLToPath(new URL('../../src/holdfast.mjs', import.meta.url));
  const run = (...args: string[]) => promisify(execFile)(process.execPath, [main, 'learn', ...args]);
  const data = write('cbs.csv', 'x,t_x,T\n0,0,10\n2,5,10\n1,3,9\n0,0,8\n');
  const [good, bad] = await Promise.all([
    run('bgnbd', '--data', data),
    run('evaluate', '--data', data, '--label', 'nope').catch((error: unknown) => error),
  ]);
  expect(good.stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(Object.keys(JSON.parse(good.stdout)).slice(0, 3)).toEqual(['params', 'logLikelihood', 'gammaGamma']);
  expect(bad).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/column "nope".*LEARN_DATA_UNUSABLE/),
  });
});
