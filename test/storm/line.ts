import { ADMIN_KEY, type Life, type ServerProcess } from './server-process.ts';

/** What every client of a storm does: ask, and when the server dies meanwhile, ask the next one the same. */
export async function insist<T>(server: Pick<ServerProcess, 'up'>, ask: (url: string) => Promise<T>): Promise<T> {
  for (;;) {
    const life: Life = await server.up();
    try {
      return await ask(life.url);
    } catch (error) {
      // A server that nobody killed has no excuse.
      if (!life.doomed) throw error;
    }
  }
}

/** One operation; throws when it is answered with errors. */
export async function ask<Data>(url: string, query: string, variables: object = {}): Promise<Data> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
    body: JSON.stringify({ query, variables }),
  });
  const answer = (await response.json()) as { data?: Data; errors?: unknown };
  if (answer.data === undefined || answer.errors !== undefined) throw new Error(JSON.stringify(answer));
  return answer.data;
}

/** A mutation with an idempotency key: sent again, as it says, while the first with its key is under way. */
export async function askOnce<Answer>(url: string, field: string, query: string, variables: object): Promise<Answer> {
  for (;;) {
    const answer = (await ask<Record<string, Answer & { readonly code?: string }>>(url, query, variables))[field];
    if (answer === undefined) throw new Error(`${field} was not answered`);
    if (answer.code !== 'CORE_REQUEST_IN_FLIGHT') return answer;
  }
}

/** The same numbers for the same seed (mulberry32). */
export interface Random {
  /** A whole number in [from, to). */
  between(from: number, to: number): number;
  pick<T>(choices: readonly T[]): T;
}

export function seeded(seed: number): Random {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (from: number, to: number): number => from + Math.floor(next() * (to - from));
  return { between, pick: (choices) => choices[between(0, choices.length)] as (typeof choices)[number] };
}

/** Counts what happened, and wakes who waits for more of it. */
export interface Tally {
  add(name: string, by?: number): void;
  of(name: string): number;
  /** Resolves once so many more than now have happened. */
  more(name: string, by: number): Promise<void>;
}

export function createTally(): Tally {
  const counts = new Map<string, number>();
  const waiters = new Set<{ readonly name: string; readonly count: number; readonly resolve: () => void }>();
  const of = (name: string): number => counts.get(name) ?? 0;
  return {
    of,
    add(name, by = 1) {
      counts.set(name, of(name) + by);
      for (const waiter of waiters) {
        if (waiter.name !== name || of(name) < waiter.count) continue;
        waiters.delete(waiter);
        waiter.resolve();
      }
    },
    more: (name, by) =>
      new Promise((resolve) => {
        waiters.add({ name, count: of(name) + by, resolve });
      }),
  };
}
