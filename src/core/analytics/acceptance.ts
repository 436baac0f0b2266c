import type { Queryable, Tx, Write } from '../database/index.ts';
import { INBOX_CHANNEL } from './inbox.ts';

/** An event on its way into the inbox. */
export interface InboxRow {
  readonly uid: string;
  readonly source: string;
  readonly sourceId: string;
  readonly customerId: string;
  readonly name: string;
  readonly at: Date;
  /** Decimal text. */
  readonly value: string | null;
  readonly currency: string | null;
  /** JSON text. */
  readonly properties: string;
  readonly batchId: string;
}

const SPECIAL = /["\\]/;
const EACH_SPECIAL = /["\\]/g;
const quoted = (text: string): string => (SPECIAL.test(text) ? `"${text.replace(EACH_SPECIAL, '\\$&')}"` : `"${text}"`);

/** Array literals are written here and not by the driver, which takes three times as long over them. */
function literal<Item>(items: readonly Item[], element: (item: Item) => string): string {
  let text = '{';
  for (let index = 0; index < items.length; index += 1) {
    if (index > 0) text += ',';
    text += element(items[index] as Item);
  }
  return `${text}}`;
}

const STORE = `
  insert into event_inbox (event_uid, source, source_id, customer_id, name, at, value, currency, properties, batch_id, accepted_at)
  select e.event_uid, e.source, e.source_id, e.customer_id, e.name, e.at, e.value, e.currency, e.properties, e.batch_id, $12`;

// Source and batch are few: an event names its pair by number.
const EVENTS_SELECT = `select event_uid, source_id, customer_id, name, to_timestamp(at_ms / 1000.0) as at, value, currency, properties,
         ($10::text[])[pair] as source, ($11::uuid[])[pair] as batch_id
  from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::float8[], $6::numeric[], $7::text[], $8::jsonb[], $9::int[])
    as t(event_uid, source_id, customer_id, name, at_ms, value, currency, properties, pair)`;

const EVENTS = `e as materialized (${EVENTS_SELECT})`;

// Identities go in sorted, so that two calls with the same events wait for each other in one order.
const ACCEPT = `
  with ${EVENTS}, fresh as (
    insert into event_seen (event_uid, seen_at) select event_uid, $12 from e order by event_uid
    on conflict do nothing returning event_uid
  ), stored as (
    ${STORE} from e join fresh using (event_uid) on conflict do nothing
  )
  select (select json_agg(e.event_uid) from e where not exists (select from fresh f where f.event_uid = e.event_uid)) as known,
    (select count(*) from fresh) as fresh,
    pg_notify('${INBOX_CHANNEL}', '') as woken`;

const STORE_ONLY = `
  with ${EVENTS}, stored as (${STORE} from e on conflict do nothing)
  select pg_notify('${INBOX_CHANNEL}', '') as woken`;

function parameters(rows: readonly InboxRow[], acceptedAt: Date): unknown[] {
  const pairs: InboxRow[] = [];
  let last: InboxRow | undefined;
  const pairOf = (row: InboxRow): string => {
    // Rows of a call stand together, so looking at the last one is enough.
    if (last === undefined || row.batchId !== last.batchId || row.source !== last.source) {
      last = row;
      pairs.push(row);
    }
    return String(pairs.length);
  };
  const numbers = literal(rows, pairOf);
  return [
    literal(rows, (row) => row.uid),
    literal(rows, (row) => quoted(row.sourceId)),
    literal(rows, (row) => row.customerId),
    literal(rows, (row) => quoted(row.name)),
    literal(rows, (row) => String(row.at.getTime())),
    literal(rows, (row) => row.value ?? 'NULL'),
    literal(rows, (row) => row.currency ?? 'NULL'),
    literal(rows, (row) => (row.properties === '{}' ? '"{}"' : quoted(row.properties))),
    numbers,
    literal(pairs, (row) => quoted(row.source)),
    literal(pairs, (row) => row.batchId),
    acceptedAt,
  ];
}

/** What became of events: identities known before, once for each row that has one, and how many new ones there were. */
export interface AcceptedEvents {
  readonly sentBefore: readonly string[];
  readonly fresh: number;
}

/** Accepts events: remembers their identities and puts those that are new into the inbox, by one statement. */
export async function acceptEvents(tx: Tx, rows: readonly InboxRow[], acceptedAt: Date): Promise<AcceptedEvents> {
  if (rows.length === 0) return { sentBefore: [], fresh: 0 };
  const [answer] = await tx.query<{ known: string[] | null; fresh: number }>(ACCEPT, parameters(rows, acceptedAt), {
    name: 'inbox_accept',
  });
  return { sentBefore: answer?.known ?? [], fresh: answer?.fresh ?? 0 };
}

/**
 * The same as writes to be sent together with others, for events of which all are expected to be new: without a look at
 * what is known, so PostgreSQL refuses the whole (unique violation) when one of them is.
 */
export function acceptanceWrites(rows: readonly InboxRow[], acceptedAt: Date): Write[] {
  const values = parameters(rows, acceptedAt).slice(0, -1);
  return [
    { name: 'e', text: EVENTS_SELECT, values },
    {
      name: 'events_seen',
      text: 'insert into event_seen (event_uid, seen_at) select event_uid, $1 from e order by event_uid',
      values: [acceptedAt],
    },
    {
      name: 'events_stored',
      text: `${STORE.replace('$12', '$1')} from e`,
      values: [acceptedAt],
      select: `pg_notify('${INBOX_CHANNEL}', '')`,
    },
  ];
}

/** Puts events into the inbox whose identities are remembered already. */
export async function storeEvents(tx: Tx, rows: readonly InboxRow[], acceptedAt: Date): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(STORE_ONLY, parameters(rows, acceptedAt), { name: 'inbox_store' });
}

/** Remembers identities. @returns those that were known already */
export async function rememberEvents(tx: Tx, uids: readonly string[], at: Date): Promise<ReadonlySet<string>> {
  const fresh = await tx.query<{ uid: string }>(
    `insert into event_seen (event_uid, seen_at) select uid, $2 from unnest($1::uuid[]) as uid order by uid
     on conflict do nothing returning event_uid as uid`,
    [uids, at],
    { name: 'events_remember' },
  );
  const made = new Set(fresh.map((row) => row.uid));
  return new Set(uids.filter((uid) => !made.has(uid)));
}

/** Forgets identities of events that were refused after all, so that they may be sent again when mended. */
export async function forgetEvents(tx: Tx, uids: readonly string[]): Promise<void> {
  if (uids.length === 0) return;
  await tx.query('delete from event_seen where event_uid = any($1::uuid[])', [uids], { name: 'events_forget' });
}

/** Forgets identities remembered before a moment, up to `limit` of them. @returns how many */
export async function forgetEventsBefore(database: Queryable, before: Date, limit: number): Promise<number> {
  const rows = await database.query<{ uid: string }>(
    `delete from event_seen where event_uid in (select event_uid from event_seen where seen_at < $1 limit $2)
     returning event_uid as uid`,
    [before, limit],
  );
  return rows.length;
}

/** Takes out what callers wrote into events of customers that are not in the history yet; that they happened stays. */
export async function blankEvents(tx: Queryable, customerIds: readonly string[]): Promise<void> {
  await tx.query(
    `update event_inbox set properties = '{}', source_id = event_uid::text where customer_id = any($1::uuid[])`,
    [customerIds],
  );
}
