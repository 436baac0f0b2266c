import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrate, pendingMigrations } from '../../src/core/database/migrate.ts';
import {
  DatabaseMissing,
  MigrationEdited,
  MigrationFailed,
  MigrationUnknown,
} from '../../src/core/database/migration-errors.ts';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/database.ts';
import { query, root, temporaryFolder } from './support.ts';

const execute = promisify(execFile);
const shipped = path.join(root, 'prisma/migrations');
const shippedNames = readdirSync(shipped).filter((name) => name !== 'migration_lock.toml');

let base: string;
let folder: string;
let database: TestDatabase;
beforeEach(async () => {
  base = temporaryFolder();
  folder = path.join(base, 'migrations');
  mkdirSync(folder);
  database = await createEmptyDatabase();
});
afterEach(async () => {
  rmSync(base, { recursive: true, force: true });
  await database.drop();
});

function write(name: string, sql: string): void {
  mkdirSync(path.join(folder, name), { recursive: true });
  writeFileSync(path.join(folder, name, 'migration.sql'), sql);
}

const run = (): ReturnType<typeof migrate> => migrate({ connectionString: database.url }, { folder });
const history = (): Promise<object[]> =>
  query(
    database.url,
    `select migration_name as name, finished_at is not null as finished, rolled_back_at is not null as "rolledBack",
            applied_steps_count as steps, logs from _prisma_migrations order by started_at`,
  );

async function prisma(...args: string[]): Promise<string> {
  const { stdout } = await execute(process.execPath, [path.join(root, 'tools/prisma.mjs'), ...args], {
    env: { ...process.env, DATABASE_URL: database.url },
  });
  return stdout;
}

test('migrations run once, in the order of their names', async () => {
  write('20260102000000_second', 'alter table first add column more int');
  write('20260101000000_first', 'create table first (id int); insert into first values (1)');
  expect(await run()).toEqual({ applied: ['20260101000000_first', '20260102000000_second'], createdDatabase: false });
  expect(await run()).toEqual({ applied: [], createdDatabase: false });
  write('20260103000000_third', 'create table third ()');
  expect((await run()).applied).toEqual(['20260103000000_third']);
});

test('ten processes that start at once on a server without the database migrate it once', async () => {
  await database.drop();
  const script = fileURLToPath(new URL('./migrator.ts', import.meta.url));
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => execute(process.execPath, [script, database.url, shipped])),
  );
  const results = answers.map(({ stdout }) => JSON.parse(stdout));
  expect(results.flatMap((result) => result.error ?? [])).toEqual([]);
  expect(results.flatMap((result) => result.applied)).toEqual(shippedNames);
  expect((await history()).map((row) => ('name' in row ? row.name : ''))).toEqual(shippedNames);
  expect(await query(database.url, 'select count(*)::int as jobs from graphile_worker.jobs')).toEqual([{ jobs: 0 }]);
}, 60_000);

test("Prisma's own command line agrees with what the server applied", async () => {
  expect((await migrate({ connectionString: database.url })).applied).toEqual(shippedNames);
  expect(await prisma('migrate', 'status')).toContain('Database schema is up to date!');
  expect(await prisma('migrate', 'deploy')).toContain('No pending migrations to apply.');
}, 60_000);

test("the server agrees with what Prisma's own command line applied", async () => {
  await prisma('migrate', 'deploy');
  expect((await migrate({ connectionString: database.url })).applied).toEqual([]);
}, 60_000);

test('the template of all tests is complete, and says so', async () => {
  const clone = await createTestDatabase();
  const ask = { query: <Row extends object>(sql: string) => query<Row>(clone.url, sql) };
  expect(await pendingMigrations(ask)).toEqual([]);
  await clone.drop();
  const askEmpty = { query: <Row extends object>(sql: string) => query<Row>(database.url, sql) };
  expect(await pendingMigrations(askEmpty)).toEqual(shippedNames);
});

test('a migration edited after it ran is refused, but not for its line ends', async () => {
  write('20260101000000_first', 'create table first (\n  id int\n);\n');
  await run();
  const file = path.join(folder, '20260101000000_first', 'migration.sql');
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('\n', '\r\n'));
  expect((await run()).applied).toEqual([]);
  appendFileSync(file, '-- harmless?\n');
  await expect(run()).rejects.toThrow(MigrationEdited);
  await expect(run()).rejects.toThrow('20260101000000_first was changed after this database applied it');
});

test('a database that a newer version migrated is refused', async () => {
  write('20260101000000_first', 'create table first (id int)');
  write('20270101000000_future', 'create table future (id int)');
  await run();
  rmSync(path.join(folder, '20270101000000_future'), { recursive: true });
  await expect(run()).rejects.toThrow(MigrationUnknown);
  await expect(run()).rejects.toThrow('was migrated by a newer Holdfast (20270101000000_future)');
});

test('a failing migration leaves nothing behind, is recorded as Prisma records it, and is tried again when mended', async () => {
  write('20260101000000_first', 'create table first (id int)');
  write('20260102000000_broken', 'create table half (id int); select 1 / 0');
  await expect(run()).rejects.toThrow(MigrationFailed);
  expect(await query(database.url, `select to_regclass('half') is null as gone`)).toEqual([{ gone: true }]);
  const failed = { name: '20260102000000_broken', finished: false, steps: 0 };
  expect(await history()).toEqual([
    { name: '20260101000000_first', finished: true, rolledBack: false, steps: 1, logs: null },
    { ...failed, rolledBack: false, logs: expect.stringContaining('Database error code: 22012') },
  ]);

  write('20260102000000_broken', 'create table half (id int)');
  expect((await run()).applied).toEqual(['20260102000000_broken']);
  expect((await history()).slice(1)).toEqual([
    { ...failed, rolledBack: true, logs: expect.stringContaining('division by zero') },
    { name: '20260102000000_broken', finished: true, rolledBack: false, steps: 1, logs: null },
  ]);
});

test('a migration that was cut off by a crash is tried again', async () => {
  write('20260101000000_first', 'create table first (id int)');
  await run();
  await query(
    database.url,
    `update _prisma_migrations set finished_at = null, applied_steps_count = 0; drop table first`,
  );
  expect((await run()).applied).toEqual(['20260101000000_first']);
});

test('a missing database is made only when that is allowed', async () => {
  await database.drop();
  await expect(run()).rejects.toThrow(DatabaseMissing);
  const made = await migrate({ connectionString: database.url }, { folder, createDatabase: true });
  expect(made).toEqual({ applied: [], createdDatabase: true });
});

test('the shipped migrations can be copied to a folder of any name', async () => {
  cpSync(shipped, folder, { recursive: true });
  expect((await run()).applied).toEqual(shippedNames);
});
