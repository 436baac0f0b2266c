import { type Builder, connectionArgs, connectionType, encodeGlobalId } from '../../../../src/core/builder/index.ts';
import { customerResolver, nestedPartField } from '../../../../src/core/graph/index.ts';
import type { AccountTypes } from '../../ledger/schema/account.ts';
import {
  type BadgeShape,
  badgesPart,
  type ChallengeShape,
  challengesPart,
  type LeaderboardShape,
  leaderboardPart,
  type MilestoneShape,
  milestonesPart,
  type ReferralShape,
  type ReferringShape,
  referralsPart,
  referringPart,
  type StreakShape,
  streaksPart,
} from '../parts.ts';
import type { EngagementService } from '../service.ts';
import type { DefinitionTypes } from './definitions.ts';

/** Up to 10,000 places are counted for a rank. */
const RANK_COST = 20;

/** What a member has come to: fields of `LoyaltyAccount`. */
export function memberTypes(
  builder: Builder,
  service: EngagementService,
  definitions: DefinitionTypes,
  { Account }: Pick<AccountTypes, 'Account'>,
  timeZone: () => string,
) {
  const Source = builder.enumType('BadgeSource', {
    description: 'What a badge was awarded for.',
    values: {
      MILESTONE: { description: 'A milestone.' },
      STREAK: { description: 'A mark of a streak.' },
      CHALLENGE: { description: 'A challenge.' },
      ANNIVERSARY: { description: 'An anniversary of the signup.' },
      HAND: { description: 'The mutation awardBadge.' },
    } as const,
  });
  const Award = builder.objectRef<BadgeShape>('BadgeAward').implement({
    description: 'A badge that a customer holds. It is not taken back, whatever becomes of what it was awarded for.',
    fields: (t) => ({
      id: t.id({ description: 'Global id.', resolve: (award) => encodeGlobalId('BadgeAward', award.id) }),
      badge: t.field({
        type: definitions.Badge,
        description: 'The badge.',
        resolve: (award) => definitions.badgeOf(award.badge),
      }),
      source: t.field({ type: Source, description: 'What for.', resolve: (award) => award.source }),
      sourceKey: t.exposeString('sourceKey', {
        nullable: true,
        description: 'Key of the milestone, streak or challenge.',
      }),
      awardedAt: t.expose('awardedAt', { type: 'DateTime', description: 'When.' }),
    }),
  });
  const Milestone = builder.objectRef<MilestoneShape>('MilestoneProgress').implement({
    description: 'How far a customer is on the way to a milestone.',
    fields: (t) => ({
      milestone: t.field({
        type: definitions.Milestone,
        description: 'The milestone.',
        resolve: (progress) => progress.milestone,
      }),
      value: t.expose('value', { type: 'SafeInt', description: 'What was counted so far.' }),
      reached: t.exposeBoolean('reached', { description: 'Whether it lies behind the customer.' }),
      reachedAt: t.expose('reachedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it was reached; null also where it lay behind the customer before it was set.',
      }),
      points: t.expose('points', { type: 'SafeInt', description: 'Points that were given for it.' }),
    }),
  });
  const Streak = builder.objectRef<StreakShape>('StreakProgress').implement({
    description: 'Periods in a row in which a customer was active.',
    fields: (t) => ({
      streak: t.field({ type: definitions.Streak, description: 'The streak.', resolve: (progress) => progress.streak }),
      current: t.exposeInt('current', { description: 'Active periods in a row until now; 0 when it is broken.' }),
      longest: t.exposeInt('longest', { description: 'The most there ever were.' }),
      endsAt: t.expose('endsAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it breaks unless something happens; null when there is none.',
      }),
    }),
  });
  const Challenge = builder.objectRef<ChallengeShape>('ChallengeProgress').implement({
    description: 'The part of a customer in a challenge.',
    fields: (t) => ({
      challenge: t.field({
        type: definitions.Challenge,
        description: 'The challenge.',
        resolve: (progress) => progress.challenge,
      }),
      progress: t.exposeFloat('progress', { description: 'From 0 to the goal.' }),
      joinedAt: t.expose('joinedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When the customer joined; null: not yet.',
      }),
      completedAt: t.expose('completedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When the goal was reached; null: not yet.',
      }),
      points: t.expose('points', { type: 'SafeInt', description: 'Points that were given for it.' }),
    }),
  });
  const Period = builder.enumType('LeaderboardPeriod', {
    description: 'Which points a leaderboard counts, in the time zone of the business.',
    values: {
      WEEK: { description: 'Earned in a week, from Monday.' },
      MONTH: { description: 'Earned in a month.' },
      ALL: { description: 'Earned ever.' },
    } as const,
  });
  const Place = builder.objectRef<LeaderboardShape>('LeaderboardStanding').implement({
    description: 'The place of a member on the leaderboard.',
    fields: (t) => ({
      displayName: t.exposeString('displayName', { description: 'The name shown to others.' }),
      points: t.expose('points', { type: 'SafeInt', description: 'Points earned in the period.' }),
      rank: t.exposeInt('rank', {
        nullable: true,
        description: 'From 1; equal points share a rank. Null without points, and beyond rank 10,000.',
      }),
    }),
  });
  const Referring = builder.objectRef<ReferringShape>('Referring').implement({
    description: 'A member as one who refers others.',
    fields: (t) => ({
      code: t.exposeString('code', {
        nullable: true,
        description: 'The code to give away; null until the mutation createReferralCode made one.',
      }),
      waiting: t.exposeInt('waiting', { description: 'Customers who came by it and have yet to do what it takes.' }),
      successful: t.exposeInt('successful', { description: 'Customers for whom both sides were rewarded.' }),
    }),
  });
  const Referral = referralType(builder);

  nestedPartField(builder, Account, badgesPart, 'badges', {
    type: connectionType(builder, { name: 'BadgeAward', node: Award }),
    description: 'Badges the customer holds, latest first.',
    args: (arg) => connectionArgs(arg),
  });
  nestedPartField(builder, Account, milestonesPart(service, timeZone), 'milestones', {
    type: [Milestone],
    description: 'Every milestone, and how far the customer is.',
  });
  nestedPartField(builder, Account, streaksPart(service), 'streaks', {
    type: [Streak],
    description: 'Every streak, and where the customer stands.',
  });
  nestedPartField(builder, Account, challengesPart(service), 'challenges', {
    type: [Challenge],
    description: "Every challenge, and the customer's part in it.",
  });
  nestedPartField(builder, Account, leaderboardPart(service), 'leaderboard', {
    type: Place,
    nullable: true,
    description: 'The own place on the leaderboard; null for who is not on it.',
    complexity: { field: RANK_COST },
    args: (arg) => ({
      period: arg({ type: Period, required: true, defaultValue: 'MONTH', description: 'Of which points.' }),
    }),
  });
  nestedPartField(builder, Account, referringPart, 'referring', {
    type: Referring,
    description: 'The referral code, and what it brought.',
  });
  nestedPartField(builder, Account, referralsPart, 'referrals', {
    type: connectionType(builder, { name: 'Referral', node: Referral }),
    description: 'Customers who came by the code, latest first.',
    args: (arg) => connectionArgs(arg),
  });
  return { Award, Challenge, Period, Referral };
}

export type MemberTypes = ReturnType<typeof memberTypes>;

function referralType(builder: Builder) {
  const State = builder.enumType('ReferralState', {
    description: 'How far a referral is.',
    values: {
      ATTRIBUTED: { description: 'The customer came by the code and has yet to do what it takes.' },
      REWARDED: { description: 'It was successful, and both sides were rewarded.' },
      VOID: { description: 'It came to nothing: a customer was erased, or the two were one.' },
    } as const,
  });
  return builder.objectRef<ReferralShape>('Referral').implement({
    description: 'One customer brought another.',
    fields: (t) => ({
      id: t.id({ description: 'Global id.', resolve: (referral) => encodeGlobalId('Referral', referral.id) }),
      state: t.field({ type: State, description: 'How far it is.', resolve: (referral) => referral.state }),
      attributedAt: t.expose('attributedAt', { type: 'DateTime', description: 'When it became known.' }),
      rewardedAt: t.expose('rewardedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When both sides were rewarded; null: not yet.',
      }),
      referrerPoints: t.expose('referrerPoints', { type: 'SafeInt', description: 'Points for who referred.' }),
      referredPoints: t.expose('referredPoints', { type: 'SafeInt', description: 'Points for who was brought.' }),
      referred: t.field({
        type: 'Customer',
        nullable: true,
        description: 'Who was brought; null once erased or merged away.',
        resolve: customerResolver(builder, (referral: ReferralShape) => referral.referredId),
      }),
    }),
  });
}
