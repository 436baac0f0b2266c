import { setTimeout as delay } from 'node:timers/promises';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../../generated/prisma/client.ts';
import type { Logger } from '../logger.ts';
import { type Listener, openListener } from './listener.ts';
import { noteStatement } from './statements.ts';

/** Something SQL can be sent to. Rows come back typed by the caller, `int8` as a safe number, `numeric` as text. */
export interface Queryable {
  /**
   * @param text SQL with `$1`-style parameters; columns aliased to the names of `Row`
   * @param options.name makes it a prepared statement of that name on the connection
   */
  query<Row extends object>(
    text: string,
    values?: readonly unknown[],
    options?: { readonly name?: string },
  ): Promise<Row[]>;
}

/** An open transaction. */
export interface Tx extends Queryable {
  /** The raw connection, for COPY streams only. */
  readonly client: pg.PoolClient;
}

export interface TransactionOptions {
  /** A statement running longer is cancelled. Default: the pool's (30 s). */
  readonly timeoutMs?: number;
  readonly isolation?: 'read committed' | 'repeatable read';
}

/** PostgreSQL: a pool, transactions, notifications, and Prisma for reads of plain records. */
export interface Database extends Queryable {
  /** Runs in one transaction; commits when `run` resolves, rolls back when it throws. Deadlocks are retried three times. */
  transaction<T>(run: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Follows a channel on a connection that is re-established when lost; `onNotify('')` is called after each reconnect. */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
  readonly pool: pg.Pool;
  readonly prisma: PrismaClient;
  readonly url: string;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly url: string;
  readonly logger: Logger;
  readonly maxConnections?: number;
  readonly applicationName?: string;
}

/** Long write transactions hold every outbox reader back, so all are bounded. */
const STATEMENT_TIMEOUT_MS = 30_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000;
const DEADLOCK_RETRIES = 3;
const RETRYABLE = new Set(['40P01', '40001']);

function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 value ${text} is beyond 2^53`);
  return value;
}

const getTypeParser: typeof pg.types.getTypeParser = ((oid: number, format?: 'text' | 'binary') =>
  oid === pg.types.builtins.INT8 && format !== 'binary'
    ? parseInt8
    : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser;

type RunQuery = (config: pg.QueryConfig) => Promise<pg.QueryResult>;

function queryWith(run: RunQuery): Queryable['query'] {
  return async <Row extends object>(
    text: string,
    values: readonly unknown[] = [],
    options: { readonly name?: string } = {},
  ) => {
    noteStatement();
    const config: pg.QueryConfig = { text, values: values as unknown[] };
    if (options.name !== undefined) config.name = options.name;
    const result = await run(config);
    return result.rows as Row[];
  };
}

/**
 * Opens a pool. Nothing is connected until the first statement.
 * @throws nothing here; statements reject with pg's errors
 */
export function createDatabase(options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.maxConnections ?? 16,
    types: { getTypeParser },
    application_name: options.applicationName ?? 'holdfast',
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  pool.on('error', (error) => options.logger.warn({ err: error }, 'an idle database connection was lost'));
  let prisma: PrismaClient | undefined;
  let listener: Listener | undefined;

  const once = async <T>(run: (tx: Tx) => Promise<T>, begin: string, timeoutMs: number | undefined): Promise<T> => {
    const client = await pool.connect();
    let broken: Error | undefined;
    // A connection that is cut between two statements has nobody else to tell; unheard, it would end the process.
    const onError = (error: Error) => {
      broken = error;
    };
    client.on('error', onError);
    try {
      noteStatement();
      await client.query(begin);
      if (timeoutMs !== undefined) await client.query(`set local statement_timeout = ${Math.trunc(timeoutMs)}`);
      const result = await run({ client, query: queryWith((config) => client.query(config)) });
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch((rollbackError: Error) => {
        broken = rollbackError;
      });
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  };

  return {
    pool,
    url: options.url,
    get prisma() {
      prisma ??= new PrismaClient({ adapter: new PrismaPg(pool) });
      return prisma;
    },
    query: queryWith((config) => pool.query(config)),
    async transaction(run, { timeoutMs, isolation } = {}) {
      const begin = isolation === undefined ? 'begin' : `begin isolation level ${isolation}`;
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await once(run, begin, timeoutMs);
        } catch (error) {
          const code = (error as { code?: unknown }).code;
          if (typeof code !== 'string' || !RETRYABLE.has(code) || attempt > DEADLOCK_RETRIES) throw error;
          await delay(5 * 2 ** attempt);
        }
      }
    },
    async listen(channel, onNotify) {
      listener ??= openListener(options.url, options.logger);
      return listener.listen(channel, onNotify);
    },
    async close() {
      await listener?.close();
      await prisma?.$disconnect();
      await pool.end();
    },
  };
}
