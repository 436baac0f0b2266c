import type { Builder } from '../../../../src/core/builder/index.ts';
import { eventSubscription } from '../../../../src/core/events/schema.ts';
import { customerResolver } from '../../../../src/core/graph/index.ts';
import {
  anniversary,
  badgeAwarded,
  challengeCompleted,
  milestoneReached,
  referralAttributed,
  referralRewarded,
  streakBroken,
  streakExtended,
} from '../events.ts';
import type { DefinitionTypes } from './definitions.ts';

const scope = 'loyalty:read' as const;
const POINTS = 'Points given for it; 0: none.';
const BADGE = 'Name of the badge that came with it; null: none.';

/** Subscriptions to what engagement publishes. */
export function engagementSubscriptions(builder: Builder, { Metric, Per }: DefinitionTypes): void {
  eventSubscription(builder, {
    field: 'badgeAwarded',
    description: 'Badges as they are awarded.',
    scope,
    definition: badgeAwarded,
    type: 'BadgeAwarded',
    fields: (t) => ({
      badge: t.string({ description: 'Key of the badge.', resolve: ({ payload }) => payload.badge }),
      badgeName: t.string({ description: 'What it is called.', resolve: ({ payload }) => payload.name }),
    }),
  });
  eventSubscription(builder, {
    field: 'milestoneReached',
    description: 'Milestones as they are reached.',
    scope,
    definition: milestoneReached,
    type: 'MilestoneReached',
    fields: (t) => ({
      milestone: t.string({ description: 'Key of the milestone.', resolve: ({ payload }) => payload.milestone }),
      milestoneName: t.string({ description: 'What it is called.', resolve: ({ payload }) => payload.name }),
      metric: t.field({ type: Metric, description: 'What was counted.', resolve: ({ payload }) => payload.metric }),
      threshold: t.int({ description: 'How many it took.', resolve: ({ payload }) => payload.threshold }),
      points: t.int({ description: POINTS, resolve: ({ payload }) => payload.points }),
      badge: t.string({ nullable: true, description: BADGE, resolve: ({ payload }) => payload.badge }),
    }),
  });
  eventSubscription(builder, {
    field: 'streakExtended',
    description: 'Streaks as they come to a length that is marked.',
    scope,
    definition: streakExtended,
    type: 'StreakExtended',
    fields: (t) => ({
      streak: t.string({ description: 'Key of the streak.', resolve: ({ payload }) => payload.streak }),
      per: t.field({ type: Per, description: 'Its period.', resolve: ({ payload }) => payload.per }),
      length: t.int({ description: 'Active periods in a row.', resolve: ({ payload }) => payload.length }),
      points: t.int({ description: POINTS, resolve: ({ payload }) => payload.points }),
      badge: t.string({ nullable: true, description: BADGE, resolve: ({ payload }) => payload.badge }),
    }),
  });
  eventSubscription(builder, {
    field: 'streakBroken',
    description: 'Streaks worth a word as they end.',
    scope,
    definition: streakBroken,
    type: 'StreakBroken',
    fields: (t) => ({
      streak: t.string({ description: 'Key of the streak.', resolve: ({ payload }) => payload.streak }),
      per: t.field({ type: Per, description: 'Its period.', resolve: ({ payload }) => payload.per }),
      length: t.int({ description: 'How long it was.', resolve: ({ payload }) => payload.length }),
    }),
  });
  eventSubscription(builder, {
    field: 'challengeCompleted',
    description: 'Challenges as customers complete them.',
    scope,
    definition: challengeCompleted,
    type: 'ChallengeCompleted',
    fields: (t) => ({
      challenge: t.string({ description: 'Key of the challenge.', resolve: ({ payload }) => payload.challenge }),
      points: t.int({ description: POINTS, resolve: ({ payload }) => payload.points }),
      badge: t.string({ nullable: true, description: BADGE, resolve: ({ payload }) => payload.badge }),
    }),
  });
  eventSubscription(builder, {
    field: 'anniversaryCelebrated',
    description: 'Anniversaries of members.',
    scope,
    definition: anniversary,
    type: 'AnniversaryCelebrated',
    fields: (t) => ({
      years: t.int({ description: 'Years since the signup.', resolve: ({ payload }) => payload.years }),
      points: t.int({ description: POINTS, resolve: ({ payload }) => payload.points }),
      badge: t.string({ nullable: true, description: BADGE, resolve: ({ payload }) => payload.badge }),
    }),
  });
  eventSubscription(builder, {
    field: 'referralAttributed',
    description: 'Customers as they come by the code of another.',
    scope,
    definition: referralAttributed,
    type: 'ReferralAttributed',
    fields: (t) => ({
      referrer: t.field({
        type: 'Customer',
        nullable: true,
        description: 'Who referred; null once erased or merged away.',
        resolve: customerResolver(builder, ({ payload }: Attributed) => payload.referrerId),
      }),
    }),
  });
  eventSubscription(builder, {
    field: 'referralRewarded',
    description: 'Referrals as they succeed.',
    scope,
    definition: referralRewarded,
    type: 'ReferralRewarded',
    fields: (t) => ({
      referred: t.field({
        type: 'Customer',
        nullable: true,
        description: 'Who was brought; null once erased or merged away.',
        resolve: customerResolver(builder, ({ payload }: Attributed) => payload.referredId),
      }),
      referrerPoints: t.int({ description: 'For who referred.', resolve: ({ payload }) => payload.referrerPoints }),
      referredPoints: t.int({ description: 'For who was brought.', resolve: ({ payload }) => payload.referredPoints }),
    }),
  });
}

interface Attributed {
  readonly payload: { readonly referrerId: string; readonly referredId: string };
}
