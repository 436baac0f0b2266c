import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createInboxFlusher, INBOX_CHANNEL, type InboxFlusher } from '../../src/core/analytics/inbox.ts';
import {
  type Analytics,
  AnalyticsUnavailable,
  migrateAnalytics,
  openAnalytics,
} from '../../src/core/analytics/index.ts';
import { createDatabase, type Database } from '../../src/core/database/index.ts';
import { newId } from '../../src/core/ids.ts';
import { createLogger } from '../../src/core/logger.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type TemporaryFolder, temporaryFolder } from './support.ts';

const folder: TemporaryFolder = temporaryFolder();
const logger = createLogger('silent');
let testDatabase: TestDatabase;
let database: Database;
let analytics: Analytics;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase({ url: testDatabase.url, logger });
  analytics = await openAnalytics({ path: path.join(folder.path, 'clickhouse') }, { database: 'inbox' });
  await migrateAnalytics(analytics, (run) => run());
});
afterAll(async () => {
  await analytics?.close();
  await database?.close();
  await testDatabase?.drop();
  folder.remove();
});
beforeEach(async () => {
  await analytics.command('TRUNCATE TABLE events');
  await database.query('truncate event_inbox');
});

interface Accepted {
  readonly uid?: string;
  readonly at?: string;
  readonly sourceId?: string;
  readonly properties?: object;
}

/** Puts events into the inbox as the service that records them does. */
async function accept(events: readonly Accepted[]): Promise<void> {
  await database.query(
    `insert into event_inbox (event_uid, source, source_id, customer_id, name, at, value, currency, properties, batch_id, accepted_at)
     select uid, 'test', source_id, uid, 'feature.used', at, 12.345678, null, properties, uid, now()
     from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::jsonb[]) as e(uid, source_id, at, properties)`,
    [
      events.map(({ uid }) => uid ?? newId()),
      events.map(({ sourceId }, at) => sourceId ?? String(at)),
      events.map(({ at }) => at ?? '2026-01-02T03:04:05.678Z'),
      events.map(({ properties }) => JSON.stringify(properties ?? {})),
    ],
  );
  await database.query(`select pg_notify($1, '')`, [INBOX_CHANNEL]);
}

const many = (count: number): Accepted[] => Array.from({ length: count }, () => ({}));
const stored = async () => (await analytics.query<{ n: number }>('SELECT uniqExact(event_uid) AS n FROM events'))[0]?.n;
const flusher = (over: Partial<Parameters<typeof createInboxFlusher>[0]> = {}): InboxFlusher =>
  createInboxFlusher({ database, analytics, logger, gatherMs: 5, retryMs: { first: 5, longest: 20 }, ...over });

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('this never came true');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
const isEmpty = async (inbox: InboxFlusher) => (await inbox.backlog()).events === 0;

describe('the inbox of events', () => {
  test('arrives in the history engine as it was accepted', async () => {
    const uid = newId();
    const sourceId = 'tab\t newline\n back\\slash "quote" \u0007 é😀';
    const properties = { text: 'a\tb\n\\c\u0001', list: [1, { deep: null }], amount: 0.1 };
    await accept([{ uid, sourceId, properties, at: '1999-12-31T23:59:59.999Z' }]);
    expect(await flusher().drain()).toBe(1);
    const [row] = await analytics.query<{ properties: string }>(
      'SELECT event_uid, source, source_id, customer_id, name, at, value, currency, properties, import_id FROM events',
    );
    expect({ ...row, properties: JSON.parse(row?.properties ?? '') }).toEqual({
      event_uid: uid,
      source: 'test',
      source_id: sourceId,
      customer_id: uid,
      name: 'feature.used',
      at: '1999-12-31T23:59:59.999Z',
      value: '12.345678',
      currency: '',
      properties,
      import_id: uid,
    });
    expect(await flusher().backlog()).toEqual({ events: 0, oldestAt: null, refused: 0, failure: null });
  });

  test('moves by itself soon after a notification, and what was there before', async () => {
    await accept(many(10));
    const inbox = flusher();
    await inbox.start();
    try {
      await until(() => isEmpty(inbox));
      await accept(many(5));
      await until(() => isEmpty(inbox));
      expect(await stored()).toBe(15);
    } finally {
      await inbox.stop();
    }
  });

  test('goes on in batches until it is empty', async () => {
    await accept(many(25));
    expect(await flusher({ maxRows: 10 }).drain()).toBe(25);
    expect(await stored()).toBe(25);
  });

  test('several workers lose nothing and leave nothing', async () => {
    const inboxes = Array.from({ length: 4 }, () => flusher({ maxRows: 20 }));
    await Promise.all(inboxes.map((inbox) => inbox.start()));
    try {
      await Promise.all(Array.from({ length: 20 }, () => accept(many(10))));
      await until(() => isEmpty(inboxes[0] as InboxFlusher));
      expect(await stored()).toBe(200);
    } finally {
      await Promise.all(inboxes.map((inbox) => inbox.stop()));
    }
  });

  test('waits while the history engine is away, says so, and loses nothing', async () => {
    let isAway = true;
    let attempts = 0;
    const load: Analytics['load'] = async (...call) => {
      attempts += 1;
      if (isAway) throw new AnalyticsUnavailable('test', new Error('away'));
      await analytics.load(...call);
    };
    const inbox = flusher({ analytics: { ...analytics, load } });
    await accept(many(3));
    await inbox.start();
    try {
      await until(async () => attempts >= 3);
      expect(await inbox.backlog()).toMatchObject({
        events: 3,
        oldestAt: expect.any(Date),
        failure: expect.stringContaining('does not answer'),
      });
      isAway = false;
      await until(() => isEmpty(inbox));
      expect(await stored()).toBe(3);
      await until(async () => (await inbox.backlog()).failure === null);
    } finally {
      await inbox.stop();
    }
  });

  test('a crash between insert and delete counts nothing twice', async () => {
    await accept(many(50));
    const load: Analytics['load'] = async (...call) => {
      await analytics.load(...call);
      throw new Error('died after the insert');
    };
    await expect(flusher({ analytics: { ...analytics, load } }).drain()).rejects.toThrow('died after the insert');
    await accept(many(1));
    await flusher().drain();
    expect(await analytics.query('SELECT count() AS n FROM events FINAL')).toEqual([{ n: 51 }]);
  });

  test('an event the engine refuses holds nobody up', async () => {
    const refused = newId();
    await accept([...many(7), { uid: refused, sourceId: 'refused' }, ...many(8)]);
    await analytics.command(`ALTER TABLE events ADD CONSTRAINT c CHECK source_id != 'refused'`);
    try {
      const inbox = flusher({ maxRows: 5 });
      expect(await inbox.drain()).toBe(15);
      expect(await inbox.backlog()).toMatchObject({ events: 1, refused: 1 });
      expect(await database.query('select event_uid as uid from event_inbox')).toEqual([{ uid: refused }]);
    } finally {
      await analytics.command('ALTER TABLE events DROP CONSTRAINT c');
    }
    expect(await flusher().drain()).toBe(1);
  });

  test('what waits of one customer is found without reading what waits of others', async () => {
    const uid = newId();
    await accept([{ uid }, ...many(5_000)]);
    await database.query('analyze event_inbox');
    const plan = await database.query('explain select * from event_inbox where customer_id = any($1::uuid[])', [[uid]]);
    expect(JSON.stringify(plan)).toContain('event_inbox_customer_id_idx');
  });

  test('tells its figures', async () => {
    const metrics = createMetrics({ processMetrics: false });
    const inbox = flusher({ metrics });
    await accept(many(3));
    await inbox.drain();
    await accept(many(2));
    const text = await metrics.metrics();
    expect(text).toContain('holdfast_inbox_flushed_total 3');
    expect(text).toContain('holdfast_inbox_events 2');
  });
});
