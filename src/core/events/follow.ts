import type { Database } from '../database/index.ts';
import { comparePositions, later, type Position } from './cursor.ts';
import type { EventRegistry, StoredEvent } from './definition.ts';
import { type EventFilter, readPage } from './reader.ts';
import type { Tail, TailBatch } from './tail.ts';

export interface FollowOptions {
  readonly database: Pick<Database, 'query'>;
  readonly registry: EventRegistry;
  readonly tail: Tail;
  readonly after: Position;
  readonly types: readonly string[];
  readonly pageSize: number;
  /** Live events kept while the consumer is busy; beyond, they are read from the table again. */
  readonly maxBuffered: number;
  readonly signal: AbortSignal;
}

/**
 * All events of some types after a place, in order, without gap or repetition: first from the table, then from the tail.
 * The consumer sets the pace. A batch without events only tells how far the outbox was read.
 * Ends when the signal aborts; rejects when the table cannot be read.
 */
export async function* follow(options: FollowOptions): AsyncGenerator<TailBatch> {
  const { database, registry, tail, types, pageSize, maxBuffered, signal } = options;
  const wanted = new Set(types);
  const filter: EventFilter = { types };
  let position = options.after;
  while (!signal.aborted) {
    const live = bufferTail(tail, wanted, maxBuffered, signal);
    try {
      // The buffer was opened before these reads, so what the last of them does not see is in it.
      for (let full = true; full && !signal.aborted; ) {
        const page = await readPage(database, registry, position, pageSize, filter);
        full = page.full;
        if (comparePositions(page.position, position) > 0) {
          position = page.position;
          yield { events: page.events, position };
        }
      }
      for (;;) {
        const batch = await live.next();
        if (batch === 'overflow') break;
        if (batch === 'aborted') return;
        const reached = later(position, batch.position);
        const events = batch.events.filter((event) => comparePositions(event.position, position) > 0);
        position = reached;
        for (let start = 0; start === 0 || start < events.length; start += pageSize) {
          const part = events.slice(start, start + pageSize);
          const last = start + pageSize >= events.length;
          yield { events: part, position: last ? reached : (part.at(-1) as StoredEvent).position };
        }
      }
    } finally {
      live.close();
    }
  }
}

function bufferTail(tail: Tail, wanted: ReadonlySet<string>, maxBuffered: number, signal: AbortSignal) {
  let events: StoredEvent[] = [];
  let position: Position | undefined;
  let overflow = false;
  let wakeUp: (() => void) | undefined;
  const unsubscribe = tail.subscribe((batch) => {
    if (overflow) return;
    for (const event of batch.events) if (wanted.has(event.type)) events.push(event);
    position = batch.position;
    if (events.length > maxBuffered) {
      overflow = true;
      events = [];
    }
    wakeUp?.();
  });
  const onAbort = () => wakeUp?.();
  signal.addEventListener('abort', onAbort);
  return {
    async next(): Promise<TailBatch | 'overflow' | 'aborted'> {
      while (position === undefined && !overflow && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wakeUp = resolve;
        });
        wakeUp = undefined;
      }
      if (signal.aborted) return 'aborted';
      if (overflow) return 'overflow';
      const batch: TailBatch = { events, position: position as Position };
      events = [];
      position = undefined;
      return batch;
    },
    close() {
      unsubscribe();
      signal.removeEventListener('abort', onAbort);
    },
  };
}
