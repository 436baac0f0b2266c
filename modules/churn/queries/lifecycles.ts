import type { Analytics } from '../../../src/core/analytics/types.ts';
import type { Queryable, Tx } from '../../../src/core/database/index.ts';
import { passiveEventNames } from '../../customers/contract.ts';
import type { ActivitySpan, Lifecycle } from '../domain/lifecycle.ts';
import type { Movement } from '../domain/movements.ts';

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

/**
 * Puts the derived lives of customers in the place of what was derived before: three statements whatever their number.
 * @param terms the settings they were derived by
 */
export async function replaceLifecycles(
  tx: Tx,
  lifecycles: ReadonlyMap<string, Lifecycle>,
  terms: string,
): Promise<void> {
  const ids = [...lifecycles.keys()];
  const changes = [...lifecycles].flatMap(([customerId, life]) =>
    life.changes.map((change, n) => ({ customerId, ...change, untilMs: life.changes[n + 1]?.atMs ?? null })),
  );
  const present = [...lifecycles].flatMap(([customerId, life]) => {
    const last = life.changes.at(-1);
    return last === undefined ? [] : [{ customerId, last, dueAtMs: life.dueAtMs }];
  });
  await tx.query('delete from churn_change where customer_id = any($1::uuid[])', [ids]);
  await tx.query(
    `insert into churn_change (customer_id, at, kind, cause, reason, until)
     select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
     on conflict do nothing`,
    [
      changes.map((change) => change.customerId),
      changes.map((change) => new Date(change.atMs)),
      changes.map((change) => change.kind),
      changes.map((change) => change.cause),
      changes.map((change) => change.reason),
      changes.map(({ untilMs }) => (untilMs === null ? null : new Date(untilMs))),
    ],
  );
  await tx.query(
    `insert into churn_status (customer_id, status, since, due_at, terms)
     select *, $5 from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[])
     on conflict (customer_id) do update set status = excluded.status, since = excluded.since, due_at = excluded.due_at,
       terms = excluded.terms`,
    [
      present.map((row) => row.customerId),
      present.map((row) => (row.last.kind === 'CHURNED' ? 'CHURNED' : 'ACTIVE')),
      present.map((row) => new Date(row.last.atMs)),
      present.map((row) => (row.dueAtMs === null ? null : new Date(row.dueAtMs))),
      terms,
    ],
  );
}

/** The same for what customers pay: two statements whatever their number. */
export async function replaceMovements(tx: Tx, movements: ReadonlyMap<string, readonly Movement[]>): Promise<void> {
  await tx.query('delete from churn_mrr_movement where customer_id = any($1::uuid[])', [[...movements.keys()]]);
  const rows = [...movements].flatMap(([customerId, moves]) => moves.map((move) => ({ customerId, ...move })));
  if (rows.length === 0) return;
  await tx.query(
    `insert into churn_mrr_movement (customer_id, currency, at, kind, delta_minor, mrr_minor, paying_since)
     select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::bigint[], $6::bigint[], $7::timestamptz[])`,
    [
      rows.map((row) => row.customerId),
      rows.map((row) => row.currency),
      rows.map((row) => new Date(row.atMs)),
      rows.map((row) => row.kind),
      rows.map((row) => row.deltaMinor),
      rows.map((row) => row.mrrMinor),
      rows.map((row) => new Date(row.payingSinceMs)),
    ],
  );
}

/** Whether somebody's life was derived by other settings than those in force. */
export async function derivedByOthers(database: Queryable, terms: string): Promise<boolean> {
  const [row] = await database.query<{ stale: boolean }>(
    'select exists (select from churn_status where terms <> $1) as stale',
    [terms],
  );
  return row?.stale === true;
}

/**
 * Who was erased left then, and what was paid ended; the words of the reason go, the counts stay. Nothing of them is
 * derived again. Done twice, it does nothing.
 */
export async function endLifecycles(tx: Tx, ids: readonly string[], at: Date): Promise<void> {
  await tx.query('update churn_change set reason = null where customer_id = any($1::uuid[])', [ids]);
  await tx.query(
    `update churn_change c set until = greatest($2, s.since) from churn_status s
     where s.customer_id = any($1::uuid[]) and s.status = 'ACTIVE' and c.customer_id = s.customer_id and c.until is null`,
    [ids, at],
  );
  await tx.query(
    `insert into churn_change (customer_id, at, kind, cause)
     select customer_id, greatest($2, since), 'CHURNED', 'OPERATOR' from churn_status
     where customer_id = any($1::uuid[]) and status = 'ACTIVE' on conflict do nothing`,
    [ids, at],
  );
  await tx.query(
    `update churn_status set status = 'CHURNED', since = greatest($2, since), due_at = null
     where customer_id = any($1::uuid[]) and status = 'ACTIVE'`,
    [ids, at],
  );
  await tx.query(
    `insert into churn_mrr_movement (customer_id, currency, at, kind, delta_minor, mrr_minor, paying_since)
     select customer_id, currency, greatest($2, at + interval '1 millisecond'), 'CHURNED', -mrr_minor, 0, paying_since
     from (select distinct on (customer_id, currency) * from churn_mrr_movement
           where customer_id = any($1::uuid[]) order by customer_id, currency, at desc) last
     where mrr_minor > 0`,
    [ids, at],
  );
}

/** What was derived for customers who were merged away. */
export async function forgetLifecycles(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.query('delete from churn_change where customer_id = any($1::uuid[])', [ids]);
  await tx.query('delete from churn_status where customer_id = any($1::uuid[])', [ids]);
  await tx.query('delete from churn_mrr_movement where customer_id = any($1::uuid[])', [ids]);
}

/** Customers whose time has run out: an index scan of those due. */
export async function dueCustomers(database: Queryable, at: Date, limit: number): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    'select customer_id as id from churn_status where due_at <= $1 order by due_at limit $2',
    [at, limit],
  );
  return rows.map((row) => row.id);
}

/** Nobody waits any more for customers who are no longer known: they were erased. */
export async function clearDue(database: Queryable, ids: readonly string[]): Promise<void> {
  await database.query('update churn_status set due_at = null where customer_id = any($1::uuid[])', [ids]);
}

/** Those of some customers who are gone at an instant, also when nobody has said so yet: index scans by customer. */
export async function goneAt(database: Queryable, ids: readonly string[], at: Date): Promise<Set<string>> {
  const rows = await database.query<{ id: string }>(
    `select customer_id as id from churn_change
     where customer_id = any($1::uuid[]) and kind = 'CHURNED' and at <= $2 and (until is null or until > $2)
     union
     select customer_id from churn_status where customer_id = any($1::uuid[]) and status = 'ACTIVE' and due_at <= $2`,
    [ids, at],
  );
  return new Set(rows.map(({ id }) => id));
}
