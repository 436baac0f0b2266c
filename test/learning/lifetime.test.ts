import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bgNbdLogLikelihood,
  bgNbdObjective,
  conditionalPurchases,
  discountedPurchases,
  expectedPurchases,
  expectedValue,
  fitBgNbd,
  fitGammaGamma,
  gammaGammaObjective,
  LifetimeDataError,
  type PurchaseHistory,
  probabilityAlive,
} from '../../src/learning/lifetime/index.ts';
import { createRandom } from '../../src/learning/random.ts';
import { hypergeometric2F1 } from '../../src/learning/special/index.ts';
import { differences, numericColumns, relativeError } from './support.ts';

const cdnow = numericColumns('cdnow_sample_cbs_39w.csv') as Record<
  'sample_id' | 'x' | 't_x' | 'T' | 'x_star' | 'mean_repeat_value',
  Float64Array
>;
const history: PurchaseHistory = { x: cdnow.x, tx: cdnow.t_x, T: cdnow.T };
const customerAt = (row: number) => ({ x: cdnow.x[row]!, tx: cdnow.t_x[row]!, T: cdnow.T[row]! });
const fitted = fitBgNbd(history);

/** Rows of random customers who may be. */
const customers = fc
  .array(
    fc.record({
      x: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 400 })),
      T: fc.double({ min: 1, max: 80, noNaN: true }),
      share: fc.double({ min: 0.01, max: 1, noNaN: true }),
    }),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .map((rows) => ({
    x: Float64Array.from(rows, ({ x }) => x),
    tx: Float64Array.from(rows, ({ x, T, share }) => (x === 0 ? 0 : T * share)),
    T: Float64Array.from(rows, ({ T }) => T),
  }));
const log = fc.double({ min: -3, max: 3, noNaN: true });
const parameters = fc
  .tuple(log, log, log, log)
  .map(([r, alpha, a, b]) => ({ r: Math.exp(r), alpha: Math.exp(alpha), a: Math.exp(a), b: Math.exp(b) }));

describe('BG/NBD on the CDNOW sample', () => {
  test('finds the published parameters and likelihood', () => {
    const { r, alpha, a, b } = fitted.parameters;
    expect([r.toFixed(3), alpha.toFixed(3), a.toFixed(3), b.toFixed(3)]).toEqual(['0.243', '4.414', '0.793', '2.426']);
    expect(fitted.logLikelihood.toFixed(2)).toBe('-9582.43');
    expect(fitted).toMatchObject({ converged: true, problem: null, boundaries: [], customers: 2357 });
    expect(bgNbdLogLikelihood(history, fitted.parameters)).toBeCloseTo(fitted.logLikelihood, 6);
  });

  test('predicts 1,653 purchases of the 1,882 that came', () => {
    let predicted = 0;
    for (let row = 0; row < cdnow.x.length; row++)
      predicted += conditionalPurchases(fitted.parameters, customerAt(row), 39);
    expect(Math.round(predicted)).toBe(1653);
    expect(cdnow.x_star.reduce((sum, count) => sum + count, 0)).toBe(1882);
  });

  test('expects of single customers what the reference does', () => {
    // Probability alive, purchases in 39 weeks, by lifetimes' formulas.
    for (const [id, alive, purchases] of [
      [1, 0.7266203, 1.22599468],
      [2, 0.21239092, 0.2034188],
    ] as const) {
      const customer = customerAt(cdnow.sample_id.indexOf(id));
      expect(probabilityAlive(fitted.parameters, customer)).toBeCloseTo(alive, 6);
      expect(conditionalPurchases(fitted.parameters, customer, 39)).toBeCloseTo(purchases, 5);
    }
  });

  test('does not depend on the unit of time', () => {
    const days = fitBgNbd({ x: history.x, tx: history.tx.map((t) => 7 * t), T: history.T.map((t) => 7 * t) });
    expect(relativeError(days.parameters.r, fitted.parameters.r)).toBeLessThan(1e-6);
    expect(relativeError(days.parameters.alpha, 7 * fitted.parameters.alpha)).toBeLessThan(1e-6);
    expect(relativeError(days.parameters.b, fitted.parameters.b)).toBeLessThan(1e-6);
  });
});

describe('the likelihood of BG/NBD', () => {
  test('is the published formula', () => {
    const simple = { x: Float64Array.of(2), tx: Float64Array.of(3), T: Float64Array.of(5) };
    const r = 0.5;
    const alpha = 2;
    const a = 0.7;
    const b = 1.9;
    // B(a, b + x) / B(a, b) Γ(r + x) α^r / Γ(r) [1 / (α + T)^(r + x) + a / (b + x - 1) / (α + t_x)^(r + x)], with x = 2.
    const shares = ((b * (b + 1)) / ((a + b) * (a + b + 1))) * r * (r + 1) * alpha ** r;
    const density = shares * (1 / (alpha + 5) ** 2.5 + a / (b + 1) / (alpha + 3) ** 2.5);
    expect(bgNbdLogLikelihood(simple, { r, alpha, a, b })).toBeCloseTo(Math.log(density), 12);
  });

  test('has the gradient of its differences', () => {
    fc.assert(
      fc.property(customers, fc.tuple(log, log, log, log), (rows, at) => {
        const objective = bgNbdObjective(rows);
        const gradient = new Float64Array(4);
        const value = objective(Float64Array.from(at), gradient);
        const numeric = differences((place) => objective(place, new Float64Array(4)), Float64Array.from(at));
        for (let i = 0; i < 4; i++)
          expect(Math.abs(gradient[i]! - numeric[i]!)).toBeLessThan(1e-7 * (1 + Math.abs(value)));
      }),
      { numRuns: 80 },
    );
  });

  test('stays finite for a hundred thousand purchases', () => {
    const many = {
      x: Float64Array.of(0, 100_000, 99_000, 3),
      tx: Float64Array.of(0, 99, 60, 2),
      T: Float64Array.of(100, 100, 100, 100),
    };
    const fit = fitBgNbd(many);
    expect(fit.converged).toBe(true);
    expect(Number.isFinite(fit.logLikelihood)).toBe(true);
    const later = conditionalPurchases(fit.parameters, { x: 100_000, tx: 99.99, T: 100 }, 10);
    expect(later).toBeGreaterThan(5_000);
    expect(later).toBeLessThan(10_500);
  });
});

describe('data at a limit', () => {
  test('nobody leaves: a -> 0 is said', () => {
    const random = createRandom(3);
    const rows = Array.from({ length: 400 }, () => {
      const T = 20 + 30 * random.unit();
      const rate = -Math.log(1 - random.unit()) / 10;
      let x = 0;
      let last = 0;
      const gap = () => -Math.log(1 - random.unit()) / rate;
      for (let t = gap(); t < T; t += gap()) {
        x++;
        last = t;
      }
      return { x, tx: last, T };
    });
    const fit = fitBgNbd({
      x: Float64Array.from(rows, ({ x }) => x),
      tx: Float64Array.from(rows, ({ tx }) => tx),
      T: Float64Array.from(rows, ({ T }) => T),
    });
    expect(fit).toMatchObject({ converged: true, boundaries: [{ parameter: 'a -> 0' }] });
    expect(probabilityAlive(fit.parameters, { x: 5, tx: 10, T: 20 })).toBeGreaterThan(0.99);
  });

  test('nobody came back: it converges and says that nothing is known', () => {
    const fit = fitBgNbd({ x: new Float64Array(5), tx: new Float64Array(5), T: new Float64Array(5).fill(10) });
    expect(fit.converged).toBe(true);
    expect(fit.boundaries[0]?.meaning).toMatch(/Nobody bought again/);
  });

  test('any customers who may be end in a minimum or a reason', () => {
    fc.assert(
      fc.property(customers, (rows) => {
        const fit = fitBgNbd(rows);
        expect(Number.isFinite(fit.logLikelihood)).toBe(true);
        expect(fit.converged || fit.problem !== null).toBe(true);
        expect(Object.values(fit.parameters).every((value) => value > 0 && Number.isFinite(value))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('rows that cannot be are named', () => {
    const fitting = (x: number, tx: number, T: number) => () =>
      fitBgNbd({ x: Float64Array.of(0, x), tx: Float64Array.of(0, tx), T: Float64Array.of(9, T) });
    expect(fitting(1.5, 1, 9)).toThrow('x of row 1: 1.5 is not a whole number');
    expect(fitting(1, 10, 9)).toThrow('t_x of row 1: 10 is not within 0 and T = 9');
    expect(fitting(0, 1, 9)).toThrow('t_x of row 1: 1 must be 0');
    expect(fitting(1, 1, 0)).toThrow(LifetimeDataError);
  });
});

describe('expectations', () => {
  /** The formulas as published, which fail at a = 1. */
  const published = ({ r, alpha, a, b }: typeof fitted.parameters, t: number) =>
    ((a + b - 1) / (a - 1)) * (1 - (alpha / (alpha + t)) ** r * hypergeometric2F1(r, b, a + b - 1, t / (alpha + t)));

  test('are the published formulas, away from their singularity', () => {
    fc.assert(
      fc.property(parameters, fc.double({ min: 0.1, max: 60, noNaN: true }), (given, t) => {
        fc.pre(Math.abs(given.a - 1) > 0.05 && given.a + given.b > 1.1);
        const { a, b } = given;
        // Digits that the formula itself loses.
        const lost = Math.abs((a + b - 1) / (a - 1));
        expect(Math.abs(expectedPurchases(given, t) - published(given, t))).toBeLessThan(1e-10 * (1 + lost));
      }),
    );
  });

  test('pass smoothly through a = 1', () => {
    const at = (a: number) => expectedPurchases({ r: 0.6, alpha: 5, a, b: 2.5 }, 52);
    expect(at(1)).toBeCloseTo((at(1 - 1e-4) + at(1 + 1e-4)) / 2, 7);
    expect(at(1)).toBeLessThan(at(0.999));
  });

  test('grow with time and never beyond those of somebody who never leaves', () => {
    fc.assert(
      fc.property(parameters, fc.double({ min: 0.1, max: 50, noNaN: true }), (given, t) => {
        const sooner = expectedPurchases(given, t);
        const later = expectedPurchases(given, 1.5 * t);
        // For a > 1 this is all that anybody is expected to buy, ever; close to it, growth is lost in rounding.
        const ever = given.a > 1 ? (given.a + given.b - 1) / (given.a - 1) : Number.POSITIVE_INFINITY;
        expect(sooner).toBeGreaterThan(0);
        if (sooner < ever * (1 - 1e-9)) expect(later).toBeGreaterThan(sooner);
        else expect(later / sooner).toBeCloseTo(1, 8);
        expect(later).toBeLessThanOrEqual(ever * (1 + 1e-9));
        expect(sooner).toBeLessThanOrEqual(((given.r * t) / given.alpha) * (1 + 1e-9));
        expect(expectedPurchases({ ...given, a: 1e-12 }, t)).toBeCloseTo((given.r * t) / given.alpha, 6);
      }),
    );
  });

  test('those of customers add up over the model: what a newcomer buys in T + t is split by T', () => {
    // Simulated newcomers: the mean of what is expected after T equals E[X(T + t)] - E[X(T)].
    const { r, alpha, a, b } = { r: 1, alpha: 10, a: 0.5, b: 2 };
    const random = createRandom(9);
    const unit = () => 1 - random.unit();
    let sum = 0;
    const newcomers = 20_000;
    for (let at = 0; at < newcomers; at++) {
      // r = 1 makes the rates exponential; b = 2, a = 1/2 by a ratio of gammas, of which Γ(1/2) is half a squared normal.
      const rate = -Math.log(unit()) / alpha;
      const left = (Math.sqrt(-2 * Math.log(unit())) * Math.cos(2 * Math.PI * unit())) ** 2 / 2;
      const leaves = left / (left - Math.log(unit() * unit()));
      let x = 0;
      let tx = 0;
      const gap = () => -Math.log(unit()) / rate;
      for (let t = gap(); t < 30; t += gap()) {
        x++;
        tx = t;
        if (unit() < leaves) break;
      }
      sum += conditionalPurchases({ r, alpha, a, b }, { x, tx, T: 30 }, 20);
    }
    const expected = expectedPurchases({ r, alpha, a, b }, 50) - expectedPurchases({ r, alpha, a, b }, 30);
    expect(relativeError(sum / newcomers, expected)).toBeLessThan(0.03);
  });

  test('a discounted year is less than an undiscounted one by about half a year of interest', () => {
    const customer = customerAt(0);
    const month = 365.25 / 84;
    const plain = discountedPurchases(fitted.parameters, customer, { month, monthlyDiscount: 0 });
    expect(plain).toBeCloseTo(conditionalPurchases(fitted.parameters, customer, 12 * month), 10);
    const discounted = discountedPurchases(fitted.parameters, customer, { month, monthlyDiscount: 0.01 });
    expect(discounted / plain).toBeGreaterThan(1.01 ** -7);
    expect(discounted / plain).toBeLessThan(1.01 ** -5.5);
  });
});

describe('Gamma-Gamma', () => {
  test('finds the published parameters', () => {
    const fit = fitGammaGamma(cdnow.x, cdnow.mean_repeat_value);
    const { p, q, gamma } = fit.parameters;
    expect([p.toFixed(2), q.toFixed(2), gamma.toFixed(2)]).toEqual(['6.25', '3.74', '15.44']);
    expect(fit.logLikelihood).toBeCloseTo(-4055.9177, 3);
    expect(fit).toMatchObject({ converged: true, customers: 946, boundaries: [], meanValue: expect.closeTo(35.17, 2) });
    // The reference: 24.653919 for two repeat purchases of 22.345 on average, 18.910021 for one of 11.77.
    expect(expectedValue(fit.parameters, 2, 22.345)).toBeCloseTo(24.653919, 4);
    expect(expectedValue(fit.parameters, 1, 11.77)).toBeCloseTo(18.910021, 4);
  });

  test('has the gradient of its differences', () => {
    const spends = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 300 }), fc.double({ min: 0.05, max: 20, noNaN: true })),
      { minLength: 1, maxLength: 10 },
    );
    fc.assert(
      fc.property(spends, fc.tuple(log, log, log), (rows, at) => {
        const objective = gammaGammaObjective(
          Float64Array.from(rows, ([x]) => x),
          Float64Array.from(rows, ([, mean]) => mean),
        );
        const gradient = new Float64Array(3);
        const value = objective(Float64Array.from(at), gradient);
        const numeric = differences((place) => objective(place, new Float64Array(3)), Float64Array.from(at));
        for (let i = 0; i < 3; i++)
          expect(Math.abs(gradient[i]! - numeric[i]!)).toBeLessThan(1e-7 * (1 + Math.abs(value)));
      }),
      { numRuns: 80 },
    );
  });

  test('draws a customer towards all, less the more he bought, and does not expect the infinite', () => {
    const given = { p: 6, q: 4, gamma: 15 };
    const all = expectedValue(given, 0, 0)!;
    expect(all).toBe(30);
    expect(expectedValue(given, 1, 100)!).toBeGreaterThan(all);
    expect(expectedValue(given, 50, 100)!).toBeGreaterThan(expectedValue(given, 1, 100)!);
    expect(expectedValue(given, 50, 100)!).toBeLessThan(100);
    expect(expectedValue({ p: 6, q: 0.9, gamma: 15 }, 0, 0)).toBeNull();
  });

  test('says what is wrong with the data, or which limit it ran to', () => {
    expect(() => fitGammaGamma(Float64Array.of(1, 2), Float64Array.of(5, -1))).toThrow(
      'mean_repeat_value of row 1: -1',
    );
    expect(() => fitGammaGamma(Float64Array.of(0, 2), Float64Array.of(0, 5))).toThrow('1 customers came back');
    const same = fitGammaGamma(Float64Array.of(1, 2, 3, 4), Float64Array.of(20, 20, 20, 20));
    expect(same.boundaries.map(({ parameter }) => parameter)).toContain('p -> infinity');
    expect(expectedValue(same.parameters, 2, 20)).toBeCloseTo(20, 3);
  });
});
