import type { Queryable, Tx } from '../database/index.ts';
import { comparePositions, type Position } from './cursor.ts';
import type { StoredEvent } from './definition.ts';
import { RETENTION } from './reader.ts';

/** Another process has moved a handler's cursor: what this one believes is stale. */
export class CursorMoved extends Error {}

interface CursorRow {
  readonly epoch: number;
  readonly xid: string;
  readonly seq: number;
}

const toPosition = (row: CursorRow): Position => ({ epoch: row.epoch, xid: Number(row.xid), seq: row.seq });

/**
 * Creates the cursors of handlers never seen before, in one statement: at `present`, or at the beginning for those who
 * ask for it, and for all in a deployment that never dispatched anything, whose first events must not be passed over.
 */
export async function registerHandlers(
  database: Queryable,
  handlers: readonly { readonly name: string; readonly replay: boolean }[],
  present: Position,
): Promise<void> {
  await database.query(
    `insert into dispatch_cursor (handler, epoch, xid, seq)
     select h.name, case when b.begins then 0 else $2::int end, case when b.begins then '0'::xid8 else $3::xid8 end, 0
     from json_to_recordset($1) as h(name text, replay boolean)
     cross join lateral (
       select h.replay or not exists (select from dispatch_cursor c where c.handler <> $4) as begins
     ) b
     on conflict do nothing`,
    [JSON.stringify(handlers), present.epoch, String(present.xid), RETENTION],
  );
}

export async function readCursor(database: Queryable, handler: string): Promise<Position> {
  const rows = await database.query<CursorRow>(
    'select epoch, xid::text as xid, seq from dispatch_cursor where handler = $1',
    [handler],
  );
  const row = rows[0];
  if (row === undefined) throw new Error(`handler "${handler}" has no cursor`);
  return toPosition(row);
}

/**
 * First statement of each transaction about a handler's deliveries. Whoever holds the row is alone with that handler,
 * also against a leader that has lost its lock and does not know it yet.
 * @throws CursorMoved when the cursor is not where the caller left it
 */
export async function lockCursor(tx: Tx, handler: string, expected?: Position): Promise<void> {
  const rows = await tx.query<CursorRow>(
    'select epoch, xid::text as xid, seq from dispatch_cursor where handler = $1 for update',
    [handler],
    { name: 'dispatch_lock' },
  );
  const row = rows[0];
  if (row === undefined) throw new CursorMoved(`the cursor of "${handler}" is gone`);
  if (expected !== undefined && comparePositions(toPosition(row), expected) !== 0) throw new CursorMoved(handler);
}

export async function moveCursor(tx: Queryable, handler: string, to: Position): Promise<void> {
  await tx.query(
    'update dispatch_cursor set epoch = $2, xid = $3::xid8, seq = $4, updated_at = now() where handler = $1',
    [handler, to.epoch, String(to.xid), to.seq],
    { name: 'dispatch_move' },
  );
}

/**
 * Records deliveries and moves the cursor in one statement. Events whose customer has an event parked for this handler
 * wait behind it.
 * @returns ids of the events to handle now, without those delivered before
 */
export async function claim(
  tx: Tx,
  handler: string,
  events: readonly StoredEvent[],
  to: Position,
): Promise<Set<string>> {
  const rows = await tx.query<{ id: string }>(
    `with moved as (
       update dispatch_cursor set epoch = $4, xid = $5::xid8, seq = $6, updated_at = now() where handler = $1
     ), claimed as (
       insert into event_delivery (event_id, handler, customer_id, state, attempts)
       select e.id, $1, e.customer, case when b.blocked then 'waiting' else 'applied' end, case when b.blocked then 0 else 1 end
       from unnest($2::uuid[], $3::uuid[]) as e(id, customer)
       cross join lateral (
         select exists (select from event_delivery d where d.handler = $1 and d.customer_id = e.customer
                        and d.state <> 'applied' and d.state in ('parked', 'waiting')) as blocked
       ) b
       on conflict do nothing
       returning event_id, state
     )
     select event_id as id from claimed where state = 'applied'`,
    [
      handler,
      events.map((event) => event.id),
      events.map((event) => event.customerId),
      to.epoch,
      String(to.xid),
      to.seq,
    ],
    { name: 'dispatch_claim' },
  );
  return new Set(rows.map((row) => row.id));
}

/** What to write about an event that failed. */
export interface Failure {
  readonly eventId: string;
  readonly handler: string;
  readonly customerId: string | null;
  readonly attempts: number;
  readonly error: string;
  /** Until the next attempt; null: there is none, the event is a dead letter. */
  readonly retryInMs: number | null;
}

export async function recordFailure(tx: Queryable, failure: Failure): Promise<void> {
  await tx.query(
    `insert into event_delivery (event_id, handler, customer_id, state, attempts, error, next_attempt_at, updated_at)
     values ($1, $2, $3, case when $6::float8 is null then 'dead' else 'parked' end, $4, $5,
             now() + $6::float8 * interval '1 millisecond', now())
     on conflict (event_id, handler) do update set state = excluded.state, attempts = excluded.attempts,
       error = excluded.error, next_attempt_at = excluded.next_attempt_at, updated_at = excluded.updated_at`,
    [failure.eventId, failure.handler, failure.customerId, failure.attempts, failure.error, failure.retryInMs],
  );
}

/** Parked events whose time has come, longest due first. */
export const dueEvents = (database: Queryable, handler: string, limit: number) =>
  database.query<{ eventId: string; attempts: number }>(
    `select event_id as "eventId", attempts from event_delivery
     where handler = $1 and state <> 'applied' and state = 'parked' and next_attempt_at <= now()
     order by next_attempt_at limit $2`,
    [handler, limit],
  );

/** Milliseconds until the next parked event of a handler is due; null when none is parked. */
export async function nextDueMs(database: Queryable, handler: string): Promise<number | null> {
  const rows = await database.query<{ waitMs: number | null }>(
    `select (extract(epoch from min(next_attempt_at) - now()) * 1000)::float8 as "waitMs"
     from event_delivery where handler = $1 and state <> 'applied' and state = 'parked'`,
    [handler],
  );
  const waitMs = rows[0]?.waitMs ?? null;
  return waitMs === null ? null : Math.max(waitMs, 0);
}

/** Customers whose waiting events have nothing parked before them any more. */
export const releasableCustomers = (database: Queryable, handler: string, limit: number) =>
  database.query<{ customerId: string }>(
    `select distinct w.customer_id as "customerId" from event_delivery w
     where w.handler = $1 and w.state <> 'applied' and w.state = 'waiting'
       and not exists (select from event_delivery p where p.handler = $1 and p.customer_id = w.customer_id
                       and p.state <> 'applied' and p.state = 'parked')
     limit $2`,
    [handler, limit],
  );

/** The first waiting events of a customer, in order of the outbox. */
export async function waitingEvents(
  tx: Queryable,
  handler: string,
  customerId: string,
  limit: number,
): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `select d.event_id as id from event_delivery d join outbox_event o on o.id = d.event_id
     where d.handler = $1 and d.customer_id = $2 and d.state <> 'applied' and d.state = 'waiting'
     order by o.epoch, o.xid, o.seq limit $3`,
    [handler, customerId, limit],
  );
  return rows.map((row) => row.id);
}

/** @returns how many rows were in one of the states and are applied now */
export async function markApplied(
  tx: Queryable,
  handler: string,
  ids: readonly string[],
  from: string,
): Promise<number> {
  const rows = await tx.query<{ id: string }>(
    `update event_delivery set state = 'applied', attempts = attempts + 1, error = null, next_attempt_at = null, updated_at = now()
     where handler = $1 and event_id = any($2::uuid[]) and state = $3 returning event_id as id`,
    [handler, ids, from],
  );
  return rows.length;
}
