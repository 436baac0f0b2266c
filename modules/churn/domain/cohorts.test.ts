import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CohortSum, cohortMatrix } from './cohorts.ts';
import { firstDayOf, periodOf } from './periods.ts';

const range = { from: 0, to: 2, now: 2 };
const sum = (cohort: number, period: number, customers: number, amountMinor = 0): CohortSum => ({
  cohort,
  period,
  customers,
  amountMinor,
});

describe('cohort matrix', () => {
  test('shares, future cells and the weighted mean', () => {
    const facts = {
      sizes: new Map([
        [0, 10],
        [1, 30],
      ]),
      sums: [sum(0, 0, 10), sum(0, 1, 5), sum(0, 2, 1), sum(1, 1, 30), sum(1, 2, 3)],
    };
    const { rows, mean } = cohortMatrix(range, facts, 'OF_PERIOD', 'CUSTOMERS');
    expect(rows.map(({ size, cells }) => [size, ...cells.map((cell) => (cell === null ? null : cell.share))])).toEqual([
      [10, 1, 0.5, 0.1],
      [30, 1, 0.1, null],
      [0, null, null, null],
    ]);
    expect(rows[0]?.cells.map((cell) => cell?.complete)).toEqual([true, true, false]);
    expect(rows[1]?.cells[2]).toBe(null);
    expect(mean.map(({ cohorts, customers, share }) => [cohorts, customers, share])).toEqual([
      [3, 40, 1],
      [2, 8, 0.2],
      [1, 1, 0.1],
    ]);
  });

  test('survival takes off who left, and never rises', () => {
    const cell = fc.record({
      cohort: fc.integer({ min: 0, max: 5 }),
      period: fc.integer({ min: -2, max: 7 }),
      customers: fc.integer({ min: 0, max: 10 }),
      amountMinor: fc.constant(0),
    });
    fc.assert(
      fc.property(fc.array(cell), (sums) => {
        const sizes = new Map(
          [0, 1, 2, 3, 4, 5].map((cohort) => [
            cohort,
            sums.reduce((total, one) => (one.cohort === cohort ? total + one.customers : total), 0),
          ]),
        );
        const { rows } = cohortMatrix({ from: 0, to: 5, now: 5 }, { sizes, sums }, 'REMAINING', 'CUSTOMERS');
        for (const { cohort, size, cells } of rows) {
          expect(cells.filter((one) => one === null)).toHaveLength(cohort);
          let before = size;
          for (const one of cells) {
            if (one === null) continue;
            expect(one.customers).toBeLessThanOrEqual(before);
            expect(one.customers).toBeGreaterThanOrEqual(0);
            before = one.customers;
          }
          const gone = sums.filter((one) => one.cohort === cohort && one.period <= 5);
          expect(before).toBe(size - gone.reduce((total, one) => total + one.customers, 0));
        }
      }),
    );
  });

  test('amounts: running totals, and shares of the first', () => {
    const facts = { sizes: new Map([[0, 2]]), sums: [sum(0, 0, 2, 900), sum(0, 1, -1, -300), sum(0, 2, 0, 150)] };
    const { rows, mean } = cohortMatrix({ from: 0, to: 0, now: 2 }, facts, 'CUMULATIVE', 'AMOUNT');
    expect(rows[0]?.cells.map((cell) => [cell?.customers, cell?.amountMinor, cell?.share])).toEqual([
      [2, 900, 1],
      [1, 600, 600 / 900],
      [1, 750, 750 / 900],
    ]);
    expect(mean.map(({ share }) => share)).toEqual([1, 600 / 900, 750 / 900]);
  });
});

describe('periods', () => {
  test('have first days that lie in them, one after the other', () => {
    const grain = fc.constantFrom('WEEK' as const, 'MONTH' as const, 'QUARTER' as const);
    const days = fc.integer({ min: -20_000, max: 40_000 });
    fc.assert(
      fc.property(grain, days, (by, offset) => {
        const date = new Date(offset * 86_400_000);
        const dayOf = (at: Date) => ({ year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, day: at.getUTCDate() });
        const period = periodOf(by, dayOf(date));
        const first = new Date(`${firstDayOf(by, period)}T00:00:00Z`);
        expect(periodOf(by, dayOf(first))).toBe(period);
        expect(first.getTime()).toBeLessThanOrEqual(date.getTime());
        expect(new Date(firstDayOf(by, period + 1)).getTime()).toBeGreaterThan(date.getTime());
        if (by === 'WEEK') expect(first.getUTCDay()).toBe(1);
      }),
    );
  });
});
