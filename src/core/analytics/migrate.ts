import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { AnalyticsMigrationChanged } from './errors.ts';
import type { Analytics, TableLayout } from './types.ts';

/** Runs something while no other process does; a PostgreSQL advisory lock in production. */
export type WithLock = <T>(run: () => Promise<T>) => Promise<T>;

/** One file of table definitions. */
export interface AnalyticsMigration {
  readonly name: string;
  readonly sql: string;
}

const FOLDER = new URL('./migrations/', import.meta.url);
const FILE_NAME = /^\d{4}_[a-z0-9_]+\.sql$/;

/** The shipped migrations in the order they are applied. */
export async function readAnalyticsMigrations(): Promise<AnalyticsMigration[]> {
  const names = (await readdir(FOLDER)).filter((name) => FILE_NAME.test(name)).sort();
  return Promise.all(names.map(async (name) => ({ name, sql: await readFile(new URL(name, FOLDER), 'utf8') })));
}

/**
 * Brings the tables up to date; harmless when they are. ClickHouse has no transactions over table definitions, so a file
 * is recorded when all its statements have run, and each statement must bear being run again (`IF NOT EXISTS`).
 * @returns names of the files applied now
 * @throws AnalyticsMigrationChanged when an applied file has another content
 */
export function migrateAnalytics(
  analytics: Analytics,
  withLock: WithLock,
  migrations?: readonly AnalyticsMigration[],
): Promise<string[]> {
  return withLock(async () => {
    const files = migrations ?? (await readAnalyticsMigrations());
    await analytics.command(expand(RECORD_TABLE, analytics.layout));
    const applied = await readApplied(analytics);
    const done: string[] = [];
    for (const { name, sql } of files) {
      const checksum = checksumOf(sql);
      const before = applied.get(name);
      if (before === checksum) continue;
      if (before !== undefined) throw new AnalyticsMigrationChanged(name);
      for (const statement of statementsOf(expand(sql, analytics.layout))) await analytics.command(statement);
      await analytics.insert('holdfast_migration', [{ name, checksum }]);
      done.push(name);
    }
    return done;
  });
}

/** Names of shipped migrations that are not applied; empty when ready to serve. */
export async function pendingAnalyticsMigrations(analytics: Analytics): Promise<string[]> {
  const [table] = await analytics.query<{ found: number }>(
    `SELECT count() AS found FROM system.tables WHERE database = {database:String} AND name = 'holdfast_migration'`,
    { database: analytics.database },
  );
  const applied = table?.found === 0 ? new Map<string, string>() : await readApplied(analytics);
  return (await readAnalyticsMigrations()).map(({ name }) => name).filter((name) => !applied.has(name));
}

const RECORD_TABLE = `
  CREATE TABLE IF NOT EXISTS holdfast_migration {{on_cluster}}
  (name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3))
  ENGINE = {{engine:MergeTree}} ORDER BY name
  SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`;

async function readApplied(analytics: Analytics): Promise<Map<string, string>> {
  const rows = await analytics.query<{ name: string; checksum: string }>(
    'SELECT name, checksum FROM holdfast_migration',
  );
  return new Map(rows.map((row) => [row.name, row.checksum]));
}

const checksumOf = (sql: string): string => createHash('sha256').update(sql).digest('hex');

/**
 * Fits a definition to the deployment: `{{on_cluster}}` becomes `ON CLUSTER` or nothing, `{{engine:X(args)}}` becomes
 * `X(args)` or its replicated twin with ClickHouse's own `{shard}` and `{replica}` macros in the path.
 */
export function expand(sql: string, layout: TableLayout): string {
  const onCluster = layout.cluster === undefined ? '' : `ON CLUSTER \`${layout.cluster}\``;
  return sql
    .replaceAll('{{on_cluster}}', onCluster)
    .replace(/\{\{engine:(\w+)(?:\(([^)]*)\))?\}\}/g, (_, engine: string, args: string | undefined) => {
      if (!layout.replicated) return args === undefined ? engine : `${engine}(${args})`;
      const path = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'";
      return `Replicated${engine}(${[path, args].filter((part) => part !== undefined && part !== '').join(', ')})`;
    });
}

/** Statements end with a semicolon at the end of a line; comment lines may say anything. */
function statementsOf(sql: string): string[] {
  return sql
    .replace(/^\s*--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
