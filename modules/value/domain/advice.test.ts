import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ADVICE_RULES, adviceFor, retentionFalls } from './advice.ts';
import { SEGMENTS } from './rfm.ts';

describe('advice for customers', () => {
  const loyal = { segment: 'LOYAL', monetaryScore: 3, daysWithoutLogin: 90 } as const;
  const atRisk = { segment: 'AT_RISK', monetaryScore: 4, daysWithoutLogin: 30 } as const;

  test('offers premium bundles to loyal customers with modest spend', () => {
    expect(adviceFor(loyal, ADVICE_RULES)).toEqual(['PREMIUM_BUNDLES']);
    expect(adviceFor({ ...loyal, monetaryScore: 4 }, ADVICE_RULES)).toEqual([]);
  });

  test('wins back customers at risk from the 30th day without a login', () => {
    expect(adviceFor(atRisk, ADVICE_RULES)).toEqual(['WIN_BACK']);
    expect(adviceFor({ ...atRisk, daysWithoutLogin: 29.9 }, ADVICE_RULES)).toEqual([]);
  });

  test('is for nobody else, and for nobody when it is switched off', () => {
    for (const segment of SEGMENTS) {
      if (segment === 'LOYAL' || segment === 'AT_RISK') continue;
      expect(adviceFor({ segment, monetaryScore: 1, daysWithoutLogin: 300 }, ADVICE_RULES)).toEqual([]);
    }
    const off = {
      ...ADVICE_RULES,
      premiumBundles: { ...ADVICE_RULES.premiumBundles, enabled: false },
      winBack: { ...ADVICE_RULES.winBack, enabled: false },
    };
    expect([loyal, atRisk].flatMap((one) => adviceFor(one, off))).toEqual([]);
  });
});

describe('cohorts that fell behind', () => {
  const cohort = (month: number, retained: number, customers = 100) => ({
    cohort: `2026-0${month}-01`,
    observed: `2026-0${month + 3}-01`,
    customers,
    retained,
  });

  test('are those below the one before, the newest first, with both shares', () => {
    expect(retentionFalls([cohort(1, 30), cohort(2, 25), cohort(3, 40), cohort(4, 39)])).toEqual([
      { ...cohort(4, 39), previousCohort: '2026-03-01', retention: 0.39, previousRetention: 0.4 },
      { ...cohort(2, 25), previousCohort: '2026-01-01', retention: 0.25, previousRetention: 0.3 },
    ]);
  });

  test('equal shares are no fall, whatever the sizes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 99 }), (share, times) => {
        expect(retentionFalls([cohort(1, share, 100), cohort(2, share * times, 100 * times)])).toEqual([]);
      }),
    );
  });

  test('a cohort without customers is compared with nothing', () => {
    expect(retentionFalls([cohort(1, 0, 0), cohort(2, 1), cohort(3, 0, 0)])).toEqual([]);
  });
});
