import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { estimateLifetime, type PurchaseFacts } from './lifetime.ts';

const OPTIONS = { horizonMonths: 12, annualDiscountRate: 0.1 };

/** Customers with rhythms of their own, some of whom fell silent. */
function shop(customers: number): PurchaseFacts {
  const rows = Array.from({ length: customers }, (_, row) => {
    const T = 200 + ((row * 37) % 160);
    const x = (row * row) % 9;
    const tx = x === 0 ? 0 : Math.round(T * (0.25 + ((row * 13) % 70) / 100));
    return { x, tx, T, meanAmount: x === 0 ? 0 : 40 + ((row * 29) % 90) };
  });
  const column = (of: keyof PurchaseFacts) => Float64Array.from(rows, (row) => row[of]);
  return { x: column('x'), tx: column('tx'), T: column('T'), meanAmount: column('meanAmount') };
}

describe('expected lifetime value', () => {
  const facts = shop(300);
  const { estimate } = estimateLifetime(facts, OPTIONS);

  test('is what is bought times what it costs, less for being later', () => {
    expect(estimate).not.toBeNull();
    for (const [row, amount] of (estimate?.amount ?? []).entries()) {
      const whole = (estimate?.purchases[row] as number) * (estimate?.orderAmount[row] as number);
      expect(amount).toBeGreaterThan(0);
      expect(amount).toBeLessThan(whole);
      expect(amount).toBeGreaterThan(whole / 1.1 - 1e-9);
    }
  });

  test('without a discount is just that', () => {
    const plain = estimateLifetime(facts, { ...OPTIONS, annualDiscountRate: 0 }).estimate;
    for (const [row, amount] of (plain?.amount ?? []).entries()) {
      expect(amount).toBeCloseTo((plain?.purchases[row] as number) * (plain?.orderAmount[row] as number), 6);
    }
  });

  test('who never came back has probability 1 to be alive and yet few purchases: the reason not to rank by it', () => {
    const once = facts.x.indexOf(0);
    expect(estimate?.alive[once]).toBe(1);
    const most = Math.max(...(estimate?.purchases ?? []));
    expect(estimate?.purchases[once]).toBeLessThan(most / 2);
  });

  test('does not depend on who stands beside whom', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 299 }), (turn) => {
        const rotate = (values: Float64Array) => Float64Array.from([...values.slice(turn), ...values.slice(0, turn)]);
        const turned = estimateLifetime(
          { x: rotate(facts.x), tx: rotate(facts.tx), T: rotate(facts.T), meanAmount: rotate(facts.meanAmount) },
          OPTIONS,
        ).estimate;
        // Sums in another order end the search for the parameters elsewhere, by less than a millionth.
        expect((turned?.amount[0] as number) / (estimate?.amount[turn] as number)).toBeCloseTo(1, 6);
      }),
      { numRuns: 3 },
    );
  });

  test('says why when nobody ever came back', () => {
    const single = {
      x: new Float64Array(9),
      tx: new Float64Array(9),
      T: new Float64Array(9).fill(30),
      meanAmount: new Float64Array(9),
    };
    expect(estimateLifetime(single, OPTIONS)).toEqual({
      estimate: null,
      problem: expect.stringContaining('two are the least to learn from'),
    });
  });
});
