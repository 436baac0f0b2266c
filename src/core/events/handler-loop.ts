import type { Database, Tx } from '../database/index.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Position } from './cursor.ts';
import type { EventRegistry, StoredEvent } from './definition.ts';
import {
  CursorMoved,
  claim,
  dueEvents,
  lockCursor,
  markApplied,
  moveCursor,
  nextDueMs,
  readCursor,
  recordFailure,
  releasableCustomers,
  waitingEvents,
} from './delivery.ts';
import { follow } from './follow.ts';
import {
  type Backoff,
  DEFAULT_BATCH_SIZE,
  DEFAULT_MAX_ATTEMPTS,
  type HandlerDefinition,
  handlerCall,
} from './handler.ts';
import { readByIds } from './reader.ts';
import { abortableDelay, createAlarm, createMutex } from './support.ts';
import type { Tail } from './tail.ts';

export interface HandlerLoopOptions {
  readonly database: Database;
  readonly registry: EventRegistry;
  readonly tail: Tail;
  readonly handler: HandlerDefinition;
  readonly backoff: Backoff;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Called after each step, so that who waits for a condition looks again. */
  readonly onProgress: () => void;
}

/** The longest a batch may take; then its statement is cancelled and the events count as failed. */
const TRANSACTION_TIMEOUT_MS = 10_000;
/** How often a position without events to show for it is written, so that retention and a new leader can use it. */
const IDLE_CURSOR_MS = 10_000;
/** A retry asked for by an operator is notified; this bounds what a lost notification costs. */
const RETRY_POLL_MS = 5_000;
const RETRY_BATCH = 50;
/** A lone event is handled at once; after that others may gather, or a stream of single events would cost a transaction each. */
const GATHER_MS = 10;
const RESTART_MS = { min: 100, max: 5_000 };
/** A handler that makes its connection break looks like a database that is away; after so many times it is at fault. */
const MAX_BROKEN_CONNECTIONS = 3;
const MAX_ERROR_LENGTH = 2_000;

/** Hands all events of its types to one handler, while this process leads. Failures of one customer stop no other. */
export function createHandlerLoop(options: HandlerLoopOptions) {
  const { database, registry, tail, handler, backoff, signal, onProgress } = options;
  const logger = options.logger.child({ handler: handler.name });
  const batchSize = handler.batchSize ?? DEFAULT_BATCH_SIZE;
  const maxAttempts = handler.maxAttempts ?? DEFAULT_MAX_ATTEMPTS;
  const exclusive = createMutex();
  let cursor: Position;
  let cursorWrittenAt = performance.now();
  const retryAlarm = createAlarm();

  const inTransaction = <T>(run: (tx: Tx) => Promise<T>) =>
    exclusive(() => database.transaction(run, { timeoutMs: TRANSACTION_TIMEOUT_MS }));

  const handle = async (tx: Tx, events: readonly StoredEvent[]) => {
    const unreadable = events.find((event) => event.unreadable !== undefined);
    if (unreadable !== undefined) throw new Error(unreadable.unreadable);
    if (events.length > 0) await handler.handle(tx, events, { call: (event) => handlerCall(handler.name, event) });
  };

  const failure = (event: StoredEvent, attempts: number, error: unknown) => {
    const dead = attempts >= maxAttempts;
    const retryInMs = dead ? null : Math.min(backoff.minMs * 2 ** (attempts - 1), backoff.maxMs);
    logger[dead ? 'error' : 'warn'](
      { err: error, eventId: event.id, type: event.type, attempts, retryInMs },
      'a handler failed',
    );
    return {
      eventId: event.id,
      handler: handler.name,
      customerId: event.customerId,
      attempts,
      error: messageOf(error).slice(0, MAX_ERROR_LENGTH),
      retryInMs,
    };
  };

  /** Runs `work`; false when the handler is to blame for its failure, which `onFault` is told. Waits while the database is away. */
  const attempt = async (work: () => Promise<void>, onFault: (error: unknown) => void): Promise<boolean> => {
    for (let broken = 1; ; broken += 1) {
      try {
        await work();
        return true;
      } catch (error) {
        if (error instanceof CursorMoved || signal.aborted) throw error;
        const answered = await database.query('select 1').then(
          () => true,
          () => false,
        );
        if (!answered) throw error;
        if (!looksLikeLostConnection(error) || broken >= MAX_BROKEN_CONNECTIONS) {
          onFault(error);
          return false;
        }
      }
    }
  };

  const deliver = (events: readonly StoredEvent[], to: Position) =>
    inTransaction(async (tx) => {
      await lockCursor(tx, handler.name, cursor);
      const fresh = await claim(tx, handler.name, events, to);
      await handle(tx, fresh.size === events.length ? events : events.filter((event) => fresh.has(event.id)));
    });

  const advance = async (events: readonly StoredEvent[], to: Position): Promise<void> => {
    let fault: unknown;
    const done = await attempt(
      () => deliver(events, to),
      (error) => {
        fault = error;
      },
    );
    if (!done && events.length > 1) {
      for (const event of events) await advance([event], event === events.at(-1) ? to : event.position);
      return;
    }
    if (!done) {
      await inTransaction(async (tx) => {
        await lockCursor(tx, handler.name, cursor);
        await recordFailure(tx, failure(events[0] as StoredEvent, 1, fault));
        await moveCursor(tx, handler.name, to);
      });
      retryAlarm.ring();
    }
    cursor = to;
    cursorWrittenAt = performance.now();
    onProgress();
  };

  const dispatch = async () => {
    cursor = await readCursor(database, handler.name);
    const source = { database, registry, tail, after: cursor, types: handler.on.map((definition) => definition.type) };
    for await (const batch of follow({ ...source, pageSize: batchSize, maxBuffered: batchSize * 10, signal })) {
      if (batch.events.length > 0) {
        await advance(batch.events, batch.position);
        if (batch.events.length < batchSize) await abortableDelay(GATHER_MS, signal);
      } else if (performance.now() - cursorWrittenAt > IDLE_CURSOR_MS) await advanceIdle(batch.position);
    }
  };

  const advanceIdle = async (to: Position) => {
    await inTransaction(async (tx) => {
      await lockCursor(tx, handler.name, cursor);
      await moveCursor(tx, handler.name, to);
    });
    cursor = to;
    cursorWrittenAt = performance.now();
  };

  /** Applies events that are parked or waiting already; one that fails alone is parked (again). */
  const reapply = async (ids: readonly string[], from: 'parked' | 'waiting', attempts: number): Promise<void> => {
    const events = await readByIds(database, registry, ids);
    let fault: unknown;
    const done = await attempt(
      () =>
        inTransaction(async (tx) => {
          await lockCursor(tx, handler.name);
          const marked = await markApplied(tx, handler.name, ids, from);
          if (marked === ids.length) await handle(tx, events);
          else if (marked > 0) throw new CursorMoved(handler.name);
        }),
      (error) => {
        fault = error;
      },
    );
    if (done) return;
    if (events.length > 1) return reapply([(events[0] as StoredEvent).id], from, attempts);
    await inTransaction(async (tx) => {
      await lockCursor(tx, handler.name);
      await recordFailure(tx, failure(events[0] as StoredEvent, attempts + 1, fault));
    });
  };

  const retryPass = async () => {
    for (const { eventId, attempts } of await dueEvents(database, handler.name, RETRY_BATCH)) {
      if (signal.aborted) return;
      await reapply([eventId], 'parked', attempts);
      onProgress();
    }
    for (;;) {
      const customers = await releasableCustomers(database, handler.name, RETRY_BATCH);
      for (const { customerId } of customers) {
        if (signal.aborted) return;
        const ids = await waitingEvents(database, handler.name, customerId, batchSize);
        if (ids.length > 0) await reapply(ids, 'waiting', 0);
        onProgress();
      }
      if (customers.length === 0) return;
    }
  };

  const retry = async () => {
    while (!signal.aborted) {
      await retryPass();
      const waitMs = Math.min((await nextDueMs(database, handler.name)) ?? RETRY_POLL_MS, RETRY_POLL_MS);
      await retryAlarm.wait(waitMs, signal);
    }
  };

  /** Starts a loop anew when the database went away or another process interfered. */
  const keepRunning = async (loop: () => Promise<void>) => {
    let waitMs = RESTART_MS.min;
    while (!signal.aborted) {
      const startedAt = performance.now();
      try {
        await loop();
      } catch (error) {
        if (signal.aborted) return;
        if (performance.now() - startedAt > RESTART_MS.max) waitMs = RESTART_MS.min;
        if (!(error instanceof CursorMoved))
          logger.warn({ err: error, retryMs: waitMs }, 'dispatching stopped, will go on');
        await abortableDelay(waitMs, signal);
        waitMs = Math.min(waitMs * 2, RESTART_MS.max);
      }
    }
  };

  return {
    /** Runs until the signal aborts. */
    async run(): Promise<void> {
      await Promise.all([keepRunning(dispatch), keepRunning(retry)]);
    },
    wakeRetries: retryAlarm.ring,
  };
}

/** Errors of the line, not of the statement: PostgreSQL's class 08 and 57P, or an error of the socket or of pg itself. */
function looksLikeLostConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string') return /^(08|57P|ECONN|EPIPE|ETIMEDOUT)/.test(code);
  return /connection terminated|not queryable|connection error|timeout exceeded when trying to connect/i.test(
    error.message,
  );
}
