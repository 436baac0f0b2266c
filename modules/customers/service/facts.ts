import { acceptEvents, type InboxRow } from '../../../src/core/analytics/index.ts';
import type { Call } from '../../../src/core/call.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { appendEvents, type NewEvent } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import { formatMinor } from '../../../src/core/money.ts';
import { countsAsActivity } from '../catalogue.ts';
import { derivedId, eventUid, OWN_SOURCE } from '../identity.ts';
import { survivors } from './references.ts';

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

/**
 * Moves the last activity of customers forward and the first order back; never the other way. Follows former ids, also
 * of customers merged away while this waited for their rows: such a merge is committed then, and seen by the second look.
 */
export async function noteActivity(tx: Tx, seen: readonly Seen[]): Promise<void> {
  if (seen.length === 0) return;
  await writeActivity(tx, seen);
  const merged = await survivors(
    tx,
    seen.map((one) => one.customerId),
  );
  if (merged.size > 0) {
    await writeActivity(
      tx,
      seen.filter((one) => merged.has(one.customerId)),
    );
  }
}

function writeActivity(tx: Tx, seen: readonly Seen[]): Promise<object[]> {
  return tx.query(
    `update customer c set last_activity_at = greatest(c.last_activity_at, n.last_at),
       first_order_at = least(c.first_order_at, n.first_order_at)
     from (select coalesce(a.customer_id, t.id) as id, to_timestamp(max(l) / 1000.0) as last_at, to_timestamp(min(f) / 1000.0) as first_order_at
           from unnest($1::uuid[], $2::float8[], $3::float8[]) as t(id, l, f)
           left join customer_alias a on a.former_id = t.id
           group by 1) n
     where c.id = n.id and (c.last_activity_at is null or n.last_at > c.last_activity_at
       or n.first_order_at < coalesce(c.first_order_at, 'infinity'))`,
    [seen.map((one) => one.customerId), seen.map((one) => one.lastMs), seen.map((one) => one.firstOrderMs)],
    { name: 'customer_activity' },
  );
}

async function writeStream(tx: Tx, stream: readonly DerivedEvent[], clock: Clock): Promise<void> {
  const batchId = newId();
  const rows = new Map<string, InboxRow>();
  for (const event of stream) {
    const sourceId = derivedId(event.name, event.externalId, event.state);
    const uid = eventUid(OWN_SOURCE, sourceId);
    rows.set(uid, {
      uid,
      source: OWN_SOURCE,
      sourceId,
      customerId: event.customerId,
      name: event.name,
      at: event.at,
      value: event.money === undefined ? (event.value?.toString() ?? null) : formatMinor(event.money),
      currency: event.money?.currency ?? null,
      properties: JSON.stringify(event.properties ?? {}),
      batchId,
    });
  }
  await acceptEvents(tx, [...rows.values()], clock.now());
}
