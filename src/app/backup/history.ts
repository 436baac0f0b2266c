import path from 'node:path';
import { PassThrough } from 'node:stream';
import type { Analytics } from '../../core/analytics/index.ts';
import { BackupUnusable } from './errors.ts';
import { readCompressed, writeCompressed } from './files.ts';
import type { Manifest } from './manifest.ts';

type History = Manifest['history'];
type Table = History['tables'][number];

/** Exact for every type the tables use, and every version of ClickHouse reads it. */
const FORMAT = 'TSVWithNames';
const HEADER_LINES = 1;
/** Stands in the database while a restore is under way: what is there then may be thrown away. */
const MARKER = 'holdfast_restore';
/** Beside the rows: which definitions were applied, and tables of work under way. */
const isData = (name: string): boolean =>
  !['holdfast_migration', MARKER].includes(name) && !/^(stage|tmp|restore)_/.test(name);

/** Tables of the business and their columns, but for calculated ones. */
export async function listHistoryTables(analytics: Analytics): Promise<Pick<Table, 'name' | 'columns'>[]> {
  const rows = await analytics.query<{ name: string; columns: string[] }>(
    `SELECT listed.table_name AS name, groupArray(listed.column_name) AS columns
     FROM (SELECT table AS table_name, name AS column_name FROM system.columns
           WHERE database = {database:String} AND default_kind NOT IN ('ALIAS', 'MATERIALIZED')
             AND table IN (SELECT t.name FROM system.tables AS t
                           WHERE t.database = {database:String} AND t.engine LIKE '%MergeTree')
           ORDER BY table, position) AS listed
     GROUP BY listed.table_name ORDER BY listed.table_name`,
    { database: analytics.database },
  );
  return rows.filter(({ name }) => isData(name));
}

/** Writes every table. It runs after the records were taken, so all they know has its history here. */
export async function dumpHistory(analytics: Analytics, folder: string): Promise<History> {
  const tables: Table[] = [];
  for (const table of await listHistoryTables(analytics)) {
    const file = `history/${table.name}.tsv.gz`;
    const rows = await analytics.export(`SELECT ${table.columns.join(', ')} FROM ${table.name}`, FORMAT);
    tables.push({ ...table, path: file, file: await writeCompressed(rows, path.join(folder, file), HEADER_LINES) });
  }
  return { tables };
}

/**
 * What stands in the way of a restore, in words; null when there is nothing, or only what an earlier try of the same
 * backup left.
 */
export async function findHistory(analytics: Analytics, backupId: string): Promise<string | null> {
  if ((await findMarker(analytics)) === backupId) return null;
  for (const { name } of await listHistoryTables(analytics)) {
    const [found] = await analytics.query<{ rows: number }>(`SELECT count() AS rows FROM ${name}`);
    if (found !== undefined && found.rows > 0) return `${found.rows} rows of history in "${name}"`;
  }
  return null;
}

/** Which backup is being restored here. */
async function findMarker(analytics: Analytics): Promise<string | null> {
  const [marker] = await analytics.query<{ comment: string }>(
    'SELECT comment FROM system.tables WHERE database = {database:String} AND name = {name:String}',
    { database: analytics.database, name: MARKER },
  );
  return marker?.comment ?? null;
}

/** The restore is complete: from now on the rows are the business's own. */
export const unmarkHistory = (analytics: Analytics): Promise<void> =>
  analytics.command(`DROP TABLE IF EXISTS ${MARKER} SYNC`);

export interface HistorySource {
  readonly folder: string;
  readonly history: History;
  /** Tells one backup from another; letters and digits. */
  readonly backupId: string;
  /** Every customer of the restored records, in pieces. */
  readonly customerIds: () => AsyncIterable<readonly string[]>;
}

/** Fills the tables. Cut short, it is begun again from nothing: the marker says whose the rows are. */
export async function loadHistory(analytics: Analytics, source: HistorySource): Promise<void> {
  await unmarkHistory(analytics);
  await analytics.command(
    `CREATE TABLE ${MARKER} (id UUID) ENGINE = MergeTree ORDER BY id COMMENT '${source.backupId}'`,
  );
  const present = await listHistoryTables(analytics);
  for (const { name } of present) await analytics.command(`TRUNCATE TABLE ${name}${onCluster(analytics)}`);
  for (const table of source.history.tables) {
    const columns = present.find(({ name }) => name === table.name)?.columns ?? [];
    const missing = table.columns.find((column) => !columns.includes(column));
    if (missing !== undefined) {
      throw new BackupUnusable(source.folder, `this version has no column ${table.name}.${missing} in its history.`);
    }
    await loadTable(analytics, source.folder, table);
  }
  await forgetStrangers(analytics, source);
}

const onCluster = ({ layout }: Analytics): string =>
  layout.cluster === undefined ? '' : ` ON CLUSTER \`${layout.cluster}\``;

async function loadTable(analytics: Analytics, folder: string, table: Table): Promise<void> {
  const rows = new PassThrough();
  const loading = analytics.load(table.name, FORMAT, rows, { columns: table.columns });
  const reading = readCompressed(path.join(folder, table.path), rows, HEADER_LINES);
  // Whichever side fails first, the other must not wait for it.
  loading.catch((error: Error) => rows.destroy(error));
  const [read] = await Promise.all([reading, loading]).catch((error: Error) => {
    throw new BackupUnusable(folder, `${table.path} cannot be loaded: ${error.message}`, error);
  });
  if (read.sha256 !== table.file.sha256) throw new BackupUnusable(folder, `${table.path} is damaged.`);
}

/** Customers to delete with one statement. */
const FORGET_AT_ONCE = 2_000;
const NO_CUSTOMER = '00000000-0000-0000-0000-000000000000';

/**
 * Drops rows of customers that came between the two halves of the backup: the restored records do not know them, and
 * when their events are sent again they will have other ids.
 */
async function forgetStrangers(analytics: Analytics, { history, customerIds }: HistorySource): Promise<void> {
  for await (const ids of customerIds()) {
    await analytics.insert(
      MARKER,
      ids.map((id) => ({ id })),
    );
  }
  for (const { name, columns } of history.tables) {
    if (!columns.includes('customer_id') || name === 'customer_alias') continue;
    for (;;) {
      const strangers = await analytics.query<{ id: string }>(
        `SELECT DISTINCT customer_id AS id FROM ${name}
         WHERE customer_id <> toUUID('${NO_CUSTOMER}') AND customer_id NOT IN (SELECT id FROM ${MARKER})
           AND customer_id NOT IN (SELECT customer_id FROM customer_alias)
         LIMIT ${FORGET_AT_ONCE}`,
      );
      if (strangers.length === 0) break;
      await analytics.command(
        `ALTER TABLE ${name}${onCluster(analytics)} DELETE WHERE customer_id IN {ids:Array(UUID)}`,
        { ids: strangers.map(({ id }) => id) },
        { settings: { mutations_sync: 2 } },
      );
    }
  }
}
