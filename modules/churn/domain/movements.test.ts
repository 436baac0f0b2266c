import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Convert, deriveMovements, type Movement } from './movements.ts';
import { type MovementSum, mrrFigures } from './revenue.ts';
import type { SubscriptionState } from './subscriptions.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const noRates: Convert = () => null;

const state = (subscriptionId: string, atMs: number, mrrMinor: number | null, currency = 'USD'): SubscriptionState => ({
  subscriptionId,
  atMs,
  running: mrrMinor !== null,
  mrrMinor: mrrMinor ?? 0,
  currency,
  cancelReason: null,
});
const derive = (states: readonly SubscriptionState[], convert = noRates) => deriveMovements(states, 'USD', convert);
const shown = (movements: readonly Movement[]) =>
  movements.map(({ kind, deltaMinor, atMs, currency }) => `${kind} ${deltaMinor} ${currency} d${atMs / DAY}`);

describe('MRR movements', () => {
  test('of one customer through all five kinds; the end of one of two subscriptions is a contraction', () => {
    const states = [
      state('a', 0, 1_000),
      state('a', 40 * DAY, 1_500),
      state('a', 70 * DAY, null),
      state('b', 50 * DAY, 200),
      state('b', 90 * DAY, null),
      state('b', 120 * DAY, 300),
    ];
    expect(shown(derive(states))).toEqual([
      'NEW 1000 USD d0',
      'EXPANSION 500 USD d40',
      'EXPANSION 200 USD d50',
      'CONTRACTION -1500 USD d70',
      'CHURNED -200 USD d90',
      'REACTIVATION 300 USD d120',
    ]);
  });

  test('within an hour are one: a change of plan by two subscriptions is neither loss nor gain', () => {
    const swap = (gapMs: number) =>
      shown(derive([state('a', 0, 1_000), state('a', 30 * DAY, null), state('b', 30 * DAY + gapMs, 1_200)]));
    expect(swap(HOUR - 1)).toEqual(['NEW 1000 USD d0', 'EXPANSION 200 USD d30']);
    expect(swap(HOUR)).toHaveLength(3);
    expect(derive([state('a', 0, 500), state('a', HOUR / 2, null)])).toEqual([]);
  });

  test('a free plan is no revenue: the first payment is NEW', () => {
    expect(shown(derive([state('a', 0, 0), state('a', 9 * DAY, 700)]))).toEqual(['NEW 700 USD d9']);
  });

  test('rates of the day a subscription began: their changes are no movements; without a rate, a book of its own', () => {
    const rates: Convert = (amount, currency, atMs) =>
      currency === 'EUR' ? Math.round(amount * (atMs < 10 * DAY ? 1.1 : 2)) : null;
    const euros = [state('e', 0, 1_000, 'EUR'), state('e', 20 * DAY, 2_000, 'EUR'), state('e', 30 * DAY, null, 'EUR')];
    const francs = [state('f', 5 * DAY, 900, 'CHF'), state('f', 25 * DAY, null, 'CHF')];
    expect(shown(derive([...euros, ...francs], rates))).toEqual([
      'NEW 1100 USD d0',
      'EXPANSION 1100 USD d20',
      'CHURNED -2200 USD d30',
      'NEW 900 CHF d5',
      'CHURNED -900 CHF d25',
    ]);
  });

  test('a subscription that changes into the reporting currency leaves the other book', () => {
    expect(shown(derive([state('a', 0, 900, 'CHF'), state('a', DAY, 1_000)]))).toEqual([
      'NEW 900 CHF d0',
      'CHURNED -900 CHF d1',
      'NEW 1000 USD d1',
    ]);
  });
});

/** Times in whole days plus some minutes, so that the hour's grace is often at work. */
const time = fc
  .tuple(fc.integer({ min: 0, max: 120 }), fc.constantFrom(0, 0, 10, 45, 59, 61, 300))
  .map(([day, minutes]) => day * DAY + minutes * 60_000);
const history = (subscriptionId: string) =>
  fc
    .uniqueArray(fc.tuple(time, fc.option(fc.integer({ min: 0, max: 3 }), { freq: 4, nil: null })), {
      selector: ([at]) => at,
      maxLength: 8,
    })
    .map((steps) =>
      steps
        .toSorted(([a], [b]) => a - b)
        .map(([at, amount]) => state(subscriptionId, at, amount === null ? null : amount * 333)),
    );
const customer = fc.tuple(history('a'), history('b'), history('c')).map((all) => all.flat());

/** What is paid at a moment, by the definition. */
function paidAt(states: readonly SubscriptionState[], atMs: number): number {
  const last = new Map<string, SubscriptionState>();
  for (const one of states.toSorted((a, b) => a.atMs - b.atMs)) if (one.atMs <= atMs) last.set(one.subscriptionId, one);
  return [...last.values()].reduce((sum, one) => sum + (one.running ? one.mrrMinor : 0), 0);
}

describe('any history', () => {
  test('movements add up to what is paid, to the minor unit, wherever no change is younger than an hour', () => {
    fc.assert(
      fc.property(customer, time, (states, atMs) => {
        fc.pre(states.every((one) => one.atMs > atMs + HOUR || one.atMs <= atMs - HOUR));
        const sum = derive(states).reduce((total, one) => (one.atMs <= atMs ? total + one.deltaMinor : total), 0);
        expect(sum).toBe(paidAt(states, atMs));
      }),
    );
  });

  test('kinds fit what was paid before and after, and movements are an hour apart', () => {
    fc.assert(
      fc.property(customer, (states) => {
        let before = 0;
        let paidEver = false;
        let lastMs = Number.NEGATIVE_INFINITY;
        for (const { kind, deltaMinor, mrrMinor, atMs, payingSinceMs } of derive(states)) {
          expect(mrrMinor).toBe(before + deltaMinor);
          expect(mrrMinor).toBeGreaterThanOrEqual(0);
          expect(atMs - lastMs).toBeGreaterThanOrEqual(HOUR);
          const wanted =
            before === 0
              ? paidEver
                ? 'REACTIVATION'
                : 'NEW'
              : mrrMinor === 0
                ? 'CHURNED'
                : deltaMinor > 0
                  ? 'EXPANSION'
                  : 'CONTRACTION';
          expect(kind).toBe(wanted);
          expect(payingSinceMs <= atMs).toBe(true);
          if (before === 0) expect(payingSinceMs).toBe(atMs);
          before = mrrMinor;
          paidEver = true;
          lastMs = atMs;
        }
      }),
    );
  });

  const MONTH = 30 * DAY;
  /** As the statement sums them. */
  const sumsOf = (customers: readonly (readonly Movement[])[]): MovementSum[] =>
    customers.flat().map(({ atMs, kind, deltaMinor, payingSinceMs }) => {
      const stretch = Math.floor(atMs / MONTH) - 1;
      const isRetained = stretch >= 0 && payingSinceMs < (stretch + 1) * MONTH;
      return { stretch, kind, deltaMinor, movements: 1, retainedMinor: isRetained ? deltaMinor : 0 };
    });

  test('months of many customers: start + new + expansion + reactivation − contraction − churned = end', () => {
    fc.assert(
      fc.property(fc.array(customer, { maxLength: 6 }), (customers) => {
        const moved = customers.map((states) => derive(states));
        const months = mrrFigures(3, sumsOf(moved));
        for (const [n, month] of months.entries()) {
          const { new: fresh, expansion, contraction, churned, reactivation } = month.amounts;
          expect(month.startMinor + fresh + expansion + reactivation - contraction - churned).toBe(month.endMinor);
          const until = (atMs: number) => moved.map((own) => own.findLast((one) => one.atMs < atMs)?.mrrMinor ?? 0);
          const [atStart, atEnd] = [until((n + 1) * MONTH), until((n + 2) * MONTH)];
          expect(month.startMinor).toBe(atStart.reduce((a, b) => a + b, 0));
          expect(month.endMinor).toBe(atEnd.reduce((a, b) => a + b, 0));
          expect(month.customersAtStart).toBe(atStart.filter((paid) => paid > 0).length);
          expect(month.customersAtEnd).toBe(atEnd.filter((paid) => paid > 0).length);
          if (month.startMinor === 0) expect([month.nrr, month.grr]).toEqual([null, null]);
          else {
            expect(month.grr).toBeLessThanOrEqual(month.nrr as number);
            expect(month.grr).toBeLessThanOrEqual(1);
          }
          if (month.customersAtEnd === 0) expect(month.arpaMinor).toBe(null);
        }
      }),
    );
  });

  test('NRR and GRR do not move with revenue that is new or comes back', () => {
    const old = derive([state('old', 0, 1_000), state('old', 40 * DAY, 800)]);
    const fresh = derive([state('new', 35 * DAY, 5_000), state('new', 45 * DAY, 9_000), state('new', 50 * DAY, null)]);
    const [alone] = mrrFigures(1, sumsOf([old]));
    const [both] = mrrFigures(1, sumsOf([old, fresh]));
    expect(alone).toMatchObject({ nrr: 0.8, grr: 0.8 });
    expect(both).toMatchObject({ nrr: 0.8, grr: 0.8, retained: { expansion: 0, contraction: 200, churned: 0 } });
    expect(both?.amounts).toEqual({ new: 5_000, expansion: 4_000, contraction: 200, churned: 9_000, reactivation: 0 });
  });
});
