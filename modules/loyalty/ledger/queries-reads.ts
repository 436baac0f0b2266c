import type { Queryable } from '../../../src/core/database/index.ts';
import type { TierKey } from '../domain/tiers.ts';
import type { Sums } from './domain/ledger.ts';
import { ENTRY, type EntryRow } from './queries.ts';

/** SQL for those who only look: other modules, and fields beside the customer graph. */

/** A member as read for other modules. */
export interface MemberRow {
  readonly customerId: string;
  readonly tier: TierKey;
  readonly tierSince: Date;
  readonly balance: number;
  readonly available: number;
  readonly debt: number;
  readonly earned: number;
  readonly joinedAt: Date;
}

/** Members among customers. Index scan, n = customers. */
export function membersByCustomers(database: Queryable, customerIds: readonly string[]): Promise<MemberRow[]> {
  return database.query<MemberRow>(
    `select a.customer_id as "customerId", a.tier, a.tier_since as "tierSince", a.balance,
            a.balance - a.held as available, a.debt, a.earned, a.joined_at as "joinedAt"
     from loyalty_account a where a.customer_id = any($1::uuid[]) and a.closed_at is null`,
    [customerIds],
    { name: 'loyalty_members' },
  );
}

/** What the members of a tier come to. */
export interface TierCount {
  readonly tier: TierKey;
  readonly members: number;
  readonly active: number;
  readonly outstanding: string;
}

/** One scan of the members; `outstanding` is exact text, as sums of int8 are numeric. */
export function countTiers(database: Queryable): Promise<TierCount[]> {
  return database.query<TierCount>(
    `select a.tier, count(*)::int as members, (count(*) filter (where a.entry_count > 0))::int as active,
            sum(a.balance)::text as outstanding
     from loyalty_account a where a.closed_at is null group by a.tier`,
  );
}

/** Whose balance, at which instant. */
export interface BalanceAt {
  readonly accountId: string;
  readonly asOf: Date;
}

/**
 * Sums as they were known at past instants, in order. Entries of an account are recorded in the order of their numbers,
 * so each is a backward index scan that ends at the first entry old enough; what is no part of the balance is added up
 * from an index of the few entries that changed it.
 */
export function sumsAsOf(database: Queryable, wanted: readonly BalanceAt[]): Promise<Sums[]> {
  return database.query<Sums>(
    `select coalesce(e.balance_after, 0) as balance, coalesce(s.pending, 0)::bigint as pending,
            coalesce(s.held, 0)::bigint as held, coalesce(s.debt, 0)::bigint as debt
     from unnest($1::uuid[], $2::timestamptz[]) with ordinality t(account, at, n)
     left join lateral (
       select e.number, e.balance_after from loyalty_entry e
       where e.account_id = t.account and e.recorded_at <= t.at order by e.number desc limit 1) e on true
     left join lateral (
       select sum(b.pending) as pending, sum(b.held) as held, sum(b.debt) as debt from loyalty_entry b
       where b.account_id = t.account and b.number <= e.number
         and (b.pending <> 0 or b.held <> 0 or b.debt <> 0)) s on true
     order by t.n`,
    [wanted.map((one) => one.accountId), wanted.map((one) => one.asOf.toISOString())],
    { name: 'loyalty_sums' },
  );
}

/** Points that lapse at one instant. */
export interface Expiring {
  readonly points: number;
  readonly at: Date;
}

interface ExpiringRow {
  readonly points: number | null;
  readonly at: Date | null;
}

const expiringOf = ({ points, at }: ExpiringRow): Expiring | null =>
  points === null || at === null ? null : { points, at };

/** What lapses next of accounts, in order. Range scans of their lots, n = lots. */
export async function expiringNext(database: Queryable, accountIds: readonly string[]): Promise<(Expiring | null)[]> {
  const rows = await database.query<ExpiringRow>(
    `select l.points, l.at from unnest($1::uuid[]) with ordinality t(account, n)
     left join lateral (
       select sum(points)::bigint as points, expires_at as at from loyalty_lot
       where account_id = t.account and expires_at is not null group by expires_at order by expires_at limit 1) l on true
     order by t.n`,
    [accountIds],
    { name: 'loyalty_expiring' },
  );
  return rows.map(expiringOf);
}

/**
 * The same as it was known at past instants: what entries brought, less what was taken from it until then, also in
 * accounts that had been merged into this one. It reads every entry until then, n = entries: for looking back, not for lists.
 */
export async function expiringNextAsOf(
  database: Queryable,
  wanted: readonly BalanceAt[],
): Promise<(Expiring | null)[]> {
  const rows = await database.query<ExpiringRow>(
    `select l.points, l.at from unnest($1::uuid[], $2::timestamptz[]) with ordinality t(account, as_of, n)
     left join lateral (
       with recursive family(id) as (
         select t.account
         union
         select a.id from family f
         join loyalty_entry m on m.account_id = f.id and m.source = 'MERGE' and m.recorded_at <= t.as_of
         join loyalty_account a on a.customer_id = m.source_id and a.closed_at <= t.as_of
       ), used as (
         select u.entry_id, u.lot_id, u.points from family f
         join loyalty_entry e on e.account_id = f.id and e.recorded_at <= t.as_of
         join loyalty_lot_use u on u.entry_id = e.id
       ), taken as (select lot_id, sum(points) as points from used group by lot_id),
       took as (select entry_id, sum(points) as points from used group by entry_id),
       lots as (
         select e.expires_at as at,
                e.points - e.held + coalesce(took.points, 0) - coalesce(taken.points, 0) as points
         from family f join loyalty_entry e on e.account_id = f.id and e.recorded_at <= t.as_of
         left join taken on taken.lot_id = e.id left join took on took.entry_id = e.id
         where e.expires_at is not null and e.phase <> 'PENDING'
       )
       select sum(lots.points)::bigint as points, lots.at from lots where lots.points > 0
       group by lots.at order by lots.at limit 1) l on true
     order by t.n`,
    [wanted.map((one) => one.accountId), wanted.map((one) => one.asOf.toISOString())],
    { name: 'loyalty_was_expiring' },
  );
  return rows.map(expiringOf);
}

/** The number of the last entry of an account; null when there is no such account. */
export async function lastEntryNumber(database: Queryable, accountId: string): Promise<number | null> {
  const rows = await database.query<{ last: number }>(
    'select entry_count as last from loyalty_account where id = $1',
    [accountId],
    { name: 'loyalty_last_entry' },
  );
  return rows[0]?.last ?? null;
}

/** Entries of an account in their order. Range scan of the account's numbers, n = `limit` and what lies before `from`. */
export function statementRows(
  database: Queryable,
  wanted: {
    readonly accountId: string;
    readonly period: { readonly from: Date | null; readonly to: Date | null };
    readonly after: number;
    readonly last: number;
    readonly limit: number;
  },
): Promise<EntryRow[]> {
  const { accountId, period, after, last, limit } = wanted;
  return database.query<EntryRow>(
    `select ${ENTRY} from loyalty_entry e
     where e.account_id = $1 and e.number > $2 and e.number <= $3
       and ($4::timestamptz is null or e.recorded_at >= $4) and ($5::timestamptz is null or e.recorded_at < $5)
     order by e.number limit $6`,
    [accountId, after, last, period.from?.toISOString() ?? null, period.to?.toISOString() ?? null, limit],
    { name: 'loyalty_statement' },
  );
}
