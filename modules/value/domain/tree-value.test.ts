import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../src/learning/random.ts';
import { featureNames } from './catalogue.ts';
import { learnTreeValue, type TreeValue, treeValuer, type ValueWindow } from './tree-value.ts';

const CUSTOMERS = 300;
const column = (name: string) => featureNames.indexOf(name);

/** Two of three buy about as much as before, the others nothing; the days since the last order tell who. */
function windowOn(on: string, seed: number): ValueWindow {
  const random = createRandom(seed);
  const features = new Float32Array(CUSTOMERS * featureNames.length);
  const bought = new Float64Array(CUSTOMERS);
  const facts = {
    x: new Float64Array(CUSTOMERS),
    tx: new Float64Array(CUSTOMERS),
    T: new Float64Array(CUSTOMERS).fill(300),
    meanAmount: new Float64Array(CUSTOMERS),
  };
  for (let row = 0; row < CUSTOMERS; row++) {
    const gone = random.unit() < 1 / 3;
    const before = 50 + 400 * random.unit();
    const set = (name: string, value: number) => {
      features[row * featureNames.length + column(name)] = value;
    };
    set('recencyDays', gone ? 150 + 100 * random.unit() : 60 * random.unit());
    set('revenue180', gone ? 0 : before);
    set('revenue', before * (1 + random.unit()));
    set('orders', 4);
    bought[row] = gone ? 0 : before * (0.4 + 1.2 * random.unit());
    facts.x[row] = 3;
    facts.tx[row] = gone ? 100 : 270;
    facts.meanAmount[row] = before / 4;
  }
  return { on, features, facts, bought };
}

const YEARS = [windowOn('2025-01-01', 1), windowOn('2025-07-01', 2), windowOn('2026-01-01', 3)];

async function learnt(windows: readonly ValueWindow[]): Promise<TreeValue> {
  const outcome = await learnTreeValue(windows);
  if (outcome.learnt === null) throw new Error(outcome.problem);
  return outcome.learnt;
}

describe('lifetime value by trees', () => {
  test.each([
    ['held out in time', YEARS],
    ['held out as customers', YEARS.slice(2)],
  ])('is judged on customers %s, beside the other methods', async (_, windows) => {
    const { errors, stretch, learntFrom } = await learnt(windows);
    expect(learntFrom).toBe(CUSTOMERS);
    expect(stretch).toBeGreaterThan(0);
    const errorOf = (method: keyof typeof errors) => errors[method].holdoutMeanAbsoluteError as number;
    // Half of 1.2 times the mean of what came before, a quarter of it on average: no method knows better.
    expect(errorOf('TREES')).toBeLessThan(80);
    expect(errorOf('BG_NBD')).toBeGreaterThan(errorOf('TREES'));
    for (const own of Object.values(errors)) expect(own.holdoutCustomers).toBe(CUSTOMERS);
    expect(errors.TREES.holdoutBandShareOfBuyers).toBeGreaterThan(0.7);
    expect(errors.TREES.holdoutBandShareOfBuyers).toBeLessThan(0.9);
  });

  test('tells those who left from those who stayed', async () => {
    const fresh = windowOn('2026-07-01', 4);
    const { mean, low, median, high } = treeValuer(await learnt(YEARS))(fresh.features);
    for (const [row, value] of mean.entries()) {
      const gone = (fresh.features[row * featureNames.length + column('recencyDays')] as number) > 100;
      if (gone) expect(value).toBeLessThan(30);
      else expect(value).toBeGreaterThan(30);
      expect(low[row]).toBeLessThanOrEqual(median[row] as number);
      expect(median[row]).toBeLessThanOrEqual(high[row] as number);
    }
  });

  test('is the same whenever it is learnt from the same', async () => {
    const [window] = YEARS as [ValueWindow];
    expect(await learnt([window])).toEqual(await learnt([window]));
  });

  test('is refused where a feature knows the answer', async () => {
    const [window] = YEARS as [ValueWindow];
    const features = window.features.slice();
    for (const [row, amount] of window.bought.entries())
      features[row * featureNames.length + column('lastOrder')] = amount;
    expect(await learnTreeValue([{ ...window, features }])).toEqual({
      learnt: null,
      problem: expect.stringContaining('"lastOrder" gives the label away'),
    });
  });

  test('is refused where hardly anybody bought', async () => {
    const [window] = YEARS as [ValueWindow];
    const bought = window.bought.map((amount, row) => (row < 60 ? amount : 0));
    expect(await learnTreeValue([{ ...window, bought }])).toEqual({
      learnt: null,
      problem: 'Fewer than 50 customers bought in the 180 days from 2025-01-01 on.',
    });
  });
});
