import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Finding, QUALITY_CATEGORIES, qualityReport, qualityScore } from './reports.ts';

const finding = (more: Partial<Finding>): Finding => ({
  rule: 'R',
  category: 'SCHEMA',
  severity: 'ERROR',
  column: null,
  unit: 'ROWS',
  message: '',
  count: 1,
  examples: [],
  ...more,
});

test('all eight categories stand in the report, with the worst severity and the rows of each', () => {
  const report = qualityReport(10, 2, [
    finding({ count: 2 }),
    finding({ severity: 'WARNING', count: 3 }),
    finding({ category: 'TIME', severity: 'INFO', unit: 'ORDERS', count: 7 }),
    finding({ category: 'RANGES', count: 0 }),
  ]);
  expect(report.categories.map(({ category }) => category)).toEqual(QUALITY_CATEGORIES);
  expect(report).toMatchObject({ rows: 10, rowsWithErrors: 2, score: 0.8 });
  expect(report.categories[0]).toMatchObject({ count: 5, severity: 'ERROR' });
  expect(report.categories.find(({ category }) => category === 'TIME')).toMatchObject({ count: 0, severity: 'INFO' });
  expect(report.categories.find(({ category }) => category === 'RANGES')).toMatchObject({
    severity: null,
    findings: [],
  });
});

test('a score is a share, is 1 only without an error, and never looks better than it is', () => {
  expect(qualityScore(0, 0)).toBe(1);
  expect(qualityScore(100_000, 5_001)).toBe(0.9499);
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.nat(1_000_000), (a, b) => {
      const [rows, errors] = [Math.max(a, b, 1), Math.min(a, b)];
      const score = qualityScore(rows, errors);
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual((rows - errors) / rows);
      expect(score === 1).toBe(errors === 0);
    }),
  );
});
