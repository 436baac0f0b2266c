import type { Queryable, Tx } from '../../../src/core/database/index.ts';
import type { BadgeSource } from './events.ts';

/**
 * What engagement keeps of customers. Whoever writes holds `lockEngagement`, so nothing changes between a look and a
 * write. All reads are index scans by customer, n = the rows of the customers of a batch.
 */

/** One writer of engagement at a time, in all processes, until the transaction ends: handlers, jobs and mutations. */
export async function lockEngagement(tx: Tx): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('loyalty.engagement'))`, [], { name: 'engagement_lock' });
}

export interface CounterRow {
  readonly customerId: string;
  readonly counter: string;
  readonly live: number;
  readonly base: number;
  readonly liveSince: Date;
  readonly names: readonly string[];
}

export function countersOf(
  db: Queryable,
  customerIds: readonly string[],
  counters: readonly string[],
): Promise<CounterRow[]> {
  return db.query<CounterRow>(
    `select customer_id as "customerId", counter, live, base, live_since as "liveSince", names
     from loyalty_counter where customer_id = any($1::uuid[]) and counter = any($2::text[])`,
    [customerIds, counters],
    { name: 'engagement_counters' },
  );
}

export async function writeCounters(tx: Tx, rows: readonly CounterRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    `insert into loyalty_counter (customer_id, counter, live, base, live_since, names)
     select customer, counter, live, base, since, array(select json_array_elements_text(names::json))
     from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::text[])
       as t(customer, counter, live, base, since, names)
     on conflict (customer_id, counter) do update
       set live = excluded.live, base = excluded.base, live_since = excluded.live_since, names = excluded.names`,
    [
      rows.map((row) => row.customerId),
      rows.map((row) => row.counter),
      rows.map((row) => row.live),
      rows.map((row) => row.base),
      rows.map((row) => row.liveSince),
      rows.map((row) => JSON.stringify(row.names)),
    ],
    { name: 'engagement_counters_write' },
  );
}

export interface MilestoneRow {
  readonly customerId: string;
  readonly milestone: string;
  readonly value: number;
  readonly reachedAt: Date;
}

/** Keeps milestones as reached. @returns those that were not before, as `customer milestone` */
export async function reachMilestones(tx: Tx, rows: readonly MilestoneRow[]): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set();
  const made = await tx.query<{ name: string }>(
    `insert into loyalty_milestone (customer_id, milestone, value, reached_at)
     select * from unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[])
     on conflict do nothing returning customer_id || ' ' || milestone as name`,
    [
      rows.map((row) => row.customerId),
      rows.map((row) => row.milestone),
      rows.map((row) => row.value),
      rows.map((row) => row.reachedAt),
    ],
    { name: 'engagement_milestones_reach' },
  );
  return new Set(made.map((row) => row.name));
}

/** Says what was given for milestones. */
export async function noteMilestones(
  tx: Tx,
  given: readonly { customerId: string; milestone: string; points: number; badge: string | null }[],
): Promise<void> {
  if (given.length === 0) return;
  await tx.query(
    `update loyalty_milestone m set points = t.points, badge = t.badge
     from unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[]) as t(customer, milestone, points, badge)
     where m.customer_id = t.customer and m.milestone = t.milestone`,
    [
      given.map((one) => one.customerId),
      given.map((one) => one.milestone),
      given.map((one) => one.points),
      given.map((one) => one.badge),
    ],
    { name: 'engagement_milestones_note' },
  );
}

export interface StreakRow {
  readonly customerId: string;
  readonly streak: string;
  /** First and last of each run, one after the other. */
  readonly runs: readonly number[];
  readonly length: number;
  readonly longest: number;
  readonly lastPeriod: number;
  readonly endsAt: Date | null;
}

const STREAK_COLUMNS = `customer_id as "customerId", streak, runs, length, longest, last_period as "lastPeriod", ends_at as "endsAt"`;

export function streaksOf(db: Queryable, customerIds: readonly string[], streak: string): Promise<StreakRow[]> {
  return db.query<StreakRow>(
    `select ${STREAK_COLUMNS} from loyalty_streak where customer_id = any($1::uuid[]) and streak = $2`,
    [customerIds, streak],
    { name: 'engagement_streaks' },
  );
}

export async function writeStreaks(tx: Tx, rows: readonly StreakRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    `insert into loyalty_streak (customer_id, streak, runs, length, longest, last_period, ends_at)
     select customer, streak, array(select value::int from json_array_elements_text(runs::json)), length, longest, last, ends
     from unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::int[], $6::int[], $7::timestamptz[])
       as t(customer, streak, runs, length, longest, last, ends)
     on conflict (customer_id, streak) do update set runs = excluded.runs, length = excluded.length,
       longest = excluded.longest, last_period = excluded.last_period, ends_at = excluded.ends_at`,
    [
      rows.map((row) => row.customerId),
      rows.map((row) => row.streak),
      rows.map((row) => JSON.stringify(row.runs)),
      rows.map((row) => row.length),
      rows.map((row) => row.longest),
      rows.map((row) => row.lastPeriod),
      rows.map((row) => row.endsAt),
    ],
    { name: 'engagement_streaks_write' },
  );
}

/** Takes streaks whose time is over as told. Index scan of the ends, n = limit. */
export function endStreaks(tx: Tx, now: Date, limit: number): Promise<StreakRow[]> {
  return tx.query<StreakRow>(
    `update loyalty_streak s set ends_at = null
     from (select customer_id, streak from loyalty_streak where ends_at <= $1 order by ends_at limit $2) t
     where s.customer_id = t.customer_id and s.streak = t.streak
     returning s.customer_id as "customerId", s.streak, s.runs, s.length, s.longest, s.last_period as "lastPeriod",
       s.ends_at as "endsAt"`,
    [now, limit],
    { name: 'engagement_streaks_end' },
  );
}

export interface ChallengeRow {
  readonly customerId: string;
  readonly challenge: string;
  readonly joinedAt: Date;
  /** Decimal text. */
  readonly progress: string;
  readonly points: number;
  readonly completedAt: Date | null;
}

export function challengesOf(
  db: Queryable,
  customerIds: readonly string[],
  challenge: string,
): Promise<ChallengeRow[]> {
  return db.query<ChallengeRow>(
    `select customer_id as "customerId", challenge, joined_at as "joinedAt", progress, points, completed_at as "completedAt"
     from loyalty_challenge_entry where customer_id = any($1::uuid[]) and challenge = $2`,
    [customerIds, challenge],
    { name: 'engagement_challenges' },
  );
}

export async function writeChallenges(tx: Tx, rows: readonly ChallengeRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    `insert into loyalty_challenge_entry (customer_id, challenge, joined_at, progress, points, completed_at)
     select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::numeric[], $5::bigint[], $6::timestamptz[])
     on conflict (customer_id, challenge) do update
       set progress = excluded.progress, points = excluded.points, completed_at = excluded.completed_at`,
    [
      rows.map((row) => row.customerId),
      rows.map((row) => row.challenge),
      rows.map((row) => row.joinedAt),
      rows.map((row) => row.progress),
      rows.map((row) => row.points),
      rows.map((row) => row.completedAt),
    ],
    { name: 'engagement_challenges_write' },
  );
}

export interface BadgeRow {
  readonly id: string;
  readonly customerId: string;
  readonly badge: string;
  readonly source: BadgeSource;
  readonly sourceKey: string | null;
  readonly actor: string;
  readonly awardedAt: Date;
}

/** Awards badges. @returns ids of the awards that were made; who held the badge keeps the first award */
export async function insertBadges(tx: Tx, rows: readonly BadgeRow[]): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set();
  const made = await tx.query<{ id: string }>(
    `insert into loyalty_badge_award (id, customer_id, badge, source, source_key, actor, awarded_at)
     select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
     on conflict (customer_id, badge) do nothing returning id`,
    [
      rows.map((row) => row.id),
      rows.map((row) => row.customerId),
      rows.map((row) => row.badge),
      rows.map((row) => row.source),
      rows.map((row) => row.sourceKey),
      rows.map((row) => row.actor),
      rows.map((row) => row.awardedAt),
    ],
    { name: 'engagement_badges' },
  );
  return new Set(made.map((row) => row.id));
}

/** The award of a badge a customer holds. */
export async function badgeOf(db: Queryable, customerId: string, badge: string): Promise<BadgeRow | null> {
  const [row] = await db.query<BadgeRow>(
    `select id, customer_id as "customerId", badge, source, source_key as "sourceKey", actor, awarded_at as "awardedAt"
     from loyalty_badge_award where customer_id = $1 and badge = $2`,
    [customerId, badge],
    { name: 'engagement_badge' },
  );
  return row ?? null;
}

/** Gives counters another history, but for those whose counting began at another time by now. */
export async function rebase(
  tx: Tx,
  rows: readonly { readonly customerId: string; readonly liveSince: Date; readonly base: number }[],
  counter: string,
): Promise<void> {
  await tx.query(
    `update loyalty_counter c set base = t.base
     from unnest($1::uuid[], $2::timestamptz[], $3::bigint[]) as t(customer, since, base)
     where c.customer_id = t.customer and c.counter = $4 and c.live_since = t.since and c.base <> t.base`,
    [rows.map((row) => row.customerId), rows.map((row) => row.liveSince), rows.map((row) => row.base), counter],
  );
}
