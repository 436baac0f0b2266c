import { plainArray, type Queryable, type Tx, type Write } from '../../../src/core/database/index.ts';
import type { MonthRange } from './domain/qualification.ts';

/** SQL for what was earned by month: derived from the entries, kept so that a window can be summed cheaply. */

/** What counts of an account, by stretch of months. */
export interface SumsRow {
  readonly accountId: string;
  readonly sums: readonly number[];
}

/** The number of a month of a time zone (`$2`), as `monthNumber` has it. */
const monthOf = (at: string) =>
  `(extract(year from ${at} at time zone $2) * 12 + extract(month from ${at} at time zone $2) - 1)::int`;

/**
 * Counts into the months what entries of locked accounts are not in them yet: all of them the first time, those since when
 * the window was not looked at for a while, none as a rule. What was taken back is taken from the month it was earned in,
 * and what came by a merge stands in the months it was earned in. Index scans, n = accounts and entries not counted (the
 * offsets keep the planner from reading the ledger whole, which knows nothing of how few they are).
 */
export async function countMonths(tx: Tx, accountIds: readonly string[], timeZone: string): Promise<void> {
  await tx.query(
    `with recursive gap as materialized (
       select a.id, a.entry_count, coalesce(case when s.time_zone = $2 then s.entries end, 0) as done
       from loyalty_account a left join loyalty_tier_standing s on s.account_id = a.id
       where a.id = any($1::uuid[]) and (s.time_zone is distinct from $2 or s.entries <> a.entry_count)
     ), source (root, account, done) as (
       select id, id, done from gap
       union
       select s.root, f.id, 0 from source s cross join lateral (
         select e.source_id from loyalty_entry e
         where e.account_id = s.account and e.number > s.done and e.source = 'MERGE' and e.qualifying > 0 offset 0) e
       join loyalty_account f on f.customer_id = e.source_id
     ), moved as (
       select s.root as account_id, ${monthOf('e.earned_at')} as month, e.qualifying as earned
       from source s cross join lateral (
         select e.qualifying, coalesce((select o.effective_at from loyalty_entry o where o.id = e.reverses), e.effective_at) as earned_at
         from loyalty_entry e
         where e.account_id = s.account and e.number > s.done and e.qualifying <> 0 and e.source <> 'MERGE' offset 0) e
       union all
       select g.id, m.month, case when g.done > 0 then m.earned else 0 end
       from gap g cross join lateral (
         select m.month, m.earned from loyalty_earned_month m where m.account_id = g.id offset 0) m
     ), kept as (
       insert into loyalty_earned_month (account_id, month, earned)
       select account_id, month, sum(earned)::int8 from moved group by 1, 2
       on conflict (account_id, month) do update set earned = excluded.earned
     )
     insert into loyalty_tier_standing (account_id, entries, time_zone) select id, entry_count, $2 from gap
     on conflict (account_id) do update set entries = excluded.entries, time_zone = excluded.time_zone`,
    [accountIds, timeZone],
    { name: 'loyalty_count_months' },
  );
}

/** Sums of stretches of months. Index scans, n = accounts and their months in the stretches. */
export async function monthSums(
  database: Queryable,
  accountIds: readonly string[],
  stretches: readonly MonthRange[],
): Promise<Map<string, readonly number[]>> {
  const rows = await database.query<SumsRow>(
    `select a.id as "accountId", array(
       select coalesce((select sum(m.earned) from loyalty_earned_month m
                        where m.account_id = a.id and m.month >= s.first and m.month < s.behind), 0)::float8
       from unnest($2::int[], $3::int[]) with ordinality s(first, behind, n) order by s.n) as sums
     from unnest($1::uuid[]) a(id)`,
    [accountIds, stretches.map((one) => one.from), stretches.map((one) => one.to)],
    { name: 'loyalty_month_sums' },
  );
  return new Map(rows.map((row) => [row.accountId, row.sums]));
}

/** What an account earned in a month, to be added to what stands there. */
export interface MonthEarning {
  readonly accountId: string;
  readonly month: number;
  readonly earned: number;
}

/** Adds to the months. */
export const monthsWrite = (rows: readonly MonthEarning[]): Write => ({
  name: 'loyalty_months',
  text: `insert into loyalty_earned_month as m (account_id, month, earned)
         select * from unnest($1::uuid[], $2::int[], $3::bigint[])
         on conflict (account_id, month) do update set earned = m.earned + excluded.earned`,
  values: [
    plainArray(rows.map((row) => row.accountId)),
    plainArray(rows.map((row) => row.month)),
    plainArray(rows.map((row) => row.earned)),
  ],
});

/** Says up to which entry accounts are counted; who had no standing was counted just before. */
export const countedWrite = (rows: readonly { readonly accountId: string; readonly entries: number }[]): Write => ({
  name: 'loyalty_counted',
  text: `update loyalty_tier_standing s set entries = t.entries
         from unnest($1::uuid[], $2::int[]) t(id, entries) where s.account_id = t.id`,
  values: [plainArray(rows.map((row) => row.accountId)), plainArray(rows.map((row) => row.entries))],
});
