import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChangeKind } from './lifecycle.ts';
import { type MonthlyMoves, monthlyChurn } from './rate.ts';

const kind = fc.constantFrom<ChangeKind>('NEW', 'CHURNED', 'REACTIVATED');

describe('monthly churn', () => {
  test('counts who was there when the month began and is gone when it ends', () => {
    const moves: MonthlyMoves[] = [
      { month: '2026-01-01', first: 'NEW', last: 'NEW', customers: 10 },
      { month: '2026-02-01', first: 'CHURNED', last: 'CHURNED', customers: 3 },
      { month: '2026-02-01', first: 'CHURNED', last: 'REACTIVATED', customers: 2 },
      { month: '2026-02-01', first: 'NEW', last: 'CHURNED', customers: 4 },
      { month: '2026-02-01', first: 'NEW', last: 'NEW', customers: 5 },
      { month: '2026-03-01', first: 'REACTIVATED', last: 'REACTIVATED', customers: 1 },
    ];
    expect(monthlyChurn(['2026-01-01', '2026-02-01', '2026-03-01'], moves, 0)).toEqual([
      { month: '2026-01-01', start: 0, new: 10, churned: 0, reactivated: 0, joinedAndLeft: 0, end: 10, rate: null },
      { month: '2026-02-01', start: 10, new: 5, churned: 3, reactivated: 0, joinedAndLeft: 4, end: 12, rate: 0.3 },
      { month: '2026-03-01', start: 12, new: 0, churned: 0, reactivated: 1, joinedAndLeft: 0, end: 13, rate: 0 },
    ]);
  });

  test('start + new + reactivated − churned = end, and the next month begins there', () => {
    const move = fc.record({
      month: fc.constantFrom('2026-01-01', '2026-02-01'),
      first: kind,
      last: kind,
      customers: fc.nat(50),
    });
    fc.assert(
      fc.property(fc.array(move), fc.nat(100), (moves, before) => {
        const [january, february] = monthlyChurn(['2026-01-01', '2026-02-01'], moves, before);
        for (const month of [january, february]) {
          expect(month && month.start + month.new + month.reactivated - month.churned).toBe(month?.end);
        }
        expect(february?.start).toBe(january?.end);
      }),
    );
  });
});
