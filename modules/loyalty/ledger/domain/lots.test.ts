import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byAge, giveBack, type Lot, lapse, pointsIn, put, take } from './lots.ts';

const at = (day: number) => new Date(Date.UTC(2026, 0, day));
const lot = (id: string, day: number, points: number, expires: number | null = null): Lot => ({
  id,
  earnedAt: at(day),
  expiresAt: expires === null ? null : at(expires),
  points,
});

const someLots = fc
  .uniqueArray(fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 500 })), {
    selector: ([id]) => id,
    maxLength: 12,
  })
  .map((rows) => rows.map(([id, day, points]) => lot(`lot-${String(id).padStart(2, '0')}`, day, points)).sort(byAge));

describe('lots', () => {
  test('are spent the oldest first, whole before the next is touched', () => {
    const { left, uses } = take([lot('a', 1, 10), lot('b', 2, 10), lot('c', 3, 10)], 15);
    expect(uses).toEqual([
      { lotId: 'a', points: 10 },
      { lotId: 'b', points: 5 },
    ]);
    expect(left).toEqual([lot('b', 2, 5), lot('c', 3, 10)]);
  });

  test('taken back begin with their own lot', () => {
    const { left, uses } = take([lot('a', 1, 10), lot('b', 2, 10)], 15, 'b');
    expect(uses).toEqual([
      { lotId: 'b', points: 10 },
      { lotId: 'a', points: 5 },
    ]);
    expect(left).toEqual([lot('a', 1, 5)]);
  });

  test('part into what is over and what is not: the last instant still counts', () => {
    const lots = [lot('a', 1, 10, 5), lot('b', 1, 10, 6), lot('c', 1, 10)];
    expect(lapse(lots, new Date(at(5).getTime() - 1)).due).toEqual([]);
    expect(lapse(lots, at(5))).toEqual({ due: [lots[0]], left: [lots[1], lots[2]] });
  });

  test('lose nothing and gain nothing by being taken from and given back', () => {
    fc.assert(
      fc.property(someLots, fc.nat(100), (lots, share) => {
        const total = pointsIn(lots);
        const points = Math.floor((total * share) / 100);
        const { left, uses } = take(lots, points);
        expect(pointsIn(uses)).toBe(points);
        expect(pointsIn(left)).toBe(total - points);
        expect([...left].sort(byAge)).toEqual(left);
        const taken = uses.map(({ lotId, points: used }) => ({
          ...(lots.find(({ id }) => id === lotId) as Lot),
          points: used,
        }));
        expect(put(left, giveBack(taken, points))).toEqual(lots);
      }),
    );
  });

  test('given back in part keep the youngest', () => {
    expect(giveBack([lot('a', 1, 10), lot('b', 2, 10), lot('c', 3, 10)], 15)).toEqual([
      lot('b', 2, 5),
      lot('c', 3, 10),
    ]);
    expect(giveBack([lot('a', 1, 10)], 0)).toEqual([]);
  });

  test('that hold too little are a fault of the caller', () => {
    expect(() => take([lot('a', 1, 10)], 11)).toThrow(/hold 10/);
    expect(() => giveBack([lot('a', 1, 10)], 11)).toThrow(/gave 10/);
  });
});
