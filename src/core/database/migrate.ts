import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { DatabaseMissing, MigrationEdited, MigrationFailed, MigrationUnknown } from './migration-errors.ts';

export interface MigrateOptions {
  /** Default: the repository's `prisma/migrations`. */
  readonly folder?: string;
  /** Names of the migrations to apply, when not all: a backup is restored into the tables it was taken from. */
  readonly only?: readonly string[];
  /** Makes the database when the server has none of that name. Default false. */
  readonly createDatabase?: boolean;
  /** More to migrate while the lock is held, e.g. the job queue's own tables. */
  readonly after?: (connection: pg.ClientConfig) => Promise<void>;
}

export interface MigrateResult {
  /** Names of the migrations that this call applied, in order. */
  readonly applied: readonly string[];
  readonly createdDatabase: boolean;
}

interface MigrationFile {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

interface MigrationRow {
  readonly id: string;
  readonly name: string;
  readonly checksum: string;
  readonly finished: boolean;
}

const MIGRATIONS = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));

/** Prisma's own lock number, so that its command line and Holdfast wait for each other too. */
const LOCK = 72707369;
/** A migration of a large table may take minutes, and the other processes of a deployment wait for it. */
const LOCK_TIMEOUT_MS = 15 * 60_000;

/** As Prisma creates it. */
const CREATE_TABLE = `
  create table if not exists _prisma_migrations (
    id                  varchar(36) primary key not null,
    checksum            varchar(64) not null,
    finished_at         timestamptz,
    migration_name      varchar(255) not null,
    logs                text,
    rolled_back_at      timestamptz,
    started_at          timestamptz not null default now(),
    applied_steps_count integer not null default 0
  )`;

/**
 * Brings a database up to date: applies `prisma/migrations/*` in order, each in one transaction together with its
 * row in `_prisma_migrations`, under an advisory lock, so any number of processes may call it at once. The table is
 * kept as Prisma keeps it, hence `prisma migrate status` and `deploy` agree with what is done here.
 *
 * @throws MigrationEdited, MigrationUnknown, MigrationFailed, DatabaseMissing
 */
export async function migrate(connection: pg.ClientConfig, options: MigrateOptions = {}): Promise<MigrateResult> {
  const files = readMigrations(options.folder ?? MIGRATIONS);
  const { client, createdDatabase } = await connect(connection, options.createDatabase ?? false);
  try {
    await client.query(
      `set client_min_messages = warning; set lock_timeout = ${LOCK_TIMEOUT_MS}; set statement_timeout = 0`,
    );
    // Held until the connection ends, also when this process is killed.
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    await client.query('set lock_timeout = 0');
    await client.query(CREATE_TABLE);
    const rows = await readRows(client);
    checkHistory(files, rows);
    await forgetUnfinished(client, rows);
    const applied: string[] = [];
    for (const file of selected(files, options.only)) {
      if (rows.some((row) => row.finished && row.name === file.name)) continue;
      await apply(client, file);
      applied.push(file.name);
    }
    await options.after?.(connection);
    return { applied, createdDatabase };
  } finally {
    await client.end();
  }
}

/** Migrations that wait, without applying any: what `/ready` asks. An unreachable database throws. */
export async function pendingMigrations(
  database: { query<Row extends object>(text: string): Promise<Row[]> },
  folder: string = MIGRATIONS,
): Promise<string[]> {
  const names = readMigrations(folder).map((file) => file.name);
  const [table] = await database.query<{ present: boolean }>(
    `select to_regclass('_prisma_migrations') is not null as present`,
  );
  if (table?.present !== true) return names;
  const done = await database.query<{ name: string }>(
    'select migration_name as name from _prisma_migrations where finished_at is not null and rolled_back_at is null',
  );
  return names.filter((name) => !done.some((row) => row.name === name));
}

function readMigrations(folder: string): MigrationFile[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const sql = readFileSync(path.join(folder, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: checksumOf(sql) };
    });
}

function selected(files: readonly MigrationFile[], only: readonly string[] | undefined): readonly MigrationFile[] {
  if (only === undefined) return files;
  const unknown = only.filter((name) => !files.some((file) => file.name === name));
  if (unknown.length > 0) throw new MigrationUnknown(unknown);
  return files.filter((file) => only.includes(file.name));
}

const checksumOf = (sql: string): string => createHash('sha256').update(sql).digest('hex');

/** A checkout may have changed the line ends; Prisma forgives that too. */
function isSame(file: MigrationFile, checksum: string): boolean {
  const unix = file.sql.replaceAll('\r\n', '\n');
  return [file.sql, unix, unix.replaceAll('\n', '\r\n')].some((sql) => checksumOf(sql) === checksum);
}

async function readRows(client: pg.Client): Promise<MigrationRow[]> {
  const { rows } = await client.query<MigrationRow>(
    `select id, migration_name as name, checksum, finished_at is not null as finished
     from _prisma_migrations where rolled_back_at is null order by started_at`,
  );
  return rows;
}

function checkHistory(files: readonly MigrationFile[], rows: readonly MigrationRow[]): void {
  const byName = new Map(files.map((file) => [file.name, file]));
  const unknown = rows.filter((row) => row.finished && !byName.has(row.name)).map((row) => row.name);
  if (unknown.length > 0) throw new MigrationUnknown(unknown);
  for (const row of rows) {
    const file = byName.get(row.name);
    if (row.finished && file !== undefined && !isSame(file, row.checksum)) throw new MigrationEdited(row.name);
  }
}

/**
 * A row without an end is a migration that failed or was killed. Its statements and its end are one transaction, so
 * they were rolled back: the row is marked as `prisma migrate resolve --rolled-back` would, and it is tried again.
 */
async function forgetUnfinished(client: pg.Client, rows: readonly MigrationRow[]): Promise<void> {
  const ids = rows.filter((row) => !row.finished).map((row) => row.id);
  if (ids.length === 0) return;
  await client.query('update _prisma_migrations set rolled_back_at = now() where id = any($1)', [ids]);
}

async function apply(client: pg.Client, file: MigrationFile): Promise<void> {
  const id = randomUUID();
  await client.query('insert into _prisma_migrations (id, checksum, migration_name) values ($1, $2, $3)', [
    id,
    file.checksum,
    file.name,
  ]);
  try {
    await client.query('begin');
    await client.query(file.sql);
    await client.query(
      'update _prisma_migrations set finished_at = clock_timestamp(), applied_steps_count = 1 where id = $1',
      [id],
    );
    await client.query('commit');
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    await client.query('rollback');
    await client.query('update _prisma_migrations set logs = $2 where id = $1', [id, describe(file, cause)]);
    throw new MigrationFailed(file.name, cause);
  }
}

/** In the words Prisma uses, because its command line shows them. */
function describe(file: MigrationFile, cause: Error): string {
  const code = cause instanceof pg.DatabaseError ? (cause.code ?? 'unknown') : 'unknown';
  return (
    'A migration failed to apply. New migrations cannot be applied before the error is recovered from.\n\n' +
    `Migration name: ${file.name}\n\nDatabase error code: ${code}\n\nDatabase error:\nERROR: ${cause.message}\n`
  );
}

const NO_SUCH_DATABASE = '3D000';
/** Two processes that create one database at once meet in either of these. */
const ALREADY_THERE = new Set(['42P04', '23505']);

async function connect(connection: pg.ClientConfig, mayCreate: boolean) {
  const first = await tryConnect(connection);
  if (first.error === null) return { client: first.client, createdDatabase: false };
  const database = first.client.database ?? 'postgres';
  if (!mayCreate) throw new DatabaseMissing(database, first.error);
  await createDatabase(connection, database);
  const second = await tryConnect(connection);
  if (second.error !== null) throw new DatabaseMissing(database, second.error);
  return { client: second.client, createdDatabase: true };
}

/** `error` is set when the database does not exist; any other failure throws. */
async function tryConnect(connection: pg.ClientConfig): Promise<{ client: pg.Client; error: Error | null }> {
  const client = new pg.Client({ application_name: 'holdfast migrate', ...connection });
  // A lost connection fails the statement under way; without a listener it would end the process as well.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return { client, error: null };
  } catch (error) {
    await client.end().catch(() => undefined);
    if (error instanceof pg.DatabaseError && error.code === NO_SUCH_DATABASE) return { client, error };
    throw error;
  }
}

async function createDatabase(connection: pg.ClientConfig, database: string): Promise<void> {
  const admin = new pg.Client(besideDatabase(connection, 'postgres'));
  try {
    await admin.connect();
    await admin.query(`create database ${pg.escapeIdentifier(database)} encoding 'UTF8' template template0`);
  } catch (error) {
    if (error instanceof pg.DatabaseError && ALREADY_THERE.has(error.code ?? '')) return;
    throw new DatabaseMissing(database, error instanceof Error ? error : new Error(String(error)));
  } finally {
    await admin.end().catch(() => undefined);
  }
}

/** The same server and user, another database. `pg` ignores `database` beside a connection string, so it is edited. */
export function besideDatabase(connection: pg.ClientConfig, database: string): pg.ClientConfig {
  if (connection.connectionString === undefined) return { ...connection, database };
  const url = new URL(connection.connectionString);
  url.pathname = `/${encodeURIComponent(database)}`;
  return { ...connection, connectionString: url.toString() };
}
