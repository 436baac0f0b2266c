import type { Call } from '../../../src/core/call.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { appendEvents, type NewEvent } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import { formatMinor } from '../../../src/core/money.ts';
import { countsAsActivity } from '../catalogue.ts';
import { derivedId, eventUid, OWN_SOURCE } from '../identity.ts';

/** An event of the stream that follows from a record. */
export interface DerivedEvent {
  readonly name: string;
  /** Of the record. */
  readonly externalId: string;
  /** Tells states of one record apart, e.g. the time of a change. */
  readonly state?: string | number;
  readonly customerId: string;
  readonly at: Date;
  readonly money?: { readonly amountMinor: number; readonly currency: string };
  readonly value?: number;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** The channel that wakes whoever takes accepted events to the history engine. */
const INBOX_CHANNEL = 'holdfast_inbox';

/** What a transaction has to tell: facts for the outbox, and events for the stream. Written by one statement each. */
export class Facts {
  readonly events: NewEvent[] = [];
  readonly stream: DerivedEvent[] = [];

  /** @param clocks the business's for the facts, the machine's for when they were accepted */
  async write(tx: Tx, call: Call, clocks: { readonly clock: Clock; readonly systemClock: Clock }): Promise<void> {
    await writeStream(tx, this.stream, clocks.systemClock);
    await noteActivity(tx, activityOf(this.stream));
    if (this.events.length > 0) await appendEvents(tx, call, clocks.clock, this.events);
  }
}

/** What a customer was seen doing last, and the first order among it. */
export interface Seen {
  readonly customerId: string;
  readonly lastMs: number;
  readonly firstOrderMs: number | null;
}

function activityOf(stream: readonly DerivedEvent[]): Seen[] {
  const seen = new Map<string, Seen>();
  for (const { name, customerId, at } of stream) {
    if (!countsAsActivity(name)) continue;
    const known = seen.get(customerId);
    const orderMs = name === 'order.placed' ? at.getTime() : null;
    const firstOrderMs =
      orderMs === null ? (known?.firstOrderMs ?? null) : Math.min(orderMs, known?.firstOrderMs ?? orderMs);
    seen.set(customerId, { customerId, lastMs: Math.max(at.getTime(), known?.lastMs ?? 0), firstOrderMs });
  }
  return [...seen.values()].sort((a, b) => (a.customerId < b.customerId ? -1 : 1));
}

/** Moves the last activity of customers forward and the first order back; never the other way. */
export async function noteActivity(tx: Tx, seen: readonly Seen[]): Promise<void> {
  if (seen.length === 0) return;
  await tx.query(
    `update customer c set last_activity_at = greatest(c.last_activity_at, n.last_at),
       first_order_at = least(c.first_order_at, n.first_order_at)
     from (select id, to_timestamp(l / 1000.0) as last_at, to_timestamp(f / 1000.0) as first_order_at
           from unnest($1::uuid[], $2::float8[], $3::float8[]) as t(id, l, f)) n
     where c.id = n.id and (c.last_activity_at is null or n.last_at > c.last_activity_at
       or n.first_order_at < coalesce(c.first_order_at, 'infinity'))`,
    [seen.map((one) => one.customerId), seen.map((one) => one.lastMs), seen.map((one) => one.firstOrderMs)],
    { name: 'customer_activity' },
  );
}

async function writeStream(tx: Tx, stream: readonly DerivedEvent[], clock: Clock): Promise<void> {
  if (stream.length === 0) return;
  const ids = stream.map((event) => derivedId(event.name, event.externalId, event.state));
  await tx.query(
    `with e as (
       select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::timestamptz[], $6::numeric[], $7::text[], $8::jsonb[])
         as t(event_uid, source_id, customer_id, name, at, value, currency, properties)
     ), fresh as (
       insert into event_seen (event_uid, seen_at) select event_uid, $9 from e order by event_uid
       on conflict do nothing returning event_uid
     ), stored as (
       insert into event_inbox (event_uid, source, source_id, customer_id, name, at, value, currency, properties, batch_id, accepted_at)
       select event_uid, $10, source_id, customer_id, name, at, value, currency, properties, $11, $9 from e join fresh using (event_uid)
       on conflict do nothing returning 1
     )
     select pg_notify('${INBOX_CHANNEL}', '') from stored limit 1`,
    [
      ids.map((id) => eventUid(OWN_SOURCE, id)),
      ids,
      stream.map((event) => event.customerId),
      stream.map((event) => event.name),
      stream.map((event) => event.at.toISOString()),
      stream.map((event) => (event.money === undefined ? (event.value ?? null) : formatMinor(event.money))),
      stream.map((event) => event.money?.currency ?? null),
      stream.map((event) => JSON.stringify(event.properties ?? {})),
      clock.now(),
      OWN_SOURCE,
      newId(),
    ],
    { name: 'derived_events' },
  );
}
