import type { Queryable } from '../../../src/core/database/index.ts';
import type { TierKey } from '../domain/tiers.ts';

/** SQL for those who only look: other modules, and fields beside the customer graph. */

/** A member as read for other modules. */
export interface MemberRow {
  readonly customerId: string;
  readonly tier: TierKey;
  readonly tierSince: Date;
  readonly balance: number;
  readonly earned: number;
  readonly joinedAt: Date;
}

/** Members among customers. Index scan, n = customers. */
export function membersByCustomers(database: Queryable, customerIds: readonly string[]): Promise<MemberRow[]> {
  return database.query<MemberRow>(
    `select a.customer_id as "customerId", a.tier, a.tier_since as "tierSince", a.balance, a.earned, a.joined_at as "joinedAt"
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
 * Balances as they were known at past instants, in order. Entries of an account are recorded in the order of their
 * numbers, so each is a backward index scan that ends at the first entry old enough.
 */
export async function balancesAsOf(database: Queryable, wanted: readonly BalanceAt[]): Promise<number[]> {
  const rows = await database.query<{ balance: number }>(
    `select coalesce((select e.balance_after from loyalty_entry e
                      where e.account_id = t.account and e.recorded_at <= t.at
                      order by e.number desc limit 1), 0) as balance
     from unnest($1::uuid[], $2::timestamptz[]) with ordinality t(account, at, n) order by t.n`,
    [wanted.map((one) => one.accountId), wanted.map((one) => one.asOf.toISOString())],
    { name: 'loyalty_balances' },
  );
  return rows.map((row) => row.balance);
}
