import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { newVoucherCode } from '../../modules/loyalty/rewards/domain/voucher.ts';
import { newId } from '../../src/core/ids.ts';

/**
 * The limit: what a careful engineer would write by hand. One SQL statement per redemption, prepared, on `pg`, that
 * writes the rows Holdfast writes (key with answer, entry, what waits, lot and its use, account, stock, redemption, both
 * events) and does nothing else: no tiers, no limits per customer, no lots that lapse, no look-up of the key, no
 * notification of readers. Stock and points are guarded: when one does not suffice nothing is written.
 */
const STATEMENT = `
  with reward as (
    update loyalty_reward set stock = stock - 1 where id = $3 and stock >= 1 returning id, cost
  ), account as (
    update loyalty_account a set held = a.held + r.cost, entry_count = a.entry_count + 1, last_entry_at = $4
    from reward r where a.customer_id = $2 and a.balance - a.held >= r.cost
    returning a.id, a.balance, a.held, a.entry_count, r.cost
  ), lot as (
    update loyalty_lot l set points = l.points - o.cost
    from (select l.account_id, l.earned_at, l.entry_id, a.cost from account a cross join lateral (
            select account_id, earned_at, entry_id from loyalty_lot where account_id = a.id
            order by earned_at, entry_id limit 1) l) o
    where (l.account_id, l.earned_at, l.entry_id) = (o.account_id, o.earned_at, o.entry_id)
    returning l.entry_id
  ), lot_use as (
    insert into loyalty_lot_use (entry_id, lot_id, points) select $1, l.entry_id, a.cost from lot l, account a
  ), entry as (
    insert into loyalty_entry (id, account_id, number, kind, phase, points, qualifying, held, balance_after, source,
                               source_id, reason, actor, effective_at, recorded_at, expires_at)
    select $1, id, entry_count, 'REDEEM', 'PENDING', 0, 0, cost, balance, 'REWARD', $5, null, $6, $4, $4, $7
    from account
  ), waits as (
    insert into loyalty_pending (entry_id, account_id, expires_at) select $1, id, $7 from account
  ), redemption as (
    insert into loyalty_redemption (id, customer_id, reward_id, quantity, points, state, points_state, from_stock,
                                    voucher_code, entry_id, redeemed_at, expires_at)
    select $5, $2, $3, 1, cost, 'OPEN', 'HELD', true, $8, $1, $4, $9 from account
  ), event as (
    insert into outbox_event (id, type, version, at, customer_id, actor, correlation_id, causation_id, payload)
    select e.id, e.type, 1, $4, $2, $6, 'bench', null, e.payload
    from account a cross join lateral (values
      ($10::uuid, 'loyalty.pointsHeld', jsonb_build_object('entryId', $1::uuid, 'accountId', a.id, 'points', a.cost,
         'source', 'REWARD', 'sourceId', $5::uuid, 'available', a.balance - a.held, 'held', a.held, 'expiresAt', $7::timestamptz)),
      ($11::uuid, 'loyalty.rewardRedeemed', jsonb_build_object('redemptionId', $5::uuid, 'rewardId', $3::uuid,
         'quantity', 1, 'points', a.cost, 'expiresAt', $9::timestamptz))) e(id, type, payload)
  )
  insert into idempotency_key (scope, key, input_hash, answer)
  select 'bench.limit', $12, $13, jsonb_build_object('redemptionId', $5::uuid) from account`;

/** As long as Holdfast's holds wait: the redemption ends them. */
const HELD_UNTIL = new Date('9999-12-31T23:59:59.999Z');
const LIFETIME_MS = 30 * 86_400_000;

/** One redemption by one statement; resolves when it is committed. */
export function createLimit(pool: pg.Pool) {
  return async (customerId: string, rewardId: string, key: string): Promise<void> => {
    const at = new Date();
    const { rowCount } = await pool.query({
      name: 'bench_limit',
      text: STATEMENT,
      values: [
        newId(),
        customerId,
        rewardId,
        at,
        newId(),
        'system:bench',
        HELD_UNTIL,
        newVoucherCode(randomBytes),
        new Date(at.getTime() + LIFETIME_MS),
        newId(),
        newId(),
        key,
        randomBytes(32),
      ],
    });
    if (rowCount !== 1) throw new Error(`the limit wrote ${rowCount} keys instead of one`);
  };
}
