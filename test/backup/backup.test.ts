import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  BackupFolderNotEmpty,
  BackupUnusable,
  backup,
  RestoreTargetNotEmpty,
  restore,
} from '../../src/app/backup/index.ts';
import { type Analytics, migrateAnalytics, openAnalytics } from '../../src/core/analytics/index.ts';
import { systemClock } from '../../src/core/clock.ts';
import { createDatabase, type Database } from '../../src/core/database/index.ts';
import { besideDatabase, pendingMigrations } from '../../src/core/database/migrate.ts';
import { migrateAll } from '../../src/core/database/migrate-all.ts';
import { appendEvents, type Position, presentPosition, readPage } from '../../src/core/events/index.ts';
import { newId } from '../../src/core/ids.ts';
import { temporaryFolder } from '../engines/support.ts';
import { call, count, logger, numberOf, registry } from '../events/definitions.ts';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startThrowawayPostgres, type ThrowawayPostgres } from '../support/throwaway-postgres.ts';

const base = temporaryFolder();
const folder = path.join(base, 'backup');
/** Without uploads. */
const dataFolder = path.join(base, 'data');
const [ada, bob, stranger] = [newId(), newId(), newId()];

let source: TestDatabase;
let database: Database;
/** Another cluster, which has given out far fewer transaction ids than the source's. */
let elsewhere: ThrowawayPostgres;
/** What a subscriber had read when the backup was taken. */
let cursor: Position;

const openHistory = (name: string): Promise<Analytics> =>
  openAnalytics({ path: path.join(base, name) }, { database: 'holdfast' });

async function withHistory<T>(name: string, use: (analytics: Analytics) => Promise<T>): Promise<T> {
  const analytics = await openHistory(name);
  try {
    return await use(analytics);
  } finally {
    await analytics.close();
  }
}

const emit = (on: Database, ...numbers: number[]): Promise<string[]> =>
  on.transaction((tx) =>
    appendEvents(
      tx,
      call,
      systemClock,
      numbers.map((n) => count(n, ada)),
    ),
  );

const numbersAfter = async (on: Database, after: Position): Promise<number[]> =>
  (await readPage(on, registry, after, 100)).events.map(numberOf);

const target = (name: string): string =>
  besideDatabase({ connectionString: elsewhere.url }, name).connectionString as string;

beforeAll(async () => {
  [source, elsewhere] = await Promise.all([createTestDatabase(), startThrowawayPostgres()]);
  database = createDatabase({ url: source.url, logger });
  await database.query(
    `insert into customer (id, external_id, name, traits, signup_at, created_at, updated_at)
     select id, name, name, '{"note": "tab\\t, newline\\n, backslash \\\\ and ünïcode"}', now(), now(), now()
     from unnest($1::uuid[], $2::text[]) as t (id, name)`,
    [
      [ada, bob],
      ['ada', 'bob'],
    ],
  );
  // The source is far ahead of a new cluster in transaction ids, as a business of some age is.
  await database.query('do $$ begin for i in 1..500 loop perform pg_current_xact_id(); commit; end loop; end $$');
  await emit(database, 1, 2);
  cursor = await presentPosition(database);
  await emit(database, 3);
  await database.query(`select graphile_worker.add_job('remind', '{"customer": "ada"}')`);
  await database.query(
    `update graphile_worker._private_jobs set locked_at = now(), locked_by = 'a worker that is gone'`,
  );
  await withHistory('source', async (analytics) => {
    await migrateAnalytics(analytics, (run) => run());
    const at = '2026-01-02T03:04:05.678Z';
    const event = { source: 'test', source_id: 's', name: 'session.started', at, received_at: at, currency: '' };
    await analytics.insert('events', [
      {
        ...event,
        event_uid: newId(),
        customer_id: ada,
        import_id: newId(),
        value: '12345678901234.123456',
        properties: '{"a":"tab\\t\\n"}',
      },
      { ...event, event_uid: newId(), customer_id: bob, import_id: newId(), value: null, properties: '{}' },
      { ...event, event_uid: newId(), customer_id: stranger, import_id: newId(), value: null, properties: '{}' },
    ]);
    await backup({ database, analytics, dataFolder, folder });
  });
}, 120_000);

afterAll(async () => {
  await database.close();
  await Promise.all([source.drop(), elsewhere.stop()]);
  rmSync(base, { recursive: true, force: true });
});

const dumpOf = (from: string, name: string): string =>
  gunzipSync(readFileSync(path.join(from, 'records', `public.${name}.copy.gz`))).toString();

test('a backup is closed to others, and refuses a folder that holds something', async () => {
  expect(statSync(path.join(folder, 'manifest.json')).mode & 0o777).toBe(0o600);
  expect(statSync(path.join(folder, 'records')).mode & 0o777).toBe(0o700);
  await withHistory('source', async (analytics) => {
    await expect(backup({ database, analytics, dataFolder, folder })).rejects.toThrow(BackupFolderNotEmpty);
  });
});

test('the business lives on in another cluster, and a subscriber who was away misses nothing', async () => {
  const url = target('lives_on');
  const before = await database.query('select * from customer order by id');
  await withHistory('lives-on', async (analytics) => {
    const summary = await restore({ databaseUrl: url, analytics, dataFolder, folder });
    expect(summary).toMatchObject({ folder, historyRows: 3 });
    const restored = createDatabase({ url, logger });
    expect(await restored.query('select * from customer order by id')).toEqual(before);
    expect(await pendingMigrations(restored)).toEqual([]);

    expect(await numbersAfter(restored, cursor)).toEqual([3]);
    await emit(restored, 4, 5);
    expect(await numbersAfter(restored, cursor)).toEqual([3, 4, 5]);
    const [heads] = await restored.query<{ aheadInSource: boolean }>(
      `select max(xid) filter (where epoch = 1) > max(xid) filter (where epoch = 2) as "aheadInSource" from outbox_event`,
    );
    expect(heads).toEqual({ aheadInSource: true });

    // The job runs again, and the queue's numbers go on.
    await restored.query(`select graphile_worker.add_job('remind', '{"customer": "bob"}')`);
    const jobs = await restored.query('select id, locked_by as "lockedBy" from graphile_worker.jobs order by id');
    expect(jobs).toEqual([
      { id: 1, lockedBy: null },
      { id: 2, lockedBy: null },
    ]);
    await restored.close();
  });
});

test('the history comes back exactly, but for customers whom the records do not know', async () => {
  const select = `SELECT * FROM events WHERE customer_id IN ({ada:UUID}, {bob:UUID}) ORDER BY event_uid`;
  const expected = await withHistory('source', (analytics) => analytics.query(select, { ada, bob }));
  expect(expected).toHaveLength(2);
  await withHistory('lives-on', async (analytics) => {
    expect(await analytics.query(select, { ada, bob })).toEqual(expected);
    expect(await analytics.query('SELECT count() AS rows FROM events')).toEqual([{ rows: 2 }]);
  });
});

test('a restored business backs up to the same rows', async () => {
  const again = path.join(base, 'again');
  const restored = createDatabase({ url: target('lives_on'), logger });
  await withHistory('lives-on', (analytics) => backup({ database: restored, analytics, dataFolder, folder: again }));
  await restored.close();
  expect(dumpOf(again, 'customer')).toBe(dumpOf(folder, 'customer'));
  expect(dumpOf(again, 'outbox_event')).toContain(dumpOf(folder, 'outbox_event'));
});

test('what is there is never written over', async () => {
  await withHistory('lives-on', async (analytics) => {
    await expect(restore({ databaseUrl: target('lives_on'), analytics, dataFolder, folder })).rejects.toThrow(
      RestoreTargetNotEmpty,
    );
    // An empty database beside a history that has rows is not an empty business either.
    await expect(restore({ databaseUrl: target('fresh'), analytics, dataFolder, folder })).rejects.toThrow(
      RestoreTargetNotEmpty,
    );
  });
});

test('a restore that fails half-way leaves an empty business, and can be run again', async () => {
  const damaged = path.join(base, 'damaged');
  cpSync(folder, damaged, { recursive: true });
  const file = path.join(damaged, 'history', 'events.tsv.gz');
  const whole = readFileSync(file);
  writeFileSync(file, gzipSync(gunzipSync(whole).toString().replace('session.started', 'session.forged')));
  const url = target('half');
  await withHistory('half', async (analytics) => {
    await expect(restore({ databaseUrl: url, analytics, dataFolder, folder: damaged })).rejects.toThrow(
      'history/events.tsv.gz is damaged',
    );
    const half = createDatabase({ url, logger });
    expect(await half.query('select from customer')).toEqual([]);
    writeFileSync(file, whole);
    await restore({ databaseUrl: url, analytics, dataFolder, folder: damaged });
    expect(await half.query('select from customer')).toHaveLength(2);
    expect(await analytics.query('SELECT count() AS rows FROM events')).toEqual([{ rows: 2 }]);
    await half.close();
  });
});

test('damaged records, a cut-short backup and a stray folder are refused before anything is written', async () => {
  const broken = path.join(base, 'broken');
  cpSync(folder, broken, { recursive: true });
  const file = path.join(broken, 'records', 'public.customer.copy.gz');
  writeFileSync(file, readFileSync(file).subarray(0, 60));
  const url = target('refused');
  await withHistory('refused', async (analytics) => {
    await expect(restore({ databaseUrl: url, analytics, dataFolder, folder: broken })).rejects.toThrow(BackupUnusable);
    rmSync(path.join(broken, 'manifest.json'));
    await expect(restore({ databaseUrl: url, analytics, dataFolder, folder: broken })).rejects.toThrow(
      'or one that was cut short',
    );
    mkdirSync(path.join(base, 'stray'));
    await expect(
      restore({ databaseUrl: url, analytics, dataFolder, folder: path.join(base, 'stray') }),
    ).rejects.toThrow(BackupUnusable);
  });
});

test('a backup of an earlier version is restored and then migrated', async () => {
  const shipped = readdirSync('prisma/migrations')
    .filter((name) => name !== 'migration_lock.toml')
    .sort();
  const earlier = await createEmptyDatabase();
  await migrateAll({ connectionString: earlier.url }, { only: shipped.slice(0, -1) });
  const old = createDatabase({ url: earlier.url, logger });
  const before = path.join(base, 'before');
  const url = target('later');
  await withHistory('later', async (analytics) => {
    await migrateAnalytics(analytics, (run) => run());
    await backup({ database: old, analytics, dataFolder, folder: before });
    await restore({ databaseUrl: url, analytics, dataFolder, folder: before });
    const later = createDatabase({ url, logger });
    expect(await pendingMigrations(later)).toEqual([]);
    await later.close();
    // But tables that are ahead of a backup cannot take it.
    await expect(restore({ databaseUrl: url, analytics, dataFolder, folder: before })).rejects.toThrow(
      'it is older than the tables',
    );
  });
  await old.close();
  await earlier.drop();
});
