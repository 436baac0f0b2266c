import { plainArray, type Queryable, type Tx, type Write } from '../../../src/core/database/index.ts';
import type { TierKey } from '../domain/tiers.ts';

/** SQL of the review of the tiers. */

/** An account as the review sees it. */
export interface StandingRow {
  readonly id: string;
  readonly customerId: string;
  readonly tier: TierKey;
  readonly balance: number;
  readonly earned: number;
  readonly downgradeAt: Date | null;
  /** Whether all its entries are counted into months of the time zone. */
  readonly counted: boolean;
}

const STANDING = `a.id, a.customer_id as "customerId", a.tier, a.balance, a.earned, s.downgrade_at as "downgradeAt",
  coalesce(s.time_zone = $1 and s.entries = a.entry_count, false) as counted`;
const FROM = 'loyalty_account a left join loyalty_tier_standing s on s.account_id = a.id';

/** Open accounts by id, behind `after`: merged index scans, n = page size. */
export function standingsAfter(
  database: Queryable,
  timeZone: string,
  after: string | null,
  limit: number,
): Promise<StandingRow[]> {
  return database.query<StandingRow>(
    `select ${STANDING} from ${FROM}
     where a.id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000') and a.closed_at is null order by a.id limit $3`,
    [timeZone, after, limit],
    { name: 'loyalty_standings_after' },
  );
}

/** Open accounts by id, in any order. Index scans, n = ids. */
export function standingsOf(database: Queryable, timeZone: string, ids: readonly string[]): Promise<StandingRow[]> {
  return database.query<StandingRow>(
    `select ${STANDING} from ${FROM} where a.id = any($2::uuid[]) and a.closed_at is null`,
    [timeZone, ids],
    { name: 'loyalty_standings' },
  );
}

/** Locks accounts in one order for everybody; what is read behind it holds until the transaction ends. */
export async function lockAccountsById(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.query(
    'select id from loyalty_account where id = any($1::uuid[]) and closed_at is null order by id for update',
    [ids],
    { name: 'loyalty_lock_by_id' },
  );
}

/** Puts locked accounts into other tiers. */
export const placesWrite = (
  moves: readonly { readonly accountId: string; readonly to: TierKey; readonly at: Date }[],
): Write => ({
  name: 'loyalty_places',
  text: `update loyalty_account a set tier = t.tier, tier_since = t.at
         from unnest($1::uuid[], $2::text[], $3::timestamptz[]) t(id, tier, at) where a.id = t.id`,
  values: [
    plainArray(moves.map((move) => move.accountId)),
    plainArray(moves.map((move) => move.to)),
    plainArray(moves.map((move) => move.at.toISOString())),
  ],
});

/** Keeps when grace periods of locked accounts end; null: they are at no risk. */
export const gracesWrite = (
  graces: readonly { readonly accountId: string; readonly downgradeAt: Date | null }[],
): Write => ({
  name: 'loyalty_graces',
  text: `insert into loyalty_tier_standing (account_id, downgrade_at) select * from unnest($1::uuid[], $2::timestamptz[])
         on conflict (account_id) do update set downgrade_at = excluded.downgrade_at`,
  values: [
    plainArray(graces.map((grace) => grace.accountId)),
    plainArray(graces.map((grace) => grace.downgradeAt?.toISOString() ?? null)),
  ],
});
