import type { Queryable, Tx } from '../../../src/core/database/index.ts';
import type { JourneyStage, StayBasis } from './domain/journey.ts';
import type { LoyaltyBand, ScorePart } from './domain/score.ts';

/** A row of the standings; `id` is its place in the history. */
export interface Standing {
  readonly id: string;
  readonly customerId: string;
  readonly at: Date;
  readonly score: number;
  readonly band: LoyaltyBand;
  readonly bandSince: Date;
  readonly coverage: number;
  readonly parts: readonly ScorePart[];
  readonly stage: JourneyStage;
  readonly stageSince: Date;
  readonly strength: number;
  readonly stayProbability: number | null;
  readonly stayBasis: StayBasis | null;
  readonly referrals: number;
  readonly lastNps: number | null;
  readonly revenueMinor: number | null;
  readonly revenueCurrency: string | null;
  readonly causeEventId: string | null;
}

/** What is to be written of a standing. */
export interface StandingWrite {
  readonly standing: Standing;
  /** First day of the running month, `YYYY-MM-DD`. */
  readonly month: string;
  /** Whether score, parts, band or stage differ: then the history has it. */
  readonly differs: boolean;
}

const COLUMNS = `customer_id, at, score, band, band_since, coverage, parts, stage, stage_since, strength, stay_probability,
  stay_basis, referrals, last_nps, revenue_minor, revenue_currency, cause_event_id`;

/** Locks what is known of the customers, in the order of their ids, so that two writers cannot wait for each other. */
export async function lockStandings(tx: Tx, ids: readonly string[]): Promise<Map<string, Standing>> {
  const rows = await tx.query<Omit<Standing, 'id'>>(
    `select customer_id as "customerId", at, score, band, band_since as "bandSince", coverage, parts, stage,
            stage_since as "stageSince", strength, stay_probability as "stayProbability", stay_basis as "stayBasis",
            referrals, last_nps as "lastNps", revenue_minor as "revenueMinor", revenue_currency as "revenueCurrency",
            cause_event_id as "causeEventId"
     from loyalty_standing where customer_id = any($1::uuid[]) order by customer_id for update`,
    [ids],
    { name: 'loyalty_standings_lock' },
  );
  return new Map(rows.map((row) => [row.customerId, { id: '', ...row }]));
}

/**
 * Writes standings, their history where they differ, and the month: one statement whatever their number. A later one by
 * somebody else stays.
 */
export async function writeStandings(tx: Tx, writes: readonly StandingWrite[]): Promise<void> {
  if (writes.length === 0) return;
  const column = <T>(of: (standing: Standing) => T): T[] => writes.map(({ standing }) => of(standing));
  await tx.query(
    `with given as (
       select * from unnest($1::uuid[], $2::timestamptz[], $3::float8[], $4::text[], $5::timestamptz[], $6::float8[], $7::jsonb[],
                            $8::text[], $9::timestamptz[], $10::float8[], $11::float8[], $12::text[], $13::int[], $14::float8[],
                            $15::int8[], $16::text[], $17::uuid[], $18::uuid[], $19::date[], $20::bool[])
         as t(${COLUMNS}, id, month, differs)
     ), kept as (
       insert into loyalty_standing as s (${COLUMNS})
       select ${COLUMNS} from given order by customer_id
       on conflict (customer_id) do update set
         at = excluded.at, score = excluded.score, band = excluded.band, band_since = excluded.band_since,
         coverage = excluded.coverage, parts = excluded.parts, stage = excluded.stage, stage_since = excluded.stage_since,
         strength = excluded.strength, stay_probability = excluded.stay_probability, stay_basis = excluded.stay_basis,
         referrals = excluded.referrals, last_nps = excluded.last_nps, revenue_minor = excluded.revenue_minor,
         revenue_currency = excluded.revenue_currency, cause_event_id = excluded.cause_event_id
       where s.at <= excluded.at
       returning customer_id
     ), past as (
       insert into loyalty_standing_history (customer_id, at, id, score, band, band_since, coverage, parts, stage, cause_event_id)
       select customer_id, at, id, score, band, band_since, coverage, parts, stage, cause_event_id
       from given where differs and customer_id in (select customer_id from kept)
     )
     insert into loyalty_standing_month as m (customer_id, month, at, score, band, stage, strength, stay_probability, stay_basis)
     select customer_id, month, at, score, band, stage, strength, stay_probability, stay_basis
     from given where customer_id in (select customer_id from kept)
     on conflict (customer_id, month) do update set
       at = excluded.at, score = excluded.score, band = excluded.band, stage = excluded.stage, strength = excluded.strength,
       stay_probability = excluded.stay_probability, stay_basis = excluded.stay_basis`,
    [
      column((s) => s.customerId),
      column((s) => s.at),
      column((s) => s.score),
      column((s) => s.band),
      column((s) => s.bandSince),
      column((s) => s.coverage),
      column((s) => JSON.stringify(s.parts)),
      column((s) => s.stage),
      column((s) => s.stageSince),
      column((s) => s.strength),
      column((s) => s.stayProbability),
      column((s) => s.stayBasis),
      column((s) => s.referrals),
      column((s) => s.lastNps),
      column((s) => s.revenueMinor),
      column((s) => s.revenueCurrency),
      column((s) => s.causeEventId),
      column((s) => s.id),
      writes.map(({ month }) => month),
      writes.map(({ differs }) => differs),
    ],
    { name: 'loyalty_standings_write' },
  );
}

/** What moved a customer, as kept here. */
export interface KeptTouchpoint {
  readonly id: string;
  readonly customerId: string;
  readonly at: Date;
  readonly kind:
    | 'TIER_CHANGED'
    | 'POINTS_REDEEMED'
    | 'REWARD_REDEEMED'
    | 'BAND_CHANGED'
    | 'STAGE_CHANGED'
    | 'AMBASSADOR_INVITED'
    | 'AMBASSADOR_THANKED';
  readonly detail: Readonly<Record<string, string | number | null>>;
}

/** Keeps touchpoints; one that is there stays as it is. */
export async function writeTouchpoints(tx: Tx, touchpoints: readonly KeptTouchpoint[]): Promise<void> {
  if (touchpoints.length === 0) return;
  await tx.query(
    `insert into loyalty_touchpoint (customer_id, at, id, kind, detail)
     select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::jsonb[])
     on conflict do nothing`,
    [
      touchpoints.map((one) => one.customerId),
      touchpoints.map((one) => one.at),
      touchpoints.map((one) => one.id),
      touchpoints.map((one) => one.kind),
      touchpoints.map((one) => JSON.stringify(one.detail)),
    ],
    { name: 'loyalty_touchpoints_write' },
  );
}

/** A place in a list of touchpoints. */
export interface TouchpointPlace {
  readonly at: Date;
  readonly id: string;
}

/**
 * The newest touchpoints kept here of customers, and when each joined the programme, `limit` of each: backward scans of
 * the key, n = customers and `limit`.
 */
export function keptTouchpoints(
  database: Queryable,
  customerIds: readonly string[],
  limit: number,
  after: TouchpointPlace | null,
): Promise<(Omit<KeptTouchpoint, 'kind'> & { readonly kind: KeptTouchpoint['kind'] | 'JOINED' })[]> {
  return database.query(
    `select t.* from unnest($1::uuid[]) c(id) cross join lateral (
       (select p.id::text as id, p.customer_id as "customerId", p.at, p.kind, p.detail from loyalty_touchpoint p
        where p.customer_id = c.id and ($2::timestamptz is null or (p.at, p.id::text) < ($2, $3))
        order by p.at desc, p.id::text desc limit $4)
       union all
       select a.id::text, a.customer_id, a.joined_at, 'JOINED', '{}'::jsonb from loyalty_account a
       where a.customer_id = c.id and a.closed_at is null and ($2::timestamptz is null or (a.joined_at, a.id::text) < ($2, $3))) t`,
    [customerIds, after?.at ?? null, after?.id ?? null, limit],
    { name: 'loyalty_touchpoints' },
  );
}

/** What is thought of a customer who was erased or merged away goes with the customer. */
export async function forgetStandings(tx: Tx, customerIds: readonly string[]): Promise<void> {
  await tx.query('delete from loyalty_standing where customer_id = any($1::uuid[])', [customerIds]);
  await tx.query('delete from loyalty_standing_history where customer_id = any($1::uuid[])', [customerIds]);
  await tx.query('delete from loyalty_standing_month where customer_id = any($1::uuid[])', [customerIds]);
  await tx.query('delete from loyalty_touchpoint where customer_id = any($1::uuid[])', [customerIds]);
  await tx.query('delete from loyalty_ambassador where customer_id = any($1::uuid[])', [customerIds]);
}

/** What happened to a customer who was merged away happened to whoever lives on; so did the invitation. */
export async function followMerge(tx: Tx, fromId: string, intoId: string): Promise<void> {
  await tx.query(`update loyalty_touchpoint set customer_id = $2 where customer_id = $1`, [fromId, intoId]);
  await tx.query(
    `insert into loyalty_ambassador (customer_id, invited_at, invited_by, thanked_at, thanked_by)
     select $2, invited_at, invited_by, thanked_at, thanked_by from loyalty_ambassador where customer_id = $1
     on conflict (customer_id) do nothing`,
    [fromId, intoId],
  );
  await forgetStandings(tx, [fromId]);
}
