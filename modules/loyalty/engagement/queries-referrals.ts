import type { Queryable, Tx } from '../../../src/core/database/index.ts';

/** SQL of referrals. */

export type ReferralState = 'ATTRIBUTED' | 'REWARDED' | 'VOID';

export interface ReferralRow {
  readonly id: string;
  readonly referrerId: string;
  readonly referredId: string;
  readonly state: ReferralState;
  readonly attributedAt: Date;
  readonly rewardedAt: Date | null;
  readonly referrerPoints: number;
  readonly referredPoints: number;
}

const COLUMNS = `id, referrer_id as "referrerId", referred_id as "referredId", state, attributed_at as "attributedAt",
  rewarded_at as "rewardedAt", referrer_points as "referrerPoints", referred_points as "referredPoints"`;

/** Whose code it is. */
export async function holderOf(db: Queryable, code: string): Promise<string | null> {
  const [row] = await db.query<{ id: string }>('select customer_id as id from loyalty_referral_code where code = $1', [
    code,
  ]);
  return row?.id ?? null;
}

/** The code a customer gives away: the first of them. */
export async function codeOfCustomer(db: Queryable, customerId: string): Promise<string | null> {
  const [row] = await db.query<{ code: string }>(
    'select code from loyalty_referral_code where customer_id = $1 order by created_at, code limit 1',
    [customerId],
  );
  return row?.code ?? null;
}

/** @returns false when the code is taken */
export async function insertCode(tx: Tx, code: string, customerId: string, at: Date): Promise<boolean> {
  const made = await tx.query<{ code: string }>(
    `insert into loyalty_referral_code (code, customer_id, created_at) values ($1, $2, $3)
     on conflict (code) do nothing returning code`,
    [code, customerId, at],
  );
  return made.length === 1;
}

export async function referralOf(db: Queryable, referredId: string): Promise<ReferralRow | null> {
  const [row] = await db.query<ReferralRow>(`select ${COLUMNS} from loyalty_referral where referred_id = $1`, [
    referredId,
  ]);
  return row ?? null;
}

/** Whether a customer brought another one, directly or through others. Up the chain: one index look-up a step. */
export async function broughtBy(db: Queryable, ancestorId: string, customerId: string): Promise<boolean> {
  const rows = await db.query<{ id: string }>(
    `with recursive up(id) as (
       select referrer_id from loyalty_referral where referred_id = $2 and state <> 'VOID'
       union
       select r.referrer_id from loyalty_referral r join up on r.referred_id = up.id where r.state <> 'VOID'
     ) select id from up where id = $1`,
    [ancestorId, customerId],
  );
  return rows.length > 0;
}

export async function insertReferral(tx: Tx, row: ReferralRow): Promise<void> {
  await tx.query(
    `insert into loyalty_referral (id, referrer_id, referred_id, state, attributed_at) values ($1, $2, $3, $4, $5)`,
    [row.id, row.referrerId, row.referredId, row.state, row.attributedAt],
  );
}

/** Referrals of customers that wait to become successful. */
export function waitingReferrals(db: Queryable, referredIds: readonly string[]): Promise<ReferralRow[]> {
  return db.query<ReferralRow>(
    `select ${COLUMNS} from loyalty_referral where referred_id = any($1::uuid[]) and state = 'ATTRIBUTED'`,
    [referredIds],
    { name: 'referrals_waiting' },
  );
}

/** Ends the wait of referrals. */
export async function settleReferrals(tx: Tx, rows: readonly ReferralRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    `update loyalty_referral r set state = t.state, rewarded_at = t.at, referrer_points = t.referrer, referred_points = t.referred
     from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[]) as t(id, state, at, referrer, referred)
     where r.id = t.id and r.state = 'ATTRIBUTED'`,
    [
      rows.map((row) => row.id),
      rows.map((row) => row.state),
      rows.map((row) => row.rewardedAt),
      rows.map((row) => row.referrerPoints),
      rows.map((row) => row.referredPoints),
    ],
    { name: 'referrals_settle' },
  );
}
