import { describe, expect, test } from 'vitest';
import { RECOMMENDATIONS } from '../settings.ts';
import { reasonShares } from './reasons.ts';
import { recommend } from './recommendations.ts';
import { lifetimeValue } from './revenue.ts';

describe('recommendations', () => {
  test.each([
    [null, null, []],
    [0, 60, []],
    [0.05, null, []],
    [0.050_1, null, ['HIGH churn_onboarding']],
    [0.08, null, ['HIGH churn_onboarding']],
    [0.081, null, ['HIGH churn_high']],
    [0.1, null, ['HIGH churn_high']],
    [0.101, 59.9, ['CRITICAL churn_critical', 'MEDIUM health_low']],
    [null, 10, ['MEDIUM health_low']],
  ])('churn %s and mean health %s', (monthlyChurn, meanHealth, wanted) => {
    const found = recommend(RECOMMENDATIONS.default, { monthlyChurn, meanHealth });
    expect(found.map(({ priority, rule }) => `${priority} ${rule}`)).toEqual(wanted);
  });
});

test('reasons: shares of all who went, the unknown among them, beside the period before', () => {
  const price = { known: 'KNOWN', reason: 'Price', customers: 2 } as const;
  const unknown = { known: 'UNKNOWN', reason: null, customers: 1 } as const;
  expect(reasonShares([price, unknown, { ...price, customers: 1 }], [unknown])).toEqual([
    { ...price, customers: 3, share: 0.75, previousCustomers: 0, previousShare: 0 },
    { ...unknown, share: 0.25, previousCustomers: 1, previousShare: 1 },
  ]);
  expect(reasonShares([], [])).toEqual([]);
});

test.each([
  [10_000, 1, 0.05, 200_000],
  [10_000, 0.8, 0.05, 160_000],
  [10_000, 1, 0, null],
  [10_000, 1, null, null],
  [null, 1, 0.05, null],
])('LTV of ARPA %s, margin %s, churn %s is %s', (arpa, margin, churn, wanted) => {
  expect(lifetimeValue(arpa, margin, churn)).toBe(wanted);
});
