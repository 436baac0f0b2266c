import type { Analytics } from '../../../src/core/analytics/types.ts';
import type { Queryable } from '../../../src/core/database/index.ts';
import type { ActivityEvent, ActivityFacts, ActivityPlace, Period } from '../contract.ts';

export interface ActivitySources {
  readonly database: Queryable;
  readonly analytics: Analytics;
}

/** All ids a customer's events may stand under (its own and those of customers merged into it) → the customer. */
export async function eventIds(db: Queryable, ids: readonly string[]): Promise<Map<string, string>> {
  const owner = new Map(ids.map((id) => [id, id]));
  const rows = await db.query<{ id: string; formerId: string }>(
    'select customer_id as id, former_id as "formerId" from customer_alias where customer_id = any($1::uuid[]) and former_id is not null',
    [ids],
    { name: 'customer_former_ids' },
  );
  for (const { id, formerId } of rows) owner.set(formerId, id);
  return owner;
}

interface RawEvent {
  readonly uid: string;
  readonly customerId: string;
  readonly name: string;
  readonly at: Date | string;
  readonly value: string | null;
  readonly currency: string | null;
  readonly properties: string | Record<string, unknown>;
  readonly source: string;
  readonly sourceId: string;
}

/**
 * The latest events of customers, `limit` of each, latest first. Accepted events that are not in the history engine yet
 * are among them; the inbox is read first, so that an event on its way is seen in one place at least, and in one only
 * counted.
 */
export async function latestEvents(
  { database, analytics }: ActivitySources,
  customerIds: readonly string[],
  limit: number,
  options: { readonly after?: ActivityPlace | null; readonly names?: readonly string[] | null },
): Promise<Map<string, ActivityEvent[]>> {
  const owner = await eventIds(database, customerIds);
  const ids = [...owner.keys()];
  const after = options.after ?? null;
  const names = options.names ?? null;
  const waiting = await database.query<RawEvent>(
    `select e.* from unnest($1::uuid[]) as c(id) cross join lateral (
       select event_uid as uid, customer_id as "customerId", name, at, value, currency, properties, source, source_id as "sourceId"
       from event_inbox where customer_id = c.id and ($2::text[] is null or name = any($2))
         and ($3::timestamptz is null or (at, event_uid::text) < ($3, $4))
       order by at desc, event_uid::text desc limit $5) e`,
    [ids, names, after?.at ?? null, after?.uid ?? null, limit],
    { name: 'activity_waiting' },
  );
  const settled = await analytics.query<RawEvent>(
    `select toString(event_uid) as uid, customer_id as "customerId", name, at, value, currency, properties, source,
            source_id as "sourceId"
     from events final
     where customer_id in {ids:Array(UUID)}
       ${names === null ? '' : 'and name in {names:Array(String)}'}
       ${after === null ? '' : 'and (at, toString(event_uid)) < ({at:DateTime64(3)}, {uid:String})'}
     order by at desc, uid desc limit {limit:UInt32} by customer_id`,
    { ids, limit, ...(names === null ? {} : { names }), ...(after === null ? {} : { at: after.at, uid: after.uid }) },
  );
  const found = new Map<string, Map<string, ActivityEvent>>(customerIds.map((id) => [id, new Map()]));
  for (const row of [...waiting, ...settled]) {
    const customerId = owner.get(row.customerId) ?? row.customerId;
    found.get(customerId)?.set(row.uid, {
      ...row,
      customerId,
      at: new Date(row.at),
      currency: row.currency === '' ? null : row.currency,
      properties: typeof row.properties === 'string' ? JSON.parse(row.properties) : row.properties,
    });
  }
  return new Map(
    [...found].map(([id, events]) => [
      id,
      [...events.values()].sort((a, b) => b.at.getTime() - a.at.getTime() || (a.uid < b.uid ? 1 : -1)).slice(0, limit),
    ]),
  );
}

interface CountRow {
  readonly customerId: string;
  readonly name: string;
  readonly count: number;
  readonly days: readonly string[];
  readonly lastAt: Date | string;
}

/** What customers did, by name, in a period; an event on its way to the history engine is counted once. */
export async function activityFacts(
  { database, analytics }: ActivitySources,
  customerIds: readonly string[],
  period: Period,
  names: readonly string[] | null,
): Promise<ActivityFacts[]> {
  if (customerIds.length === 0) return [];
  const owner = await eventIds(database, customerIds);
  const ids = [...owner.keys()];
  const waiting = await database.query<CountRow & { readonly uids: string[] }>(
    `select customer_id as "customerId", name, count(*) as count, max(at) as "lastAt", array_agg(event_uid::text) as uids,
       array_agg(distinct to_char(at at time zone 'UTC', 'YYYY-MM-DD')) as days
     from event_inbox where customer_id = any($1::uuid[]) and at >= $2 and at < $3 and ($4::text[] is null or name = any($4))
     group by customer_id, name`,
    [ids, period.from, period.to, names],
    { name: 'activity_waiting_facts' },
  );
  const uids = waiting.flatMap((row) => row.uids);
  const settled = await analytics.query<CountRow>(
    `select customer_id as "customerId", name, toUInt32(uniqExact(event_uid)) as count, max(at) as "lastAt",
            arrayMap(d -> toString(d), groupUniqArray(toDate(at))) as days
     from events
     where customer_id in {ids:Array(UUID)} and at >= {from:DateTime64(3)} and at < {to:DateTime64(3)}
       ${names === null ? '' : 'and name in {names:Array(String)}'}
       ${uids.length === 0 ? '' : 'and event_uid not in {uids:Array(UUID)}'}
     group by customer_id, name`,
    {
      ids,
      from: period.from,
      to: period.to,
      ...(names === null ? {} : { names }),
      ...(uids.length === 0 ? {} : { uids }),
    },
  );
  const merged = new Map<
    string,
    { customerId: string; name: string; count: number; days: Set<string>; lastAt: Date }
  >();
  for (const row of [...waiting, ...settled]) {
    const customerId = owner.get(row.customerId) ?? row.customerId;
    const lastAt = new Date(row.lastAt);
    const key = `${customerId} ${row.name}`;
    const known = merged.get(key);
    if (known === undefined)
      merged.set(key, { customerId, name: row.name, count: row.count, days: new Set(row.days), lastAt });
    else {
      known.count += row.count;
      for (const day of row.days) known.days.add(day);
      if (lastAt > known.lastAt) known.lastAt = lastAt;
    }
  }
  return [...merged.values()].map((row) => ({ ...row, days: row.days.size }));
}
