import type { Tx } from '../../../src/core/database/index.ts';

/** SQL for what befalls accounts from outside: merges and erasures of customers. */

/** Hands an account to another customer, who must have none. */
export async function handOver(tx: Tx, accountId: string, customerId: string): Promise<void> {
  await tx.query('update loyalty_account set customer_id = $2 where id = $1', [accountId, customerId]);
}

/** Adds how often rules were used in one account to another's uses: caps hold for the two together. */
export async function mergeRuleUses(tx: Tx, fromAccountId: string, intoAccountId: string): Promise<void> {
  await tx.query(
    `insert into loyalty_rule_use as u (account_id, rule, period_start, times)
     select $2, rule, period_start, times from loyalty_rule_use where account_id = $1
     on conflict (account_id, rule, period_start) do update set times = u.times + excluded.times`,
    [fromAccountId, intoAccountId],
  );
}

/** Moves lots, and what waits, from one account to another. Range scans of both accounts, n = lots and what waits. */
export async function moveLots(tx: Tx, fromAccountId: string, intoAccountId: string): Promise<void> {
  await tx.query('update loyalty_lot set account_id = $2 where account_id = $1', [fromAccountId, intoAccountId]);
  await tx.query('update loyalty_pending set account_id = $2 where account_id = $1', [fromAccountId, intoAccountId]);
}

/**
 * Closes accounts: they keep their entries and take no more. Their points are nobody's any more, so nothing of them
 * lapses and nothing waits.
 */
export async function closeAccounts(tx: Tx, accountIds: readonly string[], at: Date): Promise<void> {
  await tx.query('update loyalty_account set closed_at = $2 where id = any($1::uuid[]) and closed_at is null', [
    accountIds,
    at,
  ]);
  await tx.query('delete from loyalty_lot where account_id = any($1::uuid[])', [accountIds]);
  await tx.query('delete from loyalty_pending where account_id = any($1::uuid[])', [accountIds]);
}

/** Takes the words of reasons out of entries: they may speak of a person. */
export async function redactReasons(tx: Tx, customerIds: readonly string[]): Promise<void> {
  await tx.query(
    `update loyalty_entry e set reason = null from loyalty_account a
     where a.customer_id = any($1::uuid[]) and e.account_id = a.id and e.reason is not null`,
    [customerIds],
  );
}
