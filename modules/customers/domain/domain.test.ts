import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exchange } from './exchange.ts';
import { type MergeSide, mergeSides } from './merge.ts';
import { linesAmount, linesReturned } from './order.ts';
import { mergeTraits, nextLifecycle, type Status } from './status.ts';

const NOW = new Date('2026-03-10T12:00:00Z');
const date = fc.date({ min: new Date('2000-01-01T00:00:00Z'), max: NOW, noInvalidDate: true });
const status = fc.constantFrom<Status>('TRIAL', 'ACTIVE', 'PAUSED', 'CHURNED');

test('only a churned customer has a churn date and a reason', () => {
  fc.assert(
    fc.property(
      fc.option(status),
      fc.option(date),
      fc.option(fc.string()),
      fc.option(status, { nil: undefined }),
      (said, churnedAt, churnReason, before) => {
        const was = before === undefined ? null : lifecycle(before);
        const next = nextLifecycle(was, { status: said, churnedAt, churnReason }, NOW);
        if ('contradiction' in next) return (said ?? before ?? 'ACTIVE') !== 'CHURNED';
        if (next.status === 'CHURNED') return next.churnedAt !== null;
        return next.churnedAt === null && next.churnReason === null;
      },
    ),
  );
});

const lifecycle = (of: Status) => ({
  status: of,
  churnedAt: of === 'CHURNED' ? new Date('2026-01-01T00:00:00Z') : null,
  churnReason: of === 'CHURNED' ? 'price' : null,
});

test('who churns keeps the first date and reason until others are said', () => {
  const was = lifecycle('CHURNED');
  expect(nextLifecycle(was, { status: 'CHURNED' }, NOW)).toEqual(was);
  expect(nextLifecycle(was, { churnReason: null }, NOW)).toEqual({ ...was, churnReason: null });
  expect(nextLifecycle(null, { status: 'CHURNED' }, NOW)).toEqual({
    status: 'CHURNED',
    churnedAt: NOW,
    churnReason: null,
  });
});

test('traits said replace, null removes, the rest stays', () => {
  expect(mergeTraits({ a: 1, b: 2, c: { d: 3 } }, { a: 9, b: null, e: false })).toEqual({
    a: 9,
    c: { d: 3 },
    e: false,
  });
});

const side = fc.record<MergeSide>({
  status,
  churnedAt: fc.option(date),
  churnReason: fc.option(fc.string()),
  businessSegment: fc.option(fc.string()),
  ownerId: fc.option(fc.uuid()),
  signupAt: date,
  traits: fc.dictionary(fc.string(), fc.integer()),
  lastActivityAt: fc.option(date),
  firstOrderAt: fc.option(date),
});

test('a merged customer has the earliest beginning, the latest activity, and all traits of both', () => {
  fc.assert(
    fc.property(side, side, (from, into) => {
      const merged = mergeSides(from, into);
      expect(merged.signupAt.getTime()).toBe(Math.min(from.signupAt.getTime(), into.signupAt.getTime()));
      const activity = [from.lastActivityAt, into.lastActivityAt].flatMap((at) => (at === null ? [] : [at.getTime()]));
      expect(merged.lastActivityAt?.getTime()).toBe(activity.length === 0 ? undefined : Math.max(...activity));
      expect(Object.keys(merged.traits).sort()).toEqual(
        [...new Set([...Object.keys(from.traits), ...Object.keys(into.traits)])].sort(),
      );
      expect(merged.traits).toMatchObject(into.traits);
      expect(merged.status === 'CHURNED').toBe(from.status === 'CHURNED' && into.status === 'CHURNED');
    }),
  );
});

test('merging a customer with itself would change nothing', () => {
  fc.assert(
    fc.property(side, (one) => {
      expect(mergeSides(one, one)).toEqual(one);
    }),
  );
});

test('amounts are exchanged exactly and rounded half away from zero', () => {
  expect(exchange(1001, 'EUR', 'USD', '1.085')).toBe(1086);
  expect(exchange(100, 'EUR', 'USD', '1.005')).toBe(101);
  expect(exchange(-100, 'EUR', 'USD', '1.005')).toBe(-101);
  expect(exchange(1000, 'JPY', 'USD', '0.0067')).toBe(670);
  expect(exchange(670, 'USD', 'JPY', '149.2537313432')).toBe(1000);
  expect(exchange(Number.MAX_SAFE_INTEGER, 'EUR', 'USD', '2')).toBeNull();
  fc.assert(
    fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 1, max: 99_999 }), (amount, rate) => {
      const exact = (amount * rate) / 10_000;
      return Math.abs((exchange(amount, 'EUR', 'USD', (rate / 10_000).toFixed(4)) ?? 0) - exact) <= 0.5 + 1e-6;
    }),
  );
});

test('an order is worth its lines, to the minor unit', () => {
  expect(linesAmount([{ quantity: 0.333, unitPriceMinor: 100 }])).toBe(33);
  expect(linesAmount([{ quantity: 0.335, unitPriceMinor: 100 }])).toBe(34);
  expect(linesAmount([])).toBe(0);
  expect(linesAmount([{ quantity: 1e9, unitPriceMinor: 1e12 }])).toBeNull();
  const lines = fc.array(
    fc.record({ quantity: fc.integer({ min: 1, max: 1_000 }), unitPriceMinor: fc.integer({ min: 0, max: 1e6 }) }),
  );
  fc.assert(
    fc.property(lines, (all) => {
      expect(linesAmount(all)).toBe(all.reduce((sum, line) => sum + line.quantity * line.unitPriceMinor, 0));
      const back = all.map((line) => ({ ...line, returnedQuantity: line.quantity }));
      expect(linesReturned(back)).toBe(linesAmount(all));
      expect(linesReturned(all)).toBe(0);
    }),
  );
});
