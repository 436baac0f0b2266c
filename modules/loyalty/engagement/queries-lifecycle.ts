import type { Queryable, Tx } from '../../../src/core/database/index.ts';
import type { StreakRow } from './queries.ts';

/** SQL for what befalls customers from outside: merges and erasures. */

/** All streaks of customers. */
export function streaksOfCustomers(tx: Tx, customerIds: readonly string[]): Promise<StreakRow[]> {
  return tx.query<StreakRow>(
    `select customer_id as "customerId", streak, runs, length, longest, last_period as "lastPeriod", ends_at as "endsAt"
     from loyalty_streak where customer_id = any($1::uuid[])`,
    [customerIds],
  );
}

/** Moves what one customer has to another; streaks and the leaderboard apart. */
export async function mergeRows(tx: Tx, fromId: string, intoId: string): Promise<void> {
  const both = [fromId, intoId];
  await tx.query(
    `insert into loyalty_counter as c (customer_id, counter, live, base, live_since, names)
     select $2, counter, live, base, live_since, names from loyalty_counter where customer_id = $1
     on conflict (customer_id, counter) do update set
       names = array(select distinct n from unnest(c.names || excluded.names) n),
       live = case when excluded.counter = 'FEATURES'
         then (select count(distinct n) from unnest(c.names || excluded.names) n) else c.live + excluded.live end,
       base = c.base + excluded.base, live_since = least(c.live_since, excluded.live_since)`,
    both,
  );
  await tx.query(
    `insert into loyalty_challenge_entry as c (customer_id, challenge, joined_at, progress, points, completed_at)
     select $2, challenge, joined_at, progress, points, completed_at from loyalty_challenge_entry where customer_id = $1
     on conflict (customer_id, challenge) do update set joined_at = least(c.joined_at, excluded.joined_at),
       progress = greatest(c.progress, excluded.progress), points = c.points + excluded.points,
       completed_at = least(c.completed_at, excluded.completed_at)`,
    both,
  );
  // Whatever the other customer has, too, stays behind and goes.
  await tx.query(
    `update loyalty_milestone m set customer_id = $2 where customer_id = $1 and not exists (
       select from loyalty_milestone o where o.customer_id = $2 and o.milestone = m.milestone)`,
    both,
  );
  await tx.query(
    `update loyalty_badge_award b set customer_id = $2 where customer_id = $1 and not exists (
       select from loyalty_badge_award o where o.customer_id = $2 and o.badge = b.badge)`,
    both,
  );
  await tx.query(
    `update loyalty_appreciation p set customer_id = $2 where customer_id = $1 and not exists (
       select from loyalty_appreciation o where o.customer_id = $2 and o.occasion = p.occasion)`,
    both,
  );
  await tx.query('delete from loyalty_counter where customer_id = $1', [fromId]);
  await tx.query('delete from loyalty_challenge_entry where customer_id = $1', [fromId]);
  await tx.query('delete from loyalty_streak where customer_id = $1', [fromId]);
  await tx.query('delete from loyalty_milestone where customer_id = $1', [fromId]);
  await tx.query('delete from loyalty_badge_award where customer_id = $1', [fromId]);
  await tx.query('delete from loyalty_appreciation where customer_id = $1', [fromId]);
  await tx.query('update loyalty_referral_code set customer_id = $2 where customer_id = $1', both);
  await tx.query('update loyalty_referral set referrer_id = $2 where referrer_id = $1', both);
  await tx.query(
    `update loyalty_referral r set referred_id = $2
     where referred_id = $1 and not exists (select from loyalty_referral o where o.referred_id = $2)`,
    both,
  );
  // Who was brought twice counts once, and nobody brings themselves.
  await tx.query(
    `update loyalty_referral set state = 'VOID'
     where state = 'ATTRIBUTED' and (referred_id = $1 or (referred_id = $2 and referrer_id = $2))`,
    both,
  );
}

/** Removes what erased customers did; referrals of theirs that wait come to nothing. */
export async function eraseRows(tx: Tx, customerIds: readonly string[]): Promise<void> {
  await tx.query('delete from loyalty_counter where customer_id = any($1::uuid[])', [customerIds]);
  await tx.query('delete from loyalty_challenge_entry where customer_id = any($1::uuid[])', [customerIds]);
  await tx.query('delete from loyalty_streak where customer_id = any($1::uuid[])', [customerIds]);
  await tx.query('delete from loyalty_referral_code where customer_id = any($1::uuid[])', [customerIds]);
  await tx.query(
    `update loyalty_referral set state = 'VOID'
     where state = 'ATTRIBUTED' and (referrer_id = any($1::uuid[]) or referred_id = any($1::uuid[]))`,
    [customerIds],
  );
}

/** Counters in their order, behind one. Index scan, n = limit. */
export function countersBehind(
  db: Queryable,
  after: { readonly customerId: string; readonly counter: string } | null,
  limit: number,
): Promise<{ customerId: string; counter: string; liveSince: Date }[]> {
  return db.query(
    `select customer_id as "customerId", counter, live_since as "liveSince" from loyalty_counter
     where $1::uuid is null or (customer_id, counter) > ($1, $2)
     order by customer_id, counter limit $3`,
    [after?.customerId ?? null, after?.counter ?? null, limit],
  );
}
