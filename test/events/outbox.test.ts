import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import {
  appendEvents,
  checkReadable,
  comparePositions,
  createTail,
  decodeCursor,
  type EventFilter,
  encodeCursor,
  healEpoch,
  ORIGIN,
  type Position,
  raiseEpoch,
  readPage,
  type StoredEvent,
} from '../../src/core/events/index.ts';
import { newId } from '../../src/core/ids.ts';
import {
  call,
  count,
  type EventsDatabase,
  eventually,
  logger,
  note,
  numberOf,
  openTestDatabase,
  registry,
  settledPosition,
} from './support.ts';

let db: EventsDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.drop());

const append = (numbers: readonly number[], customerId: string | null = null) =>
  db.database.transaction((tx) =>
    appendEvents(
      tx,
      call,
      systemClock,
      numbers.map((n) => count(n, customerId)),
    ),
  );

async function readAll(after: Position, limit = 1_000): Promise<StoredEvent[]> {
  await settledPosition(db.database);
  const events: StoredEvent[] = [];
  for (let position = after; ; ) {
    const page = await readPage(db.database, registry, position, limit);
    events.push(...page.events);
    position = page.position;
    if (!page.full) return events;
  }
}

describe('append', () => {
  it('publishes the whole envelope with the commit', async () => {
    const from = await settledPosition(db.database);
    const customerId = newId();
    const causationId = newId();
    const ids = await db.database.transaction((tx) =>
      appendEvents(tx, { ...call, causationId }, { now: () => new Date('2011-12-09T12:00:00Z') }, [
        count(1, customerId),
        note(2),
      ]),
    );
    const events = await readAll(from);
    expect(events.map((event) => event.id)).toEqual(ids);
    expect(events[0]).toMatchObject({
      type: 'test.counted',
      version: 1,
      at: new Date('2011-12-09T12:00:00Z'),
      customerId,
      actor: 'system:test',
      correlationId: call.correlationId,
      causationId,
      payload: { n: 1 },
    });
    expect(events[1]).toMatchObject({ type: 'test.noted', customerId: null, payload: { n: 2 } });
  });

  it('publishes nothing of a transaction that rolls back', async () => {
    const from = await settledPosition(db.database);
    const attempt = db.database.transaction(async (tx) => {
      await appendEvents(tx, call, systemClock, [count(1)]);
      throw new Error('no');
    });
    await expect(attempt).rejects.toThrow('no');
    expect(await readAll(from)).toEqual([]);
  });

  it('refuses a payload that does not fit its definition', async () => {
    const attempt = db.database.transaction((tx) => appendEvents(tx, call, systemClock, [count(1.5)]));
    await expect(attempt).rejects.toThrow('the payload of a new test.counted is wrong');
  });

  it('keeps the order of more events than one statement takes, and wakes readers once', async () => {
    const from = await settledPosition(db.database);
    let notified = 0;
    await db.database.listen('holdfast_outbox', () => {
      notified += 1;
    });
    const numbers = Array.from({ length: 4_500 }, (_, n) => n);
    await append(numbers);
    const events = await readAll(from, 700);
    expect(events.map(numberOf)).toEqual(numbers);
    await append([0]);
    await eventually(() => notified).toBe(2);
  });

  it('tolerates types it does not know and tells payloads that do not fit', async () => {
    const from = await settledPosition(db.database);
    const insert = (type: string, payload: string) =>
      db.database.query(
        `insert into outbox_event (id, type, version, at, actor, correlation_id, payload)
         values ($1, $2, 1, now(), 'system:test', 'c', $3)`,
        [newId(), type, payload],
      );
    await insert('future.happened', '{"x": 1}');
    await insert('test.counted', '{"n": "one"}');
    const [unknown, wrong] = await readAll(from);
    expect(unknown).toMatchObject({ type: 'future.happened', payload: { x: 1 } });
    expect(unknown?.unreadable).toBeUndefined();
    expect(wrong?.unreadable).toMatch(/^version 1 of test.counted: n: /);
  });
});

describe('cursors', () => {
  it('are opaque and come back as they were', () => {
    const part = fc.integer({ min: 0, max: 2 ** 52 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999 }), part, part, (epoch, xid, seq) => {
        const cursor = encodeCursor({ epoch, xid, seq });
        expect(cursor).toMatch(/^[\w-]+$/);
        expect(decodeCursor(cursor)).toEqual({ epoch, xid, seq });
      }),
    );
  });

  it('refuse every text that is not theirs', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: 'grapheme' })), (text) => {
        expect(() => decodeCursor(text)).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }));
      }),
    );
    for (const text of [
      '1.2',
      '1.2.3.4',
      '01.2.3',
      '-1.2.3',
      '1.2.3 ',
      '1e3.2.3',
      '1.99999999999999999.3',
      "1.2.3'--",
    ]) {
      expect(() => decodeCursor(Buffer.from(text).toString('base64url')), text).toThrow('malformed');
    }
    expect(() => decodeCursor(`${encodeCursor(ORIGIN)}=`)).toThrow('malformed');
  });

  it('from another database are refused', async () => {
    const now = await settledPosition(db.database);
    await checkReadable(db.database, now);
    for (const foreign of [
      { ...now, epoch: now.epoch + 1 },
      { ...now, xid: now.xid + 1_000_000 },
    ]) {
      await expect(checkReadable(db.database, foreign)).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
    }
  });
});

describe('order', () => {
  it('holds events back while an older transaction is open, and shows all in order afterwards', async () => {
    const from = await settledPosition(db.database);
    const early = await db.database.pool.connect();
    await early.query('begin');
    await early.query('select pg_current_xact_id()');
    await append([2]);
    const during = await readPage(db.database, registry, from, 10);
    expect(during).toMatchObject({ events: [], held: true });
    const query = async (text: string, values?: readonly unknown[]) =>
      (await early.query(text, values as unknown[])).rows as never[];
    await appendEvents({ query }, call, systemClock, [count(1)]);
    await early.query('commit');
    early.release();
    expect((await readAll(from)).map(numberOf)).toEqual([1, 2]);
  });

  it('is the same for every reader, and no reader misses or repeats an event, whatever writers do', async () => {
    // Writers: transactions of random size and duration, some rolled back, some with several appends.
    const writers = fc.array(
      fc.array(
        fc.record({
          sizes: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 3 }),
          pauseMs: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 4, maxLength: 4 }),
          xidFirst: fc.boolean(),
          abort: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
        }),
        { minLength: 1, maxLength: 8 },
      ),
      { minLength: 2, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(writers, fc.integer({ min: 1, max: 5 }), async (plans, pageSize) => {
        const from = await settledPosition(db.database);
        const committed: string[] = [];
        const seen: StoredEvent[] = [];
        const tail = createTail({ database: db.database, registry, logger, pageSize, pollMs: 20 });
        await tail.start();
        tail.subscribe((batch) => {
          seen.push(...batch.events);
        });
        const writing = { done: false };
        const polled: StoredEvent[] = [];
        const poll = (async () => {
          for (let position = from, last = false; ; ) {
            last = writing.done;
            const page = await readPage(db.database, registry, position, pageSize);
            polled.push(...page.events);
            position = page.position;
            if (last && !page.full) return;
          }
        })();
        try {
          await Promise.all(plans.map((transactions) => writeAll(transactions, committed)));
          await tail.reached(await settledPosition(db.database));
        } finally {
          writing.done = true;
          await poll;
          await tail.stop();
        }
        const ids = polled.map((event) => event.id);
        expect(new Set(ids).size).toBe(ids.length);
        expect([...ids].sort()).toEqual([...committed].sort());
        expect(
          polled.every(
            (event, i) => i === 0 || comparePositions((polled[i - 1] as StoredEvent).position, event.position) < 0,
          ),
        ).toBe(true);
        expect(seen.map((event) => event.id)).toEqual(ids);
      }),
      { numRuns: 20 },
    );
  }, 120_000);

  interface Plan {
    readonly sizes: readonly number[];
    readonly pauseMs: readonly number[];
    readonly xidFirst: boolean;
    readonly abort: boolean;
  }

  async function writeAll(transactions: readonly Plan[], committed: string[]): Promise<void> {
    for (const { sizes, pauseMs, xidFirst, abort } of transactions) {
      const written: string[] = [];
      await db.database
        .transaction(async (tx) => {
          if (xidFirst) await tx.query('select pg_current_xact_id()');
          for (const [i, size] of sizes.entries()) {
            await delay(pauseMs[i]);
            written.push(
              ...(await appendEvents(
                tx,
                call,
                systemClock,
                Array.from({ length: size }, () => count(i)),
              )),
            );
          }
          await delay(pauseMs[3]);
          if (abort) throw new Error('rolled back');
        })
        .then(() => committed.push(...written))
        .catch((error: Error) => {
          if (error.message !== 'rolled back') throw error;
        });
    }
  }
});

describe('pages', () => {
  it('of rare types are read in bounded pieces, and filters by customer are exact', async () => {
    const from = await settledPosition(db.database);
    const customer = newId();
    await append(Array.from({ length: 20 }, (_, n) => n));
    await db.database.transaction((tx) =>
      appendEvents(tx, call, systemClock, [note(1), count(20, customer), note(2, customer)]),
    );
    await append([21], customer);
    await settledPosition(db.database);
    const read = async (filter: EventFilter, limit: number, scanRows?: number) => {
      const seen: number[] = [];
      let pages = 0;
      for (let position = from, full = true; full; pages += 1) {
        const page = await readPage(db.database, registry, position, limit, filter, scanRows);
        seen.push(...page.events.map(numberOf));
        ({ position, full } = page);
      }
      return { seen, pages };
    };
    expect(await read({ types: ['test.noted'] }, 10, 6)).toEqual({ seen: [1, 2], pages: 5 });
    expect(await read({ types: ['test.noted'] }, 1, 6)).toEqual({ seen: [1, 2], pages: 6 });
    expect(await read({ types: ['test.noted'] }, 10)).toEqual({ seen: [1, 2], pages: 1 });
    expect(await read({ types: [] }, 10, 12)).toEqual({ seen: [], pages: 3 });
    expect(await read({ customerId: customer }, 2)).toEqual({ seen: [20, 2, 21], pages: 2 });
    expect(await read({ customerId: customer, types: ['test.counted'] }, 10)).toEqual({ seen: [20, 21], pages: 1 });
  });
});

describe('the tail', () => {
  it('goes on after its connections were lost', async () => {
    const tail = createTail({ database: db.database, registry, logger, pollMs: 50 });
    await tail.start();
    const seen: number[] = [];
    tail.subscribe((batch) => {
      seen.push(...batch.events.map(numberOf));
    });
    for (let round = 0; round < 3; round += 1) {
      await append([round * 2]);
      await db.database.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
      await append([round * 2 + 1]).catch(() => append([round * 2 + 1]));
    }
    await eventually(() => seen).toEqual([0, 1, 2, 3, 4, 5]);
    await tail.stop();
  });

  it('tells how long it is held back', async () => {
    const tail = createTail({ database: db.database, registry, logger });
    await tail.start();
    const open = await db.database.pool.connect();
    await open.query('begin');
    await open.query('select pg_current_xact_id()');
    await append([1]);
    await eventually(() => tail.lagMs()).toBeGreaterThan(20);
    await open.query('rollback');
    open.release();
    await eventually(() => tail.lagMs()).toBe(0);
    await tail.stop();
  });
});

describe('epochs', () => {
  it('put what is written after a restore behind all there was, though transaction ids begin anew', async () => {
    const from = await settledPosition(db.database);
    // As after a restore into a younger cluster: rows from transactions this cluster has not reached.
    await db.database.query(
      `insert into outbox_event (xid, id, type, version, at, actor, correlation_id, payload)
       select '900000000'::xid8, $1, 'test.counted', 1, now(), 'system:test', 'c', '{"n": 1}'`,
      [newId()],
    );
    expect(await healEpoch(db.database)).toBe(from.epoch + 1);
    expect(await healEpoch(db.database)).toBeNull();
    const cursorOfLast = (await readAll(from)).at(-1)?.position as Position;
    expect(cursorOfLast.xid).toBe(900_000_000);
    await append([2]);
    expect((await readAll(from)).map(numberOf)).toEqual([1, 2]);
    expect((await readAll(cursorOfLast)).map(numberOf)).toEqual([2]);
    await checkReadable(db.database, cursorOfLast);
    expect(await raiseEpoch(db.database)).toBe(from.epoch + 2);
    await append([3]);
    expect((await readAll(cursorOfLast)).map(numberOf)).toEqual([2, 3]);
  });
});
