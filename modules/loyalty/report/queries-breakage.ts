import type { Database } from '../../../src/core/database/index.ts';
import { type BreakageHistory, effectiveNumber } from './domain/breakage.ts';
import { inMemory } from './queries.ts';

/** Lots earned in so many days are watched, from their first day on: three years. */
export const WATCHED_DAYS = 1_095;

const DAY = 86_400;

/**
 * What became of points by age: taken from lots by redemptions or otherwise, and what the lots hold still. What was given
 * back counts as never taken. Hash joins of the uses of lots with their entries; rows out = days watched.
 * @param since lots earned before it are not watched; what they hold is outstanding all the same
 */
export async function breakageHistory(
  database: Pick<Database, 'transaction'>,
  since: Date,
  at: Date,
): Promise<BreakageHistory> {
  const [row] = await inMemory<{
    ages: { ageDays: number; redeemed: string; gone: string; held: string }[] | null;
    outstanding: { ageDays: number; lapsesAtDays: number | null; points: string }[] | null;
    redeemers: number;
    sum: number | null;
    squares: number | null;
  }>(
    database,
    `with taken as (
       select l.account_id, greatest(0, floor(extract(epoch from coalesce(o.recorded_at, e.recorded_at) - l.effective_at) / ${DAY}))::int as age,
         coalesce(o.kind, e.kind) = 'REDEEM' as redeemed, u.points
       from loyalty_lot_use u
       join loyalty_entry l on l.id = u.lot_id and l.effective_at >= $1
       join loyalty_entry e on e.id = u.entry_id
       left join loyalty_entry o on u.points < 0 and o.id = coalesce(e.reverses, e.settles)
     ), lot as (
       select t.account_id, t.earned_at, t.points, a.closed_at is null as open,
         greatest(0, floor(extract(epoch from $2::timestamptz - t.earned_at) / ${DAY}))::int as age,
         floor(extract(epoch from t.expires_at - t.earned_at) / ${DAY})::int as lapses
       from loyalty_lot t join loyalty_account a on a.id = t.account_id
     ), age as (
       select age as "ageDays", sum(redeemed)::text as redeemed, sum(gone)::text as gone, sum(held)::text as held from (
         select age, case when redeemed then points else 0 end as redeemed, case when redeemed then 0 else points end as gone, 0 as held
         from taken
         union all
         select age, 0, 0, points from lot where earned_at >= $1) x group by 1
     ), outstanding as (
       select age as "ageDays", lapses as "lapsesAtDays", sum(points)::text as points from lot where open group by 1, 2
     ), member as (
       select account_id, sum(points) as points, bool_or(redeemed) as redeemed from (
         select account_id, points, redeemed from taken
         union all
         select account_id, points, false from lot where earned_at >= $1) x group by 1
     )
     select (select json_agg(a) from age a) as ages, (select json_agg(o) from outstanding o) as outstanding,
       (select count(*) filter (where redeemed)::int from member) as redeemers,
       (select sum(points)::float8 from member) as sum, (select sum(points::float8 * points::float8) from member) as squares`,
    [since, at],
    'loyalty_breakage',
  );
  return {
    ages: (row?.ages ?? []).map((one) => ({
      ageDays: one.ageDays,
      redeemed: Number(one.redeemed),
      gone: Number(one.gone),
      held: Number(one.held),
    })),
    outstanding: (row?.outstanding ?? []).map((one) => ({ ...one, points: Number(one.points) })),
    redeemers: row?.redeemers ?? 0,
    effectiveMembers: effectiveNumber(row?.sum ?? 0, row?.squares ?? 0),
  };
}
