import type { Queryable } from '../../../src/core/database/index.ts';

/** Customers read at once: bounds memory and the time of a statement. */
const PAGE = 20_000;

/** A customer who was here at an instant. */
export interface Fate {
  readonly customerId: string;
  /** Whether it was gone when the horizon ended; always false when there was no horizon to look at. */
  readonly left: boolean;
}

/**
 * Customers who were here at an instant, and whether they were gone at another one, as their comings and goings say: by days without
 * activity, by the end of their subscription, or declared. What happens at `at` itself is behind the instant; a going at `until` is behind
 * the horizon. Pages by customer along the primary key.
 */
export async function* fates(database: Queryable, at: Date, until: Date): AsyncGenerator<Fate[]> {
  for (let after: string | null = null; ; ) {
    const rows: (Fate & { readonly here: boolean })[] = await database.query(
      `select customer_id as "customerId",
         coalesce((array_agg(kind order by at desc, kind) filter (where at <= $1))[1] <> 'CHURNED', false) as here,
         coalesce((array_agg(kind order by at desc, kind))[1] = 'CHURNED', false) as "left"
       from churn_change where at < greatest($2, $1::timestamptz + interval '1 ms') and ($3::uuid is null or customer_id > $3)
       group by customer_id order by customer_id limit $4`,
      [at, until, after, PAGE],
      { name: 'churn_fates' },
    );
    yield rows.flatMap(({ customerId, here, left }) => (here ? [{ customerId, left }] : []));
    if (rows.length < PAGE) return;
    after = (rows.at(-1) as Fate).customerId;
  }
}

/** What customers paid a month at an instant, in the reporting currency; customers who paid nothing are left out. */
export async function* recurringAt(
  database: Queryable,
  at: Date,
  currency: string,
): AsyncGenerator<{ readonly customerId: string; readonly mrrMinor: number }[]> {
  for (let after: string | null = null; ; ) {
    const rows: { customerId: string; mrrMinor: number }[] = await database.query(
      `select distinct on (customer_id) customer_id as "customerId", mrr_minor as "mrrMinor" from churn_mrr_movement
       where currency = $2 and at < $1 and ($3::uuid is null or customer_id > $3)
       order by customer_id, at desc limit $4`,
      [at, currency, after, PAGE],
      { name: 'churn_recurring_at' },
    );
    yield rows.filter(({ mrrMinor }) => mrrMinor > 0);
    if (rows.length < PAGE) return;
    after = (rows.at(-1) as { customerId: string }).customerId;
  }
}

/** Whether comings and goings were ever derived. */
export async function livesDerived(database: Queryable): Promise<number> {
  const [row] = await database.query<{ customers: number }>('select count(*)::int as customers from churn_status');
  return row?.customers ?? 0;
}
