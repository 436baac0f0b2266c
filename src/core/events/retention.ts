import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Database } from '../database/index.ts';
import { defineJob, type JobDefinition } from '../jobs.ts';
import { defineSetting, type Settings } from '../settings/index.ts';
import { RETENTION } from './reader.ts';

/** How long a partner may be away and still miss nothing. */
export const RETENTION_DAYS = defineSetting({
  key: 'events.retentionDays',
  description:
    'Days that published events are kept. A subscriber that was away for longer gets CURSOR_EXPIRED. Events that a handler has not applied yet, or that are dead letters, are kept in any case.',
  schema: z.number().int().min(1).max(3_650),
  default: 30,
});

const DAY_MS = 86_400_000;
/** Deletes are write transactions, which hold readers back: few rows each. */
const BATCH = 2_000;

export interface RetentionOptions {
  readonly database: Pick<Database, 'transaction'>;
  /** Names of all handlers declared now: what one of them has not passed is kept. */
  readonly handlers: readonly string[];
  readonly olderThan: Date;
  readonly batch?: number;
  readonly signal?: AbortSignal;
}

/**
 * Removes old events from the beginning of the outbox, with their deliveries, and remembers up to where. The age is that
 * of the id (UUID v7), since `at` follows the business's clock, which may stand years back.
 * @returns how many events were removed
 */
export async function removeOldEvents(options: RetentionOptions): Promise<number> {
  const { database, handlers, olderThan, batch = BATCH, signal } = options;
  let total = 0;
  while (signal?.aborted !== true) {
    const removed = await database.transaction(async (tx) => {
      const rows = await tx.query<{ removed: number }>(REMOVE, [handlers, firstIdAt(olderThan), batch, RETENTION]);
      return rows[0]?.removed ?? 0;
    });
    total += removed;
    if (removed < batch) break;
  }
  return total;
}

/** The smallest UUID v7 of an instant. */
const firstIdAt = (at: Date): string => {
  const time = at.getTime().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
};

// An unbroken beginning of the outbox, so that one place tells which cursors have expired. Events with an open delivery
// are passed over: they stay until it is resolved, and go with a later run.
const REMOVE = `
  with bound as (
    select epoch, xid, seq from dispatch_cursor where handler = any($1::text[]) order by epoch, xid, seq limit 1
  ), oldest as (
    select o.epoch, o.xid, o.seq, o.id from outbox_event o
    where (o.epoch, o.xid) < (outbox_epoch(), (select pg_snapshot_xmin(pg_current_snapshot())))
      and (cardinality($1::text[]) = 0 or (o.epoch, o.xid, o.seq) <= (select b.epoch, b.xid, b.seq from bound b))
      and not exists (select from event_delivery d where d.event_id = o.id and d.state <> 'applied'
                      and d.state in ('parked', 'waiting', 'dead'))
    order by o.epoch, o.xid, o.seq limit $3
  ), expired as (
    select * from (select *, bool_and(id < $2::uuid) over (order by epoch, xid, seq) as old from oldest) a where a.old
  ), gone as (
    delete from outbox_event o using expired e where o.id = e.id returning o.epoch, o.xid, o.seq, o.id
  ), deliveries as (
    delete from event_delivery d using gone g where d.event_id = g.id
  ), floor as (
    insert into dispatch_cursor (handler, epoch, xid, seq)
    select $4, epoch, xid, seq from gone order by epoch desc, xid desc, seq desc limit 1
    on conflict (handler) do update set epoch = excluded.epoch, xid = excluded.xid, seq = excluded.seq, updated_at = now()
    where (excluded.epoch, excluded.xid, excluded.seq) > (dispatch_cursor.epoch, dispatch_cursor.xid, dispatch_cursor.seq)
  )
  select count(*)::int as removed from gone`;

/** The job that keeps the outbox small. @param clock the machine's */
export const retentionJob = (options: {
  readonly database: Database;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly handlers: readonly string[];
}): JobDefinition =>
  defineJob({
    name: 'events.removeOld',
    description: 'Removes published events older than the setting events.retentionDays.',
    payload: z.object({}),
    schedule: '17 * * * *',
    async run(_payload, { signal, logger }) {
      const days = await options.settings.get(RETENTION_DAYS);
      const olderThan = new Date(options.clock.now().getTime() - days * DAY_MS);
      const removed = await removeOldEvents({
        database: options.database,
        handlers: options.handlers,
        olderThan,
        signal,
      });
      logger.info({ removed, days }, 'removed old events');
    },
  });
