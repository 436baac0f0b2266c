import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { newId } from '../../src/core/ids.ts';

/**
 * The limit: what a careful engineer would write by hand. One SQL statement per award, prepared, on `pg`, that writes
 * the rows Holdfast writes (key with answer, entry, lot, use of the capped rule, balance, event) and does nothing else: it
 * reckons with no rule, compares with no cap, looks no key up and notifies no reader.
 */
const STATEMENT = `
  with account as (
    update loyalty_account
    set balance = balance + $3::bigint, earned = earned + $3::bigint, entry_count = entry_count + 1, last_entry_at = $6
    where customer_id = $2
    returning id, balance, earned, entry_count, tier, tier_since
  ), entry as (
    insert into loyalty_entry (id, account_id, number, kind, points, qualifying, balance_after, rule, source, source_id,
                               reverses, reason, actor, effective_at, recorded_at, expires_at, rule_version)
    select $1::uuid, id, entry_count, 'EARN', $3::bigint, $3::bigint, balance, $11, 'AWARD', null, null, $4, $5, $6, $6, $12, 1
    from account
  ), lot as (
    insert into loyalty_lot (account_id, earned_at, entry_id, points, expires_at)
    select id, $6, $1::uuid, $3::bigint, $12 from account
  ), use as (
    insert into loyalty_rule_use as u (account_id, rule, period_start, times)
    select id, $11, $13, 1 from account
    on conflict (account_id, rule, period_start) do update set times = u.times + 1
  ), event as (
    insert into outbox_event (id, type, version, at, customer_id, actor, correlation_id, causation_id, payload)
    select $7, 'loyalty.pointsAwarded', 1, $6, $2, $5, $8, null,
           jsonb_build_object('entryId', $1::uuid, 'accountId', id, 'points', $3::bigint, 'balance', balance,
                              'earned', earned, 'tier', tier, 'rule', $11::text, 'source', 'AWARD', 'sourceId', null)
    from account
  )
  insert into idempotency_key (scope, key, input_hash, answer)
  select 'bench.limit', $9, $10,
         jsonb_build_object('entryId', $1::uuid, 'earned', earned, 'tier', tier, 'tierSince', tier_since, 'tierChange', null)
  from account`;

/** One award by one statement; resolves when it is committed. */
export function createLimit(pool: pg.Pool, rule: string, periodStart: Date, expiresAt: Date) {
  return async (customerId: string, points: number, key: string): Promise<void> => {
    const at = new Date();
    const { rowCount } = await pool.query({
      name: 'bench_limit',
      text: STATEMENT,
      values: [
        newId(),
        customerId,
        points,
        'bench',
        'system:bench',
        at,
        newId(),
        'bench',
        key,
        randomBytes(32),
        rule,
        expiresAt,
        periodStart,
      ],
    });
    if (rowCount !== 1) throw new Error(`the limit wrote ${rowCount} keys instead of one`);
  };
}
