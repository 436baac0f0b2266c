import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchReturns, type ReturnableLine } from './returns.ts';

const purchase = (row: number, quantityMilli: number, price = '1'): ReturnableLine => ({
  row,
  kind: 'purchase',
  quantityMilli,
  price,
});
const undo = (row: number, quantityMilli: number, price = '1'): ReturnableLine => ({
  row,
  kind: 'return',
  quantityMilli,
  price,
});

test('a return undoes the latest purchase before it', () => {
  expect(matchReturns([purchase(1, 5_000), purchase(2, 5_000), undo(3, 2_000), purchase(4, 9_000)])).toEqual([
    { returnRow: 3, purchaseRow: 2, quantityMilli: 2_000 },
  ]);
});

test('the same price goes before the latest', () => {
  expect(matchReturns([purchase(1, 5_000, '2'), purchase(2, 5_000, '3'), undo(3, 1_000, '2')])).toEqual([
    { returnRow: 3, purchaseRow: 1, quantityMilli: 1_000 },
  ]);
});

test('several purchases when one is not enough, and none twice', () => {
  expect(matchReturns([purchase(1, 2_000), purchase(2, 2_000), undo(3, 3_000), undo(4, 3_000)])).toEqual([
    { returnRow: 3, purchaseRow: 2, quantityMilli: 2_000 },
    { returnRow: 3, purchaseRow: 1, quantityMilli: 1_000 },
    { returnRow: 4, purchaseRow: 1, quantityMilli: 1_000 },
  ]);
});

test('no piece is returned twice, none before it was bought, and none is left that could be matched', () => {
  const line = fc.record({
    kind: fc.constantFrom('purchase' as const, 'return' as const),
    quantityMilli: fc.integer({ min: 1, max: 9_000 }),
    price: fc.constantFrom('1', '2.5'),
  });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), (drawn) => {
      const lines = drawn.map((each, row) => ({ ...each, row }));
      const found = matchReturns(lines);
      const taken = (row: number, side: 'returnRow' | 'purchaseRow') =>
        found.filter((each) => each[side] === row).reduce((sum, each) => sum + each.quantityMilli, 0);
      for (const { row, kind, quantityMilli } of lines) {
        expect(taken(row, kind === 'return' ? 'returnRow' : 'purchaseRow')).toBeLessThanOrEqual(quantityMilli);
      }
      expect(
        found.every(({ returnRow, purchaseRow, quantityMilli }) => purchaseRow < returnRow && quantityMilli > 0),
      ).toBe(true);
      // What is unmatched of a return was more than all purchases before it had left at that moment.
      for (const { row, kind, quantityMilli } of lines) {
        if (kind !== 'return' || taken(row, 'returnRow') === quantityMilli) continue;
        const bought = lines.filter((each) => each.kind === 'purchase' && each.row < row);
        const usedBefore = found
          .filter((each) => each.returnRow <= row)
          .reduce((sum, each) => sum + each.quantityMilli, 0);
        expect(usedBefore).toBe(bought.reduce((sum, each) => sum + each.quantityMilli, 0));
      }
    }),
  );
});
