import { plainArray, type Queryable, textArray, type Write } from '../../../src/core/database/index.ts';
import type { TierCause, TierKey } from '../domain/tiers.ts';

/** SQL for what is kept beside the entries: moves between tiers, and which campaigns had a part in points. */

/** A move from one tier to another, to be kept. */
export interface TierMove {
  readonly id: string;
  readonly accountId: string;
  readonly from: TierKey;
  readonly to: TierKey;
  readonly at: Date;
  readonly cause: TierCause;
  readonly entryId: string | null;
}

/** Keeps moves in the history. */
export const tierMovesWrite = (moves: readonly TierMove[]): Write => ({
  name: 'loyalty_tier_moves',
  text: `insert into loyalty_tier_change (id, account_id, from_tier, to_tier, changed_at, cause, entry_id)
         select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::uuid[])`,
  values: [
    plainArray(moves.map((move) => move.id)),
    plainArray(moves.map((move) => move.accountId)),
    plainArray(moves.map((move) => move.from)),
    plainArray(moves.map((move) => move.to)),
    plainArray(moves.map((move) => move.at.toISOString())),
    plainArray(moves.map((move) => move.cause)),
    plainArray(moves.map((move) => move.entryId)),
  ],
});

/** What campaigns had a part in the points of an entry. */
export interface EntryEarning {
  readonly entryId: string;
  readonly base: number;
  /** Keys of campaigns, which hold no commas. */
  readonly campaigns: readonly string[];
}

/** Keeps what campaigns made of what rules gave. */
export const earningsWrite = (earnings: readonly EntryEarning[]): Write => ({
  name: 'loyalty_entry_earnings',
  text: `insert into loyalty_entry_earning (entry_id, base, campaigns)
         select id, base, string_to_array(campaigns, ',') from unnest($1::uuid[], $2::bigint[], $3::text[]) t(id, base, campaigns)`,
  values: [
    plainArray(earnings.map((one) => one.entryId)),
    plainArray(earnings.map((one) => one.base)),
    textArray(earnings.map((one) => one.campaigns.join(','))),
  ],
});

/** Whose tier, at which instant. */
export interface TierAt {
  readonly accountId: string;
  readonly asOf: Date;
}

/** Tiers at past instants, in order; null before the first move. Each a backward index scan of one row. */
export async function tiersAsOf(database: Queryable, wanted: readonly TierAt[]): Promise<(TierKey | null)[]> {
  const rows = await database.query<{ tier: TierKey | null }>(
    `select (select c.to_tier from loyalty_tier_change c
             where c.account_id = t.account and c.changed_at <= t.at order by c.changed_at desc, c.id desc limit 1) as tier
     from unnest($1::uuid[], $2::timestamptz[]) with ordinality t(account, at, n) order by t.n`,
    [wanted.map((one) => one.accountId), wanted.map((one) => one.asOf.toISOString())],
    { name: 'loyalty_tiers_as_of' },
  );
  return rows.map((row) => row.tier);
}

/** What campaigns had a part in, by entry; those without any are left out. */
export async function earningsOf(database: Queryable, entryIds: readonly string[]): Promise<Map<string, EntryEarning>> {
  const rows = await database.query<EntryEarning>(
    `select entry_id as "entryId", base, campaigns
     from loyalty_entry_earning where entry_id = any($1::uuid[])`,
    [entryIds],
    { name: 'loyalty_entry_earnings_of' },
  );
  return new Map(rows.map((row) => [row.entryId, row]));
}
