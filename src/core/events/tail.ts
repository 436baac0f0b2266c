import type { Database } from '../database/index.ts';
import type { Logger } from '../logger.ts';
import { comparePositions, type Position } from './cursor.ts';
import type { EventRegistry, StoredEvent } from './definition.ts';
import { OUTBOX_CHANNEL } from './outbox.ts';
import { presentPosition, readPage } from './reader.ts';

/** What came after `from`: all events up to and including `position`, in order. May hold no event at all. */
export interface TailBatch {
  readonly events: readonly StoredEvent[];
  readonly position: Position;
}

/** The end of the outbox as this process sees it: read once, handed to everybody who follows it. */
export interface Tail {
  /** Everything up to here was handed out. */
  readonly position: Position;
  /** Begins to follow from now. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Called within the turn that moves `position`; must not throw or wait. */
  subscribe(listener: (batch: TailBatch) => void): () => void;
  /** Resolves once everything up to a place was handed out. */
  reached(position: Position, signal?: AbortSignal): Promise<void>;
  /** Looks at the table now, as if notified. */
  wake(): void;
  /** How long committed events have been waiting behind an open transaction or a lost database. */
  lagMs(): number;
}

export interface TailOptions {
  readonly database: Pick<Database, 'query' | 'listen'>;
  readonly registry: EventRegistry;
  readonly logger: Logger;
  /** Rows per read. */
  readonly pageSize?: number;
  /** A notification can be lost with its connection; this bounds what that costs. */
  readonly pollMs?: number;
}

const PAGE_SIZE = 1_000;
const POLL_MS = 1_000;
/** Committed rows that stand behind an open transaction appear when it ends, which nobody notifies of. */
const HELD_MIN_MS = 1;
const HELD_MAX_MS = 50;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;

/** Follows the outbox: LISTEN as the alarm clock, bounded polling beneath it, backoff while the database is away. */
export function createTail(options: TailOptions): Tail {
  const { database, registry, logger, pageSize = PAGE_SIZE, pollMs = POLL_MS } = options;
  const listeners = new Set<(batch: TailBatch) => void>();
  let position: Position | undefined;
  let state: 'new' | 'running' | 'stopped' = 'new';
  let timer: NodeJS.Timeout | undefined;
  let reading: Promise<void> | undefined;
  let again = false;
  let waitMs = 0;
  let behindSince: number | undefined;
  let unlisten: (() => Promise<void>) | undefined;

  const publish = (batch: TailBatch) => {
    position = batch.position;
    for (const listener of listeners) {
      try {
        listener(batch);
      } catch (error) {
        logger.error({ err: error }, 'a follower of the outbox failed');
      }
    }
  };

  /** Reads until nothing is left; returns when to look again. */
  const readAll = async (): Promise<number> => {
    try {
      for (;;) {
        again = false;
        const {
          events,
          position: next,
          full,
          held,
        } = await readPage(database, registry, position as Position, pageSize);
        if (state === 'stopped') return 0;
        const moved = events.length > 0;
        if (comparePositions(next, position as Position) > 0) publish({ events, position: next });
        behindSince = held ? (moved ? performance.now() : (behindSince ?? performance.now())) : undefined;
        if (full || again) {
          waitMs = 0;
          continue;
        }
        waitMs = held ? Math.min(moved || waitMs === 0 ? HELD_MIN_MS : waitMs * 2, HELD_MAX_MS) : 0;
        return held ? waitMs : pollMs;
      }
    } catch (error) {
      behindSince ??= performance.now();
      waitMs = Math.min(Math.max(waitMs * 2, RETRY_MIN_MS), RETRY_MAX_MS);
      logger.warn({ err: error, retryMs: waitMs }, 'the outbox could not be read');
      return waitMs;
    }
  };

  const wake = () => {
    if (state !== 'running') return;
    if (reading !== undefined) {
      again = true;
      return;
    }
    clearTimeout(timer);
    reading = readAll().then((nextMs) => {
      reading = undefined;
      if (state !== 'running') return;
      timer = setTimeout(wake, nextMs);
      timer.unref();
      if (again) wake();
    });
  };

  return {
    get position() {
      if (position === undefined) throw new Error('the tail has not started');
      return position;
    },
    async start() {
      if (state !== 'new') throw new Error('a tail starts once');
      unlisten = await database.listen(OUTBOX_CHANNEL, wake);
      position = await presentPosition(database);
      state = 'running';
      wake();
    },
    async stop() {
      state = 'stopped';
      clearTimeout(timer);
      await unlisten?.();
      await reading;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    reached(target, signal) {
      return new Promise((resolve, reject) => {
        if (comparePositions(this.position, target) >= 0) {
          resolve();
          return;
        }
        const stopListening = this.subscribe((batch) => {
          if (comparePositions(batch.position, target) < 0) return;
          done();
          resolve();
        });
        const abort = () => {
          done();
          reject(signal?.reason);
        };
        const done = () => {
          stopListening();
          signal?.removeEventListener('abort', abort);
        };
        signal?.addEventListener('abort', abort, { once: true });
        wake();
      });
    },
    wake,
    lagMs: () => (behindSince === undefined ? 0 : performance.now() - behindSince),
  };
}
