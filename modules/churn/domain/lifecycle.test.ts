import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deriveLifecycle, type LifecycleFacts } from './lifecycle.ts';

const DAY = 86_400_000;
const LIMIT = 90 * DAY;
const on = (...days: number[]) => days.map((day) => ({ fromMs: day * DAY, toMs: day * DAY }));
const derive = (facts: Partial<LifecycleFacts>, nowDay: number) => {
  const { changes, dueAtMs } = deriveLifecycle(
    { activity: [], subscriptions: [], declaredChurnedAtMs: null, declaredReason: null, ...facts },
    LIMIT,
    nowDay * DAY,
  );
  return {
    changes: changes.map(({ atMs, kind, cause }) => [atMs / DAY, kind, cause]),
    dueDay: dueAtMs === null ? null : dueAtMs / DAY,
  };
};

describe('lifecycle', () => {
  test('ninety days of silence are a going, on the ninetieth day', () => {
    expect(derive({ activity: on(0, 30) }, 119)).toEqual({ changes: [[0, 'NEW', null]], dueDay: 120 });
    expect(derive({ activity: on(0, 30) }, 120)).toEqual({
      changes: [
        [0, 'NEW', null],
        [120, 'CHURNED', 'INACTIVITY'],
      ],
      dueDay: null,
    });
  });

  test('coming back after a going is a reactivation; within the limit it is nothing', () => {
    expect(derive({ activity: on(0, 90, 181) }, 200).changes).toEqual([
      [0, 'NEW', null],
      [180, 'CHURNED', 'INACTIVITY'],
      [181, 'REACTIVATED', null],
    ]);
  });

  test('who ever had a subscription is here while one runs, whatever the activity', () => {
    const subscriptions = [
      { fromMs: 10 * DAY, toMs: 100 * DAY, reason: null },
      { fromMs: 50 * DAY, toMs: 150 * DAY, reason: null },
      { fromMs: 200 * DAY, toMs: null, reason: null },
    ];
    expect(derive({ subscriptions, activity: on(0, 170) }, 1_000)).toEqual({
      changes: [
        [10, 'NEW', null],
        [150, 'CHURNED', 'CANCELLATION'],
        [200, 'REACTIVATED', null],
      ],
      dueDay: null,
    });
  });

  test('an operator who says that a customer is lost is believed', () => {
    expect(derive({ activity: on(0, 30), declaredChurnedAtMs: 40 * DAY }, 50).changes).toEqual([
      [0, 'NEW', null],
      [40, 'CHURNED', 'OPERATOR'],
    ]);
  });

  test('changes alternate, in order, and nothing lies in the future', () => {
    const days = fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 40 });
    fc.assert(
      fc.property(days, fc.integer({ min: 0, max: 2_500 }), (active, now) => {
        const sorted = [...active].sort((a, b) => a - b);
        const { changes } = derive({ activity: on(...sorted) }, now);
        changes.forEach(([at, kind], index) => {
          expect(at).toBeLessThanOrEqual(now);
          expect(kind === 'CHURNED').toBe(index % 2 === 1);
          if (index > 0) expect(at).toBeGreaterThan(changes[index - 1]?.[0] as number);
        });
      }),
    );
  });

  test('against the definition: here at t when there was activity within 90 days before t', () => {
    const days = fc.array(fc.integer({ min: 0, max: 800 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(days, fc.integer({ min: 0, max: 900 }), (active, at) => {
        const { changes } = derive({ activity: on(...[...active].sort((a, b) => a - b)) }, 1_000);
        const before = changes.filter(([day]) => (day as number) <= at).at(-1);
        const here = before !== undefined && before[1] !== 'CHURNED';
        expect(here).toBe(active.some((day) => day <= at && at < day + 90));
      }),
    );
  });
});
