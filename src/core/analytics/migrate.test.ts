import { describe, expect, test } from 'vitest';
import { expand, readAnalyticsMigrations } from './migrate.ts';

const SQL = `CREATE TABLE t {{on_cluster}} (n UInt8)
ENGINE = {{engine:ReplacingMergeTree(n)}} ORDER BY n;
CREATE TABLE u {{on_cluster}} (n UInt8) ENGINE = {{engine:MergeTree}} ORDER BY n;`;

describe('table definitions', () => {
  test('fit one node', () => {
    expect(expand(SQL, { replicated: false })).toBe(`CREATE TABLE t  (n UInt8)
ENGINE = ReplacingMergeTree(n) ORDER BY n;
CREATE TABLE u  (n UInt8) ENGINE = MergeTree ORDER BY n;`);
  });

  test('fit a cluster', () => {
    expect(expand(SQL, { replicated: true, cluster: 'main' })).toBe(`CREATE TABLE t ON CLUSTER \`main\` (n UInt8)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', n) ORDER BY n;
CREATE TABLE u ON CLUSTER \`main\` (n UInt8) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}') ORDER BY n;`);
  });

  test('leave no placeholder in the shipped migrations, and name a cluster in every table', async () => {
    for (const { sql } of await readAnalyticsMigrations()) {
      const expanded = expand(sql, { replicated: true, cluster: 'main' });
      expect(expanded).not.toContain('{{');
      const definitions = expanded.match(/^(CREATE TABLE IF NOT EXISTS|ALTER TABLE) /gm);
      expect(definitions?.length).toBe(expanded.match(/ON CLUSTER `main`/g)?.length);
      expect(expanded.match(/^ENGINE = Replicated/gm)?.length).toBe(expanded.match(/^ENGINE = /gm)?.length);
    }
  });
});
