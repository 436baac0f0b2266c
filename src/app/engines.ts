import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config.ts';
import { migrateAnalytics } from '../core/analytics/migrate.ts';
import { openAnalytics } from '../core/analytics/open.ts';
import type { Analytics } from '../core/analytics/types.ts';
import { createDatabase, type Database } from '../core/database/index.ts';
import { migrateAll } from '../core/database/migrate-all.ts';
import type { Logger } from '../core/logger.ts';
import { type DataFolder, openDataFolder } from './embedded/data-folder.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded/postgres.ts';

/** Both engines, open and migrated. */
export interface Engines {
  readonly database: Database;
  readonly analytics: Analytics;
  /** Settles when the embedded PostgreSQL is gone without being asked; never for a server by URL. */
  readonly lost: Promise<void>;
  /** Lets everything go, in the order that loses nothing. */
  close(): Promise<void>;
}

export interface EnginesOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** One line for each thing a person should know. */
  readonly notice: (line: string) => void;
  /** False leaves the tables as they are: a restore makes them as its backup had them. Default true. */
  readonly migrate?: boolean;
}

/**
 * Opens the engines the configuration names, embedded ones included, and brings both up to date.
 * @throws DataFolderInUse when another process holds the folder of an embedded engine
 */
export async function openEngines({ config, logger, notice, migrate = true }: EnginesOptions): Promise<Engines> {
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    let folder: DataFolder | undefined;
    if (config.databaseUrl === null || config.clickhouseUrl === null) {
      folder = openDataFolder(config.dataFolder);
      closers.push(() => folder?.release());
    } else mkdirSync(config.dataFolder, { recursive: true });

    let postgres: EmbeddedPostgres | undefined;
    if (config.databaseUrl === null) {
      postgres = await startEmbeddedPostgres({ folder: config.dataFolder, onNotice: notice });
      closers.push(() => postgres?.stop());
    }
    const url = config.databaseUrl ?? (postgres as EmbeddedPostgres).url;
    const applied = migrate ? (await migrateAll({ connectionString: url }, { createDatabase: true })).applied : null;
    notice(`${describeRecords(postgres, url)}${migrated(applied)}`);
    const database = createDatabase({ url, logger, maxConnections: config.databaseConnections });
    closers.push(() => database.close());

    const analytics = await openAnalytics(
      config.clickhouseUrl === null
        ? { path: path.join(config.dataFolder, 'clickhouse') }
        : { url: config.clickhouseUrl },
      {
        database: config.clickhouseDatabase,
        ...(config.clickhouseCluster === null ? {} : { cluster: config.clickhouseCluster }),
      },
    );
    closers.push(() => analytics.close());
    const changed = migrate ? await migrateAnalytics(analytics, advisoryLock(database)) : null;
    notice(`history: ${analytics.description}${migrated(changed)}`);

    let closing = false;
    const lost = new Promise<void>((resolve) => {
      void postgres?.exited.then(() => {
        if (!closing) resolve();
      });
    });
    return {
      database,
      analytics,
      lost,
      close: () => {
        closing = true;
        return close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function migrated(names: readonly string[] | null): string {
  if (names === null) return '';
  return names.length === 0 ? ', up to date' : `, ${names.length} migration${names.length === 1 ? '' : 's'} applied`;
}

function describeRecords(postgres: EmbeddedPostgres | undefined, url: string): string {
  if (postgres !== undefined) return `records: embedded PostgreSQL on port ${postgres.port} in ${postgres.dataDir}`;
  const { host, pathname } = new URL(url);
  return `records: PostgreSQL at ${host}${pathname}`;
}

/** Lock number of ClickHouse migrations, beside Prisma's own for the records. */
const ANALYTICS_LOCK = 72707370;

function advisoryLock(database: Database) {
  return async <T>(run: () => Promise<T>): Promise<T> => {
    const client = await database.pool.connect();
    try {
      await client.query('set statement_timeout = 0');
      await client.query('select pg_advisory_lock($1)', [ANALYTICS_LOCK]);
      return await run();
    } finally {
      // The connection ends, and with it the lock and the changed timeout.
      client.release(true);
    }
  };
}
