import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import type { SubscriptionLimits } from '../../src/app/subscriptions/types.ts';
import { encodeGlobalId } from '../../src/core/builder/index.ts';
import { systemClock } from '../../src/core/clock.ts';
import { appendEvents, encodeCursor, type NewEvent, ORIGIN, raiseEpoch } from '../../src/core/events/index.ts';
import { removeOldEvents } from '../../src/core/events/retention.ts';
import { newId } from '../../src/core/ids.ts';
import { LAST_NUMBER, startSubscriptionServer } from './subscription-harness.ts';
import { call, count, type EventsDatabase, eventually, note, openTestDatabase, settledPosition } from './support.ts';

type Server = Awaited<ReturnType<typeof startSubscriptionServer>>;

let db: EventsDatabase;
let open: (() => unknown)[] = [];
beforeAll(async () => {
  db = await openTestDatabase();
});
afterEach(async () => {
  for (const close of open.reverse()) await close();
  open = [];
});
afterAll(() => db.drop());

async function start(limits?: Partial<SubscriptionLimits>): Promise<Server> {
  const server = await startSubscriptionServer(db.database, limits === undefined ? {} : { limits });
  open.push(() => server.stop());
  return server;
}

const append = (...events: readonly NewEvent[]) =>
  db.database.transaction((tx) => appendEvents(tx, call, systemClock, events));

interface Answer {
  readonly data?: Record<
    string,
    { readonly n?: number; readonly cursor?: string; readonly [field: string]: unknown }
  > | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: Record<string, unknown> }[];
  readonly extensions?: { readonly cursor: string };
}

/** What a subscriber received so far, and its end. */
interface Received {
  readonly answers: Answer[];
  readonly numbers: number[];
  readonly codes: unknown[];
  readonly cursor: string;
  readonly ended: Promise<unknown>;
  stop(): void;
}

const COUNTED =
  'subscription ($after: Cursor, $customerId: ID, $min: Int) { counted(after: $after, customerId: $customerId, min: $min) { n cursor } }';

function collect(
  subscribe: (sink: { next(answer: unknown): void; error(error: unknown): void; complete(): void }) => () => void,
): Received {
  const answers: Answer[] = [];
  let settle: (value: unknown) => void = () => {};
  const ended = new Promise((resolve) => {
    settle = resolve;
  });
  const stop = subscribe({
    next: (answer) => answers.push(answer as Answer),
    error: (error) => settle(error),
    complete: () => settle(null),
  });
  open.push(stop);
  return {
    answers,
    get numbers() {
      return answers.flatMap((answer) => {
        const n = Object.values(answer.data ?? {})[0]?.n;
        return n === undefined ? [] : [n];
      });
    },
    get codes() {
      return answers.flatMap((answer) => (answer.errors ?? []).map((error) => error.extensions?.code));
    },
    get cursor() {
      return answers.findLast((answer) => answer.data != null)?.extensions?.cursor as string;
    },
    ended,
    stop,
  };
}

function overSse(server: Server, query: string, variables: Record<string, unknown> = {}, key = 'k1'): Received {
  const client = createSseClient({ url: server.url, headers: { authorization: `Bearer ${key}` }, retryAttempts: 0 });
  return collect((sink) => {
    const stop = client.subscribe({ query, variables }, sink);
    return () => {
      stop();
      client.dispose();
    };
  });
}

function overWs(server: Server, query: string, variables: Record<string, unknown> = {}, key = 'k1'): Received {
  const client = createWsClient({
    url: server.wsUrl,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${key}` },
    retryAttempts: 0,
  });
  return collect((sink) => {
    const stop = client.subscribe({ query, variables }, sink);
    return () => {
      stop();
      return client.dispose();
    };
  });
}

/** Waits until the server has so many subscriptions, so that what follows reaches all of them live. */
const subscribed = (server: Server, size: number) => eventually(() => server.subscriptions.size).toBe(size);

describe.each([
  ['SSE', overSse],
  ['WebSocket', overWs],
])('over %s', (_name, subscribe) => {
  it('subscribers get the events they ask for, and only those', async () => {
    const server = await start();
    const customer = newId();
    const everything = subscribe(server, 'subscription { events { __typename type name payload } }');
    const counts = subscribe(server, COUNTED);
    const big = subscribe(server, COUNTED, { min: 2 });
    const own = subscribe(server, COUNTED, { customerId: encodeGlobalId('Customer', customer) });
    const notes = subscribe(server, 'subscription { events(types: [TEST_NOTED]) { ... on OtherEvent { payload } } }');
    const slow = subscribe(server, 'subscription { counted { n later } }');
    await subscribed(server, 6);
    await append(count(1), count(2, customer), note(3));
    await append(count(4));
    await eventually(() => everything.answers.length).toBe(4);
    await eventually(() => slow.numbers).toEqual([1, 2, 4]);
    expect(everything.answers[2]?.data?.events).toEqual({
      __typename: 'OtherEvent',
      type: 'TEST_NOTED',
      name: 'test.noted',
      payload: { n: 3 },
    });
    expect(everything.answers[0]?.data?.events).toMatchObject({ __typename: 'Counted' });
    expect(counts.numbers).toEqual([1, 2, 4]);
    expect(big.numbers).toEqual([2, 4]);
    expect(own.numbers).toEqual([2]);
    expect(notes.answers.map((answer) => answer.data?.events)).toEqual([{ payload: { n: 3 } }]);
    expect(counts.cursor).toBe(counts.answers.at(-1)?.data?.counted?.cursor);
  });

  it('a subscriber that was cut off goes on behind its cursor, from history to live, without gap or repetition', async () => {
    const server = await start();
    const first = subscribe(server, COUNTED);
    await subscribed(server, 1);
    await append(count(1), count(2), count(3));
    await eventually(() => first.numbers).toEqual([1, 2, 3]);
    const after = first.answers[1]?.data?.counted?.cursor;
    first.stop();
    await append(...Array.from({ length: 450 }, (_, i) => count(i + 4)));
    // Writing goes on while it catches up.
    let writing = true;
    let n = 453;
    const writer = (async () => {
      while (writing) await append(count(++n));
    })();
    const second = subscribe(server, COUNTED, { after });
    const literal = subscribe(server, `subscription { counted(after: "${after}") { n later } }`);
    await eventually(() => second.numbers.length).toBeGreaterThan(500);
    await eventually(() => literal.numbers.length).toBeGreaterThan(500);
    writing = false;
    await writer;
    const expected = Array.from({ length: n - 2 }, (_, i) => i + 3);
    await eventually(() => second.numbers.length).toBe(expected.length);
    expect(second.numbers).toEqual(expected);
    await eventually(() => literal.numbers).toEqual(expected);
  });

  it('a key that is revoked or expires ends the stream with its code and cursor', async () => {
    const server = await start();
    const revoked = subscribe(server, COUNTED, {}, 'k-revoked');
    const other = subscribe(server, COUNTED, {}, 'k-good');
    await subscribed(server, 2);
    await append(count(1));
    await eventually(() => other.numbers).toEqual([1]);
    server.keys.revoked.add('k-revoked');
    const end = await revoked.ended;
    const error = subscribe === overSse ? revoked.answers.at(-1)?.errors?.[0] : (end as Answer['errors'])?.[0];
    expect(error?.extensions).toMatchObject({ code: 'ACCESS_KEY_REVOKED', reconnect: false });
    await append(count(2));
    await eventually(() => other.numbers).toEqual([1, 2]);
    expect(revoked.numbers).toEqual([1]);
  });

  it('refusals say what to do', async () => {
    const server = await start({ perKey: 1 });
    const codeOf = async (query: string, variables: Record<string, unknown>) => {
      const received = subscribe(server, query, variables);
      const end = await received.ended;
      const errors = received.answers[0]?.errors ?? (end as Answer['errors']);
      return errors?.[0]?.extensions?.code ?? errors?.[0]?.message;
    };
    expect(await codeOf(COUNTED, { after: 'bm9uc2Vuc2U' })).toBe('CURSOR_INVALID');
    const now = await settledPosition(db.database);
    expect(await codeOf(COUNTED, { after: encodeCursor({ ...now, epoch: now.epoch + 1 }) })).toBe('CURSOR_INVALID');
    expect(await codeOf(COUNTED, { customerId: encodeGlobalId('Order', newId()) })).toBe('CORE_INVALID_INPUT');
    expect(await codeOf(COUNTED, { min: 666 })).toBe('CORE_INVALID_INPUT');
    expect(await codeOf('subscription { counted { nope } }', {})).toMatch('Cannot query field "nope"');
    expect(await codeOf('subscription { a: counted { n } counted { n } }', {})).toMatch(
      'must select only one top level field',
    );
    expect(await codeOf('subscription { counted @include(if: true) { n } }', {})).toBe('SUBSCRIPTION_NOT_A_STREAM');
    const first = subscribe(server, COUNTED);
    await subscribed(server, 1);
    expect(await codeOf(COUNTED, {})).toBe('SUBSCRIPTION_LIMIT_REACHED');
    first.stop();
    await subscribed(server, 0);
    subscribe(server, COUNTED);
    await subscribed(server, 1);
  });

  it('a server that stops hands out cursors; another process goes on from them, in a raised epoch too', async () => {
    const [one, two] = [await start(), await start()];
    const before = subscribe(one, COUNTED);
    const elsewhere = subscribe(two, COUNTED);
    await subscribed(one, 1);
    await subscribed(two, 1);
    await append(count(1));
    await eventually(() => [before.numbers, elsewhere.numbers]).toEqual([[1], [1]]);
    await one.stop();
    open = open.filter((close) => close !== open[0]);
    const end = await before.ended;
    const error = subscribe === overSse ? before.answers.at(-1)?.errors?.[0] : (end as Answer['errors'])?.[0];
    expect(error?.extensions).toMatchObject({ code: 'SERVER_STOPPING', reconnect: true });
    await append(count(2));
    await raiseEpoch(db.database);
    await append(count(3));
    const after = subscribe(two, COUNTED, { after: error?.extensions?.cursor });
    await eventually(() => after.numbers).toEqual([2, 3]);
    await eventually(() => elsewhere.numbers).toEqual([1, 2, 3]);
  });

  it('a stream is complete with its last event, live and from history, and only for those who get it', async () => {
    const server = await start();
    const after = encodeCursor(await settledPosition(db.database));
    const live = subscribe(server, COUNTED);
    const slow = subscribe(server, 'subscription { counted { n later } }');
    const everything = subscribe(server, 'subscription { events { payload } }');
    await subscribed(server, 3);
    await append(count(1), count(LAST_NUMBER));
    const late = subscribe(server, COUNTED, { after });
    expect(await Promise.all([live.ended, slow.ended, late.ended])).toEqual([null, null, null]);
    for (const { numbers } of [live, slow, late]) expect(numbers).toEqual([1, LAST_NUMBER]);
    await append(note(2));
    await eventually(() => everything.answers.length).toBe(3);
    await subscribed(server, 1);
  });

  it("a filter that fails ends nobody else's stream", async () => {
    const server = await start();
    const broken = subscribe(server, COUNTED, { min: -666 });
    const other = subscribe(server, COUNTED);
    await subscribed(server, 2);
    await append(count(1), count(2));
    await eventually(() => other.numbers).toEqual([1, 2]);
    const end = await broken.ended;
    const error = (broken.answers[0]?.errors ?? (end as Answer['errors']))?.[0];
    expect(error?.extensions).toMatchObject({ code: 'STREAM_INTERRUPTED', cursor: expect.any(String) });
  });

  it('queries and mutations are answered as well', async () => {
    const server = await start();
    const query = subscribe(server, '{ hello }');
    expect(await query.ended).toBeNull();
    expect(query.answers).toEqual([{ data: { hello: 'world' } }]);
    const mutation = subscribe(server, 'mutation { touch }');
    expect(await mutation.ended).toBeNull();
    expect(mutation.answers).toEqual([{ data: { touch: true } }]);
  });

  it('what was removed meanwhile is said to be gone', async () => {
    const server = await start();
    await append(count(1));
    await settledPosition(db.database);
    await removeOldEvents({
      database: db.database,
      handlers: [],
      olderThan: new Date(systemClock.now().getTime() + 60_000),
    });
    const received = subscribe(server, COUNTED, { after: encodeCursor(ORIGIN) });
    const end = await received.ended;
    const error = (received.answers[0]?.errors ?? (end as Answer['errors']))?.[0];
    expect(error?.extensions).toMatchObject({ code: 'CURSOR_EXPIRED', oldestCursor: expect.any(String) });
    const after = error?.extensions?.oldestCursor;
    const again = subscribe(server, COUNTED, { after });
    await append(count(2));
    await eventually(() => again.numbers).toEqual([2]);
  });
});

describe('slow subscribers', () => {
  /** A client that reads its answer only when told to. */
  function reading(server: Server, query: string): Promise<{ response: IncomingMessage; request: ClientRequest }> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        server.url,
        {
          method: 'POST',
          headers: { authorization: 'Bearer slow', accept: 'text/event-stream', 'content-type': 'application/json' },
          agent: false,
        },
        (response) => resolve({ response, request }),
      );
      request.on('error', reject);
      request.end(JSON.stringify({ query }));
      open.push(() => request.destroy());
    });
  }

  it('are told their cursor when their buffer is full, and hold up nobody', async () => {
    const server = await start({ bufferBytes: 65_536 });
    // Long answers, so that the network's own buffers, which come first, are full soon.
    const wordy = { ...call, correlationId: 'x'.repeat(4_000) };
    const { response } = await reading(server, 'subscription { counted { n correlationId } }');
    response.pause();
    const brisk = overSse(server, COUNTED);
    await subscribed(server, 2);
    let n = 0;
    while (server.subscriptions.size === 2) {
      await append(...Array.from({ length: 100 }, () => ({ ...count(++n), call: wordy })));
      await eventually(() => brisk.numbers.length).toBe(n);
    }
    let body = '';
    for await (const bytes of response) body += String(bytes);
    const messages = [...body.matchAll(/^event: next\n(?:id: .*\n)?data: (.*)$/gm)].map(
      (match) => JSON.parse(match[1] as string) as Answer,
    );
    const last = messages.at(-1)?.errors?.[0];
    expect(last?.extensions).toMatchObject({ code: 'SUBSCRIBER_TOO_SLOW', reconnect: true });
    expect(body.endsWith('event: complete\ndata: \n\n')).toBe(true);
    const got = messages.slice(0, -1).map((message) => message.data?.counted?.n);
    expect(got).toEqual(Array.from({ length: got.length }, (_, i) => i + 1));
    expect(got.length).toBeLessThan(n);
    const rest = overSse(server, COUNTED, { after: last?.extensions?.cursor });
    await eventually(() => rest.numbers.length).toBe(n - got.length);
    expect(rest.numbers[0]).toBe(got.length + 1);
  });

  it('that only read history slowly are waited for', async () => {
    const server = await start({ bufferBytes: 16_384 });
    const after = encodeCursor(await settledPosition(db.database));
    await append(...Array.from({ length: 3_000 }, (_, i) => count(i)));
    const { response } = await reading(server, `subscription { counted(after: "${after}") { n cursor } }`);
    let text = '';
    for await (const bytes of response) {
      text += String(bytes);
      if (text.includes('"n":2999')) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect([...text.matchAll(/"n":(\d+)/g)].map((match) => Number(match[1]))).toEqual(
      Array.from({ length: 3_000 }, (_, i) => i),
    );
  });
});
