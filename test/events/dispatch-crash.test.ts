import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { appendEvents, createDispatcher, createTail } from '../../src/core/events/index.ts';
import { newId } from '../../src/core/ids.ts';
import { call, count, counted, type EventsDatabase, logger, openTestDatabase, registry } from './support.ts';

let db: EventsDatabase;
let children: ChildProcess[] = [];
beforeAll(async () => {
  db = await openTestDatabase();
  await db.database.query(
    'create table applied (place bigserial, handler text, event_id uuid, customer_id uuid, n int)',
  );
});
afterEach(async () => {
  await Promise.all(children.map((child) => kill(child)));
  children = [];
});
afterAll(() => db.drop());

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function startProcess(onHandling: (child: ChildProcess) => void): Promise<void> {
  const child = fork(new URL('dispatching-process.ts', import.meta.url), [db.url], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  children.push(child);
  await new Promise<void>((resolve) => {
    child.on('message', (message) => {
      if (message === 'ready') resolve();
      else onHandling(child);
    });
  });
}

const KILLS = 4;
const CUSTOMERS = 5;

it('applies every event once and in order per customer, though the leader is killed again and again', async () => {
  const customers = Array.from({ length: CUSTOMERS }, () => newId());
  let killAfter = 4;
  let kills = 0;
  const killed: Promise<void>[] = [];
  // Called while a handler's transaction is open: the process dies with the work done and not committed, or just after.
  let handling = () => {};
  const onHandling = (child: ChildProcess) => {
    handling();
    if (kills >= KILLS || child.killed || --killAfter > 0) return;
    kills += 1;
    killAfter = 2 + ((kills * 7) % 5);
    killed.push(kill(child).then(() => startProcess(onHandling)));
  };
  await Promise.all([startProcess(onHandling), startProcess(onHandling)]);
  let n = 0;
  const append = () =>
    db.database.transaction((tx) =>
      appendEvents(
        tx,
        call,
        systemClock,
        Array.from({ length: 7 }, () => count(++n, customers[n % CUSTOMERS] as string)),
      ),
    );
  while (kills < KILLS) {
    const somebodyWorks = new Promise<void>((resolve) => {
      handling = resolve;
    });
    await append();
    await somebodyWorks;
  }
  for (let round = 0; round < 20; round += 1) await append();
  await Promise.all(killed);

  // Draining asks the database, so it also waits for handlers that run elsewhere.
  const observer = createDispatcher({
    database: db.database,
    registry,
    tail: createTail({ database: db.database, registry, logger }),
    logger,
    handlers: ['test.one', 'test.two'].map((name) => ({
      name,
      on: [counted],
      handle: () => Promise.reject(new Error('not here')),
    })),
  });
  await observer.drain();

  for (const handler of ['test.one', 'test.two']) {
    const rows = await db.database.query<{ n: number; customerId: string }>(
      'select n, customer_id as "customerId" from applied where handler = $1 order by place',
      [handler],
    );
    expect(rows.map((row) => row.n).sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i + 1));
    for (const customer of customers) {
      const own = rows.filter((row) => row.customerId === customer).map((row) => row.n);
      expect(own).toEqual([...own].sort((a, b) => a - b));
    }
  }
}, 120_000);
