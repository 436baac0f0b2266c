import pg from 'pg';
import type { Logger } from '../logger.ts';

/** One connection that LISTENs for all channels of a process and comes back when it is lost. */
export interface Listener {
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

const RECONNECT_MIN_MS = 100;
const RECONNECT_MAX_MS = 5_000;

/** Opens the listening connection at the first `listen`. */
export function openListener(url: string, logger: Logger): Listener {
  const handlers = new Map<string, Set<(payload: string) => void>>();
  let client: pg.Client | undefined;
  let connecting: Promise<pg.Client> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;
  let failures = 0;

  const tell = (channel: string, payload: string) => {
    for (const handler of handlers.get(channel) ?? []) handler(payload);
  };

  const lost = (which: pg.Client, error?: Error) => {
    if (client !== which) return;
    client = undefined;
    which.removeAllListeners();
    which.on('error', () => {});
    which.end().catch(() => {});
    if (closed) return;
    logger.warn({ err: error }, 'the notification connection was lost');
    reconnectLater();
  };

  const reconnectLater = () => {
    const waitMs = Math.min(RECONNECT_MIN_MS * 2 ** failures++, RECONNECT_MAX_MS);
    retry = setTimeout(() => {
      connect().then(
        () => {
          // What was notified meanwhile is gone: everybody looks at the table once.
          for (const channel of handlers.keys()) tell(channel, '');
        },
        () => {
          if (!closed) reconnectLater();
        },
      );
    }, waitMs);
    retry.unref();
  };

  const connect = (): Promise<pg.Client> => {
    if (client !== undefined) return Promise.resolve(client);
    connecting ??= (async () => {
      const next = new pg.Client({ connectionString: url, application_name: 'holdfast-listen', keepAlive: true });
      try {
        await next.connect();
        next.on('notification', ({ channel, payload }) => tell(channel, payload ?? ''));
        next.on('error', (error) => lost(next, error));
        next.on('end', () => lost(next));
        for (const channel of handlers.keys()) await next.query(`listen ${pg.escapeIdentifier(channel)}`);
        if (closed) await next.end();
        client = next;
        failures = 0;
        return next;
      } catch (error) {
        next.end().catch(() => {});
        throw error;
      } finally {
        connecting = undefined;
      }
    })();
    return connecting;
  };

  return {
    async listen(channel, onNotify) {
      const existing = handlers.get(channel);
      const set = existing ?? new Set();
      set.add(onNotify);
      handlers.set(channel, set);
      const connection = await connect();
      if (existing === undefined) await connection.query(`listen ${pg.escapeIdentifier(channel)}`);
      return async () => {
        set.delete(onNotify);
      };
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      const open = client ?? (await connecting?.catch(() => undefined));
      client = undefined;
      await open?.end().catch(() => {});
    },
  };
}
