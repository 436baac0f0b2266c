import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../../src/learning/random.ts';
import { pickActions } from './pick.ts';
import { type AllocationProblem, NONE } from './problem.ts';

const problems = (capacity: fc.Arbitrary<number | null>) =>
  fc
    .record({ customers: fc.integer({ min: 1, max: 5 }), actions: fc.integer({ min: 1, max: 3 }) })
    .chain(({ customers, actions }) =>
      fc.record({
        customers: fc.constant(customers),
        costs: fc.array(fc.nat(20), { minLength: actions, maxLength: actions }),
        capacities: fc.array(capacity, { minLength: actions, maxLength: actions }),
        budgetMinor: fc.nat(60),
        gains: fc
          .array(fc.integer({ min: -10, max: 60 }), { minLength: customers * actions, maxLength: customers * actions })
          .map((gains) => Float64Array.from(gains)),
      }),
    );
const free = problems(fc.constant(null));
const bounded = problems(fc.option(fc.nat(3)));

/** The best of all allocations there are. */
function optimum({ customers, costs, capacities, budgetMinor, gains }: AllocationProblem): number {
  const used = costs.map(() => 0);
  const best = (row: number, left: number): number => {
    if (row === customers) return 0;
    let most = best(row + 1, left);
    for (const [action, cost] of costs.entries()) {
      if (cost > left || (used[action] as number) >= (capacities[action] ?? customers)) continue;
      used[action] = (used[action] as number) + 1;
      most = Math.max(most, (gains[row * costs.length + action] as number) + best(row + 1, left - cost));
      used[action] = (used[action] as number) - 1;
    }
    return most;
  };
  return best(0, budgetMinor);
}

describe('picking actions', () => {
  test('never goes over budget or capacity, picks at most one each and none that loses, and adds up', () => {
    fc.assert(
      fc.property(bounded, (problem) => {
        const picks = pickActions(problem);
        let cost = 0;
        let gain = 0;
        const used = problem.costs.map(() => 0);
        expect(picks.actions).toHaveLength(problem.customers);
        for (const [row, action] of picks.actions.entries()) {
          if (action === NONE) continue;
          const own = problem.gains[row * problem.costs.length + action] as number;
          expect(own).toBeGreaterThan(0);
          gain += own;
          cost += problem.costs[action] as number;
          used[action] = (used[action] as number) + 1;
        }
        expect(picks).toMatchObject({ gainMinor: gain, costMinor: cost });
        expect(cost).toBeLessThanOrEqual(problem.budgetMinor);
        for (const [action, count] of used.entries())
          expect(count).toBeLessThanOrEqual(problem.capacities[action] ?? Infinity);
      }),
      { seed: 1, numRuns: 1_000 },
    );
  });

  test('lies below the optimum, and the optimum below the bound', () => {
    fc.assert(
      fc.property(bounded, (problem) => {
        const { gainMinor, boundMinor } = pickActions(problem);
        const best = optimum(problem);
        expect(gainMinor).toBeLessThanOrEqual(best);
        expect(boundMinor).toBeGreaterThanOrEqual(best);
        expect(Number.isSafeInteger(boundMinor)).toBe(true);
      }),
      { seed: 2, numRuns: 1_000 },
    );
  });

  test('without capacities, is within one pick of the optimum and at least half of it', () => {
    fc.assert(
      fc.property(free, (problem) => {
        const { gainMinor } = pickActions(problem);
        const best = optimum(problem);
        const affordable = problem.gains.filter(
          (_, at) => (problem.costs[at % problem.costs.length] as number) <= problem.budgetMinor,
        );
        expect(best - gainMinor).toBeLessThanOrEqual(Math.max(0, ...affordable));
        expect(2 * gainMinor).toBeGreaterThanOrEqual(best);
      }),
      { seed: 3, numRuns: 1_000 },
    );
  });

  test('takes the dear action instead of the cheap one where the difference is worth most', () => {
    // The first customer gains 30 by 5 and 90 by 15: the further 10 gain 60, more than the second customer's 20 for 5.
    const problem = { customers: 2, costs: [5, 15], capacities: [null, null], budgetMinor: 15 };
    expect(pickActions({ ...problem, gains: Float64Array.of(30, 90, 20, 21) })).toMatchObject({
      actions: Int8Array.of(1, NONE),
      gainMinor: 90,
      costMinor: 15,
    });
  });

  test('gives scarce places to those they help most, and upgrades when places are all that counts', () => {
    const problem = { customers: 3, costs: [0, 1], capacities: [null, 1], budgetMinor: 100 };
    expect(pickActions({ ...problem, gains: Float64Array.of(10, 30, 10, 50, 10, 40) })).toMatchObject({
      actions: Int8Array.of(0, 1, 0),
      gainMinor: 70,
      boundMinor: 70,
    });
  });

  test('comes close to the bound where customers are many, the same each time', () => {
    const customers = 20_000;
    const costs = [10, 2_000, 3_000, 25_000];
    const random = createRandom(5);
    const gains = new Float64Array(customers * costs.length);
    for (let row = 0; row < customers; row++) {
      const atRisk = 100 * random.unit() * Math.exp(8 * random.unit());
      for (const [action, rate] of [0.02, 0.08, 0.12, 0.25].entries())
        gains[row * costs.length + action] = Math.round(atRisk * rate) - (costs[action] as number);
    }
    for (const capacities of [
      [null, null, null, null],
      [null, null, 500, 20],
      [2_000, 800, 500, 20],
    ]) {
      const problem = { customers, costs, capacities, budgetMinor: 3_000_000, gains };
      const picks = pickActions(problem);
      expect(picks.boundMinor - picks.gainMinor).toBeLessThan(0.01 * picks.boundMinor);
      expect(pickActions(problem)).toEqual(picks);
    }
  });

  test('of nobody, or with nothing worth its cost, picks nothing', () => {
    const none = { costs: [1], capacities: [null], budgetMinor: 10 };
    const nothing = { gainMinor: 0, costMinor: 0, boundMinor: 0 };
    expect(pickActions({ ...none, customers: 0, gains: new Float64Array(0) })).toMatchObject(nothing);
    expect(pickActions({ ...none, customers: 2, gains: Float64Array.of(0, -3) })).toMatchObject(nothing);
  });
});
