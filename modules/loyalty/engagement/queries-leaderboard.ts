import type { Queryable, Tx } from '../../../src/core/database/index.ts';

/** SQL of the leaderboard: points of those who asked to be on it. */

export const LEADERBOARD_PERIODS = ['WEEK', 'MONTH', 'ALL'] as const;

export type LeaderboardPeriod = (typeof LEADERBOARD_PERIODS)[number];

/** Ranks are counted up to here; that is an index scan of at most so many entries, some milliseconds. */
export const RANK_MAX = 10_000;

export interface LeaderboardMember {
  readonly customerId: string;
  readonly displayName: string;
  readonly joinedAt: Date;
  /** Number of the last ledger entry that is in the scores; null: they are to be reckoned from the ledger. */
  readonly counted: number | null;
}

export function leaderboardMembers(db: Queryable, customerIds: readonly string[]): Promise<LeaderboardMember[]> {
  return db.query<LeaderboardMember>(
    `select customer_id as "customerId", display_name as "displayName", joined_at as "joinedAt", counted
     from loyalty_leaderboard_member where customer_id = any($1::uuid[])`,
    [customerIds],
    { name: 'leaderboard_members' },
  );
}

export async function writeMember(tx: Tx, member: LeaderboardMember): Promise<void> {
  await tx.query(
    `insert into loyalty_leaderboard_member (customer_id, display_name, joined_at, counted) values ($1, $2, $3, $4)
     on conflict (customer_id) do update set display_name = excluded.display_name`,
    [member.customerId, member.displayName, member.joinedAt, member.counted],
  );
}

/** @returns whether any was there */
export async function dropMembers(tx: Tx, customerIds: readonly string[]): Promise<boolean> {
  await tx.query('delete from loyalty_leaderboard_score where customer_id = any($1::uuid[])', [customerIds]);
  const gone = await tx.query<{ id: string }>(
    'delete from loyalty_leaderboard_member where customer_id = any($1::uuid[]) returning customer_id as id',
    [customerIds],
  );
  return gone.length > 0;
}

/** When the periods now running began. */
export interface PeriodStarts {
  readonly WEEK: Date;
  readonly MONTH: Date;
  readonly ALL: Date;
}

/**
 * Adds the entries of the ledger that are not in the scores yet, to the week and the month they were recorded in and to
 * all there is; points that came by a merge count only there. Index scans of the entries behind the last one counted.
 * @param timeZone of the business, whose weeks and months these are
 */
export async function countEntries(tx: Tx, customerIds: readonly string[], timeZone: string): Promise<void> {
  await tx.query(
    `with fresh as (
       select m.customer_id, e.number, e.qualifying, e.source, e.recorded_at at time zone $2 as local
       from loyalty_leaderboard_member m
       join loyalty_account a on a.customer_id = m.customer_id
       join loyalty_entry e on e.account_id = a.id and e.number > coalesce(m.counted, 0)
       where m.customer_id = any($1::uuid[])
     ), added as (
       insert into loyalty_leaderboard_score as s (customer_id, period, starts_at, points)
       select f.customer_id, p.period, p.starts_at, sum(f.qualifying)
       from fresh f cross join lateral (values
         ('WEEK', date_trunc('week', f.local) at time zone $2),
         ('MONTH', date_trunc('month', f.local) at time zone $2),
         ('ALL', 'epoch'::timestamptz)) p(period, starts_at)
       where f.source <> 'MERGE' or p.period = 'ALL'
       group by 1, 2, 3
       on conflict (customer_id, period, starts_at) do update set points = s.points + excluded.points
     )
     update loyalty_leaderboard_member m set counted = t.last
     from (select customer_id, max(number) as last from fresh group by 1) t where m.customer_id = t.customer_id`,
    [customerIds, timeZone],
    { name: 'leaderboard_count' },
  );
}

export interface Standing {
  readonly customerId: string;
  readonly displayName: string;
  readonly points: number;
}

/** Places behind one, best first: an index scan, n = page size. */
export function standings(
  db: Queryable,
  period: LeaderboardPeriod,
  startsAt: Date,
  after: { readonly points: number; readonly customerId: string } | null,
  limit: number,
): Promise<Standing[]> {
  return db.query<Standing>(
    `select s.customer_id as "customerId", m.display_name as "displayName", s.points
     from loyalty_leaderboard_score s join loyalty_leaderboard_member m on m.customer_id = s.customer_id
     where s.period = $1 and s.starts_at = $2 and s.points > 0
       and ($3::bigint is null or s.points < $3 or (s.points = $3 and s.customer_id > $4))
     order by s.points desc, s.customer_id limit $5`,
    [period, startsAt, after?.points ?? null, after?.customerId ?? null, limit],
    { name: 'leaderboard_page' },
  );
}
