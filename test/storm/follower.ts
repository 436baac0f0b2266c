import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import WebSocket from 'ws';
import { encodeCursor, ORIGIN } from '../../src/core/events/index.ts';
import { ADMIN_KEY, type ServerProcess } from './server-process.ts';

export interface Followed {
  readonly id: string;
  readonly cursor: string;
  readonly name: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** A partner that follows all events from the first on and resumes with its last cursor whenever the line breaks. */
export interface Follower {
  readonly events: readonly Followed[];
  /** How often it had to connect anew. */
  readonly resumed: number;
  /** Resolves once an event for which `is` holds has arrived. */
  arrived(is: (event: Followed) => boolean): Promise<void>;
  /** Ends it; rejects with whatever went wrong while the server was well. */
  stop(): Promise<void>;
}

const FOLLOW = /* GraphQL */ `
  subscription Follow($after: Cursor!) {
    events(after: $after) { id cursor name payload }
  }
`;

type Sink = (event: Followed) => void;
interface Line {
  /** Settles when the line is down, whoever ended it. */
  readonly down: Promise<unknown>;
  cut(): void;
}

export function follow(server: Pick<ServerProcess, 'up'>, transport: 'sse' | 'ws', onEvent: Sink = () => {}): Follower {
  const connect = transport === 'sse' ? overSse : overWebSocket;
  const events: Followed[] = [];
  const waiters = new Set<() => void>();
  let stopped = false;
  let resumed = -1;
  let line: Line | undefined;
  let stop = () => {};
  const stopping = new Promise<null>((resolve) => {
    stop = () => {
      stopped = true;
      resolve(null);
      line?.cut();
    };
  });
  const run = async () => {
    while (!stopped) {
      const life = await Promise.race([server.up(), stopping]);
      if (life === null || stopped) return;
      resumed += 1;
      line = connect(life.url, events.at(-1)?.cursor ?? encodeCursor(ORIGIN), (event) => {
        events.push(event);
        onEvent(event);
        for (const wake of waiters) wake();
      });
      const reason = await line.down;
      if (!stopped && !life.doomed)
        throw new Error(`the ${transport} line of a living server broke`, { cause: reason });
    }
  };
  const running = run();
  running.catch(() => {});
  return {
    events,
    get resumed() {
      return resumed;
    },
    arrived: (is) =>
      Promise.race([
        running,
        new Promise<void>((resolve) => {
          let looked = 0;
          const look = () => {
            for (; looked < events.length; looked += 1) {
              if (!is(events[looked] as Followed)) continue;
              waiters.delete(look);
              resolve();
              return;
            }
          };
          waiters.add(look);
          look();
        }),
      ]),
    async stop() {
      stop();
      await running;
    },
  };
}

interface Result {
  readonly data?: { readonly events: Followed } | null;
  readonly errors?: unknown;
}

/** Takes an event, or ends the line with what came instead. */
const take = (result: Result, onEvent: Sink, end: (reason: unknown) => void): void => {
  if (result.data === undefined || result.data === null || result.errors !== undefined) end(result);
  else onEvent(result.data.events);
};

function overSse(url: string, after: string, onEvent: Sink): Line {
  const { promise: down, resolve: end } = Promise.withResolvers<unknown>();
  const client = createSseClient({
    url: `${url}/graphql`,
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    retryAttempts: 0,
  });
  client.subscribe(
    { query: FOLLOW, variables: { after } },
    { next: (result) => take(result as Result, onEvent, end), error: end, complete: () => end('complete') },
  );
  const cut = () => {
    client.dispose();
    end('cut');
  };
  return { down, cut };
}

function overWebSocket(url: string, after: string, onEvent: Sink): Line {
  const { promise: down, resolve: end } = Promise.withResolvers<unknown>();
  const client = createWsClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${ADMIN_KEY}` },
    retryAttempts: 0,
    lazy: true,
  });
  client.subscribe(
    { query: FOLLOW, variables: { after } },
    { next: (result) => take(result as Result, onEvent, end), error: end, complete: () => end('complete') },
  );
  const cut = () => {
    void client.dispose();
    end('cut');
  };
  return { down, cut };
}
