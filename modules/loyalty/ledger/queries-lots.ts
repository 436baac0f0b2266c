import { plainArray, type Queryable, type Tx, type Write } from '../../../src/core/database/index.ts';
import type { Lot } from './domain/lots.ts';

/** SQL over lots, what was taken from them, and what waits. Read behind the lock of the account they belong to. */

/** A lot with who holds it. */
export interface LotRow extends Lot {
  readonly accountId: string;
}

/** Which lot, by its whole key. */
export type LotKey = Pick<LotRow, 'accountId' | 'earnedAt' | 'id'>;

/** Points an entry took from a lot, or gave back. */
export interface LotUseRow {
  readonly entryId: string;
  readonly lotId: string;
  readonly points: number;
}

/** What an entry took from a lot, with what the lot's own entry says of it. */
export interface TakenRow extends Lot {
  readonly entryId: string;
}

const LOT = `l.account_id as "accountId", l.entry_id as id, l.earned_at as "earnedAt", l.expires_at as "expiresAt", l.points`;

/** The first key there can be. */
const FIRST = { earnedAt: '-infinity', id: '00000000-0000-0000-0000-000000000000' };

/** Where to begin: behind a lot, or with the oldest one. */
export interface LotsWanted {
  readonly accountId: string;
  readonly after: LotKey | null;
}

/** The oldest lots of accounts, so many of each. Range scans of the key, n = lots. */
export function oldestLots(tx: Tx, wanted: readonly LotsWanted[], each: number): Promise<LotRow[]> {
  return tx.query<LotRow>(
    `select l.* from unnest($1::uuid[], $2::timestamptz[], $3::uuid[]) t(account, earned, entry)
     cross join lateral (
       select ${LOT} from loyalty_lot l
       where l.account_id = t.account and (l.earned_at, l.entry_id) > (t.earned, t.entry)
       order by l.earned_at, l.entry_id limit $4) l`,
    [
      plainArray(wanted.map((one) => one.accountId)),
      plainArray(wanted.map(({ after }) => after?.earnedAt.toISOString() ?? FIRST.earnedAt)),
      plainArray(wanted.map(({ after }) => after?.id ?? FIRST.id)),
      each,
    ],
    { name: 'loyalty_lots_oldest' },
  );
}

/** Lots by their keys; those without points are not there. Index scans, n = keys. */
export async function lotsByKeys(tx: Tx, keys: readonly LotKey[]): Promise<LotRow[]> {
  if (keys.length === 0) return [];
  return tx.query<LotRow>(
    `select ${LOT} from unnest($1::uuid[], $2::timestamptz[], $3::uuid[]) t(account, earned, entry)
     join loyalty_lot l on l.account_id = t.account and l.earned_at = t.earned and l.entry_id = t.entry`,
    [
      plainArray(keys.map((key) => key.accountId)),
      plainArray(keys.map((key) => key.earnedAt.toISOString())),
      plainArray(keys.map((key) => key.id)),
    ],
    { name: 'loyalty_lots_by_key' },
  );
}

/** Lots of accounts whose time is over, so many in all. Range scans of the key, n = the accounts' lots. */
export function dueLots(tx: Tx, accountIds: readonly string[], now: Date, limit: number): Promise<LotRow[]> {
  return tx.query<LotRow>(
    `select ${LOT} from loyalty_lot l where l.account_id = any($1::uuid[]) and l.expires_at <= $2
     order by l.account_id, l.earned_at, l.entry_id limit $3`,
    [plainArray(accountIds), now.toISOString(), limit],
    { name: 'loyalty_lots_due' },
  );
}

/** What entries took from lots, the oldest first. Index scans, n = uses. */
export async function takenBy(tx: Tx, entryIds: readonly string[]): Promise<TakenRow[]> {
  if (entryIds.length === 0) return [];
  return tx.query<TakenRow>(
    `select u.entry_id as "entryId", u.lot_id as id, u.points, e.effective_at as "earnedAt", e.expires_at as "expiresAt"
     from loyalty_lot_use u join loyalty_entry e on e.id = u.lot_id
     where u.entry_id = any($1::uuid[]) and u.points > 0 order by e.effective_at, e.id`,
    [plainArray(entryIds)],
    { name: 'loyalty_taken' },
  );
}

/** How many points of lots have lapsed. Index scans, n = uses of the lots. */
export async function lapsedOf(tx: Tx, lotIds: readonly string[]): Promise<Map<string, number>> {
  if (lotIds.length === 0) return new Map();
  const rows = await tx.query<{ lotId: string; points: number }>(
    `select u.lot_id as "lotId", sum(u.points)::bigint as points
     from loyalty_lot_use u join loyalty_entry e on e.id = u.entry_id
     where u.lot_id = any($1::uuid[]) and e.kind = 'EXPIRE' group by u.lot_id`,
    [plainArray(lotIds)],
    { name: 'loyalty_lapsed' },
  );
  return new Map(rows.map((row) => [row.lotId, row.points]));
}

const lotValues = (lots: readonly LotRow[]) => [
  plainArray(lots.map((lot) => lot.accountId)),
  plainArray(lots.map((lot) => lot.earnedAt.toISOString())),
  plainArray(lots.map((lot) => lot.id)),
];

/** Adds lots that are not there. */
export const newLotsWrite = (lots: readonly LotRow[]): Write => ({
  name: 'loyalty_lots_new',
  text: `insert into loyalty_lot (account_id, earned_at, entry_id, points, expires_at)
         select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::bigint[], $5::timestamptz[])`,
  values: [
    ...lotValues(lots),
    plainArray(lots.map((lot) => lot.points)),
    plainArray(lots.map((lot) => lot.expiresAt?.toISOString() ?? null)),
  ],
});

/** Keeps what is left of lots that are there. */
export const lotsWrite = (lots: readonly LotRow[]): Write => ({
  name: 'loyalty_lots',
  text: `update loyalty_lot l set points = t.points
         from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::bigint[]) t(account, earned, entry, points)
         where l.account_id = t.account and l.earned_at = t.earned and l.entry_id = t.entry`,
  values: [...lotValues(lots), plainArray(lots.map((lot) => lot.points))],
});

/** Takes lots away that hold nothing any more. */
export const spentLotsWrite = (lots: readonly LotRow[]): Write => ({
  name: 'loyalty_lots_spent',
  text: `delete from loyalty_lot l using unnest($1::uuid[], $2::timestamptz[], $3::uuid[]) t(account, earned, entry)
         where l.account_id = t.account and l.earned_at = t.earned and l.entry_id = t.entry`,
  values: lotValues(lots),
});

/** Notes what entries took from lots. */
export const lotUsesWrite = (uses: readonly LotUseRow[]): Write => ({
  name: 'loyalty_lot_uses',
  text: `insert into loyalty_lot_use (entry_id, lot_id, points)
         select * from unnest($1::uuid[], $2::uuid[], $3::bigint[])`,
  values: [
    plainArray(uses.map((use) => use.entryId)),
    plainArray(uses.map((use) => use.lotId)),
    plainArray(uses.map((use) => use.points)),
  ],
});

/** An entry that waits. */
export interface PendingRow {
  readonly entryId: string;
  readonly accountId: string;
  readonly expiresAt: Date;
}

/** Notes which entries wait. */
export const pendingWrite = (pending: readonly PendingRow[]): Write => ({
  name: 'loyalty_pending_new',
  text: `insert into loyalty_pending (entry_id, account_id, expires_at)
         select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[])`,
  values: [
    plainArray(pending.map((one) => one.entryId)),
    plainArray(pending.map((one) => one.accountId)),
    plainArray(pending.map((one) => one.expiresAt.toISOString())),
  ],
});

/** Notes which entries no longer wait. */
export const settledWrite = (entryIds: readonly string[]): Write => ({
  name: 'loyalty_pending_settled',
  text: 'delete from loyalty_pending where entry_id = any($1::uuid[])',
  values: [plainArray(entryIds)],
});

/** Accounts with lots whose time is over, by who holds them. Index scan of what is due, n = lots looked at. */
export async function customersWithDueLots(database: Queryable, now: Date, limit: number): Promise<string[]> {
  const rows = await database.query<{ customerId: string }>(
    `select distinct a.customer_id as "customerId"
     from (select account_id from loyalty_lot where expires_at <= $1 order by expires_at limit $2) l
     join loyalty_account a on a.id = l.account_id`,
    [now.toISOString(), limit],
    { name: 'loyalty_due_customers' },
  );
  return rows.map((row) => row.customerId);
}

/** Entries that have waited too long. Index scan, n = `limit`. */
export async function timedOut(database: Queryable, now: Date, limit: number): Promise<string[]> {
  const rows = await database.query<{ entryId: string }>(
    `select entry_id as "entryId" from loyalty_pending where expires_at <= $1 order by expires_at limit $2`,
    [now.toISOString(), limit],
    { name: 'loyalty_timed_out' },
  );
  return rows.map((row) => row.entryId);
}
