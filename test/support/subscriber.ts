import { createClient } from 'graphql-sse';

/** Follows a subscription over SSE and keeps what arrives. */
export interface Subscriber<Event> {
  readonly events: readonly Event[];
  /** Resolves when at least `count` have arrived. */
  arrived(count: number): Promise<readonly Event[]>;
  /** Resolves when the server says that there is nothing more to come. */
  completed(): Promise<readonly Event[]>;
  /** Cuts the line without a word. */
  cut(): void;
}

const WAIT_MS = 20_000;

/** @param field the subscription's field, whose value each event is */
export function subscribe<Event>(options: {
  readonly url: string;
  readonly key: string;
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly field: string;
}): Subscriber<Event> {
  const events: Event[] = [];
  const waiters = new Set<() => void>();
  let failure: unknown;
  const client = createClient({
    url: options.url,
    headers: { authorization: `Bearer ${options.key}` },
    retryAttempts: 0,
  });
  let complete = false;
  const wake = () => {
    for (const waiter of waiters) waiter();
  };
  const until = (reached: () => boolean, wanted: string): Promise<readonly Event[]> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiters.delete(check);
        reject(new Error(`${wanted} was awaited, and ${events.length} arrived: ${JSON.stringify(events)}`));
      }, WAIT_MS);
      const check = () => {
        if (failure === undefined && !reached()) return;
        clearTimeout(timer);
        waiters.delete(check);
        if (failure !== undefined) reject(failure);
        else resolve(events);
      };
      waiters.add(check);
      check();
    });
  client.subscribe(
    { query: options.query, variables: options.variables ?? {} },
    {
      next(result) {
        if (result.errors !== undefined) failure = new Error(JSON.stringify(result.errors));
        else events.push((result.data as Record<string, Event>)[options.field] as Event);
        wake();
      },
      error(error) {
        failure = error;
        wake();
      },
      complete() {
        complete = true;
        wake();
      },
    },
  );
  return {
    events,
    arrived: (count) => until(() => events.length >= count, `event ${count}`),
    completed: () => until(() => complete, 'the end'),
    cut: () => client.dispose(),
  };
}
