import path from 'node:path';
import type pg from 'pg';
import { escapeIdentifier } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { Queryable } from '../../core/database/index.ts';
import { raiseEpoch } from '../../core/events/epoch.ts';
import { BackupUnusable } from './errors.ts';
import { readCompressed, writeCompressed } from './files.ts';
import type { Manifest } from './manifest.ts';

type Records = Manifest['records'];
type Table = Records['tables'][number];

/** The job queue keeps its rows here; jobs that wait are part of the business. */
const SCHEMAS = ['public', 'graphile_worker'];
/** Written by the migrations, of the database and of the queue. */
const LEFT_OUT = ['_prisma_migrations', 'migrations'];

interface Listed {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** Without generated ones, which cannot be written. */
  readonly columns: string[];
  /** Tables that rows of this one refer to. */
  readonly refersTo: number[];
}

const LIST = `
  select c.oid::int, n.nspname::text as schema, c.relname::text as name,
    (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
    array(select distinct k.confrelid::int from pg_constraint k
          where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as "refersTo"
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = any($1) and c.relkind = 'r' and c.relname <> all($2)
  order by n.nspname, c.relname`;

/** All tables in an order in which each stands after those it refers to. */
export async function listTables(client: pg.ClientBase): Promise<Pick<Table, 'schema' | 'name' | 'columns'>[]> {
  const { rows } = await client.query<Listed>(LIST, [SCHEMAS, LEFT_OUT]);
  const ordered: Listed[] = [];
  let waiting = rows;
  while (waiting.length > 0) {
    const isWaiting = new Set(waiting.map((table) => table.oid));
    const ready = waiting.filter((table) => !table.refersTo.some((oid) => isWaiting.has(oid)));
    if (ready.length === 0) throw new Error('foreign keys go in a circle, so no order of restoring exists');
    ordered.push(...ready);
    waiting = waiting.filter((table) => !ready.includes(table));
  }
  return ordered.map(({ schema, name, columns }) => ({ schema, name, columns }));
}

const named = ({ schema, name }: { schema: string; name: string }): string =>
  `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`;
const columnsOf = (table: { columns: readonly string[] }): string => table.columns.map(escapeIdentifier).join(', ');

/**
 * Lets everything read within see the database as it was at one instant. A transaction that only reads takes no
 * transaction id, so the outbox's readers are not held back meanwhile.
 */
export async function atOneInstant<T>(client: pg.ClientBase, read: (db: Queryable) => Promise<T>): Promise<T> {
  await client.query('begin isolation level repeatable read read only');
  try {
    await client.query('set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0');
    return await read(queryable(client));
  } finally {
    await client.query('commit');
  }
}

const queryable = (client: pg.ClientBase): Queryable => ({
  query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
    (await client.query<Row>(text, [...values])).rows,
});

/** Writes every table in PostgreSQL's own text format, which all its versions read. */
export async function dumpRecords(client: pg.ClientBase, folder: string): Promise<Records> {
  const [state] = (await client.query<{ epoch: number; migrations: string[] }>(STATE)).rows;
  const tables: Table[] = [];
  for (const table of await listTables(client)) {
    const file = `records/${table.schema}.${table.name}.copy.gz`;
    const rows = client.query(copyTo(`copy ${named(table)} (${columnsOf(table)}) to stdout`));
    tables.push({ ...table, path: file, file: await writeCompressed(rows, path.join(folder, file)) });
  }
  const sequences = await client.query<Records['sequences'][number]>(SEQUENCES, [SCHEMAS]);
  if (state === undefined) throw new Error('the database told nothing about itself');
  return { ...state, tables, sequences: sequences.rows };
}

const STATE = `
  select outbox_epoch() as epoch,
    array(select migration_name::text from _prisma_migrations
          where finished_at is not null and rolled_back_at is null order by migration_name) as migrations`;

/** Values are read here, after the rows: a sequence knows no snapshot, and may only be too high, never too low. */
const SEQUENCES = `
  select schemaname::text as schema, sequencename::text as name,
    coalesce(last_value, start_value)::text as value, last_value is not null as "isCalled"
  from pg_sequences where schemaname = any($1) order by 1, 2`;

/**
 * Fills the tables in the client's transaction, which the caller commits: all of it, or nothing.
 * @throws BackupUnusable when a file is damaged, or a table or column is not there
 */
export async function loadRecords(client: pg.ClientBase, folder: string, records: Records): Promise<void> {
  const present = await listTables(client);
  for (const table of records.tables) {
    const found = present.find((one) => one.schema === table.schema && one.name === table.name);
    const missing = table.columns.find((column) => found?.columns.includes(column) !== true);
    if (missing === undefined) continue;
    throw new BackupUnusable(folder, `this version has no column ${named(table)}.${escapeIdentifier(missing)}.`);
  }
  // Rules about changes (a ledger is never cut) are not meant for a whole past that comes back; keys are still checked.
  for (const table of present) await client.query(`alter table ${named(table)} disable trigger user`);
  await client.query(`truncate ${present.map(named).join(', ')}`);
  for (const table of records.tables) await loadTable(client, folder, table);
  for (const table of present) await client.query(`alter table ${named(table)} enable trigger user`);
  for (const { schema, name, value, isCalled } of records.sequences) {
    await client.query('select setval($1::regclass, $2, $3)', [named({ schema, name }), value, isCalled]);
  }
  // A job that was running when the backup was taken is run again; its worker is not here.
  await client.query(
    `update graphile_worker._private_jobs set locked_at = null, locked_by = null where locked_at is not null;
     update graphile_worker._private_job_queues set locked_at = null, locked_by = null where locked_at is not null`,
  );
  const tx = {
    ...queryable(client),
    atEnd: (): never => {
      throw new Error('the end of this transaction lies elsewhere');
    },
  };
  await raiseEpoch({ transaction: (run) => run({ ...tx, client: client as pg.PoolClient }) }, records.epoch);
}

async function loadTable(client: pg.ClientBase, folder: string, table: Table): Promise<void> {
  const target = client.query(copyFrom(`copy ${named(table)} (${columnsOf(table)}) from stdin`));
  const read = await readCompressed(path.join(folder, table.path), target).catch((error: Error) => {
    throw new BackupUnusable(folder, `${table.path} cannot be read: ${error.message}`, error);
  });
  if (read.sha256 !== table.file.sha256) throw new BackupUnusable(folder, `${table.path} is damaged.`);
}
