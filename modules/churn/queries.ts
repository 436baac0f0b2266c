import type { Analytics } from '../../src/core/analytics/types.ts';
import type { Queryable, Tx } from '../../src/core/database/index.ts';
import { passiveEventNames } from '../customers/contract.ts';
import type { ActivitySpan, ChangeKind, ChurnCause, Lifecycle } from './domain/lifecycle.ts';
import type { MonthlyMoves } from './domain/rate.ts';

interface SpanRow {
  customerId: string;
  fromMs: number;
  toMs: number;
}

/**
 * Activity of some customers, a stretch per day (UTC), in order; accepted events not yet in the history engine included.
 * @param owners every id under which events of the customers stand → the customer
 */
export async function activitySpans(
  sources: { readonly analytics: Analytics; readonly database: Queryable },
  owners: ReadonlyMap<string, string>,
  at: Date,
): Promise<Map<string, ActivitySpan[]>> {
  const all = [...owners.keys()];
  const [settled, waiting] = await Promise.all([
    // Sorting key (customer_id, event_uid): reads the granules of these customers only. Folding replays is not needed
    // to know the days.
    sources.analytics.query<SpanRow>(
      `select customer_id as "customerId", toFloat64(toUnixTimestamp64Milli(min(at))) as "fromMs",
              toFloat64(toUnixTimestamp64Milli(max(at))) as "toMs"
       from events where customer_id in {ids:Array(UUID)} and at <= {at:DateTime64(3)} and name not in {passive:Array(String)}
       group by customer_id, toDate(at)`,
      { ids: all, at, passive: passiveEventNames },
    ),
    sources.database.query<SpanRow>(
      `select customer_id as "customerId", (extract(epoch from at) * 1000)::float8 as "fromMs", (extract(epoch from at) * 1000)::float8 as "toMs"
       from event_inbox where customer_id = any($1::uuid[]) and at <= $2 and not name = any($3::text[])`,
      [all, at, passiveEventNames],
    ),
  ]);
  const spans = new Map<string, ActivitySpan[]>();
  for (const { customerId, fromMs, toMs } of [...settled, ...waiting]) {
    const id = owners.get(customerId) ?? customerId;
    const list = spans.get(id);
    if (list === undefined) spans.set(id, [{ fromMs, toMs }]);
    else list.push({ fromMs, toMs });
  }
  for (const list of spans.values()) list.sort((a, b) => a.fromMs - b.fromMs);
  return spans;
}

export type Status = 'ACTIVE' | 'CHURNED';

export interface StatusRow {
  readonly customerId: string;
  readonly status: Status;
  readonly since: Date;
}

/** Locks the status of customers in the order of their ids. */
export async function lockStatuses(tx: Tx, ids: readonly string[]): Promise<Map<string, StatusRow>> {
  const rows = await tx.query<StatusRow>(
    `select customer_id as "customerId", status, since from churn_status
     where customer_id = any($1::uuid[]) order by customer_id for update`,
    [ids],
  );
  return new Map(rows.map((row) => [row.customerId, row]));
}

/** Puts the derived lives of customers in the place of what was derived before: three statements whatever their number. */
export async function replaceLifecycles(tx: Tx, lifecycles: ReadonlyMap<string, Lifecycle>): Promise<void> {
  const ids = [...lifecycles.keys()];
  const changes = [...lifecycles].flatMap(([customerId, life]) =>
    life.changes.map((change) => ({ customerId, ...change })),
  );
  const present = [...lifecycles].flatMap(([customerId, life]) => {
    const last = life.changes.at(-1);
    return last === undefined ? [] : [{ customerId, last, dueAtMs: life.dueAtMs }];
  });
  await tx.query('delete from churn_change where customer_id = any($1::uuid[])', [ids]);
  await tx.query(
    `insert into churn_change (customer_id, at, kind, cause)
     select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[]) on conflict do nothing`,
    [
      changes.map((change) => change.customerId),
      changes.map((change) => new Date(change.atMs)),
      changes.map((change) => change.kind),
      changes.map((change) => change.cause),
    ],
  );
  await tx.query(
    `insert into churn_status (customer_id, status, since, due_at)
     select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[])
     on conflict (customer_id) do update set status = excluded.status, since = excluded.since, due_at = excluded.due_at`,
    [
      present.map((row) => row.customerId),
      present.map((row) => (row.last.kind === 'CHURNED' ? 'CHURNED' : 'ACTIVE')),
      present.map((row) => new Date(row.last.atMs)),
      present.map((row) => (row.dueAtMs === null ? null : new Date(row.dueAtMs))),
    ],
  );
}

/** What was derived for customers who were merged away or erased. */
export async function forgetLifecycles(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.query('delete from churn_change where customer_id = any($1::uuid[])', [ids]);
  await tx.query('delete from churn_status where customer_id = any($1::uuid[])', [ids]);
}

/** Customers whose time has run out: an index scan of those due. */
export async function dueCustomers(database: Queryable, at: Date, limit: number): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    'select customer_id as id from churn_status where due_at <= $1 order by due_at limit $2',
    [at, limit],
  );
  return rows.map((row) => row.id);
}

/** Customers by the first and last change of each month, and how many were active when the first month began. */
export async function monthlyMoves(
  database: Queryable,
  period: { readonly from: Date; readonly to: Date; readonly timeZone: string },
): Promise<{ moves: MonthlyMoves[]; activeBefore: number }> {
  const [moves, before] = await Promise.all([
    database.query<{ month: string; first: ChangeKind; last: ChangeKind; customers: number }>(
      `select month, first, last, count(*)::int as customers from (
         select to_char(date_trunc('month', at at time zone $3), 'YYYY-MM-DD') as month, customer_id,
                (array_agg(kind order by at, kind))[1] as first, (array_agg(kind order by at desc, kind desc))[1] as last
         from churn_change where at >= $1 and at < $2 group by 1, 2) m
       group by 1, 2, 3`,
      [period.from, period.to, period.timeZone],
    ),
    database.query<{ active: number }>(
      `select coalesce(sum(case kind when 'CHURNED' then -1 else 1 end), 0)::int as active from churn_change where at < $1`,
      [period.from],
    ),
  ]);
  return { moves, activeBefore: before[0]?.active ?? 0 };
}

/** Goings of a period by cause. */
export function churnedByCause(
  database: Queryable,
  period: { readonly from: Date; readonly to: Date },
): Promise<{ cause: ChurnCause; customers: number }[]> {
  return database.query(
    `select cause, count(distinct customer_id)::int as customers from churn_change
     where kind = 'CHURNED' and at >= $1 and at < $2 group by 1 order by 2 desc, 1`,
    [period.from, period.to],
  );
}

/** Nobody waits any more for customers who are no longer known: they were erased. */
export async function clearDue(database: Queryable, ids: readonly string[]): Promise<void> {
  await database.query('update churn_status set due_at = null where customer_id = any($1::uuid[])', [ids]);
}
