import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../src/learning/random.ts';
import { BAND, type Bands, rearranged, stretched, stretchFor } from './bands.ts';

const amount = fc.double({ min: -1e3, max: 1e6, noNaN: true });
const raw: fc.Arbitrary<Bands> = fc
  .array(fc.tuple(amount, amount, amount, amount), { minLength: 1, maxLength: 40 })
  .map((rows) => ({
    mean: Float64Array.from(rows, ([value]) => value),
    low: Float64Array.from(rows, ([, value]) => value),
    median: Float64Array.from(rows, ([, , value]) => value),
    high: Float64Array.from(rows, ([, , , value]) => value),
  }));

function expectOrdered({ mean, low, median, high }: Bands): void {
  for (const [row, middle] of median.entries()) {
    expect(mean[row]).toBeGreaterThanOrEqual(0);
    expect(low[row]).toBeGreaterThanOrEqual(0);
    expect(low[row]).toBeLessThanOrEqual(middle);
    expect(high[row]).toBeGreaterThanOrEqual(middle);
  }
}

/** Customers of whom some buy, spread more the more they buy, and a guess at their band that is off by a factor. */
function shop(customers: number, seed: number, guess: number): { bought: Float64Array; bands: Bands } {
  const random = createRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.unit())) * Math.cos(2 * Math.PI * random.unit());
  const typical = Float64Array.from({ length: customers }, () => Math.exp(4 + normal()));
  const bought = typical.map((value) => (random.unit() < 0.3 ? 0 : value * Math.exp(0.8 * normal())));
  const bands = {
    mean: typical,
    low: typical.map((v) => v / guess),
    median: typical,
    high: typical.map((v) => v * guess),
  };
  return { bought, bands };
}

function shareWithin(bought: Float64Array, { low, high }: Bands): number {
  const buyers = Array.from(bought.keys()).filter((row) => (bought[row] as number) > 0);
  const within = buyers.filter(
    (row) => (bought[row] as number) >= (low[row] as number) && (bought[row] as number) <= (high[row] as number),
  );
  return within.length / buyers.length;
}

describe('quantiles', () => {
  test('never cross, whatever was predicted and however the band is stretched', () => {
    fc.assert(
      fc.property(raw, fc.double({ min: 0.01, max: 100, noNaN: true }), (bands, factor) => {
        const ordered = rearranged(bands);
        expectOrdered(ordered);
        expectOrdered(stretched(ordered, () => factor));
      }),
    );
  });

  test('that did not cross stay as they are', () => {
    const bands = {
      mean: Float64Array.of(5),
      low: Float64Array.of(1),
      median: Float64Array.of(2),
      high: Float64Array.of(9),
    };
    expect(rearranged(bands)).toEqual(bands);
  });
});

describe('a calibrated band', () => {
  test.each([1.05, 2, 20])('holds four of five buyers it has not seen, though the guess was off (%d)', (guess) => {
    const seen = shop(4_000, 1, guess);
    const factor = stretchFor(seen.bought, seen.bands) as number;
    const unseen = shop(4_000, 2, guess);
    expect(
      Math.abs(
        shareWithin(
          unseen.bought,
          stretched(unseen.bands, () => factor),
        ) - BAND.share,
      ),
    ).toBeLessThan(0.03);
    expect(Math.abs(shareWithin(unseen.bought, unseen.bands) - BAND.share)).toBeGreaterThan(0.03);
  });

  test('holds at least its share of those it was calibrated on', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 200 }), fc.integer({ min: 0, max: 1_000 }), (customers, seed) => {
        const { bought, bands } = shop(customers, seed, 1.5);
        const factor = stretchFor(bought, bands);
        // A hair wider, as a factor is rounded.
        if (factor !== null)
          expect(
            shareWithin(
              bought,
              stretched(bands, () => factor * (1 + 1e-9)),
            ),
          ).toBeGreaterThanOrEqual(BAND.share);
      }),
    );
  });

  test('is the same in pounds and in pence', () => {
    const { bought, bands } = shop(500, 3, 2);
    const pence = (values: Float64Array) => values.map((value) => value * 100);
    const { mean, low, median, high } = bands;
    const scaled = { mean: pence(mean), low: pence(low), median: pence(median), high: pence(high) };
    expect(stretchFor(pence(bought), scaled)).toBeCloseTo(stretchFor(bought, bands) as number, 9);
  });

  test('is none where too few bought to tell', () => {
    const { bands } = shop(3, 4, 2);
    expect(stretchFor(Float64Array.of(0, 10, 20), bands)).toBeNull();
  });
});
