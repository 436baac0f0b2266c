import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/core/clock.ts';
import { createDeadLetters } from '../../src/core/events/dead-letters.ts';
import {
  appendEvents,
  checkReadable,
  createDispatcher,
  createTail,
  type Dispatcher,
  type DomainEvent,
  type HandlerDefinition,
  type NewEvent,
  newEvent,
  ORIGIN,
  readPage,
  type Tail,
} from '../../src/core/events/index.ts';
import { removeOldEvents } from '../../src/core/events/retention.ts';
import { newId } from '../../src/core/ids.ts';
import {
  call,
  count,
  counted,
  type EventsDatabase,
  eventually,
  logger,
  note,
  noted,
  numberOf,
  openTestDatabase,
  registry,
  settledPosition,
} from './support.ts';

let db: EventsDatabase;
let running: { stop(): Promise<void> }[] = [];
beforeAll(async () => {
  db = await openTestDatabase();
});
beforeEach(async () => {
  await db.database.query('truncate outbox_event, event_delivery, dispatch_cursor');
});
afterEach(async () => {
  for (const part of running.reverse()) await part.stop();
  running = [];
});
afterAll(() => db.drop());

const append = (...events: readonly NewEvent[]) =>
  db.database.transaction((tx) => appendEvents(tx, call, systemClock, events));

async function startTail(): Promise<Tail> {
  const tail = createTail({ database: db.database, registry, logger });
  await tail.start();
  running.push(tail);
  return tail;
}

async function start(...handlers: readonly HandlerDefinition[]): Promise<Dispatcher> {
  const tail = await startTail();
  const dispatcher = createDispatcher({
    database: db.database,
    registry,
    tail,
    handlers,
    logger,
    backoff: { minMs: 20, maxMs: 100 },
  });
  await dispatcher.start();
  running.push(dispatcher);
  return dispatcher;
}

/** A handler that keeps what it was given, in memory and in order; fails while `fails` says so. */
function recorder(options: Partial<HandlerDefinition> & { fails?: (event: DomainEvent) => boolean } = {}) {
  const handled: number[] = [];
  const batches: number[][] = [];
  const calls: { causationId: string | null; correlationId: string; actor: string }[] = [];
  const { fails = () => false, ...rest } = options;
  const handler: HandlerDefinition = {
    name: 'test.records',
    on: [counted],
    async handle(_tx, events, context) {
      for (const event of events) if (fails(event)) throw new Error(`cannot handle ${numberOf(event)}`);
      batches.push(events.map(numberOf));
      handled.push(...events.map(numberOf));
      for (const event of events) {
        const { causationId, correlationId, actor } = context.call(event);
        calls.push({ causationId, correlationId, actor: actor.id });
      }
    },
    ...rest,
  };
  return { handler, handled, batches, calls };
}

describe('handlers', () => {
  it('get their events in order, in batches, with the cause named', async () => {
    const seen = recorder();
    const dispatcher = await start(seen.handler);
    const ids = await append(count(1), note(2), count(3));
    await append(count(4));
    await dispatcher.drain();
    expect(seen.handled).toEqual([1, 3, 4]);
    expect(seen.calls[0]).toEqual({ causationId: ids[0], correlationId: call.correlationId, actor: 'test.records' });
  });

  it('begin with the first event of a deployment, though it was published before any of them ran', async () => {
    await append(count(1));
    const seen = recorder();
    const dispatcher = await start(seen.handler);
    await dispatcher.drain();
    expect(seen.handled).toEqual([1]);
  });

  it('that are new begin now, or with the oldest event if they ask for it, and go on where they stopped', async () => {
    await (await start(recorder({ name: 'test.old' }).handler)).stop();
    await append(count(1));
    await settledPosition(db.database);
    const late = recorder();
    const replaying = recorder({ name: 'test.replays', startsFrom: 'replay' });
    let dispatcher = await start(late.handler, replaying.handler);
    await append(count(2));
    await dispatcher.drain();
    await dispatcher.stop();
    await append(count(3));
    dispatcher = await start(late.handler, replaying.handler);
    await dispatcher.drain();
    expect(late.handled).toEqual([2, 3]);
    expect(replaying.handled).toEqual([1, 2, 3]);
  });

  it('may publish events themselves, and draining waits for those too', async () => {
    const seen = recorder({ name: 'test.end', on: [noted] });
    const dispatcher = await start(seen.handler, {
      name: 'test.leads',
      on: [counted],
      handle: async (tx, events, context) => {
        for (const event of events)
          await appendEvents(tx, context.call(event), systemClock, [note(numberOf(event) * 10)]);
      },
    });
    await append(count(1), count(2));
    await dispatcher.drain();
    expect(seen.handled).toEqual([10, 20]);
  });

  it('keep pace with more events than their buffer holds', async () => {
    const seen = recorder({ batchSize: 7 });
    const dispatcher = await start(seen.handler);
    const numbers = Array.from({ length: 1_000 }, (_, n) => n);
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => append(...numbers.slice(i * 10, i * 10 + 10).map((n) => count(n)))),
    );
    await dispatcher.drain();
    expect([...seen.handled].sort((a, b) => a - b)).toEqual(numbers);
    expect(Math.max(...seen.batches.map((batch) => batch.length))).toBeLessThanOrEqual(7);
  });

  it('see an event again after a crash only if it was not applied', async () => {
    const seen = recorder();
    let dispatcher = await start(seen.handler);
    await append(count(1), count(2));
    await dispatcher.drain();
    await dispatcher.stop();
    // As if the cursor had not been written: the deliveries still know.
    await db.database.query(`update dispatch_cursor set epoch = 0, xid = '0', seq = 0`);
    await append(count(3));
    dispatcher = await start(seen.handler);
    await dispatcher.drain();
    expect(seen.handled).toEqual([1, 2, 3]);
  });

  it('refuse a name used twice', () => {
    const twice = [recorder().handler, recorder().handler];
    const tail = createTail({ database: db.database, registry, logger });
    expect(() => createDispatcher({ database: db.database, registry, tail, handlers: twice, logger })).toThrow(
      'declared twice',
    );
  });
});

describe('failures', () => {
  it('of one customer hold back that customer only, in order, until the event can be applied', async () => {
    const [a, b] = [newId(), newId()];
    let failuresLeft = 3;
    const seen = recorder({ fails: (event) => numberOf(event) === 2 && failuresLeft-- > 0 });
    const dispatcher = await start(seen.handler);
    await append(count(1, a), count(2, a), count(3, a), count(4, b));
    await append(count(5, a), count(6, b), count(7));
    await dispatcher.drain();
    const ofA = new Set([1, 2, 3, 5]);
    expect(seen.handled.filter((n) => ofA.has(n))).toEqual([1, 2, 3, 5]);
    expect(seen.handled.filter((n) => !ofA.has(n))).toEqual([4, 6, 7]);
    expect(seen.handled.indexOf(4)).toBeLessThan(seen.handled.indexOf(2));
    const states = await db.database.query<{ state: string }>('select distinct state from event_delivery');
    expect(states).toEqual([{ state: 'applied' }]);
  });

  it('become dead letters after the last attempt; what waited goes on; an operator can retry', async () => {
    const customer = newId();
    let broken = true;
    let attempts = 0;
    const seen = recorder({
      maxAttempts: 3,
      fails: (event) => {
        if (!broken || numberOf(event) !== 2) return false;
        attempts += 1;
        return true;
      },
    });
    const other = recorder({ name: 'test.other' });
    const dispatcher = await start(seen.handler, other.handler);
    const [, failing] = await append(count(1, customer), count(2, customer), count(3, customer));
    await dispatcher.drain();
    expect(seen.handled).toEqual([1, 3]);
    expect(other.handled).toEqual([1, 2, 3]);
    // The batch, the event alone, and two more attempts.
    expect(attempts).toBe(4);

    const letters = createDeadLetters(db.database, registry, systemClock);
    const list = await letters.list({ limit: 10, after: null, handler: null });
    expect(list).toMatchObject([
      { handler: 'test.records', attempts: 3, error: 'cannot handle 2', event: { id: failing } },
    ]);
    expect(await letters.count('test.records')).toBe(1);

    broken = false;
    const key = { eventId: failing as string, handler: 'test.records' };
    await letters.retry(call, key);
    await dispatcher.drain();
    expect(seen.handled).toEqual([1, 3, 2]);
    expect(await letters.count(null)).toBe(0);
    await expect(letters.retry(call, key)).rejects.toMatchObject({ code: 'EVENTS_DEAD_LETTER_NOT_FOUND' });
    const audited = await db.database.query<{ action: string }>('select action from audit_entry');
    expect(audited).toEqual([{ action: 'events.retryDeadLetter' }]);
  });

  it('can be dismissed, for good', async () => {
    const seen = recorder({ maxAttempts: 1, fails: () => true });
    const dispatcher = await start(seen.handler);
    const [id] = await append(count(1));
    await dispatcher.drain();
    const letters = createDeadLetters(db.database, registry, systemClock);
    await letters.dismiss(call, { eventId: id as string, handler: 'test.records' });
    expect(await letters.list({ limit: 10, after: null, handler: null })).toEqual([]);
  });

  it('of reading are failures of the event, not of the dispatcher', async () => {
    const seen = recorder({ maxAttempts: 1 });
    const dispatcher = await start(seen.handler);
    await append(
      newEvent(
        { ...counted, version: 7, payload: z.object({ m: z.number() }) },
        { customerId: null, payload: { m: 1 } },
      ),
      count(2),
    );
    await dispatcher.drain();
    expect(seen.handled).toEqual([2]);
    const [letter] = await createDeadLetters(db.database, registry, systemClock).list({
      limit: 1,
      after: null,
      handler: null,
    });
    expect(letter?.error).toMatch('version 7 of test.counted: n: ');
  });

  it('of the connection are waited out and count for nothing', async () => {
    let kills = 2;
    const seen = recorder({ maxAttempts: 1 });
    const handler: HandlerDefinition = {
      ...seen.handler,
      async handle(tx, events) {
        if (kills-- > 0) await tx.query('select pg_terminate_backend(pg_backend_pid())');
        seen.handled.push(...events.map(numberOf));
      },
    };
    const dispatcher = await start(handler);
    await append(count(1), count(2));
    await dispatcher.drain();
    expect(seen.handled).toEqual([1, 2]);
    expect(await createDeadLetters(db.database, registry, systemClock).count(null)).toBe(0);
  });
});

describe('leadership', () => {
  it('is held by one; another takes over at once when it stops, and nothing is applied twice', async () => {
    const [one, two] = [recorder(), recorder()];
    const first = await start(one.handler);
    await eventually(() => first.leading).toBe(true);
    const second = await start(two.handler);
    await append(count(1));
    await second.drain();
    expect(second.leading).toBe(false);
    await first.stop();
    await append(count(2));
    await second.drain();
    expect(second.leading).toBe(true);
    expect([one.handled, two.handled]).toEqual([[1], [2]]);
  });

  it('comes back after the connection that holds the lock was cut', async () => {
    const seen = recorder();
    const dispatcher = await start(seen.handler);
    await eventually(() => dispatcher.leading).toBe(true);
    await db.database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'holdfast-dispatcher'`,
    );
    await eventually(() => dispatcher.leading).toBe(false);
    await append(count(1));
    await dispatcher.drain();
    expect(seen.handled).toEqual([1]);
  });
});

describe('retention', () => {
  const inAMinute = () => new Date(systemClock.now().getTime() + 60_000);

  it('removes old events with their deliveries, in batches, and makes older cursors expire', async () => {
    const seen = recorder();
    const dispatcher = await start(seen.handler);
    const before = await settledPosition(db.database);
    await append(...Array.from({ length: 25 }, (_, n) => count(n)));
    await dispatcher.drain();
    const options = { database: db.database, handlers: ['test.records'], batch: 10 };
    expect(await removeOldEvents({ ...options, olderThan: new Date(systemClock.now().getTime() - 60_000) })).toBe(0);
    await checkReadable(db.database, before);
    await settledPosition(db.database);
    const page = await readPage(db.database, registry, ORIGIN, 100);
    const last = page.events.at(-1);
    expect(await removeOldEvents({ ...options, olderThan: inAMinute() })).toBe(25);
    expect(await db.database.query('select from event_delivery')).toEqual([]);
    await expect(checkReadable(db.database, before)).rejects.toMatchObject({
      code: 'CURSOR_EXPIRED',
      details: { oldestCursor: last?.cursor },
    });
    if (last !== undefined) await checkReadable(db.database, last.position);
  });

  it('never removes what a handler has not applied, nor dead letters', async () => {
    const seen = recorder({ maxAttempts: 1, fails: (event) => numberOf(event) === 2 });
    const dispatcher = await start(seen.handler);
    await append(count(1), count(2), count(3));
    await dispatcher.drain();
    await dispatcher.stop();
    await append(count(4));
    const options = { database: db.database, handlers: ['test.records'], olderThan: inAMinute() };
    await settledPosition(db.database);
    expect(await removeOldEvents(options)).toBe(2);
    const left = await readPage(db.database, registry, ORIGIN, 100);
    expect(left.events.map(numberOf)).toEqual([2, 4]);
    await createDeadLetters(db.database, registry, systemClock).dismiss(call, {
      eventId: left.events[0]?.id as string,
      handler: 'test.records',
    });
    expect(await removeOldEvents(options)).toBe(1);
  });
});
