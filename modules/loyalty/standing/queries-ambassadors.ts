import type { Queryable, Tx } from '../../../src/core/database/index.ts';
import type { LoyaltyBand } from './domain/score.ts';

/** A customer who may be an ambassador, or was invited to be one. */
export interface AmbassadorRow {
  readonly customerId: string;
  readonly band: LoyaltyBand | null;
  readonly score: number | null;
  readonly referrals: number;
  readonly lastNps: number | null;
  readonly invitedAt: Date | null;
  readonly thankedAt: Date | null;
}

/** How far an ambassador has come. */
export const AMBASSADOR_STATES = ['CANDIDATE', 'INVITED', 'THANKED'] as const;

export type AmbassadorState = (typeof AMBASSADOR_STATES)[number];

const ROW = `s.band, s.score, coalesce(s.referrals, 0) as referrals, s.last_nps as "lastNps", b.invited_at as "invitedAt",
  b.thanked_at as "thankedAt"`;

/** Whether a row belongs to a list, by its state; `b` is its invitation. */
const STATE = `case when b.invited_at is null then 'CANDIDATE' when b.thanked_at is null then 'INVITED' else 'THANKED' end`;

/**
 * Candidates and ambassadors in the order of their ids, behind `after`: a scan of the Champions' part of an index beside
 * one of the invitations, n = Champions passed over and `limit`.
 */
export function listAmbassadors(
  database: Queryable,
  options: {
    readonly npsFrom: number;
    readonly states: readonly AmbassadorState[];
    readonly after: string | null;
    readonly limit: number;
  },
): Promise<AmbassadorRow[]> {
  const { npsFrom, states, after, limit } = options;
  return database.query<AmbassadorRow>(
    `select * from (
       (select s.customer_id as "customerId", ${ROW} from loyalty_standing s
        left join loyalty_ambassador b on b.customer_id = s.customer_id
        where s.band = 'CHAMPION' and s.referrals > 0 and s.last_nps >= $1 and b.customer_id is null
          and 'CANDIDATE' = any($2::text[]) and ($3::uuid is null or s.customer_id > $3)
        order by s.customer_id limit $4)
       union all
       (select b.customer_id, ${ROW} from loyalty_ambassador b
        left join loyalty_standing s on s.customer_id = b.customer_id
        where ${STATE} = any($2::text[]) and ($3::uuid is null or b.customer_id > $3)
        order by b.customer_id limit $4)) all_of_them
     order by "customerId" limit $4`,
    [npsFrom, states, after, limit],
    { name: 'loyalty_ambassadors' },
  );
}

/**
 * A customer with its standing and invitation. The standing is locked first and the invitation read behind the lock: of
 * two who invite a customer at once, the second sees what the first did.
 */
export async function lockAmbassador(tx: Tx, customerId: string): Promise<AmbassadorRow> {
  const [standing] = await tx.query<Pick<AmbassadorRow, 'band' | 'score' | 'referrals' | 'lastNps'>>(
    `select band, score, referrals, last_nps as "lastNps" from loyalty_standing where customer_id = $1 for update`,
    [customerId],
    { name: 'loyalty_ambassador_lock' },
  );
  const [invitation] = await tx.query<Pick<AmbassadorRow, 'invitedAt' | 'thankedAt'>>(
    `select invited_at as "invitedAt", thanked_at as "thankedAt" from loyalty_ambassador where customer_id = $1 for update`,
    [customerId],
    { name: 'loyalty_ambassador_invitation' },
  );
  return {
    customerId,
    ...(standing ?? { band: null, score: null, referrals: 0, lastNps: null }),
    ...(invitation ?? { invitedAt: null, thankedAt: null }),
  };
}

export async function insertAmbassador(tx: Tx, customerId: string, at: Date, actor: string): Promise<void> {
  await tx.query('insert into loyalty_ambassador (customer_id, invited_at, invited_by) values ($1, $2, $3)', [
    customerId,
    at,
    actor,
  ]);
}

export async function thankAmbassador(tx: Tx, customerId: string, at: Date, actor: string): Promise<void> {
  await tx.query('update loyalty_ambassador set thanked_at = $2, thanked_by = $3 where customer_id = $1', [
    customerId,
    at,
    actor,
  ]);
}
