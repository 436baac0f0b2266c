import { describe, expect, test } from 'vitest';
import { kaplanMeier } from './index.ts';

/** Weeks of remission under 6-mercaptopurine: Freireich et al. (1963), Blood 21, 699-716; a plus is censored. */
const REMISSION = '6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+';

const counts = REMISSION.split(' ').map((text) => ({
  age: Number.parseInt(text, 10),
  events: text.endsWith('+') ? 0 : 1,
  censored: text.endsWith('+') ? 1 : 0,
}));

describe('survival', () => {
  test('is what the textbooks have of the remission data, with its standard errors', () => {
    const curve = kaplanMeier(counts);
    const round = (value: number) => Math.round(value * 1e4) / 1e4;
    const rows = [6, 7, 10, 13, 16, 22, 23].map((age) => [
      age,
      round(curve.at(age)),
      round(curve.at(age) * Math.sqrt(curve.logVariance(0, age))),
    ]);
    expect(rows).toEqual([
      [6, 0.8571, 0.0764],
      [7, 0.8067, 0.0869],
      [10, 0.7529, 0.0963],
      [13, 0.6902, 0.1068],
      [16, 0.6275, 0.1141],
      [22, 0.5378, 0.1282],
      [23, 0.4482, 0.1346],
    ]);
    expect(curve.horizon).toBe(35);
    expect(curve.at(5.9)).toBe(1);
    expect(curve.at(100)).toBe(curve.at(23));
  });

  test('does not depend on how counts are put together, and its variance falls with their number', () => {
    const halves = counts.flatMap((one) => [
      { ...one, events: one.events / 2, censored: one.censored / 2 },
      { ...one, events: one.events / 2, censored: one.censored / 2 },
    ]);
    const [whole, parts] = [kaplanMeier(counts), kaplanMeier(halves.reverse())];
    const many = kaplanMeier(counts.map((one) => ({ ...one, events: 100 * one.events, censored: 100 * one.censored })));
    for (const age of [0, 6, 10, 23, 35]) {
      expect(parts.at(age)).toBeCloseTo(whole.at(age), 12);
      expect(many.at(age)).toBeCloseTo(whole.at(age), 12);
      expect(many.logVariance(0, age)).toBeCloseTo(whole.logVariance(0, age) / 100, 12);
    }
    expect(whole.logVariance(7, 23) + whole.logVariance(0, 7)).toBeCloseTo(whole.logVariance(0, 23), 12);
  });

  test('of nothing is 1; when all have met the event nothing lives on', () => {
    expect(kaplanMeier([]).at(10)).toBe(1);
    expect(kaplanMeier([]).horizon).toBe(0);
    const all = kaplanMeier([{ age: 3, events: 5, censored: 0 }]);
    expect([all.at(2), all.at(3), all.logVariance(0, 3)]).toEqual([1, 0, Number.POSITIVE_INFINITY]);
    expect(() => kaplanMeier([{ age: -1, events: 1, censored: 0 }])).toThrow(RangeError);
    expect(() => kaplanMeier([{ age: Number.NaN, events: 1, censored: 0 }])).toThrow(RangeError);
  });
});
