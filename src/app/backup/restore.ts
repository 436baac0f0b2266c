import { createHash } from 'node:crypto';
import path from 'node:path';
import pg from 'pg';
import { type Analytics, migrateAnalytics } from '../../core/analytics/index.ts';
import { migrateAll } from '../../core/database/migrate-all.ts';
import { MigrationUnknown } from '../../core/database/migration-errors.ts';
import { BackupUnusable, RestoreTargetNotEmpty } from './errors.ts';
import { findHistory, loadHistory, unmarkHistory } from './history.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { loadRecords } from './records.ts';
import { type BackupSummary, summarise } from './summary.ts';
import { loadUploads } from './uploads.ts';

/**
 * Brings a backup into an empty business, of this version or a later one, also in another cluster. Records come in one
 * transaction that ends last: a restore cut short leaves an empty business, and may be run again. Cursors of
 * subscribers stay valid, since what happens from now on stands in a new epoch of the outbox.
 * @param options.databaseUrl a database that is new, or migrated and empty; made when missing
 * @throws BackupUnusable, RestoreTargetNotEmpty
 */
export async function restore(options: {
  readonly databaseUrl: string;
  readonly analytics: Analytics;
  /** Where uploads go. */
  readonly dataFolder: string;
  readonly folder: string;
}): Promise<BackupSummary> {
  const folder = path.resolve(options.folder);
  const manifest = readManifest(folder);
  const connection = { connectionString: options.databaseUrl };
  // Tables as they were when the backup was taken; the migrations since then are applied to the restored rows.
  await migrateAll(connection, { createDatabase: true, only: manifest.records.migrations }).catch((error) => {
    if (!(error instanceof MigrationUnknown)) throw error;
    throw new BackupUnusable(folder, `backup and database are of different versions. ${error.message}`, error);
  });
  const client = new pg.Client({ ...connection, application_name: 'holdfast restore' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await checkTarget(client, options.analytics, folder, manifest);
    await client.query('begin');
    await loadRecords(client, folder, manifest.records);
    await migrateAnalytics(options.analytics, (run) => run());
    await loadHistory(options.analytics, {
      folder,
      history: manifest.history,
      backupId: idOf(manifest),
      customerIds: () => customerIds(client),
    });
    await loadUploads(manifest.uploads, options.dataFolder, folder);
    await client.query('commit');
    await unmarkHistory(options.analytics);
  } finally {
    await client.end();
  }
  await migrateAll(connection);
  return summarise(folder, manifest);
}

async function checkTarget(client: pg.Client, analytics: Analytics, folder: string, manifest: Manifest): Promise<void> {
  const { rows: applied } = await client.query<{ name: string }>(
    `select migration_name as name from _prisma_migrations
     where finished_at is not null and rolled_back_at is null order by 1`,
  );
  const wanted = manifest.records.migrations;
  if (applied.length > wanted.length) {
    const newer = applied.map(({ name }) => name).filter((name) => !wanted.includes(name));
    throw new BackupUnusable(
      folder,
      `it is older than the tables of this database (${newer.join(', ')}). Restore into a database that does not exist yet.`,
    );
  }
  const { rows: tables } = await client.query<{ name: string }>(
    `select table_name::text as name from information_schema.columns
     where table_schema = 'public' and column_name = 'customer_id'`,
  );
  const questions = [
    { name: 'customer', where: '' },
    ...tables.map(({ name }) => ({ name, where: 'where customer_id is not null' })),
  ];
  for (const { name, where } of questions) {
    const { rowCount } = await client.query(`select from ${pg.escapeIdentifier(name)} ${where} limit 1`);
    if (rowCount !== 0) throw new RestoreTargetNotEmpty(`rows in "${name}"`);
  }
  const found = await findHistory(analytics, idOf(manifest));
  if (found !== null) throw new RestoreTargetNotEmpty(found);
}

const idOf = (manifest: Manifest): string => createHash('sha256').update(JSON.stringify(manifest)).digest('hex');

/** Every customer there is, in pieces: of a large business the ids alone are tens of megabytes. */
async function* customerIds(client: pg.Client): AsyncIterable<readonly string[]> {
  const size = 20_000;
  for (let last = '00000000-0000-0000-0000-000000000000'; ; ) {
    const { rows } = await client.query<{ id: string }>('select id from customer where id > $1 order by id limit $2', [
      last,
      size,
    ]);
    if (rows.length > 0) yield rows.map(({ id }) => id);
    if (rows.length < size) return;
    last = rows.at(-1)?.id ?? last;
  }
}
