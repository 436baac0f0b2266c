import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deriveLifecycle, type LifecycleChange } from './lifecycle.ts';
import { type MonthlyMoves, monthlyChurn } from './rate.ts';

/** What can be of a customer in a month: came, came and went, went, came back, or both in any order. */
const kind = fc.constantFrom([true, 1], [true, 0], [false, -1], [false, 1], [false, 0]) as fc.Arbitrary<
  [boolean, number]
>;

describe('monthly churn', () => {
  test('counts who was there when the month began and is gone when it ends', () => {
    const moves: MonthlyMoves[] = [
      { month: '2026-01-01', isNew: true, net: 1, customers: 10 },
      { month: '2026-02-01', isNew: false, net: -1, customers: 3 },
      { month: '2026-02-01', isNew: false, net: 0, customers: 2 },
      { month: '2026-02-01', isNew: true, net: 0, customers: 4 },
      { month: '2026-02-01', isNew: true, net: 1, customers: 5 },
      { month: '2026-03-01', isNew: false, net: 1, customers: 1 },
    ];
    expect(monthlyChurn(['2026-01-01', '2026-02-01', '2026-03-01'], moves, 0)).toEqual([
      { month: '2026-01-01', start: 0, new: 10, churned: 0, reactivated: 0, joinedAndLeft: 0, end: 10, rate: null },
      { month: '2026-02-01', start: 10, new: 5, churned: 3, reactivated: 0, joinedAndLeft: 4, end: 12, rate: 0.3 },
      { month: '2026-03-01', start: 12, new: 0, churned: 0, reactivated: 1, joinedAndLeft: 0, end: 13, rate: 0 },
    ]);
  });

  test('start + new + reactivated − churned = end, and the next month begins there', () => {
    const month = fc.constantFrom('2026-01-01', '2026-02-01');
    const move = fc
      .tuple(month, kind, fc.nat(50))
      .map(([month, [isNew, net], customers]) => ({ month, isNew, net, customers }));
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

describe('from histories to months', () => {
  const DAY = 86_400_000;
  const MONTH = 30 * DAY;
  const activity = fc
    .array(fc.integer({ min: 0, max: 300 }), { maxLength: 12 })
    .map((days) => days.toSorted((a, b) => a - b).map((day) => ({ fromMs: day * DAY, toMs: day * DAY })));
  const span = fc
    .tuple(fc.integer({ min: 0, max: 300 }), fc.option(fc.integer({ min: 0, max: 120 }), { nil: null }))
    .map(([from, length]) => ({
      fromMs: from * DAY,
      toMs: length === null ? null : (from + length) * DAY,
      reason: null,
    }));
  const customer = fc.record({
    activity,
    subscriptions: fc.oneof(fc.constant([]), fc.array(span, { minLength: 1, maxLength: 4 })),
    declaredChurnedAtMs: fc.constant(null),
    declaredReason: fc.constant(null),
  });

  test('counts are those of asking each customer at both ends of each month', () => {
    fc.assert(
      fc.property(fc.array(customer, { maxLength: 12 }), (customers) => {
        const lives = customers.map((facts) => deriveLifecycle(facts, 45 * DAY, 400 * DAY).changes);
        const hereAt = (life: readonly LifecycleChange[], atMs: number) => {
          const last = life.findLast((change) => change.atMs < atMs);
          return last !== undefined && last.kind !== 'CHURNED';
        };
        const moves = lives.flatMap((life) =>
          Array.from({ length: 10 }, (_, month) => {
            const inside = life.filter(({ atMs }) => Math.floor(atMs / MONTH) === month);
            if (inside.length === 0) return [];
            const net = inside.reduce((sum, change) => sum + (change.kind === 'CHURNED' ? -1 : 1), 0);
            return [{ month: String(month), isNew: inside[0]?.kind === 'NEW', net, customers: 1 }];
          }).flat(),
        );
        const months = monthlyChurn(
          Array.from({ length: 10 }, (_, month) => String(month)),
          moves,
          0,
        );
        for (const [n, month] of months.entries()) {
          const [fromMs, toMs] = [n * MONTH, (n + 1) * MONTH];
          const count = (holds: (life: readonly LifecycleChange[]) => boolean) => lives.filter(holds).length;
          const knownAt = (life: readonly LifecycleChange[], atMs: number) => life.some((change) => change.atMs < atMs);
          expect(month).toMatchObject({
            start: count((life) => hereAt(life, fromMs)),
            end: count((life) => hereAt(life, toMs)),
            churned: count((life) => hereAt(life, fromMs) && !hereAt(life, toMs)),
            new: count((life) => !knownAt(life, fromMs) && hereAt(life, toMs)),
            reactivated: count((life) => knownAt(life, fromMs) && !hereAt(life, fromMs) && hereAt(life, toMs)),
            joinedAndLeft: count((life) => !knownAt(life, fromMs) && knownAt(life, toMs) && !hereAt(life, toMs)),
          });
          expect(month.start + month.new + month.reactivated - month.churned).toBe(month.end);
          expect(month.rate).toBe(month.start === 0 ? null : month.churned / month.start);
        }
      }),
    );
  });
});
