import { defineCustomerPart, defineListPart } from '../../../src/core/graph/index.ts';
import { dayOf } from './calendar.ts';
import { yearsOn } from './domain/anniversaries.ts';
import type { BadgeSource } from './events.ts';
import { type LeaderboardPeriod, RANK_MAX } from './queries-leaderboard.ts';
import type { ReferralState } from './queries-referrals.ts';
import type { EngagementService } from './service.ts';
import { counterOf } from './service-milestones.ts';
import type { ChallengeDefinition, MilestoneDefinition, StreakDefinition } from './settings.ts';

/**
 * Engagement in the customer graph: fields of the loyalty account, whose row the fragments call `la`. All are index
 * scans by customer, n = the definitions in force, or the page size.
 */

export interface BadgeShape {
  readonly id: string;
  readonly badge: string;
  readonly source: BadgeSource;
  readonly sourceKey: string | null;
  readonly awardedAt: Date | string;
}

/** Badges, latest first. */
export const badgesPart = defineListPart<BadgeShape>({
  name: 'badges',
  keyLength: 1,
  cursorOf: (award) => [award.id],
  select: (_customer, { limit, after }, _args, bind) => `
    select lb.id, lb.badge, lb.source, lb.source_key as "sourceKey", lb.awarded_at as "awardedAt"
    from loyalty_badge_award lb
    where lb.customer_id = la.customer_id${after === null ? '' : ` and lb.id < ${bind(after[0])}::uuid`}
    order by lb.id desc limit ${limit}`,
});

export interface ReferralShape {
  readonly id: string;
  readonly state: ReferralState;
  readonly attributedAt: Date | string;
  readonly rewardedAt: Date | string | null;
  readonly referrerPoints: number;
  readonly referredPoints: number;
  readonly referredId: string;
}

/** Customers the member brought, latest first. */
export const referralsPart = defineListPart<ReferralShape>({
  name: 'referrals',
  keyLength: 1,
  cursorOf: (referral) => [referral.id],
  select: (_customer, { limit, after }, _args, bind) => `
    select lr.id, lr.state, lr.attributed_at as "attributedAt", lr.rewarded_at as "rewardedAt",
           lr.referrer_points as "referrerPoints", lr.referred_points as "referredPoints", lr.referred_id as "referredId"
    from loyalty_referral lr
    where lr.referrer_id = la.customer_id${after === null ? '' : ` and lr.id < ${bind(after[0])}::uuid`}
    order by lr.id desc limit ${limit}`,
});

export interface ReferringShape {
  readonly code: string | null;
  readonly waiting: number;
  readonly successful: number;
}

export const referringPart = defineCustomerPart<ReferringShape>({
  name: 'referring',
  sql: () => `(
    select json_build_object(
      'code', (select lc.code from loyalty_referral_code lc where lc.customer_id = la.customer_id
               order by lc.created_at, lc.code limit 1),
      'waiting', count(*) filter (where lr.state = 'ATTRIBUTED'), 'successful', count(*) filter (where lr.state = 'REWARDED'))
    from loyalty_referral lr where lr.referrer_id = la.customer_id)`,
});

export interface MilestoneShape {
  readonly milestone: MilestoneDefinition;
  readonly value: number;
  readonly reached: boolean;
  readonly reachedAt: string | null;
  readonly points: number;
}

interface MilestonesJson {
  readonly earned: number;
  readonly signupAt: string;
  readonly counters: readonly { readonly counter: string; readonly value: number }[];
  readonly reached: readonly { readonly milestone: string; readonly reachedAt: string; readonly points: number }[];
}

/** Every milestone in force, and how far the customer is. */
export const milestonesPart = (service: EngagementService, timeZone: () => string) =>
  defineCustomerPart<MilestoneShape[]>({
    name: 'milestones',
    sql: (customer) => `json_build_object('earned', la.earned, 'signupAt', ${customer}.signup_at,
      'counters', (select coalesce(json_agg(json_build_object('counter', lc.counter, 'value', lc.base + lc.live)), '[]')
                   from loyalty_counter lc where lc.customer_id = la.customer_id),
      'reached', (select coalesce(json_agg(json_build_object('milestone', lm.milestone, 'reachedAt', lm.reached_at,
                                                             'points', lm.points)), '[]')
                  from loyalty_milestone lm where lm.customer_id = la.customer_id))`,
    parse(json) {
      const { earned, signupAt, counters, reached } = json as MilestonesJson;
      const counts = new Map(counters.map(({ counter, value }) => [counter, value]));
      const rows = new Map(reached.map((row) => [row.milestone, row]));
      const zone = timeZone();
      return service.definitionsNow().milestones.map((milestone) => {
        const row = rows.get(milestone.key);
        const counted = () => {
          if (milestone.metric === 'POINTS_EARNED') return earned;
          if (milestone.metric === 'YEARS_AS_CUSTOMER')
            return yearsOn(dayOf(new Date(signupAt), zone), dayOf(service.now(), zone));
          return counts.get(counterOf(milestone) ?? '') ?? 0;
        };
        const value = counted();
        const isReached = row !== undefined || value >= milestone.threshold;
        return { milestone, value, reached: isReached, reachedAt: row?.reachedAt ?? null, points: row?.points ?? 0 };
      });
    },
  });

export interface StreakShape {
  readonly streak: StreakDefinition;
  readonly current: number;
  readonly longest: number;
  readonly endsAt: string | null;
}

interface StreakJson {
  readonly streak: string;
  readonly length: number;
  readonly longest: number;
  readonly endsAt: string | null;
}

/** Every streak in force; one whose end has come counts as over, told or not. */
export const streaksPart = (service: EngagementService) =>
  defineCustomerPart<StreakShape[]>({
    name: 'streaks',
    sql: () => `(
      select coalesce(json_agg(json_build_object('streak', ls.streak, 'length', ls.length, 'longest', ls.longest,
                                                 'endsAt', ls.ends_at)), '[]')
      from loyalty_streak ls where ls.customer_id = la.customer_id)`,
    parse(json) {
      const rows = new Map((json as StreakJson[]).map((row) => [row.streak, row]));
      return service.definitionsNow().streaks.map((streak) => {
        const row = rows.get(streak.key);
        const endsAt = row?.endsAt ?? null;
        const runs = endsAt !== null && service.now() < new Date(endsAt);
        return {
          streak,
          current: runs ? (row?.length ?? 0) : 0,
          longest: row?.longest ?? 0,
          endsAt: runs ? endsAt : null,
        };
      });
    },
  });

export interface ChallengeShape {
  readonly challenge: ChallengeDefinition;
  readonly progress: number;
  readonly joinedAt: Date | string | null;
  readonly completedAt: Date | string | null;
  readonly points: number;
}

interface ChallengeJson extends Omit<ChallengeShape, 'challenge'> {
  readonly challenge: string;
}

/** Every challenge in force, and the customer's part in it. */
export const challengesPart = (service: EngagementService) =>
  defineCustomerPart<ChallengeShape[]>({
    name: 'challenges',
    sql: () => `(
      select coalesce(json_agg(json_build_object('challenge', lh.challenge, 'progress', lh.progress::float8,
        'joinedAt', lh.joined_at, 'completedAt', lh.completed_at, 'points', lh.points)), '[]')
      from loyalty_challenge_entry lh where lh.customer_id = la.customer_id)`,
    parse(json) {
      const rows = new Map((json as ChallengeJson[]).map((row) => [row.challenge, row]));
      const nothing = { progress: 0, joinedAt: null, completedAt: null, points: 0 };
      return service
        .definitionsNow()
        .challenges.map((challenge) => ({ ...(rows.get(challenge.key) ?? nothing), challenge }));
    },
  });

export interface LeaderboardShape {
  readonly displayName: string;
  readonly points: number;
  readonly rank: number | null;
}

/** The member's own place: those above are counted in the index, up to a bound. */
export const leaderboardPart = (service: EngagementService) =>
  defineCustomerPart<LeaderboardShape, { readonly period: LeaderboardPeriod }>({
    name: 'leaderboard',
    sql(_customer, { period }, bind) {
      const board = `o.period = ${bind(period)}::text and o.starts_at = ${bind(service.leaderboardStart(period, null))}::timestamptz`;
      return `(
        select json_build_object('displayName', lm.display_name, 'points', coalesce(o.points, 0), 'rank',
          case when o.points > 0 then (
            select nullif(count(*), ${RANK_MAX}) + 1 from (
              select from loyalty_leaderboard_score s
              where s.period = o.period and s.starts_at = o.starts_at and s.points > o.points limit ${RANK_MAX}) above) end)
        from loyalty_leaderboard_member lm
        left join loyalty_leaderboard_score o on o.customer_id = lm.customer_id and ${board}
        where lm.customer_id = la.customer_id)`;
    },
  });
