import { z } from 'zod';
import { defineEvent } from '../../../src/core/events/index.ts';
import { STREAK_PERIODS } from './calendar.ts';
import { MILESTONE_METRICS } from './settings.ts';

/** What engagement publishes. Each concerns one customer, whom the envelope names. */

const key = z.string();
/** Points given for it; 0 when there were none. */
const points = z.int().min(0);

export const BADGE_SOURCES = ['MILESTONE', 'STREAK', 'CHALLENGE', 'ANNIVERSARY', 'HAND'] as const;

export type BadgeSource = (typeof BADGE_SOURCES)[number];

export const badgeAwarded = defineEvent({
  type: 'loyalty.badgeAwarded',
  version: 1,
  description: 'A customer was awarded a badge.',
  payload: z.object({
    badge: key,
    name: z.string(),
    source: z.enum(BADGE_SOURCES),
    /** Key of the milestone, streak or challenge. */
    sourceKey: key.nullable(),
  }),
});

export const milestoneReached = defineEvent({
  type: 'loyalty.milestoneReached',
  version: 1,
  description: 'A customer reached a milestone.',
  payload: z.object({
    milestone: key,
    name: z.string(),
    metric: z.enum(MILESTONE_METRICS),
    threshold: z.int(),
    points,
    /** Name of the badge that came with it. */
    badge: z.string().nullable(),
  }),
});

const streak = { streak: key, name: z.string(), per: z.enum(STREAK_PERIODS), length: z.int() };

export const streakExtended = defineEvent({
  type: 'loyalty.streakExtended',
  version: 1,
  description: 'A streak came to one of the lengths that are marked in its definition.',
  payload: z.object({ ...streak, points, badge: z.string().nullable() }),
});

export const streakBroken = defineEvent({
  type: 'loyalty.streakBroken',
  version: 1,
  description: 'A streak worth a word is over.',
  payload: z.object(streak),
});

export const challengeCompleted = defineEvent({
  type: 'loyalty.challengeCompleted',
  version: 1,
  description: 'A customer completed a challenge.',
  payload: z.object({ challenge: key, name: z.string(), points, badge: z.string().nullable() }),
});

const referral = { referralId: z.uuid(), referrerId: z.uuid(), referredId: z.uuid() };

export const referralAttributed = defineEvent({
  type: 'loyalty.referralAttributed',
  version: 1,
  description: 'A customer came by the code of another; the envelope names the one who came.',
  payload: z.object(referral),
});

export const referralRewarded = defineEvent({
  type: 'loyalty.referralRewarded',
  version: 1,
  description: 'A referral was successful and both sides were rewarded; the envelope names the one who referred.',
  payload: z.object({ ...referral, referrerPoints: points, referredPoints: points }),
});

export const anniversary = defineEvent({
  type: 'loyalty.anniversary',
  version: 1,
  description: 'It is so many years since a member signed up.',
  payload: z.object({
    years: z.int(),
    points,
    badge: z.string().nullable(),
    /** Name of the milestone of years that was reached with it; its points and its badge are told of by its own event. */
    milestone: z.string().nullable(),
  }),
});

/** All of them, for the module's table of contents. */
export const engagementEvents = [
  badgeAwarded,
  milestoneReached,
  streakExtended,
  streakBroken,
  challengeCompleted,
  referralAttributed,
  referralRewarded,
  anniversary,
];
