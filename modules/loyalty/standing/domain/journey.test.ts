import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JOURNEY, LOYALTY_SCORE } from '../settings.ts';
import { lacksOf } from './ambassadors.ts';
import { type StandingFacts, WAYS } from './facts.ts';
import { STAGES, stageOf, stayOf, strengthOf } from './journey.ts';
import { scoreLoyalty } from './score.ts';

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
const rules = JOURNEY.default;
const DAYS = 90;
const stay = (facts: Partial<StandingFacts>) => stayOf({ ...nothing, ...facts }, rules, DAYS);
const strength = (facts: Partial<StandingFacts>, score = 0) => strengthOf({ ...nothing, ...facts }, score, rules, DAYS);
const stage = (given: Partial<StandingFacts>) => {
  const facts = { ...nothing, ...given };
  return stageOf(facts, scoreLoyalty(facts, LOYALTY_SCORE.default), stayOf(facts, rules, DAYS), rules, DAYS);
};
const subscribed = { subscriptions: [{ startedDaysAgo: 10, running: true }] };

describe('probability to stay', () => {
  test('is 1 less what the model says, whatever else is known', () => {
    expect(stay({ churnProbability: 0.25, quietDays: 80, ...subscribed })).toEqual({
      probability: 0.75,
      basis: 'MODEL',
    });
  });

  test('is a simple estimate by silence without a model, and says so', () => {
    expect(stay({ quietDays: 0 })).toEqual({ probability: 0.95, basis: 'RECENCY' });
    expect(stay({ quietDays: 45 })).toEqual({ probability: 0.48, basis: 'RECENCY' });
    expect(stay({ quietDays: 90 })).toEqual({ probability: 0, basis: 'RECENCY' });
    expect(stay({ quietDays: 400 })).toEqual({ probability: 0, basis: 'RECENCY' });
    expect(stay({})).toBeNull();
  });

  test('does not fall below half while a subscription runs, and is nothing of who was declared gone', () => {
    expect(stay({ quietDays: 80, ...subscribed })).toEqual({ probability: 0.5, basis: 'SUBSCRIPTION' });
    expect(stay({ quietDays: 9, ...subscribed })).toEqual({ probability: 0.86, basis: 'SUBSCRIPTION' });
    expect(stay({ gone: true, churnProbability: 0.1 })).toEqual({ probability: 0, basis: 'STATUS' });
  });
});

describe('relationship strength', () => {
  test('by hand: score 60, a year and a half, 9 days of silence, two ways', () => {
    // 40 × .6 + 20 × 547.5/1095 + 20 × .9 + 20 × 2/4 = 24 + 10 + 18 + 10
    const ways = new Set(['USE', 'ORDER'] as const);
    expect(strength({ signupDaysAgo: 547.5, quietDays: 9, ways }, 60)).toBe(62);
  });

  test('stays within 0 and 100, and grows with each of its parts', () => {
    const facts = fc.record({
      signupDaysAgo: fc.integer({ min: 0, max: 5_000 }),
      quietDays: fc.integer({ min: 0, max: 500 }),
      ways: fc.subarray([...WAYS]).map((ways) => new Set(ways)),
      score: fc.integer({ min: 0, max: 100 }),
    });
    fc.assert(
      fc.property(facts, ({ score, ...given }) => {
        const now = strength(given, score);
        expect(now).toBeGreaterThanOrEqual(0);
        expect(now).toBeLessThanOrEqual(100);
        expect(strength({ ...given, signupDaysAgo: given.signupDaysAgo + 30 }, score)).toBeGreaterThanOrEqual(now);
        expect(strength({ ...given, quietDays: given.quietDays / 2 }, score)).toBeGreaterThanOrEqual(now);
        expect(strength({ ...given, ways: new Set(WAYS) }, score)).toBeGreaterThanOrEqual(now);
        expect(strength(given, Math.min(100, score + 1))).toBeGreaterThanOrEqual(now);
        expect(strength({ ...given, gone: true }, score)).toBe(0);
      }),
    );
  });
});

describe('journey', () => {
  const active = { everActive: true, quietDays: 1 };
  test.each<[string, Partial<StandingFacts>]>([
    ['ONBOARDING', { ...active, signupDaysAgo: 29.9 }],
    ['ADOPTION', { ...active, signupDaysAgo: 30 }],
    ['ENGAGEMENT', { ...active, signupDaysAgo: 3, activeDays30: 4, activeDays90: 4 }],
    ['ADVOCACY', { ...active, referrals: 1 }],
    ['ADVOCACY', { ...active, reviews: 1, activeDays30: 30, activeDays90: 90 }],
    ['AT_RISK', { ...active, quietDays: 60, referrals: 1 }],
    ['AT_RISK', { ...active, churnProbability: 0.61 }],
    ['ENGAGEMENT', { ...active, churnProbability: 0.6, activeDays30: 4, activeDays90: 4 }],
    ['LAPSED', { ...active, quietDays: 90 }],
    ['LAPSED', { gone: true, ...active }],
    ['LAPSED', { signupDaysAgo: 90 }],
    ['ONBOARDING', { signupDaysAgo: 0 }],
    ['ADOPTION', { ...active, quietDays: 300, ...subscribed }],
  ])('%s: %j', (expected, facts) => {
    expect(stage(facts)).toBe(expected);
    expect(STAGES).toContain(expected);
  });
});

test('an ambassador is a Champion who referred and answered 9 or 10', () => {
  const facts = { band: 'CHAMPION', referrals: 1, lastNps: 9 } as const;
  expect(lacksOf(facts, 9)).toEqual([]);
  expect(lacksOf({ ...facts, lastNps: 8 }, 9)).toEqual(['NPS']);
  expect(lacksOf({ band: 'LOYAL', referrals: 0, lastNps: null }, 9)).toEqual(['BAND', 'REFERRAL', 'NPS']);
});
