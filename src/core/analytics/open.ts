import { availableParallelism } from 'node:os';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { createAnalytics, isUnreachable, WIRE_SETTINGS } from './client.ts';
import { createEmbeddedConnection } from './embedded/connection.ts';
import { openEmbeddedEngine } from './embedded/engine.ts';
import { AnalyticsUnavailable } from './errors.ts';
import { quoteName } from './sql.ts';
import type { Analytics, EngineSettings, TableLayout } from './types.ts';

/** A ClickHouse reached by HTTP: `holdfast analytics`, a server or a cluster. */
export interface ServerTarget {
  /** `http(s)://user:password@host:port/database?setting=value`; parts given beside it win. */
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
}

/** ClickHouse in this process, alone on its folder. */
export interface EmbeddedTarget {
  readonly path: string;
}

export interface AnalyticsOptions {
  /** Made if absent. */
  readonly database: string;
  /** Name of a cluster for `ON CLUSTER`; makes engines replicated. Servers only. */
  readonly cluster?: string;
  /** Statements running at once; more wait. Default 4 embedded, 16 on a server. */
  readonly maxConcurrent?: number;
  /** Settings of ClickHouse that replace the defaults below. */
  readonly settings?: EngineSettings;
}

/** Bounds on one statement. All can be overridden by `settings`. */
const BOUNDS: EngineSettings = {
  // The process also serves requests: one statement may not take all cores or all memory.
  max_threads: Math.min(2, availableParallelism()),
  max_memory_usage: 2_000_000_000,
  // Big sorts and groups go to disk instead of failing.
  max_bytes_before_external_group_by: 700_000_000,
  max_bytes_before_external_sort: 700_000_000,
};

/**
 * Opens the history engine. This is the one place that knows whether it runs in the process or elsewhere.
 * @throws AnalyticsFolderInUse, EmbeddedEngineMissing (embedded), AnalyticsUnavailable (server)
 */
export async function openAnalytics(
  target: ServerTarget | EmbeddedTarget,
  options: AnalyticsOptions,
): Promise<Analytics> {
  const settings = { ...WIRE_SETTINGS, ...BOUNDS, ...options.settings };
  const open = 'url' in target ? openServer(target, options, settings) : openEmbedded(target, options, settings);
  const analytics = await open;
  try {
    await analytics.ping();
    return analytics;
  } catch (error) {
    await analytics.close();
    throw error;
  }
}

async function openServer(
  target: ServerTarget,
  options: AnalyticsOptions,
  settings: EngineSettings,
): Promise<Analytics> {
  const url = new URL(target.url);
  // A database in the address would win over ours.
  url.pathname = '/';
  const description = `ClickHouse at ${url.host}`;
  const layout: TableLayout =
    options.cluster === undefined ? { replicated: false } : { cluster: options.cluster, replicated: true };
  const common = {
    url: url.href,
    ...(target.user === undefined ? {} : { username: target.user }),
    ...(target.password === undefined ? {} : { password: target.password }),
    application: 'holdfast',
    // Above what runs at once, since a stream being read holds one while its reader runs statements.
    max_open_connections: 64 + (options.maxConcurrent ?? 16),
    // Bulk statements (INSERT ... SELECT of millions of rows) take minutes and send nothing meanwhile.
    request_timeout: 15 * 60_000,
    log: { level: ClickHouseLogLevel.OFF },
  };
  // A connection that names a database is refused until that database exists.
  const first = createClient(common);
  try {
    const onCluster = options.cluster === undefined ? '' : ` ON CLUSTER ${quoteName(options.cluster)}`;
    await first.command({ query: `CREATE DATABASE IF NOT EXISTS ${quoteName(options.database)}${onCluster}` });
  } catch (error) {
    throw isUnreachable(error) ? new AnalyticsUnavailable(description, error) : error;
  } finally {
    await first.close();
  }
  const client = createClient({ ...common, database: options.database });
  return createAnalytics({ client, database: options.database, description, layout, settings });
}

async function openEmbedded(
  target: EmbeddedTarget,
  options: AnalyticsOptions,
  settings: EngineSettings,
): Promise<Analytics> {
  const { database } = options;
  const engine = await openEmbeddedEngine(target.path, options.maxConcurrent ?? 4);
  const bare = { database: 'default', settings: new Map<string, string>(), params: new Map<string, string>() };
  await engine.execute({ ...bare, sql: `CREATE DATABASE IF NOT EXISTS ${quoteName(database)}` });
  return createAnalytics({
    client: createClient({
      connection: createEmbeddedConnection(engine, database),
      log: { level: ClickHouseLogLevel.OFF },
    }),
    database,
    description: `embedded ClickHouse in ${engine.folder}`,
    layout: { replicated: false },
    settings,
  });
}
