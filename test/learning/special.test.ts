import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom, shuffledIndices } from '../../src/learning/random.ts';
import {
  digamma,
  digammaRise,
  hypergeometric2F1,
  logGamma,
  logGammaRise,
  normalQuantile,
  proportionDifferenceInterval,
  proportionInterval,
} from '../../src/learning/special/index.ts';
import { relativeError } from './support.ts';

const positive = fc.double({ min: 1e-3, max: 1e4, noNaN: true });

describe('the gamma function', () => {
  test('has its known values', () => {
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 14);
    expect(logGamma(11)).toBeCloseTo(Math.log(3_628_800), 13);
    expect(logGamma(1e9)).toBeCloseTo(19_723_265_827.503_716, 5);
    expect(digamma(1)).toBeCloseTo(-0.577_215_664_901_533, 14);
    expect(digamma(0.5)).toBeCloseTo(-1.963_510_026_021_423, 13);
    expect(() => logGamma(0)).toThrow(RangeError);
  });

  test('obeys its recurrences', () => {
    fc.assert(
      fc.property(positive, (x) => {
        expect(Math.abs(logGamma(x + 1) - logGamma(x) - Math.log(x))).toBeLessThan(
          1e-14 * (10 + Math.abs(logGamma(x))),
        );
        expect(Math.abs(digamma(x + 1) - digamma(x) - 1 / x)).toBeLessThan(1e-12 * (1 + 1 / x));
      }),
    );
  });

  test('rises exactly where the difference of two values has lost its digits', () => {
    // ln Γ(z + d) - ln Γ(z) ≈ d ln z for z far above d.
    expect(relativeError(logGammaRise(1e12, 0.5), 0.5 * Math.log(1e12))).toBeLessThan(1e-12);
    fc.assert(
      fc.property(positive, fc.integer({ min: 0, max: 200 }), (z, d) => {
        let logs = 0;
        let inverses = 0;
        for (let i = 0; i < d; i++) {
          logs += Math.log(z + i);
          inverses += 1 / (z + i);
        }
        expect(Math.abs(logGammaRise(z, d) - logs)).toBeLessThan(1e-12 * (1 + Math.abs(logs)));
        expect(Math.abs(digammaRise(z, d) - inverses)).toBeLessThan(1e-12 * (1 + inverses));
      }),
    );
  });
});

describe('2F1', () => {
  test('is the elementary functions that it contains', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -20, max: 0.98, noNaN: true }),
        fc.double({ min: 0.1, max: 8, noNaN: true }),
        (z, a) => {
          // DLMF 15.4.6 and 15.4.1.
          expect(relativeError(hypergeometric2F1(a, 2.5, 2.5, z), (1 - z) ** -a)).toBeLessThan(1e-11);
          if (Math.abs(z) > 1e-3)
            expect(relativeError(hypergeometric2F1(1, 1, 2, z), -Math.log1p(-z) / z)).toBeLessThan(1e-11);
        },
      ),
    );
  });

  test('is symmetric and keeps Gauss’s contiguous relation', () => {
    const parameter = fc.double({ min: 0.2, max: 6, noNaN: true });
    fc.assert(
      fc.property(parameter, parameter, parameter, fc.double({ min: -3, max: 0.9, noNaN: true }), (a, b, c, z) => {
        const f = hypergeometric2F1(a, b, c, z);
        expect(relativeError(hypergeometric2F1(b, a, c, z), f)).toBeLessThan(1e-9);
        // DLMF 15.5.16: c(1 - z)F - cF(a-) + (c - b)zF(c+) = 0.
        const rest =
          c * (1 - z) * f - c * hypergeometric2F1(a - 1, b, c, z) + (c - b) * z * hypergeometric2F1(a, b, c + 1, z);
        expect(Math.abs(rest)).toBeLessThan(1e-8 * c * (Math.abs(f) + 1) * (1 + Math.abs(z)));
      }),
    );
  });

  test('refuses what it does not cover', () => {
    expect(() => hypergeometric2F1(1, 1, 2, 1)).toThrow(RangeError);
    expect(() => hypergeometric2F1(1, 1, -1, 0.5)).toThrow(RangeError);
  });
});

describe('the normal distribution and shares', () => {
  test('quantiles are known and symmetric', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959_963_984_540_054, 14);
    expect(normalQuantile(1e-10)).toBeCloseTo(-6.361_340_902_404_056, 12);
    expect([normalQuantile(0), normalQuantile(1)]).toEqual([-Infinity, Infinity]);
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 0.5, noNaN: true }), (p) => {
        expect(normalQuantile(1 - p)).toBeCloseTo(-normalQuantile(p), 8);
      }),
    );
  });

  test('Wilson’s and Newcombe’s intervals agree with the published examples', () => {
    // Newcombe 1998, table I (81 of 263) and table II (56/70 - 48/80).
    expect(proportionInterval(81, 263)).toMatchObject({
      low: expect.closeTo(0.2553, 4),
      high: expect.closeTo(0.3662, 4),
    });
    const difference = proportionDifferenceInterval({ successes: 56, trials: 70 }, { successes: 48, trials: 80 });
    expect(difference).toMatchObject({
      estimate: expect.closeTo(0.2, 10),
      low: expect.closeTo(0.0524, 4),
      high: expect.closeTo(0.3339, 4),
    });
    expect(proportionInterval(0, 0)).toBeNull();
    expect(proportionInterval(0, 10)).toMatchObject({ estimate: 0, low: 0 });
  });
});

describe('random numbers', () => {
  test('are the same for a seed and others for another', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, createRandom(seed).uint32);
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw(2 ** 32)).not.toEqual(draw(0));
  });

  test('are spread evenly', () => {
    const random = createRandom(1);
    const counts = new Float64Array(7);
    let sum = 0;
    for (let at = 0; at < 70_000; at++) {
      counts[random.below(7)]! += 1;
      sum += random.unit();
    }
    // Six standard deviations around 10,000, and around one half.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(6 * 93);
    expect(Math.abs(sum / 70_000 - 0.5)).toBeLessThan(6 * 0.0011);
  });

  test('shuffle without losing any', () => {
    const order = shuffledIndices(100, createRandom(3));
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, at) => at));
    expect([...order]).not.toEqual([...order].sort((a, b) => a - b));
  });
});
