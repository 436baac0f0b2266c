import type { Queryable } from '../database/index.ts';
import { comparePositions, encodeCursor, ORIGIN, type Position } from './cursor.ts';
import type { EventRegistry, StoredEvent } from './definition.ts';
import { CursorExpired, CursorInvalid } from './errors.ts';

/** Which events a reader wants; absent means all. */
export interface EventFilter {
  readonly types?: readonly string[];
  readonly customerId?: string;
}

/** Events in order, and how far the outbox was read. */
export interface Page {
  readonly events: readonly StoredEvent[];
  /** Everything up to here that matches is in `events` or stood before it. */
  readonly position: Position;
  /** There may be more between `position` and now. */
  readonly full: boolean;
  /** Committed events stand behind a transaction that is still open; they can be read once it ends. */
  readonly held: boolean;
}

interface Row {
  readonly epochNow: number;
  readonly horizon: string;
  readonly held: boolean;
  /** Where a scan for certain types stopped before the end; null when it saw everything. */
  readonly scannedTo?: readonly [number, string, number] | null;
  readonly epoch: number | null;
  readonly xid: string;
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly version: number;
  readonly at: Date;
  readonly customerId: string | null;
  readonly actor: string;
  readonly correlationId: string;
  readonly causationId: string | null;
  readonly payload: unknown;
}

const COLUMNS = `o.epoch, o.xid::text as xid, o.seq, o.id, o.type, o.version, o.at, o.customer_id as "customerId",
  o.actor, o.correlation_id as "correlationId", o.causation_id as "causationId", o.payload`;

/**
 * Every transaction below the oldest one still open has ended, so nothing can appear any more in the range read: no gap.
 * Horizon and rows come from one statement, hence one snapshot. Plan: the last row of outbox_event_pkey, to tell whether
 * any is held back. Materialized, or else the planner would look for it again for each row of the page.
 */
const SNAPSHOT = `
  with h as materialized (
    select outbox_epoch() as "epochNow", pg_snapshot_xmin(pg_current_snapshot()) as horizon
  ), m as materialized (
    select h."epochNow", h.horizon, coalesce((
      select (w.epoch, w.xid) >= (h."epochNow", h.horizon) from outbox_event w
      order by w.epoch desc, w.xid desc, w.seq desc limit 1
    ), false) as held from h
  )`;

const RANGE =
  '(o.epoch, o.xid, o.seq) > ($1::int, $2::xid8, $3::bigint) and (o.epoch, o.xid) < (m."epochNow", m.horizon)';

/** Plan: one range of outbox_event_pkey, or of the customer's index; n = page size. */
const page = (filter: string): string => `${SNAPSHOT}
  select m."epochNow", m.horizon::text as horizon, m.held, e.*
  from m left join lateral (
    select ${COLUMNS} from outbox_event o where ${RANGE}${filter}
    order by o.epoch, o.xid, o.seq limit $4
  ) e on true
  order by e.epoch, e.xid::xid8, e.seq`;

/**
 * Plan: one range of outbox_event_pkey, read until the page is full or `$6` rows were looked at, since a rare type must
 * not make one statement read a month; and the same range once more from the index alone, to tell where that is.
 */
const PAGE_BY_TYPE = `${SNAPSHOT}, p as materialized (
    select m.*, (
      select json_build_array(o.epoch, o.xid::text, o.seq) from outbox_event o where ${RANGE}
      order by o.epoch, o.xid, o.seq offset $6 - 1 limit 1
    ) as "scannedTo" from m
  )
  select m."epochNow", m.horizon::text as horizon, m.held, m."scannedTo", e.*
  from p as m left join lateral (
    select ${COLUMNS} from (
      select * from outbox_event o where ${RANGE} order by o.epoch, o.xid, o.seq limit $6
    ) o where o.type = any($5::text[]) order by o.epoch, o.xid, o.seq limit $4
  ) e on true
  order by e.epoch, e.xid::xid8, e.seq`;

const PAGES = {
  outbox_all: page(''),
  outbox_types: PAGE_BY_TYPE,
  outbox_customer: page(' and o.customer_id = $5::uuid'),
  outbox_customer_types: page(' and o.customer_id = $5::uuid and o.type = any($6::text[])'),
};

/** Rows looked at for a page of certain types, at least. */
const SCAN_ROWS = 1_000;

/** Reads up to `limit` settled events after a place, in order. */
export async function readPage(
  database: Queryable,
  registry: EventRegistry,
  after: Position,
  limit: number,
  filter: EventFilter = {},
  scanRows = Math.max(limit, SCAN_ROWS),
): Promise<Page> {
  const { customerId, types } = filter;
  const from: unknown[] = [after.epoch, String(after.xid), after.seq, limit];
  const [name, values]: [keyof typeof PAGES, unknown[]] =
    customerId === undefined
      ? types === undefined
        ? ['outbox_all', from]
        : ['outbox_types', [...from, types, scanRows]]
      : types === undefined
        ? ['outbox_customer', [...from, customerId]]
        : ['outbox_customer_types', [...from, customerId, types]];
  const rows = await database.query<Row>(PAGES[name], values, { name });
  const first = rows[0] as Row;
  const events = first.epoch === null ? [] : rows.map((row) => toEvent(row, registry));
  const { scannedTo = null, held } = first;
  const horizon: Position = { epoch: first.epochNow, xid: Number(first.horizon), seq: 0 };
  let last = scannedTo === null ? horizon : { epoch: scannedTo[0], xid: Number(scannedTo[1]), seq: scannedTo[2] };
  if (events.length >= limit) last = (events.at(-1) as StoredEvent).position;
  return { events, held, full: last !== horizon, position: comparePositions(last, after) > 0 ? last : after };
}

function toEvent(row: Row, registry: EventRegistry): StoredEvent {
  const position: Position = { epoch: row.epoch as number, xid: Number(row.xid), seq: row.seq };
  return {
    id: row.id,
    cursor: encodeCursor(position),
    position,
    type: row.type,
    version: row.version,
    at: row.at,
    customerId: row.customerId,
    actor: row.actor,
    correlationId: row.correlationId,
    causationId: row.causationId,
    ...registry.read(row.type, row.version, row.payload),
  };
}

/** Settled events by id, in order of the outbox. */
export async function readByIds(
  database: Queryable,
  registry: EventRegistry,
  ids: readonly string[],
): Promise<StoredEvent[]> {
  const rows = await database.query<Row>(
    `select ${COLUMNS} from outbox_event o where o.id = any($1::uuid[]) order by o.epoch, o.xid, o.seq`,
    [ids],
    { name: 'outbox_by_ids' },
  );
  return rows.map((row) => toEvent(row, registry));
}

/** The place before which everything is settled: who reads after it gets every event committed from now on. */
export async function presentPosition(database: Queryable): Promise<Position> {
  const rows = await database.query<{ epoch: number; xid: string }>(
    'select outbox_epoch() as epoch, pg_snapshot_xmin(pg_current_snapshot())::text as xid',
  );
  const row = rows[0] as { epoch: number; xid: string };
  return { epoch: row.epoch, xid: Number(row.xid), seq: 0 };
}

/** Name of the row of dispatch_cursor that says up to where events have been removed. */
export const RETENTION = '(retention)';

/**
 * Checks that all events after a place can still be read.
 * @throws CursorExpired when some were removed
 * @throws CursorInvalid when the place lies in the future, so that it must come from another database
 */
export async function checkReadable(database: Queryable, after: Position): Promise<void> {
  const rows = await database.query<{ epoch: number; next: string; floor: readonly [number, string, number] | null }>(
    `select outbox_epoch() as epoch, pg_snapshot_xmax(pg_current_snapshot())::text as next,
            (select json_build_array(c.epoch, c.xid::text, c.seq) from dispatch_cursor c where c.handler = $1) as floor`,
    [RETENTION],
    { name: 'outbox_readable' },
  );
  const { epoch, next, floor } = rows[0] as (typeof rows)[number];
  if (after.epoch > epoch || (after.epoch === epoch && after.xid > Number(next))) {
    throw new CursorInvalid('The cursor does not come from this database.');
  }
  const oldest: Position = floor === null ? ORIGIN : { epoch: floor[0], xid: Number(floor[1]), seq: floor[2] };
  if (comparePositions(after, oldest) < 0) throw new CursorExpired(encodeCursor(oldest));
}
