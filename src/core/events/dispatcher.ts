import type { Database } from '../database/index.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import type { Position } from './cursor.ts';
import type { EventRegistry } from './definition.ts';
import { registerHandlers } from './delivery.ts';
import { type HandlerTypes, measureDeliveries } from './dispatch-metrics.ts';
import { type Backoff, DEFAULT_BACKOFF, type HandlerDefinition } from './handler.ts';
import { createHandlerLoop } from './handler-loop.ts';
import { takeTurns } from './leadership.ts';
import { presentPosition } from './reader.ts';
import { createAlarm } from './support.ts';
import type { Tail } from './tail.ts';

/** Wakes the leader when an operator asks for a retry. */
export const DISPATCH_CHANNEL = 'holdfast_dispatch';

export interface DispatcherOptions {
  readonly database: Database;
  readonly registry: EventRegistry;
  readonly tail: Tail;
  readonly handlers: readonly HandlerDefinition[];
  readonly logger: Logger;
  /** Where backlog, failures and dead letters are shown. */
  readonly metrics?: Metrics;
  readonly backoff?: Backoff;
}

/** Hands events to handlers. Many processes may run one; the one that holds the lock works, the others stand by. */
export interface Dispatcher {
  /** Registers handlers never seen before and begins to stand by or lead. The tail must have been started. */
  start(): Promise<void>;
  /** Finishes the transactions under way and gives the lock back. */
  stop(): Promise<void>;
  readonly leading: boolean;
  /**
   * Resolves when every handler, in whichever process it runs, is done with its events: applied or dead letters, and
   * nothing waits for another attempt. Without a place: including all that handlers themselves published meanwhile.
   */
  drain(upTo?: Position, signal?: AbortSignal): Promise<void>;
}

/** Handlers may be done by another process, which does not tell us: how often `drain` asks the database then. */
const DRAIN_POLL_MS = 50;

/** @throws Error when two handlers share a name or a handler listens to nothing */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { database, registry, tail, handlers, logger, backoff = DEFAULT_BACKOFF } = options;
  const names = new Set<string>();
  for (const handler of handlers) {
    if (names.has(handler.name)) throw new Error(`event handler "${handler.name}" is declared twice`);
    if (handler.name.startsWith('(') || handler.on.length === 0)
      throw new Error(`event handler "${handler.name}" is not well formed`);
    names.add(handler.name);
  }
  if (options.metrics !== undefined) measureDeliveries(database, options.metrics, handlers.map(typesOf));
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let loops: readonly ReturnType<typeof createHandlerLoop>[] = [];
  let unlisten: (() => Promise<void>) | undefined;
  let leading = false;
  const waiters = new Set<() => void>();
  const onProgress = () => {
    for (const wake of waiters) wake();
  };

  const lead = async (signal: AbortSignal) => {
    loops = handlers.map((handler) =>
      createHandlerLoop({ database, registry, tail, handler, backoff, logger, signal, onProgress }),
    );
    leading = true;
    try {
      await Promise.all(loops.map((loop) => loop.run()));
    } finally {
      leading = false;
      loops = [];
    }
  };

  return {
    get leading() {
      return leading;
    },
    async start() {
      const unseen = handlers.map(({ name, startsFrom }) => ({ name, replay: startsFrom === 'replay' }));
      await registerHandlers(database, unseen, await presentPosition(database));
      unlisten = await database.listen(DISPATCH_CHANNEL, () => {
        for (const loop of loops) loop.wakeRetries();
      });
      running = takeTurns({ url: database.url, logger, signal: stopping.signal, lead });
    },
    async stop() {
      stopping.abort();
      await unlisten?.();
      await running;
    },
    async drain(upTo, signal = AbortSignal.timeout(60_000)) {
      const progress = createAlarm();
      waiters.add(progress.ring);
      try {
        while (!(await drained(database, handlers, upTo))) {
          if (signal.aborted) throw signal.reason;
          await progress.wait(DRAIN_POLL_MS, signal);
        }
      } finally {
        waiters.delete(progress.ring);
      }
    },
  };
}

const typesOf = ({ name, on }: HandlerDefinition): HandlerTypes => ({
  name,
  types: on.map((definition) => definition.type),
});

/** One statement, hence one snapshot: what a handler published and how far it has read are seen together. */
async function drained(
  database: Database,
  handlers: readonly HandlerDefinition[],
  upTo: Position | undefined,
): Promise<boolean> {
  const limit = upTo ?? { epoch: 2 ** 31 - 1, xid: 0, seq: 0 };
  const rows = await database.query<{ open: boolean }>(
    `select exists (
       select from json_to_recordset($1) as h(name text, types json) join dispatch_cursor c on c.handler = h.name
       where exists (select from event_delivery d where d.handler = h.name and d.state <> 'applied'
                     and d.state in ('parked', 'waiting'))
          or exists (select from outbox_event o
                     where (o.epoch, o.xid, o.seq) > (c.epoch, c.xid, c.seq)
                       and (o.epoch, o.xid, o.seq) <= ($2::int, $3::xid8, $4::bigint)
                       and o.type in (select json_array_elements_text(h.types)))
     ) as open`,
    [JSON.stringify(handlers.map(typesOf)), limit.epoch, String(limit.xid), limit.seq],
  );
  return rows[0]?.open !== true;
}
