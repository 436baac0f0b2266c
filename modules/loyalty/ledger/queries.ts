import { plainArray, type Queryable, type Tx, textArray, type Write } from '../../../src/core/database/index.ts';
import type { TierKey } from '../domain/tiers.ts';
import type { EntryKind, EntryPhase, EntrySource, Sums } from './domain/ledger.ts';

/** A row of loyalty_account. */
export interface AccountRow extends Sums {
  readonly id: string;
  readonly customerId: string;
  readonly joinedAt: Date;
  readonly tier: TierKey;
  readonly tierSince: Date;
  readonly earned: number;
  readonly entryCount: number;
  readonly lastEntryAt: Date | null;
  readonly closedAt: Date | null;
}

/** A row of loyalty_entry. */
export interface EntryRow {
  readonly id: string;
  readonly accountId: string;
  readonly number: number;
  readonly kind: EntryKind;
  readonly phase: EntryPhase;
  /** What it adds to the balance, to what waits, to what is set aside, and to what is owed. */
  readonly points: number;
  readonly pending: number;
  readonly held: number;
  readonly debt: number;
  readonly qualifying: number;
  readonly balanceAfter: number;
  readonly rule: string | null;
  /** Version of the setting that held the rule; 0 is the rule as it was shipped. */
  readonly ruleVersion: number | null;
  readonly source: EntrySource;
  readonly sourceId: string | null;
  readonly reverses: string | null;
  /** The entry that waited until this one. */
  readonly settles: string | null;
  readonly reason: string | null;
  readonly actor: string;
  readonly effectiveAt: Date;
  readonly recordedAt: Date;
  /** When the points it brought lapse, or when it no longer waits. */
  readonly expiresAt: Date | null;
}

/** An account to be opened. */
export interface NewAccount {
  readonly id: string;
  readonly customerId: string;
  readonly joinedAt: Date;
  readonly tier: TierKey;
}

/** How often a capped rule was used in a period. */
export interface RuleUse {
  readonly accountId: string;
  readonly rule: string;
  readonly periodStart: Date;
  readonly times: number;
}

const ACCOUNT = `a.id, a.customer_id as "customerId", a.joined_at as "joinedAt", a.tier, a.tier_since as "tierSince",
  a.balance, a.pending, a.held, a.debt, a.earned, a.entry_count as "entryCount", a.last_entry_at as "lastEntryAt", a.closed_at as "closedAt"`;

export const ENTRY = `e.id, e.account_id as "accountId", e.number, e.kind, e.phase, e.points, e.pending, e.held, e.debt,
  e.qualifying, e.balance_after as "balanceAfter", e.rule, e.source, e.source_id as "sourceId", e.reverses, e.settles,
  e.reason, e.actor, e.effective_at as "effectiveAt", e.recorded_at as "recordedAt", e.expires_at as "expiresAt",
  e.rule_version as "ruleVersion"`;

/** Locks the accounts of customers, in one order for everybody. Index scan of the customers' ids, n = accounts. */
export function lockAccounts(tx: Tx, customerIds: readonly string[]): Promise<AccountRow[]> {
  return tx.query<AccountRow>(
    `select ${ACCOUNT} from loyalty_account a where a.customer_id = any($1::uuid[]) order by a.id for update`,
    [customerIds],
    { name: 'loyalty_lock' },
  );
}

/** Opens accounts, leaving out customers who have one. @returns those opened now */
export async function openAccounts(tx: Tx, accounts: readonly NewAccount[]): Promise<AccountRow[]> {
  if (accounts.length === 0) return [];
  return tx.query<AccountRow>(
    `insert into loyalty_account as a (id, customer_id, joined_at, tier, tier_since)
     select id, customer, at, tier, at from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[]) t(id, customer, at, tier)
     order by customer on conflict (customer_id) do nothing
     returning ${ACCOUNT}`,
    [
      accounts.map((one) => one.id),
      accounts.map((one) => one.customerId),
      accounts.map((one) => one.joinedAt),
      accounts.map((one) => one.tier),
    ],
    { name: 'loyalty_open' },
  );
}

/** An entry with whose it is, and what became of it. */
export interface OwnedEntryRow extends EntryRow {
  /** Who has what it brought: after a merge, the account that waits for it. */
  readonly customerId: string;
  readonly joinedAt: Date;
  /** Whether another entry took it back. */
  readonly reversed: boolean;
  /** Whether it still waits to be confirmed or voided. */
  readonly waits: boolean;
}

/** Entries by id, in any order. Index scans, n = ids. */
export async function entriesByIds(database: Queryable, ids: readonly string[]): Promise<OwnedEntryRow[]> {
  if (ids.length === 0) return [];
  return database.query(
    `select ${ENTRY}, a.customer_id as "customerId", a.joined_at as "joinedAt", p.entry_id is not null as waits,
            exists (select from loyalty_entry r where r.reverses = e.id) as reversed
     from loyalty_entry e left join loyalty_pending p on p.entry_id = e.id
     join loyalty_account a on a.id = coalesce(p.account_id, e.account_id) where e.id = any($1::uuid[])`,
    [ids],
    { name: 'loyalty_entries_by_id' },
  );
}

/** Uses of capped rules; read after the accounts were locked, so that nobody else adds any. */
export async function ruleUses(tx: Tx, wanted: readonly Omit<RuleUse, 'times'>[]): Promise<RuleUse[]> {
  if (wanted.length === 0) return [];
  return tx.query<RuleUse>(
    `select u.account_id as "accountId", u.rule, u.period_start as "periodStart", u.times
     from unnest($1::uuid[], $2::text[], $3::timestamptz[]) t(account, rule, start)
     join loyalty_rule_use u on u.account_id = t.account and u.rule = t.rule and u.period_start = t.start`,
    [wanted.map((use) => use.accountId), wanted.map((use) => use.rule), wanted.map((use) => use.periodStart)],
    { name: 'loyalty_uses' },
  );
}

/** Keeps how often capped rules were used. */
export const ruleUsesWrite = (uses: readonly RuleUse[]): Write => ({
  name: 'loyalty_use',
  text: `insert into loyalty_rule_use (account_id, rule, period_start, times)
         select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::int[])
         on conflict (account_id, rule, period_start) do update set times = excluded.times`,
  values: [
    plainArray(uses.map((use) => use.accountId)),
    textArray(uses.map((use) => use.rule)),
    plainArray(uses.map((use) => use.periodStart.toISOString())),
    plainArray(uses.map((use) => use.times)),
  ],
});

const isPlain = (entry: EntryRow): boolean =>
  entry.phase === 'POSTED' && entry.pending === 0 && entry.held === 0 && entry.debt === 0;

/** The same for what is taken for the first use in its period: the whole statement fails (unique violation) when it is none. */
export const firstUsesWrite = (uses: readonly RuleUse[]): Write => ({
  ...ruleUsesWrite(uses),
  name: 'loyalty_use_first',
  text: `insert into loyalty_rule_use (account_id, rule, period_start, times)
         select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::int[])`,
});

/** Adds entries to the ledger: most of them change nothing but the balance and are written without the rest. */
export function entriesWrite(entries: readonly EntryRow[]): Write {
  const plain = entries.every(isPlain);
  const more = plain ? '' : ', phase, pending, held, debt, settles';
  const types = plain ? '' : ', $18::text[], $19::bigint[], $20::bigint[], $21::bigint[], $22::uuid[]';
  return {
    name: plain ? 'loyalty_entries' : 'loyalty_entries_full',
    text: `insert into loyalty_entry (id, account_id, number, kind, points, qualifying, balance_after, rule, source, source_id,
                                      reverses, reason, actor, effective_at, recorded_at, expires_at, rule_version${more})
           select * from unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
                                $8::text[], $9::text[], $10::uuid[], $11::uuid[], $12::text[], $13::text[],
                                $14::timestamptz[], $15::timestamptz[], $16::timestamptz[], $17::int[]${types})`,
    values: [
      plainArray(entries.map((entry) => entry.id)),
      plainArray(entries.map((entry) => entry.accountId)),
      plainArray(entries.map((entry) => entry.number)),
      plainArray(entries.map((entry) => entry.kind)),
      plainArray(entries.map((entry) => entry.points)),
      plainArray(entries.map((entry) => entry.qualifying)),
      plainArray(entries.map((entry) => entry.balanceAfter)),
      textArray(entries.map((entry) => entry.rule)),
      plainArray(entries.map((entry) => entry.source)),
      plainArray(entries.map((entry) => entry.sourceId)),
      plainArray(entries.map((entry) => entry.reverses)),
      textArray(entries.map((entry) => entry.reason)),
      textArray(entries.map((entry) => entry.actor)),
      plainArray(entries.map((entry) => entry.effectiveAt.toISOString())),
      plainArray(entries.map((entry) => entry.recordedAt.toISOString())),
      plainArray(entries.map((entry) => entry.expiresAt?.toISOString() ?? null)),
      plainArray(entries.map((entry) => entry.ruleVersion)),
      ...(plain
        ? []
        : [
            plainArray(entries.map((entry) => entry.phase)),
            plainArray(entries.map((entry) => entry.pending)),
            plainArray(entries.map((entry) => entry.held)),
            plainArray(entries.map((entry) => entry.debt)),
            plainArray(entries.map((entry) => entry.settles)),
          ]),
    ],
  };
}

/** Keeps what locked accounts come to. Index scans of the key, n = accounts. */
export const accountsWrite = (accounts: readonly AccountRow[]): Write => ({
  name: 'loyalty_accounts',
  text: `update loyalty_account a
         set balance = t.balance, pending = t.pending, held = t.held, debt = t.debt, earned = t.earned, tier = t.tier,
             tier_since = t.since, entry_count = t.entries, last_entry_at = t.last, closed_at = t.closed
         from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],
                     $8::timestamptz[], $9::int[], $10::timestamptz[], $11::timestamptz[])
              t(id, balance, pending, held, debt, earned, tier, since, entries, last, closed)
         where a.id = t.id`,
  values: [
    plainArray(accounts.map((account) => account.id)),
    plainArray(accounts.map((account) => account.balance)),
    plainArray(accounts.map((account) => account.pending)),
    plainArray(accounts.map((account) => account.held)),
    plainArray(accounts.map((account) => account.debt)),
    plainArray(accounts.map((account) => account.earned)),
    plainArray(accounts.map((account) => account.tier)),
    plainArray(accounts.map((account) => account.tierSince.toISOString())),
    plainArray(accounts.map((account) => account.entryCount)),
    plainArray(accounts.map((account) => account.lastEntryAt?.toISOString() ?? null)),
    plainArray(accounts.map((account) => account.closedAt?.toISOString() ?? null)),
  ],
});

/** An account as it was known, and as it is to become. */
export interface AccountChange {
  readonly before: AccountRow;
  readonly after: AccountRow;
}

/**
 * The same for accounts that nobody locked: the whole statement fails (division by zero, 22012) unless every account is
 * in all it says as it was known. The check stands where PostgreSQL evaluates it on the latest row, behind any writer it
 * had to wait for. In the order of ids, as locks are taken.
 */
export function expectedAccountsWrite(changes: readonly AccountChange[]): Write {
  const sorted = [...changes].sort((a, b) => (a.after.id < b.after.id ? -1 : 1));
  const before = accountsWrite(sorted.map((change) => change.before)).values;
  const after = accountsWrite(sorted.map((change) => change.after)).values;
  return {
    name: 'loyalty_accounts_expected',
    text: `update loyalty_account a
           set balance = t.balance, pending = t.pending, held = t.held, debt = t.debt, earned = t.earned, tier = t.tier,
               tier_since = t.since, last_entry_at = t.last,
               entry_count = case
                 when (a.balance, a.pending, a.held, a.debt, a.earned, a.tier, a.tier_since, a.entry_count, a.last_entry_at,
                       a.closed_at, a.customer_id)
                      is not distinct from
                      (t.balance0, t.pending0, t.held0, t.debt0, t.earned0, t.tier0, t.since0, t.entries0, t.last0,
                       null::timestamptz, t.customer)
                 then t.entries else 1 / (a.entry_count - a.entry_count) end
           from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],
                       $8::timestamptz[], $9::int[], $10::timestamptz[],
                       $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::text[],
                       $17::timestamptz[], $18::int[], $19::timestamptz[], $20::uuid[])
                t(id, balance, pending, held, debt, earned, tier, since, entries, last,
                  balance0, pending0, held0, debt0, earned0, tier0, since0, entries0, last0, customer)
           where a.id = t.id`,
    values: [
      ...after.slice(0, -1),
      ...before.slice(1, -1),
      plainArray(sorted.map((change) => change.after.customerId)),
    ],
  };
}

/** Customers who are no members, by id. Index scans of both keys, n = what is passed over and `limit`. */
export async function customersWithoutAccount(
  database: Queryable,
  after: string | null,
  limit: number,
): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    `select c.id from customer c
     where c.erased_at is null and ($1::uuid is null or c.id > $1)
       and not exists (select from loyalty_account a where a.customer_id = c.id)
     order by c.id limit $2`,
    [after, limit],
  );
  return rows.map((row) => row.id);
}

/** How many customers are no members. */
export async function countCustomersWithoutAccount(database: Queryable): Promise<number> {
  const rows = await database.query<{ count: number }>(
    `select count(*) as count from customer c
     where c.erased_at is null and not exists (select from loyalty_account a where a.customer_id = c.id)`,
  );
  return rows[0]?.count ?? 0;
}
