import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { newId } from '../../src/core/ids.ts';

/**
 * The limit: what a careful engineer would write by hand. One SQL statement per award, prepared, on `pg`, that writes
 * the rows Holdfast writes (key with answer, entry, balance, event) and does nothing else: no rules, no caps, no look-up
 * of the key, no notification of readers.
 */
const STATEMENT = `
  with account as (
    update loyalty_account
    set balance = balance + $3::bigint, earned = earned + $3::bigint, entry_count = entry_count + 1, last_entry_at = $6
    where customer_id = $2
    returning id, balance, earned, entry_count, tier, tier_since
  ), entry as (
    insert into loyalty_entry (id, account_id, number, kind, points, qualifying, balance_after, rule, source, source_id,
                               reverses, reason, actor, effective_at, recorded_at)
    select $1::uuid, id, entry_count, 'EARN', $3::bigint, $3::bigint, balance, null, 'AWARD', null, null, $4, $5, $6, $6
    from account
  ), event as (
    insert into outbox_event (id, type, version, at, customer_id, actor, correlation_id, causation_id, payload)
    select $7, 'loyalty.pointsAwarded', 1, $6, $2, $5, $8, null,
           jsonb_build_object('entryId', $1::uuid, 'accountId', id, 'points', $3::bigint, 'balance', balance,
                              'earned', earned, 'tier', tier, 'rule', null, 'source', 'AWARD', 'sourceId', null)
    from account
  )
  insert into idempotency_key (scope, key, input_hash, answer)
  select 'bench.limit', $9, $10,
         jsonb_build_object('entryId', $1::uuid, 'earned', earned, 'tier', tier, 'tierSince', tier_since, 'tierChange', null)
  from account`;

/** One award by one statement; resolves when it is committed. */
export function createLimit(pool: pg.Pool) {
  return async (customerId: string, points: number, key: string): Promise<void> => {
    const at = new Date();
    const { rowCount } = await pool.query({
      name: 'bench_limit',
      text: STATEMENT,
      values: [newId(), customerId, points, 'bench', 'system:bench', at, newId(), 'bench', key, randomBytes(32)],
    });
    if (rowCount !== 1) throw new Error(`the limit wrote ${rowCount} keys instead of one`);
  };
}
