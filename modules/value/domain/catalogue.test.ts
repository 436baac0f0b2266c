import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FEATURES } from './catalogue.ts';

describe('the catalogue of features', () => {
  test('has 33 features, each with a name, a column, a unit and a meaning of its own', () => {
    expect(FEATURES).toHaveLength(33);
    for (const key of ['name', 'column', 'description'] as const) {
      expect(new Set(FEATURES.map((feature) => feature[key])).size).toBe(33);
    }
    for (const { name, column, unit, description } of FEATURES) {
      expect(name).toMatch(/^[a-z][A-Za-z0-9]+$/);
      expect(column).toMatch(/^[a-z][a-z0-9_]+$/);
      expect(unit).not.toBe('');
      expect(description).toMatch(/^[A-Z].*\.$/);
    }
  });

  test('is what the table keeps, in its order and types', () => {
    const sql = readFileSync(
      new URL('../../../src/core/analytics/migrations/0003_features.sql', import.meta.url),
      'utf8',
    );
    const columns = [
      ...sql.matchAll(/^ {4}(\w+) +((?:Nullable\()?(?:UInt32|Float64|Decimal\(38, 4\))\)?) CODEC/gm),
    ].map(([, column, type]) => `${column} ${type}`);
    const wanted = FEATURES.map(({ column, type, nullable }) => `${column} ${nullable ? `Nullable(${type})` : type}`);
    expect(columns.slice(0, 33)).toEqual(wanted);
  });
});
