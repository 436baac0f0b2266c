import { setTimeout as delay } from 'node:timers/promises';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../../generated/prisma/client.ts';
import type { Logger } from '../logger.ts';
import { type Listener, openListener } from './listener.ts';
import { openPipeline, type Pipeline } from './pipeline.ts';
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
  /**
   * Leaves a write that has been sent, and whose rows nobody needs, to the end: a pipelined transaction sends its commit
   * right behind it. When the write fails, so does the transaction.
   */
  atEnd(sent: Promise<unknown>): void;
}

export interface TransactionOptions {
  /** A statement running longer is cancelled. Default: the pool's (30 s). */
  readonly timeoutMs?: number;
  readonly isolation?: 'read committed' | 'repeatable read';
  /**
   * Statements sent without waiting for one another travel together, in order, and so does the beginning: for hot
   * transactions, where round trips are the cost. Such a transaction cannot COPY.
   */
  readonly pipelined?: boolean;
}

/** PostgreSQL: a pool, transactions, notifications, and Prisma for reads of plain records. */
export interface Database extends Queryable {
  /** Runs in one transaction; commits when `run` resolves, rolls back when it throws. Deadlocks are retried three times. */
  transaction<T>(run: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * One connection for statements that build on one another: they are carried out in the order they were sent, without
   * waiting for the answer to the one before. Each is a transaction of its own, which fails (55P03) rather than wait for
   * a lock, since all behind it would wait along.
   */
  readonly inOrder: Queryable;
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

/** Connections for pipelined transactions: those who need them gather calls, so they need few. */
const PIPELINED_CONNECTIONS = 4;
/** Long write transactions hold every outbox reader back, so all are bounded. */
const STATEMENT_TIMEOUT_MS = 30_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000;
/** How long a statement may wait for a lock while others wait behind it: about as long as a short transaction lasts. */
const IN_ORDER_LOCK_TIMEOUT_MS = 100;
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

/** Statements of a transaction may be sent without waiting for one another; they run in order. */
function oneAfterTheOther(send: RunQuery): RunQuery {
  let last: Promise<unknown> = Promise.resolve();
  return (config) => {
    const next = last.then(() => send(config));
    last = next.catch(() => {});
    return next;
  };
}

/**
 * Opens a pool. Nothing is connected until the first statement.
 * @throws nothing here; statements reject with pg's errors
 */
export function createDatabase(options: DatabaseOptions): Database {
  const config: pg.PoolConfig = {
    connectionString: options.url,
    max: options.maxConnections ?? 16,
    types: { getTypeParser },
    application_name: options.applicationName ?? 'holdfast',
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    // Prisma's adapter takes every timestamptz for UTC, whatever zone the server writes it in.
    options: '-c timezone=UTC',
  };
  let closing = false;
  const open = (more: pg.PoolConfig) => {
    const opened = new pg.Pool({ ...config, ...more });
    opened.on('error', (error) => {
      if (!closing) options.logger.warn({ reason: error.message }, 'an idle database connection was lost');
    });
    // A connection lost in use fails its statement; without a listener it would end the process as well.
    opened.on('connect', (client) => client.on('error', () => undefined));
    return opened;
  };
  const pool = open({});
  let pipelinedPool: pg.Pool | undefined;
  const pipelinedConnections = (): pg.Pool => {
    pipelinedPool ??= open({ max: PIPELINED_CONNECTIONS, pipeline: true });
    return pipelinedPool;
  };
  let pipeline: Pipeline | undefined;
  const inOrder = (): Pipeline => {
    pipeline ??= openPipeline({ ...config, lock_timeout: IN_ORDER_LOCK_TIMEOUT_MS });
    return pipeline;
  };
  let prisma: PrismaClient | undefined;
  let listener: Listener | undefined;

  const once = async <T>(
    run: (tx: Tx) => Promise<T>,
    begin: string,
    { timeoutMs, pipelined }: TransactionOptions,
  ): Promise<T> => {
    const client = await (pipelined === true ? pipelinedConnections() : pool).connect();
    let broken: Error | undefined;
    // A connection that is cut between two statements has nobody else to tell; unheard, it would end the process.
    const onError = (error: Error) => {
      broken = error;
    };
    client.on('error', onError);
    try {
      noteStatement();
      const begun = client.query(begin);
      // Nothing sent behind it can run outside of the transaction: it fails only with the connection itself.
      if (pipelined === true) begun.catch(() => {});
      else await begun;
      if (timeoutMs !== undefined) await client.query(`set local statement_timeout = ${Math.trunc(timeoutMs)}`);
      const send: RunQuery = (config) => client.query(config);
      const query = queryWith(pipelined === true ? send : oneAfterTheOther(send));
      const left: Promise<unknown>[] = [];
      const atEnd = (sent: Promise<unknown>) => {
        sent.catch(() => {});
        left.push(sent);
      };
      const result = await run({ client, query, atEnd });
      if (pipelined !== true) await Promise.all(left);
      const [{ command }] = await Promise.all([client.query('commit'), ...left]);
      // PostgreSQL answers so when a statement failed whose error nobody waited for.
      if (command === 'ROLLBACK') throw new Error('a statement of the transaction failed, so nothing was committed');
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
    inOrder: { query: queryWith((config) => inOrder().send(config)) },
    async transaction(run, options = {}) {
      const { isolation } = options;
      const begin = isolation === undefined ? 'begin' : `begin isolation level ${isolation}`;
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await once(run, begin, options);
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
      closing = true;
      await listener?.close();
      await prisma?.$disconnect();
      await pipeline?.close();
      await pipelinedPool?.end();
      await pool.end();
    },
  };
}
