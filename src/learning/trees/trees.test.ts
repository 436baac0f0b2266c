import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  explain,
  type Features,
  fromJson,
  importance,
  type Loss,
  predict,
  type TrainingData,
  type TrainingOptions,
  TreeInputError,
  type TreeModel,
  toJson,
  trainTrees,
} from './index.ts';
import { addTree, goesLeft } from './predict.ts';
import { prepare } from './prepare.ts';
import { randomOf, streamOf } from './random.ts';
import { trainHere, trainOnThreads } from './threads.ts';

const LOSSES: readonly Loss[] = [
  { kind: 'logistic' },
  { kind: 'squared' },
  { kind: 'poisson' },
  { kind: 'tweedie', power: 1.5 },
  { kind: 'quantile', alpha: 0.7 },
];

/** Four numeric columns and one of categories (the last); one value in eight is missing. */
const COLUMNS = 5;

function makeData(seed: number, rows: number, loss: Loss): TrainingData {
  const stream = streamOf(seed, 0);
  const random = (index: number): number => randomOf(stream, index) / 2 ** 32;
  const features = new Float64Array(rows * COLUMNS);
  const labels = new Float64Array(rows);
  const effects = [0.3, -1, 2, -0.2, 1, -2, 0];
  for (let row = 0; row < rows; row++) {
    const at = row * 16;
    const x = [random(at), Math.round(random(at + 1) * 4), random(at + 2), random(at + 3) ** 8 * 1000];
    const category = Math.floor(random(at + 4) * 7);
    const signal = 2 * x[0]! - x[1]! / 2 + (x[2]! > 0.5 ? 1 : -1) + effects[category]!;
    for (const [column, value] of [...x, category].entries()) {
      features[row * COLUMNS + column] = random(at + 5 + column) < 1 / 8 ? Number.NaN : value;
    }
    const noisy = signal + random(at + 10) - random(at + 11);
    labels[row] =
      loss.kind === 'logistic' ? Number(noisy > 0) : loss.kind === 'squared' ? noisy : Math.max(0, noisy * 10);
  }
  return { features, rows, columns: COLUMNS, labels, categorical: [4] };
}

const options = (loss: Loss, more: Partial<TrainingOptions> = {}): TrainingOptions => ({
  ...{ loss, trees: 12, depth: 4, rate: 0.3, minChildWeight: 0.5 },
  ...more,
});

const lossArbitrary = fc.constantFrom(...LOSSES);
const seedArbitrary = fc.integer({ min: 0, max: 2 ** 31 - 1 });

describe('the same model', () => {
  it.each([
    { name: 'level by level', losses: [LOSSES[0]!, LOSSES[4]!], more: {} },
    {
      ...{ name: 'leaf by leaf, on shares of rows and columns', losses: [LOSSES[3]!] },
      more: { leaves: 9, rowShare: 0.6, columnShare: 0.7 },
    },
  ])('on one, two and three threads, and without WebAssembly: $name', async ({ losses, more }) => {
    for (const loss of losses) {
      const training = prepare(makeData(1, 3_001, loss), options(loss, { seed: 7, trees: 3, ...more }));
      const { names, data, settings, base } = training;
      const text = (trees: TreeModel['trees']): string =>
        toJson({ loss: settings.loss, columns: COLUMNS, names, categorical: data.categorical, base, trees });
      const plain = text(trainHere(training));
      for (const threads of [1, 2, 3]) expect(text(await trainOnThreads(training, threads))).toBe(plain);
    }
  });

  it('from JSON', async () => {
    await fc.assert(
      fc.asyncProperty(lossArbitrary, seedArbitrary, async (loss, seed) => {
        const model = await trainTrees(makeData(seed, 200, loss), options(loss, { trees: 3 }));
        expect(fromJson(toJson(model))).toStrictEqual(model);
      }),
      { numRuns: 20 },
    );
  });

  it('in many rows at a time and in plain TypeScript, also for categories and missing values', async () => {
    for (const categorical of [[], [4]]) {
      const data = { ...makeData(2, 5_003, LOSSES[1]!), categorical };
      const model = await trainTrees(data, options(LOSSES[1]!, { depth: 6 }));
      const expected = new Float64Array(data.rows).fill(model.base);
      for (const tree of model.trees) addTree(tree, data.features, data.rows, COLUMNS, expected);
      expect(predict(model, data.features, data.rows)).toStrictEqual(expected);
      const narrow = Float32Array.from(data.features);
      expected.fill(model.base);
      for (const tree of model.trees) addTree(tree, narrow, data.rows, COLUMNS, expected);
      expect(predict(model, narrow, data.rows)).toStrictEqual(expected);
    }
  });

  it('from rows of weight two and nought, and from those rows twice and not at all', async () => {
    await fc.assert(
      fc.asyncProperty(seedArbitrary, fc.constantFrom<Loss>(LOSSES[1]!, LOSSES[4]!), async (seed, loss) => {
        const { features, ...data } = makeData(seed, 150, loss);
        // Whole labels, and weights that are powers of two, keep every sum exact.
        const labels = data.labels.map((label) => Math.round(label * 8));
        const weights = labels.map((_, row) => (row % 3 === 0 ? 0 : 2));
        const kept = Array.from(labels.keys()).filter((row) => weights[row] === 2);
        const twice = [...kept, ...kept];
        const many = {
          ...{ ...data, rows: twice.length },
          features: Float64Array.from(
            twice.flatMap((row) => [...features.subarray(row * COLUMNS, (row + 1) * COLUMNS)]),
          ),
          labels: Float64Array.from(twice, (row) => labels[row]!),
        };
        const weighted = await trainTrees({ ...data, features, labels, weights }, options(loss));
        expect(toJson(weighted)).toBe(toJson(await trainTrees(many, options(loss))));
      }),
      { numRuns: 20 },
    );
  });
});

describe('what is learnt', () => {
  it('lowers the loss on the rows it saw, with every loss', async () => {
    for (const loss of LOSSES) {
      const data = makeData(3, 1_500, loss);
      const spreadOf = async (trees: number): Promise<number> => {
        const found = predict(await trainTrees(data, options(loss, { trees })), data.features, data.rows);
        return found.reduce((sum, value, row) => sum + Math.abs(value - data.labels[row]!), 0);
      };
      expect(await spreadOf(40)).toBeLessThan(0.75 * (await spreadOf(1)));
    }
  });

  it('never breaks a monotone constraint', async () => {
    await fc.assert(
      fc.asyncProperty(lossArbitrary, seedArbitrary, fc.constantFrom(-1, 1), async (loss, seed, direction) => {
        const data = makeData(seed, 300, loss);
        const monotone = Int8Array.from([direction, 0, direction, 0, 0]);
        const model = await trainTrees(data, options(loss, { monotone }));
        const [row, steps] = [seed % data.rows, 41];
        for (const column of [0, 2]) {
          const features = new Float64Array(steps * COLUMNS);
          for (let step = 0; step < steps; step++) {
            features.set(data.features.subarray(row * COLUMNS, (row + 1) * COLUMNS), step * COLUMNS);
            features[step * COLUMNS + column] = step / (steps - 1);
          }
          const found = predict(model, features, steps, 'raw');
          for (let step = 1; step < steps; step++) {
            expect(direction * (found[step]! - found[step - 1]!)).toBeGreaterThanOrEqual(-1e-12);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it('sends missing values where they belong', async () => {
    for (const whenMissing of [0, 1]) {
      const rows = 200;
      const features = Float32Array.from({ length: rows }, (_, row) => (row % 2 === 0 ? Number.NaN : row));
      const labels = Float64Array.from({ length: rows }, (_, row) => (row % 2 === 0 ? whenMissing : 1 - whenMissing));
      const model = await trainTrees(
        { features, rows, columns: 1, labels },
        { loss: { kind: 'squared' }, trees: 1, rate: 1, lambda: 0 },
      );
      expect([...predict(model, Float32Array.of(Number.NaN, 5, -1e9, 1e9), 4)]).toStrictEqual([
        whenMissing,
        1 - whenMissing,
        1 - whenMissing,
        1 - whenMissing,
      ]);
    }
  });

  it('finds the better group of categories at once, where an order has none', async () => {
    const rows = 1_000;
    const good = new Set([1, 4, 6, 7, 11, 13, 16, 18]);
    const features = Float64Array.from({ length: rows }, (_, row) => row % 20);
    const labels = features.map((category) => Number(good.has(category)));
    const data = { features, rows, columns: 1, labels };
    const few: TrainingOptions = { loss: { kind: 'logistic' }, trees: 1, depth: 1, rate: 1 };
    const missOf = (model: TreeModel): number =>
      predict(model, features, rows).reduce((sum, value, row) => sum + Math.abs(value - labels[row]!), 0) / rows;
    const grouped = await trainTrees({ ...data, categorical: [0] }, few);
    expect([...grouped.trees[0]!.categories[0]!]).toStrictEqual([...good]);
    expect(missOf(grouped)).toBeLessThan(0.15);
    expect(missOf(await trainTrees(data, few))).toBeGreaterThan(0.4);
  });

  it('stops early at the best number of trees', async () => {
    const loss: Loss = { kind: 'logistic' };
    const validation = makeData(9, 400, loss);
    const data = makeData(8, 400, loss);
    const model = await trainTrees(data, options(loss, { trees: 300, earlyStopping: { validation, rounds: 10 } }));
    expect(model.trees.length).toBeGreaterThan(3);
    expect(model.trees.length).toBeLessThan(100);
    const all = await trainTrees(data, options(loss, { trees: model.trees.length }));
    expect(toJson(all)).toBe(toJson(model));
  });

  it('keeps to the number of leaves and the depth', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        lossArbitrary,
        async (leaves, depth, loss) => {
          const { trees } = await trainTrees(makeData(5, 300, loss), options(loss, { trees: 3, leaves, depth }));
          for (const { feature, left } of trees) {
            const depths = new Int32Array(feature.length);
            for (const [node, column] of feature.entries()) {
              if (column >= 0) depths.fill(depths[node]! + 1, left[node]!, left[node]! + 2);
            }
            expect(feature.filter((column) => column < 0).length).toBeLessThanOrEqual(leaves);
            expect(Math.max(...depths)).toBeLessThanOrEqual(depth);
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it('weighs classes as their factors say', async () => {
    const data = makeData(2, 600, LOSSES[0]!);
    const weights = data.labels.map((label) => (label === 0 ? 1 : 3));
    const byClass = await trainTrees(data, options(LOSSES[0]!, { classWeight: [1, 3] }));
    expect(toJson(byClass)).toBe(toJson(await trainTrees({ ...data, weights }, options(LOSSES[0]!))));
  });
});

/** What a tree expects when only the features of a set are known, by its definition. */
function expectedOf(tree: TreeModel['trees'][number], node: number, row: Features, known: number): number {
  const column = tree.feature[node]!;
  if (column < 0) return tree.value[node]!;
  const left = tree.left[node]!;
  if ((known >> column) & 1) return expectedOf(tree, goesLeft(tree, node, row[column]!) ? left : left + 1, row, known);
  const share = tree.cover[left]! / tree.cover[node]!;
  return share * expectedOf(tree, left, row, known) + (1 - share) * expectedOf(tree, left + 1, row, known);
}

describe('explanations', () => {
  it('are the Shapley values of the definition', async () => {
    const data = makeData(4, 500, { kind: 'squared' });
    const model = await trainTrees(data, options({ kind: 'squared' }, { trees: 5, depth: 5 }));
    const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
    const { values } = explain(model, data.features, data.rows);
    for (let row = 0; row < 20; row++) {
      const features = data.features.subarray(row * COLUMNS, (row + 1) * COLUMNS);
      const worth = Array.from({ length: 2 ** COLUMNS }, (_, known) =>
        model.trees.reduce((sum, tree) => sum + expectedOf(tree, 0, features, known), 0),
      );
      for (let column = 0; column < COLUMNS; column++) {
        let value = 0;
        for (let known = 0; known < worth.length; known++) {
          if ((known >> column) & 1) continue;
          const size = [0, 1, 2, 3, 4].filter((other) => (known >> other) & 1).length;
          const weight = (factorial(size) * factorial(COLUMNS - size - 1)) / factorial(COLUMNS);
          value += weight * (worth[known | (1 << column)]! - worth[known]!);
        }
        expect(values[row * COLUMNS + column]!).toBeCloseTo(value, 10);
      }
    }
  });

  it('add up to the raw score', async () => {
    await fc.assert(
      fc.asyncProperty(lossArbitrary, seedArbitrary, fc.integer({ min: 1, max: 12 }), async (loss, seed, depth) => {
        const data = makeData(seed, 80, loss);
        const model = await trainTrees(data, options(loss, { depth, minChildWeight: 0 }));
        const { base, values } = explain(model, data.features, data.rows);
        for (const [row, score] of predict(model, data.features, data.rows, 'raw').entries()) {
          const sum = values.subarray(row * COLUMNS, (row + 1) * COLUMNS).reduce((total, value) => total + value, base);
          expect(Math.abs(sum - score)).toBeLessThan(1e-9);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('of the whole model: shares of gain and cover add up to 1', async () => {
    const model = await trainTrees(makeData(6, 500, LOSSES[0]!), options(LOSSES[0]!));
    const found = importance(model);
    expect(found.map(({ name }) => name)).toStrictEqual(['f0', 'f1', 'f2', 'f3', 'f4']);
    expect(found.reduce((sum, { gain }) => sum + gain, 0)).toBeCloseTo(1, 12);
    expect(found.reduce((sum, { cover }) => sum + cover, 0)).toBeCloseTo(1, 12);
    expect(found[3]!.gain).toBeLessThan(Math.min(found[2]!.gain, found[4]!.gain));
  });
});

describe('what cannot be used is refused by name', () => {
  const refusal = async (promise: Promise<unknown>): Promise<string> => {
    const error = await promise.then(
      () => null,
      (reason: unknown) => reason,
    );
    if (!(error instanceof TreeInputError)) throw new Error(`not refused, or by another error: ${String(error)}`);
    return error.message;
  };

  it.each<[string, Partial<TrainingData>, Partial<TrainingOptions>]>([
    ['labels[2] has to be 0 or 1', { labels: Float64Array.of(0, 1, 2) }, {}],
    ['labels[1] has to be at least 0', { labels: Float64Array.of(0, -1, 2) }, { loss: { kind: 'poisson' } }],
    ['features has 6 values, not 3 × 3', { columns: 3 }, {}],
    ['weights[0] has to be a finite number of at least 0', { weights: Float64Array.of(-1, 1, 1) }, {}],
    ['names[1] is a, as another column is', { names: ['a', 'a'] }, {}],
    ['rate has to be from 0.000001 to 1, not 2', {}, { rate: 2 }],
    ['depth has to be a whole number, not 1.5', {}, { depth: 1.5 }],
    ['loss.power has to be between 1 and 2', {}, { loss: { kind: 'tweedie', power: 2 } }],
    ['classWeight is only for the logistic loss', {}, { loss: { kind: 'squared' }, classWeight: 'balanced' }],
    ['features[1] holds infinity', { features: Float64Array.of(1, 2, 3, Number.POSITIVE_INFINITY, 5, 6) }, {}],
  ])('%s', async (message, data, more) => {
    const given = {
      features: Float64Array.of(1, 2, 3, 4, 5, 6),
      rows: 3,
      columns: 2,
      labels: Float64Array.of(0, 1, 1),
    };
    expect(await refusal(trainTrees({ ...given, ...data }, options({ kind: 'logistic' }, more)))).toBe(message);
  });

  it('by a thread, too', async () => {
    const data = makeData(1, 300, LOSSES[0]!);
    data.features[700] = Number.POSITIVE_INFINITY;
    expect(await refusal(trainOnThreads(prepare(data, options(LOSSES[0]!)), 2))).toBe('features[140] holds infinity');
  });

  it('in a stored model', async () => {
    const text = toJson(await trainTrees(makeData(1, 300, LOSSES[0]!), options(LOSSES[0]!, { trees: 2 })));
    const changed = (change: (model: { [name: string]: unknown; trees: { [name: string]: unknown[] }[] }) => void) => {
      const model = JSON.parse(text);
      change(model);
      return refusal((async () => fromJson(JSON.stringify(model)))());
    };
    expect(await refusal((async () => fromJson('{'))())).toBe('model is not JSON');
    expect(await changed((model) => Object.assign(model, { version: 2 }))).toMatch(/^version is 2/);
    expect(await changed((model) => Object.assign(model, { loss: { kind: 'hinge' } }))).toMatch(/^loss.kind has to be/);
    expect(await changed(({ trees }) => trees[1]!.left!.splice(2, 1, 1))).toBe(
      'trees[1].left[2] is no child of this node',
    );
    expect(await changed(({ trees }) => trees[0]!.feature!.splice(0, 1, 5))).toBe(
      'trees[0].feature[0] has to be at most 4',
    );
    expect(await changed(({ trees }) => trees[0]!.value!.pop())).toMatch(
      /^trees\[0\].value has \d+ entries for \d+ nodes/,
    );
    expect(await changed(({ trees }) => trees[0]!.value!.splice(0, 1, null))).toBe(
      'trees[0].value[0] has to be a number',
    );
  });
});
