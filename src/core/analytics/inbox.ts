import { createHash } from 'node:crypto';
import { ClickHouseError } from '@clickhouse/client';
import type pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Database } from '../database/index.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import type { Analytics } from './types.ts';

/** Whoever puts rows into `event_inbox` notifies this channel in the same transaction. */
export const INBOX_CHANNEL = 'holdfast_inbox';

export interface InboxOptions {
  readonly database: Database;
  readonly analytics: Analytics;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  /** Rows of one insert. Default 50,000. */
  readonly maxRows?: number;
  /** How long the first event of a batch waits for others. Default 500 ms. */
  readonly gatherMs?: number;
  /** First and longest pause after a failure. Default 500 ms to 30 s. */
  readonly retryMs?: { readonly first: number; readonly longest: number };
}

export interface InboxBacklog {
  /** Accepted events not yet in the history engine, counted up to 100,000. */
  readonly events: number;
  /** When the oldest of them was accepted. */
  readonly oldestAt: Date | null;
  /** Events that the history engine refuses; they stay in the inbox and are tried again after a restart. */
  readonly refused: number;
  /** Why the last attempt failed; null when it did not. */
  readonly failure: string | null;
}

/**
 * Moves accepted events from PostgreSQL to ClickHouse. Every process with a worker may run one: they take turns by an
 * advisory lock. Rows leave the inbox only after their insert is durable, so an outage delays and loses nothing, and a
 * batch sent twice (a crash between insert and delete) counts once.
 */
export interface InboxFlusher {
  start(): Promise<void>;
  /** Lets the batch under way end. */
  stop(): Promise<void>;
  /** Flushes until the inbox is empty (but for refused events) and gives the number moved. @throws what the engine says */
  drain(): Promise<number>;
  backlog(): Promise<InboxBacklog>;
}

/** Advisory lock number: the holder is the one that flushes. */
const INBOX_LOCK = 72707371;
/** A notification may be lost with a connection, and whoever held the lock may be gone: look again this often. */
const LOOK_AGAIN_MS = 5_000;
const COUNTED_UP_TO = 100_000;
/** Beyond these, refusing rows one by one is not the answer. */
const MAX_REFUSED = 1_000;

const COLUMNS = [
  'event_uid',
  'source',
  'source_id',
  'customer_id',
  'name',
  'at',
  'value',
  'currency',
  'properties',
  'received_at',
  'import_id',
] as const;

export function createInboxFlusher(options: InboxOptions): InboxFlusher {
  const { database, analytics, logger, maxRows = 50_000, gatherMs = 500 } = options;
  const { first: firstRetryMs, longest: longestRetryMs } = options.retryMs ?? { first: 500, longest: 30_000 };
  const refused = new Set<string>();
  const measures = options.metrics === undefined ? null : createMeasures(options.metrics, () => backlog());
  let failure: string | null = null;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let unlisten: (() => Promise<void>) | undefined;
  let running: Promise<void> = Promise.resolve();
  let woken = false;
  let retryMs = firstRetryMs;

  /** Reads a batch in COPY's text format, which is ClickHouse's TSV: the rows never become objects here. */
  const readBatch = async (client: pg.PoolClient): Promise<Buffer> => {
    const except =
      refused.size === 0 ? '' : `where event_uid not in (${[...refused].map((uid) => `'${uid}'`).join(', ')})`;
    const stream = client.query(
      copyTo(
        `copy (
           select event_uid, source, source_id, customer_id, name,
             to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS'), value, coalesce(currency, ''), properties,
             to_char(accepted_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS'), batch_id
           from event_inbox ${except} order by accepted_at limit ${maxRows}
         ) to stdout`,
      ),
    );
    return Buffer.concat(await stream.toArray());
  };

  const insert = async (rows: Buffer): Promise<void> => {
    // The same rows have the same token, so a retry of the same batch is not even written.
    const dedupToken = createHash('sha256').update(rows).digest('hex');
    await analytics.load('events', 'TSV', rows, { columns: COLUMNS, dedupToken });
  };

  /** Inserts what the engine takes; a row it cannot take is found by halving and left behind. */
  const insertOrRefuse = async (rows: Buffer): Promise<readonly string[]> => {
    try {
      await insert(rows);
      return uidsOf(rows);
    } catch (error) {
      if (!isAboutData(error) || refused.size >= MAX_REFUSED) throw error;
      const middle = middleOf(rows);
      if (middle === null) {
        const uid = uidsOf(rows)[0] as string;
        refused.add(uid);
        logger.error({ err: error, eventUid: uid }, 'the history engine refuses an event; it stays in the inbox');
        return [];
      }
      return [...(await insertOrRefuse(rows.subarray(0, middle))), ...(await insertOrRefuse(rows.subarray(middle)))];
    }
  };

  /**
   * Moves batches until one is not full. The holder of the lock reads and deletes outside of any transaction: one that
   * locked the rows while ClickHouse works would hold back every reader of the outbox.
   */
  const flush = async (client: pg.PoolClient): Promise<number> => {
    let moved = 0;
    for (;;) {
      const began = performance.now();
      const rows = await readBatch(client);
      if (rows.length === 0) return moved;
      const count = uidsOf(rows).length;
      const uids = await insertOrRefuse(rows);
      await client.query('delete from event_inbox using unnest($1::uuid[]) as done(uid) where event_uid = done.uid', [
        uids,
      ]);
      moved += uids.length;
      measures?.flushed.inc(uids.length);
      measures?.seconds.observe((performance.now() - began) / 1000);
      failure = null;
      if (count < maxRows || stopped) return moved;
    }
  };

  const withLock = async <T>(take: string, run: (client: pg.PoolClient) => Promise<T>): Promise<T | null> => {
    const client = await database.pool.connect();
    let broken: Error | undefined;
    try {
      const { rows } = await client.query<{ taken: boolean | '' }>(`select ${take}(${INBOX_LOCK}) as taken`);
      if (rows[0]?.taken === false) return null;
      try {
        return await run(client);
      } finally {
        // A connection that cannot say it holds no lock any more must not return to the pool.
        await client.query(`select pg_advisory_unlock(${INBOX_LOCK})`).catch((error: Error) => {
          broken = error;
        });
      }
    } finally {
      client.release(broken);
    }
  };

  const turn = async (): Promise<void> => {
    woken = false;
    try {
      await withLock('pg_try_advisory_lock', flush);
      failure = null;
      retryMs = firstRetryMs;
      schedule(woken ? gatherMs : LOOK_AGAIN_MS);
    } catch (error) {
      failure = messageOf(error);
      logger.warn({ err: error, retryMs }, 'events wait in the inbox: the history engine does not take them');
      schedule(retryMs);
      retryMs = Math.min(retryMs * 2, longestRetryMs);
    }
  };

  const schedule = (ms: number): void => {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(() => {
      timer = undefined;
      running = turn();
    }, ms);
  };

  /** The first event starts the clock; later ones join its batch. After a failure the pause counts. */
  const wake = (): void => {
    if (woken || stopped) return;
    woken = true;
    if (timer !== undefined && failure === null) schedule(gatherMs);
  };

  const backlog = async (): Promise<InboxBacklog> => {
    const [row] = await database.query<{ events: number; oldestAt: Date | null }>(
      `select (select count(*) from (select 1 from event_inbox limit ${COUNTED_UP_TO}) as counted) as events,
         (select min(accepted_at) from event_inbox) as "oldestAt"`,
    );
    return { events: row?.events ?? 0, oldestAt: row?.oldestAt ?? null, refused: refused.size, failure };
  };

  return {
    backlog,
    async start() {
      unlisten = await database.listen(INBOX_CHANNEL, wake);
      // What an earlier process left behind goes first.
      running = turn();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await unlisten?.();
      await running;
    },
    async drain() {
      return (await withLock('pg_advisory_lock', flush)) ?? 0;
    },
  };
}

const NEWLINE = 10;
const UUID_LENGTH = 36;

/** The first field of every row. */
function uidsOf(rows: Buffer): string[] {
  const uids: string[] = [];
  for (let start = 0; start < rows.length; start = rows.indexOf(NEWLINE, start) + 1) {
    uids.push(rows.toString('latin1', start, start + UUID_LENGTH));
  }
  return uids;
}

/** Start of the row nearest the middle; null when there is but one row. */
function middleOf(rows: Buffer): number | null {
  const after = rows.indexOf(NEWLINE, rows.length >> 1) + 1;
  if (after < rows.length) return after;
  const before = rows.lastIndexOf(NEWLINE, rows.length - 2) + 1;
  return before > 0 ? before : null;
}

/** Errors in which another batch would fare better: unreadable values, not a full disk or a missing table. */
const DATA_ERRORS = new Set(['6', '26', '27', '38', '41', '53', '69', '72', '117', '131', '321', '407', '469']);

const isAboutData = (error: unknown): boolean => error instanceof ClickHouseError && DATA_ERRORS.has(error.code);

function createMeasures(metrics: Metrics, backlog: () => Promise<InboxBacklog>) {
  new Gauge({
    name: 'holdfast_inbox_events',
    help: 'Accepted events not yet in the history engine, counted up to 100,000.',
    registers: [metrics],
    async collect() {
      this.set((await backlog()).events);
    },
  });
  return {
    flushed: new Counter({
      name: 'holdfast_inbox_flushed_total',
      help: 'Events moved from the inbox to the history engine by this process.',
      registers: [metrics],
    }),
    seconds: new Histogram({
      name: 'holdfast_inbox_flush_seconds',
      help: 'Time to move one batch.',
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers: [metrics],
    }),
  };
}
