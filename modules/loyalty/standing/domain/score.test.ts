import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LOYALTY_SCORE } from '../settings.ts';
import type { StandingFacts, TicketFact } from './facts.ts';
import { BANDS, bandOf, type ScorePartName, scoreLoyalty } from './score.ts';

const nothing: StandingFacts = {
  everActive: false,
  activeDays30: 0,
  activeDays90: 0,
  featuresUsed: 0,
  planFeatures: null,
  tickets: [],
  lastNps: null,
  referrals: 0,
  reviews: 0,
  subscriptions: [],
  gone: false,
  signupDaysAgo: 400,
  quietDays: null,
  ways: new Set(),
  churnProbability: null,
};
const rules = LOYALTY_SCORE.default;
const score = (facts: Partial<StandingFacts>) => scoreLoyalty({ ...nothing, ...facts }, rules);
const partOf = (facts: Partial<StandingFacts>, name: ScorePartName) =>
  score(facts).parts.find((part) => part.name === name)?.value;
const year = (years: number, running = true) => ({ startedDaysAgo: 365 * years, running });

describe('loyalty score', () => {
  test('nothing known is 0 of 100, and says that nothing was known', () => {
    expect(score({})).toMatchObject({ score: 0, band: 'SATISFIED', coverage: 0 });
    expect(score({}).parts.map(({ value }) => value)).toEqual([null, null, null, null, null, null]);
  });

  test('a missing part counts as 0: nothing is re-weighed', () => {
    // 20 × 100 of 100, and the share of NPS.
    expect(score({ lastNps: 10 })).toMatchObject({ score: 20, coverage: 0.2 });
  });

  test('a customer who does everything has 100', () => {
    const everything = {
      everActive: true,
      activeDays30: 30,
      activeDays90: 90,
      featuresUsed: 5,
      planFeatures: 5,
      tickets: [{ satisfaction: 5 }],
      lastNps: 10,
      referrals: 9,
      subscriptions: [year(7)],
    };
    expect(score(everything)).toMatchObject({ score: 100, band: 'CHAMPION', coverage: 1 });
  });

  test('by hand: weekly, 3 of 4 features, rated 4, NPS 9, two referrals, one renewal', () => {
    // 25×75 + 20×75 + 15×80 + 20×90 + 10×40 + 10×50 = 1875 + 1500 + 1200 + 1800 + 400 + 500 = 7275
    const facts = {
      everActive: true,
      activeDays30: 6,
      activeDays90: 14,
      featuresUsed: 3,
      planFeatures: 4,
      tickets: [{ satisfaction: 4 }, { satisfaction: null }],
      lastNps: 9,
      referrals: 2,
      subscriptions: [year(1.9), year(0.2)],
    };
    expect(score(facts)).toMatchObject({ score: 72.75, band: 'LOYAL', coverage: 1 });
  });

  test('by hand: a shop’s customer, monthly, NPS 7, no subscription and no features', () => {
    // 25×50 + 20×70 = 1250 + 1400 = 2650; known: 25 + 20 + 10
    const facts = { everActive: true, activeDays30: 1, activeDays90: 3, lastNps: 7 };
    expect(score(facts)).toMatchObject({ score: 26.5, band: 'SATISFIED', coverage: 0.55 });
  });

  test.each([
    [30, 90, 100],
    [20, 20, 100],
    [19, 60, 75],
    [4, 4, 75],
    [3, 3, 50],
    [0, 3, 50],
    [2, 2, 25],
    [0, 1, 25],
    [0, 0, 0],
  ])('%i active days of 30 and %i of 90 give %i', (activeDays30, activeDays90, value) => {
    expect(partOf({ everActive: true, activeDays30, activeDays90 }, 'USAGE_FREQUENCY')).toBe(value);
  });

  test('silence is nothing only of who was ever active', () => {
    expect(partOf({ everActive: false }, 'USAGE_FREQUENCY')).toBeNull();
    expect(partOf({ everActive: true, planFeatures: 0 }, 'FEATURE_ADOPTION')).toBeNull();
    expect(partOf({ everActive: true, planFeatures: 3, featuresUsed: 8 }, 'FEATURE_ADOPTION')).toBe(100);
  });

  test('support is the mean rating; tickets beyond the third take 10 off each; unrated ones alone say nothing', () => {
    const rated = (...all: (number | null)[]): readonly TicketFact[] => all.map((satisfaction) => ({ satisfaction }));
    expect(partOf({ tickets: rated(5, 3, null) }, 'SUPPORT_INTERACTIONS')).toBe(80);
    expect(partOf({ tickets: rated(5, 5, 5, 5, null) }, 'SUPPORT_INTERACTIONS')).toBe(80);
    expect(partOf({ tickets: rated(...Array.from({ length: 20 }, () => 5)) }, 'SUPPORT_INTERACTIONS')).toBe(0);
    expect(partOf({ tickets: rated(null, null) }, 'SUPPORT_INTERACTIONS')).toBeNull();
  });

  test('renewals are whole years of the longest running subscription', () => {
    expect(partOf({ subscriptions: [year(0.999)] }, 'RENEWALS')).toBe(0);
    expect(partOf({ subscriptions: [year(1), year(3, false)] }, 'RENEWALS')).toBe(50);
    expect(partOf({ subscriptions: [year(5)] }, 'RENEWALS')).toBe(100);
    expect(partOf({ subscriptions: [year(5, false)] }, 'RENEWALS')).toBe(0);
    expect(partOf({}, 'RENEWALS')).toBeNull();
  });

  test('bands begin at their edge', () => {
    expect([0, 49.99, 50, 64.99, 65, 79.99, 80, 100].map((value) => bandOf(value, rules.bands))).toEqual([
      'SATISFIED',
      'SATISFIED',
      'ENGAGED',
      'ENGAGED',
      'LOYAL',
      'LOYAL',
      'CHAMPION',
      'CHAMPION',
    ]);
  });

  test('the band is that of the score as it is shown', () => {
    const facts = fc.record({ nps: fc.integer({ min: 0, max: 10 }), days: fc.integer({ min: 0, max: 30 }) });
    fc.assert(
      fc.property(facts, ({ nps, days }) => {
        const found = score({ everActive: true, lastNps: nps, activeDays30: days, activeDays90: days });
        expect(found.band).toBe(bandOf(found.score, rules.bands));
      }),
    );
  });

  const anyFacts = fc.record({
    everActive: fc.boolean(),
    activeDays30: fc.integer({ min: 0, max: 30 }),
    activeDays90: fc.integer({ min: 0, max: 90 }),
    featuresUsed: fc.integer({ min: 0, max: 20 }),
    planFeatures: fc.option(fc.integer({ min: 0, max: 20 })),
    tickets: fc.array(fc.record({ satisfaction: fc.option(fc.integer({ min: 1, max: 5 })) }), { maxLength: 8 }),
    lastNps: fc.option(fc.integer({ min: 0, max: 10 })),
    referrals: fc.integer({ min: 0, max: 12 }),
    subscriptions: fc.array(
      fc.record({ startedDaysAgo: fc.integer({ min: -10, max: 4_000 }), running: fc.boolean() }),
      { maxLength: 3 },
    ),
  });

  test('within 0 and 100, the weighted sum of its parts, and covered as far as they are known', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const found = score(facts);
        const sum = found.parts.reduce((all, { weight, value }) => all + (weight * (value ?? 0)) / 100, 0);
        const known = found.parts.reduce((all, { weight, value }) => all + (value === null ? 0 : weight), 0);
        expect(found.score).toBeCloseTo(sum, 1);
        expect(found.coverage).toBeCloseTo(known / 100, 10);
        expect(found.score).toBeGreaterThanOrEqual(0);
        // What is missing counts as 0: no score lies above what was known.
        expect(found.score).toBeLessThanOrEqual(100 * found.coverage + 0.005);
        for (const { value } of found.parts) if (value !== null) expect(value >= 0 && value <= 100).toBe(true);
      }),
    );
  });

  /** What makes a customer more loyal, one step each. */
  const steps: Readonly<Record<string, (facts: StandingFacts) => StandingFacts>> = {
    'another active day': (f) => ({ ...f, activeDays30: f.activeDays30 + 1, activeDays90: f.activeDays90 + 1 }),
    'an active day long ago': (f) => ({ ...f, activeDays90: f.activeDays90 + 1 }),
    'another feature': (f) => ({ ...f, featuresUsed: f.featuresUsed + 1 }),
    'a better answer': (f) => ({ ...f, lastNps: Math.min(10, (f.lastNps ?? -1) + 1) }),
    'another referral': (f) => ({ ...f, referrals: f.referrals + 1 }),
    'better ratings': (f) => ({
      ...f,
      tickets: f.tickets.map(({ satisfaction }) => ({
        satisfaction: satisfaction === null ? null : Math.min(5, satisfaction + 1),
      })),
    }),
    'a longer subscription': (f) => ({
      ...f,
      subscriptions: f.subscriptions.map((one) => ({ ...one, startedDaysAgo: one.startedDaysAgo + 365 })),
    }),
  };
  test.each(Object.keys(steps))('%s never makes it worse', (step) => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const before = { ...nothing, ...facts };
        const after = (steps[step] as (facts: StandingFacts) => StandingFacts)(before);
        expect(scoreLoyalty(after, rules).score).toBeGreaterThanOrEqual(scoreLoyalty(before, rules).score);
      }),
    );
  });

  test('weights need not add up to 100', () => {
    const weights = { ...rules.weights, NPS: 300 };
    const found = scoreLoyalty({ ...nothing, lastNps: 10 }, { ...rules, weights });
    expect(found).toMatchObject({ score: 78.95, coverage: 0.79 });
    expect(BANDS).toContain(found.band);
  });
});
