import { plainArray, type Queryable, type Tx, textArray, type Write } from '../../../src/core/database/index.ts';
import type { PointsState, RedemptionState } from './domain/redemption.ts';

/** A row of loyalty_redemption. */
export interface RedemptionRow {
  readonly id: string;
  readonly customerId: string;
  readonly rewardId: string;
  readonly quantity: number;
  readonly points: number;
  readonly state: RedemptionState;
  readonly pointsState: PointsState;
  readonly fromStock: boolean;
  /** Without separators; null once the person was erased. */
  readonly voucherCode: string | null;
  readonly entryId: string;
  readonly redeemedAt: Date;
  readonly expiresAt: Date | null;
  readonly closedAt: Date | null;
  readonly reason: string | null;
}

/** Columns of a redemption `x` under the names of `RedemptionRow`. */
export const REDEMPTION = `x.id, x.customer_id as "customerId", x.reward_id as "rewardId", x.quantity, x.points, x.state,
  x.points_state as "pointsState", x.from_stock as "fromStock", x.voucher_code as "voucherCode", x.entry_id as "entryId",
  x.redeemed_at as "redeemedAt", x.expires_at as "expiresAt", x.closed_at as "closedAt", x.reason`;

/** What a redemption is known by. */
export interface RedemptionName {
  readonly id: string | null;
  /** As it is kept. */
  readonly voucherCode: string | null;
}

/**
 * Redemptions by id or voucher code, in any order. Index scans, n = names. Codes are kept as they are and found by a
 * unique index, not by a hash: a code has to be shown again (a repeated request gets the first answer, and who lost the
 * mail asks for it), so it would stand beside its hash and nothing were gained; and its 116 bits leave nothing to guess,
 * however long a comparison takes.
 */
export function findRedemptions(database: Queryable, names: readonly RedemptionName[]): Promise<RedemptionRow[]> {
  return database.query<RedemptionRow>(
    `select ${REDEMPTION} from loyalty_redemption x
     where x.id = any($1::uuid[]) or x.voucher_code = any($2::text[])`,
    [
      names.flatMap(({ id }) => (id === null ? [] : [id])),
      names.flatMap(({ voucherCode }) => (voucherCode === null ? [] : [voucherCode])),
    ],
    { name: 'loyalty_redemptions_by_name' },
  );
}

/** Locks redemptions in one order for everybody. Index scans, n = ids. */
export function lockRedemptions(tx: Tx, ids: readonly string[]): Promise<RedemptionRow[]> {
  return tx.query<RedemptionRow>(
    `select ${REDEMPTION} from loyalty_redemption x where x.id = any($1::uuid[]) order by x.id for no key update`,
    [ids],
    { name: 'loyalty_lock_redemptions' },
  );
}

/** How many of a reward a customer has. */
export interface Had {
  readonly customerId: string;
  readonly rewardId: string;
  readonly quantity: number;
}

/**
 * How many of limited rewards customers have, open and fulfilled ones. Read after the accounts were locked, so that
 * nobody else adds any. Index scans, n = redemptions of the customers.
 */
export async function hadBy(tx: Tx, wanted: readonly Omit<Had, 'quantity'>[]): Promise<Had[]> {
  if (wanted.length === 0) return [];
  return tx.query<Had>(
    `select x.customer_id as "customerId", x.reward_id as "rewardId", sum(x.quantity)::int as quantity
     from unnest($1::uuid[], $2::uuid[]) t(customer, reward)
     join loyalty_redemption x on x.customer_id = t.customer and x.reward_id = t.reward
     where x.state in ('OPEN', 'FULFILLED') group by x.customer_id, x.reward_id`,
    [wanted.map((one) => one.customerId), wanted.map((one) => one.rewardId)],
    { name: 'loyalty_had' },
  );
}

/** Adds redemptions. */
export const redemptionsWrite = (rows: readonly RedemptionRow[]): Write => ({
  name: 'loyalty_redeem',
  text: `insert into loyalty_redemption (id, customer_id, reward_id, quantity, points, state, points_state, from_stock,
                                         voucher_code, entry_id, redeemed_at, expires_at)
         select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::bigint[], $6::text[], $7::text[],
                              $8::bool[], $9::text[], $10::uuid[], $11::timestamptz[], $12::timestamptz[])`,
  values: [
    plainArray(rows.map((row) => row.id)),
    plainArray(rows.map((row) => row.customerId)),
    plainArray(rows.map((row) => row.rewardId)),
    plainArray(rows.map((row) => row.quantity)),
    plainArray(rows.map((row) => row.points)),
    plainArray(rows.map((row) => row.state)),
    plainArray(rows.map((row) => row.pointsState)),
    plainArray(rows.map((row) => row.fromStock)),
    plainArray(rows.map((row) => row.voucherCode)),
    plainArray(rows.map((row) => row.entryId)),
    plainArray(rows.map((row) => row.redeemedAt.toISOString())),
    plainArray(rows.map((row) => row.expiresAt?.toISOString() ?? null)),
  ],
});

/** Keeps how locked redemptions were closed. */
export const closingsWrite = (rows: readonly RedemptionRow[]): Write => ({
  name: 'loyalty_close',
  text: `update loyalty_redemption x
         set state = t.state, points_state = t.points, closed_at = t.closed, reason = t.reason
         from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[]) t(id, state, points, closed, reason)
         where x.id = t.id`,
  values: [
    plainArray(rows.map((row) => row.id)),
    plainArray(rows.map((row) => row.state)),
    plainArray(rows.map((row) => row.pointsState)),
    plainArray(rows.map((row) => row.closedAt?.toISOString() ?? null)),
    textArray(rows.map((row) => row.reason)),
  ],
});

/** Ids of open redemptions whose time is over, the oldest first. Index scan of the open ones, n = `limit`. */
export async function expiredRedemptions(database: Queryable, at: Date, limit: number): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    `select x.id from loyalty_redemption x where x.state = 'OPEN' and x.expires_at <= $1 order by x.expires_at limit $2`,
    [at, limit],
  );
  return rows.map(({ id }) => id);
}

/** Open redemptions of customers. Index scan, n = redemptions of the customers. */
export function openRedemptionsOf(tx: Tx, customerIds: readonly string[]): Promise<RedemptionRow[]> {
  return tx.query<RedemptionRow>(
    `select ${REDEMPTION} from loyalty_redemption x where x.customer_id = any($1::uuid[]) and x.state = 'OPEN'`,
    [customerIds],
  );
}

/** Hands the redemptions of a customer to another one. */
export async function moveRedemptions(tx: Tx, fromId: string, intoId: string): Promise<void> {
  await tx.query('update loyalty_redemption set customer_id = $2 where customer_id = $1', [fromId, intoId]);
}

/** Takes words and codes out of the redemptions of customers who were erased; what was exchanged stays. */
export async function redactRedemptions(tx: Tx, customerIds: readonly string[]): Promise<void> {
  await tx.query(
    `update loyalty_redemption set reason = null, voucher_code = null
     where customer_id = any($1::uuid[]) and (reason is not null or voucher_code is not null)`,
    [customerIds],
  );
}
