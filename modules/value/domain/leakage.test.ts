import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../src/learning/random.ts';
import { FEATURES, featureNames } from './catalogue.ts';
import { FeatureLeak, findLeaks, refuseLeaks } from './leakage.ts';

const ROWS = 400;
const random = createRandom(7);
const label = Float64Array.from({ length: ROWS }, () => (random.unit() < 0.3 ? 1 : 0));
const noise = (scale = 1) => Float64Array.from({ length: ROWS }, () => random.unit() * scale);
/** As good as the best real feature: it leans towards the label. */
const honest = label.map((one) => one * 0.5 + random.unit());

describe('the leakage check', () => {
  test('lets honest features of the catalogue pass', () => {
    const columns = featureNames.map((name, at) => ({ name, values: at === 0 ? honest : noise() }));
    expect(findLeaks(columns, label)).toEqual([]);
    expect(() => refuseLeaks(columns, label)).not.toThrow();
  });

  test('refuses a label column smuggled in under any name', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        fc.pre(!featureNames.includes(name));
        expect(findLeaks([{ name, values: noise() }], label)).toMatchObject([{ kind: 'NOT_IN_CATALOGUE' }]);
      }),
      { numRuns: 50 },
    );
    expect(() => refuseLeaks([{ name: 'recencyDays', values: label }], label)).toThrow(FeatureLeak);
  });

  test.each([
    ['the label itself', label],
    ['the label turned round', label.map((one) => 1 - one)],
    ['the label with some noise', label.map((one, row) => one + (noise(0.9)[row] as number))],
  ])('refuses %s under a name of the catalogue', (_, values) => {
    expect(findLeaks([{ name: 'orders', values }], label)).toMatchObject([
      { column: 'orders', kind: 'SEPARATES_LABEL' },
    ]);
  });

  test('refuses a column that is missing just where the label says so', () => {
    const values = label.map((one) => (one === 1 ? Number.NaN : random.unit()));
    expect(findLeaks([{ name: 'meanGapDays', values }], label)).toMatchObject([{ kind: 'MISSING_BY_LABEL' }]);
  });

  test('refuses amounts that follow an amount to be predicted', () => {
    const amount = noise(1_000);
    expect(
      findLeaks([{ name: 'revenue', values: amount.map((one) => one * 2 + random.unit()) }], amount),
    ).toMatchObject([{ kind: 'CORRELATES_WITH_LABEL' }]);
    expect(findLeaks([{ name: 'revenue', values: noise(1_000) }], amount)).toEqual([]);
  });

  test('refuses a feature that is reckoned in another way than the catalogue says', () => {
    const [recency] = FEATURES;
    const columns = [{ name: 'recencyDays', expression: recency?.expression ?? '', values: noise() }];
    expect(findLeaks(columns, label)).toEqual([]);
    expect(findLeaks([{ ...columns[0]!, expression: 'days_to(next_order)' }], label)).toMatchObject([
      { kind: 'OTHER_EXPRESSION' },
    ]);
  });
});
