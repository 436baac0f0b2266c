import { plainArray, type Queryable, type Tx, type Write } from '../../../src/core/database/index.ts';
import { TIER_KEYS } from '../domain/tiers.ts';
import type { RewardKind, RewardTerms } from './domain/reward.ts';

/** A row of loyalty_reward. */
export interface RewardRow extends RewardTerms {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly kind: RewardKind;
  readonly lowStockAt: number | null;
  readonly voucherLifetimeDays: number | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const REWARD = `r.id, r.name, r.description, r.kind, r.cost, r.stock, r.low_stock_at as "lowStockAt",
  r.lowest_tier as "lowestTier", r.valid_from as "validFrom", r.valid_until as "validUntil",
  r.limit_per_customer as "limitPerCustomer", r.voucher_lifetime_days as "voucherLifetimeDays",
  r.created_at as "createdAt", r.updated_at as "updatedAt", r.archived_at as "archivedAt"`;

/** Rewards by id, in any order. Index scans, n = ids. */
export function rewardsByIds(database: Queryable, ids: readonly string[]): Promise<RewardRow[]> {
  return database.query<RewardRow>(`select ${REWARD} from loyalty_reward r where r.id = any($1::uuid[])`, [ids], {
    name: 'loyalty_rewards_by_id',
  });
}

/** The reward, held until the transaction ends; null when there is none. */
export async function lockReward(tx: Tx, id: string): Promise<RewardRow | null> {
  const [reward] = await tx.query<RewardRow>(
    `select ${REWARD} from loyalty_reward r where r.id = $1 for no key update`,
    [id],
  );
  return reward ?? null;
}

/**
 * Rewards with their stocks locked, in one order for everybody. Rewards without a stock are read and not locked: nobody
 * has to wait for one. Both statements travel together, and the second one sees what the first had to wait for.
 */
export async function rewardsWithStock(tx: Tx, ids: readonly string[]): Promise<Map<string, RewardRow>> {
  const [, rewards] = await Promise.all([
    tx.query(
      `select from loyalty_reward r where r.id = any($1::uuid[]) and r.stock is not null order by r.id for no key update`,
      [ids],
      { name: 'loyalty_lock_stock' },
    ),
    rewardsByIds(tx, ids),
  ]);
  return new Map(rewards.map((reward) => [reward.id, reward]));
}

/** Keeps what locked stocks come to. Index scans of the key, n = rewards. */
export const stocksWrite = (stocks: ReadonlyMap<string, number>): Write => ({
  name: 'loyalty_stock',
  text: `update loyalty_reward r set stock = t.stock from unnest($1::uuid[], $2::int[]) t(id, stock) where r.id = t.id`,
  values: [plainArray([...stocks.keys()]), plainArray([...stocks.values()])],
});

/** Writes a reward as it is: a new one, or over the one that was locked. */
export async function saveReward(tx: Tx, reward: RewardRow): Promise<void> {
  await tx.query(
    `insert into loyalty_reward (id, name, description, kind, cost, stock, low_stock_at, lowest_tier, valid_from,
       valid_until, limit_per_customer, voucher_lifetime_days, created_at, updated_at, archived_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
     on conflict (id) do update set name = excluded.name, description = excluded.description, kind = excluded.kind,
       cost = excluded.cost, stock = excluded.stock, low_stock_at = excluded.low_stock_at,
       lowest_tier = excluded.lowest_tier, valid_from = excluded.valid_from, valid_until = excluded.valid_until,
       limit_per_customer = excluded.limit_per_customer, voucher_lifetime_days = excluded.voucher_lifetime_days,
       updated_at = excluded.updated_at, archived_at = excluded.archived_at`,
    [
      reward.id,
      reward.name,
      reward.description,
      reward.kind,
      reward.cost,
      reward.stock,
      reward.lowStockAt,
      reward.lowestTier,
      reward.validFrom,
      reward.validUntil,
      reward.limitPerCustomer,
      reward.voucherLifetimeDays,
      reward.createdAt,
      reward.updatedAt,
      reward.archivedAt,
    ],
  );
}

/** Which rewards are asked for. */
export interface RewardFilter {
  readonly kinds: readonly RewardKind[] | null;
  readonly archived: boolean | null;
  /** Only what this customer could redeem now. */
  readonly availableTo: {
    readonly customerId: string;
    readonly at: Date;
    /** Only what the points of the customer are enough for. */
    readonly affordable: boolean;
  } | null;
}

/** The same terms as `refusalOf` in domain/reward.ts, for one of it. */
const MATCHES = `($1::text[] is null or r.kind = any($1)) and ($2::bool is null or (r.archived_at is not null) = $2)
  and ($3::uuid is null or (
    r.archived_at is null and (r.valid_from is null or r.valid_from <= $4) and (r.valid_until is null or r.valid_until > $4)
    and (r.stock is null or r.stock > 0)
    and exists (select from loyalty_account a where a.customer_id = $3 and a.closed_at is null
                and array_position($6::text[], a.tier) >= array_position($6::text[], r.lowest_tier)
                and (not $5::bool or a.balance - a.held >= r.cost))
    and (r.limit_per_customer is null or r.limit_per_customer > (
      select coalesce(sum(x.quantity), 0) from loyalty_redemption x
      where x.customer_id = $3 and x.reward_id = r.id and x.state in ('OPEN', 'FULFILLED')))))`;

const valuesOf = ({ kinds, archived, availableTo }: RewardFilter): unknown[] => [
  kinds,
  archived,
  availableTo?.customerId ?? null,
  availableTo?.at ?? null,
  availableTo?.affordable ?? false,
  TIER_KEYS,
];

/** The cheapest first. Index scan, n = page size and what the filter passes over. */
export function listRewards(
  database: Queryable,
  filter: RewardFilter,
  page: { readonly limit: number; readonly after: { readonly cost: number; readonly id: string } | null },
): Promise<RewardRow[]> {
  return database.query<RewardRow>(
    `select ${REWARD} from loyalty_reward r
     where ${MATCHES} and ($7::bigint is null or (r.cost, r.id) > ($7::bigint, $8::uuid))
     order by r.cost, r.id limit $9`,
    [...valuesOf(filter), page.after?.cost ?? null, page.after?.id ?? null, page.limit],
    { name: 'loyalty_rewards_page' },
  );
}

/** How many there are: a scan of the catalogue. */
export async function countRewards(database: Queryable, filter: RewardFilter): Promise<number> {
  const rows = await database.query<{ count: number }>(
    `select count(*)::int as count from loyalty_reward r where ${MATCHES}`,
    valuesOf(filter),
    { name: 'loyalty_rewards_count' },
  );
  return rows[0]?.count ?? 0;
}
