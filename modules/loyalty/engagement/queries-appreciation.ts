import type { Queryable, Tx } from '../../../src/core/database/index.ts';

/** SQL of anniversaries. */

/** Signups of a day: half-open, with how many years ago it was. */
export interface SignupDay {
  readonly from: Date;
  readonly to: Date;
  readonly years: number;
}

export interface Celebrated {
  readonly customerId: string;
  readonly years: number;
}

export const occasionOf = (years: number): string => `anniversary:${years}`;

/**
 * Members who signed up on one of some days and were not thanked for it, not gone and not churned. Index scans of the
 * customers' signups, a range for each day, n = the signups of those days.
 */
export function membersOfDays(db: Queryable, days: readonly SignupDay[], limit: number): Promise<Celebrated[]> {
  return db.query<Celebrated>(
    `select c.id as "customerId", d.years
     from unnest($1::timestamptz[], $2::timestamptz[], $3::int[]) as d(starts, ends, years)
     join customer c on c.signup_at >= d.starts and c.signup_at < d.ends
     join loyalty_account a on a.customer_id = c.id and a.closed_at is null
     where c.erased_at is null and c.status <> 'CHURNED'
       and not exists (select from loyalty_appreciation p
                       where p.customer_id = c.id and p.occasion = 'anniversary:' || d.years)
     order by c.id limit $4`,
    [days.map(({ from }) => from), days.map(({ to }) => to), days.map(({ years }) => years), limit],
    { name: 'appreciation_members' },
  );
}

/** Keeps occasions as celebrated. @returns those that were not before, as `customer years` */
export async function insertCelebrated(tx: Tx, rows: readonly Celebrated[], at: Date): Promise<ReadonlySet<string>> {
  const made = await tx.query<{ name: string }>(
    `insert into loyalty_appreciation (customer_id, occasion, celebrated_at)
     select customer, 'anniversary:' || years, $3 from unnest($1::uuid[], $2::int[]) as t(customer, years)
     on conflict do nothing returning customer_id || ' ' || substr(occasion, length('anniversary:') + 1) as name`,
    [rows.map((row) => row.customerId), rows.map((row) => row.years), at],
    { name: 'appreciation_insert' },
  );
  return new Set(made.map((row) => row.name));
}

/** Says how many points were given. */
export async function noteCelebrated(tx: Tx, rows: readonly (Celebrated & { points: number })[]): Promise<void> {
  await tx.query(
    `update loyalty_appreciation p set points = t.points
     from unnest($1::uuid[], $2::int[], $3::bigint[]) as t(customer, years, points)
     where p.customer_id = t.customer and p.occasion = 'anniversary:' || t.years`,
    [rows.map((row) => row.customerId), rows.map((row) => row.years), rows.map((row) => row.points)],
    { name: 'appreciation_note' },
  );
}
