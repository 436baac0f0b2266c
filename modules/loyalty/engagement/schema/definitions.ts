import type { Builder } from '../../../../src/core/builder/index.ts';
import type { EngagementService } from '../service.ts';
import type {
  BadgeDefinition,
  ChallengeDefinition,
  Definitions,
  MilestoneDefinition,
  StreakDefinition,
} from '../settings.ts';

const POINTS = 'Points given for it; null: none.';
const BADGE = 'Key of the badge that comes with it; null: none.';

/** What there is to be reached, as the business defines it: `Query.loyaltyEngagement`. */
export function definitionTypes(builder: Builder, service: EngagementService) {
  const Badge = builder.objectRef<BadgeDefinition>('LoyaltyBadge').implement({
    description: 'A badge a customer can hold. Badges are data: the setting loyalty.badges.',
    fields: (t) => ({
      key: t.exposeString('key', { description: 'What settings and mutations name it by.' }),
      name: t.exposeString('name', { description: 'For people.' }),
      description: t.exposeString('description', { description: 'What it stands for.' }),
    }),
  });
  const Metric = builder.enumType('MilestoneMetric', {
    description: 'What a milestone counts.',
    values: {
      POINTS_EARNED: { description: 'Points earned in all, spent or not.' },
      ORDERS_PLACED: { description: 'Orders, those of the time before counting began included.' },
      EVENTS: { description: 'Events of a name, those of the time before counting began included.' },
      FEATURES_USED: { description: 'Different features used since counting began.' },
      REFERRALS: { description: 'Customers brought who became customers indeed.' },
      YEARS_AS_CUSTOMER: { description: 'Anniversaries of the signup.' },
    } as const,
  });
  const Milestone = builder.objectRef<MilestoneDefinition>('Milestone').implement({
    description: 'Something that is reached once. Milestones are data: the setting loyalty.milestones.',
    fields: (t) => ({
      key: t.exposeString('key', { description: 'Its stable name.' }),
      name: t.exposeString('name', { description: 'For people.' }),
      metric: t.field({ type: Metric, description: 'What is counted.', resolve: (one) => one.metric }),
      event: t.exposeString('event', { nullable: true, description: 'Name of the event, where EVENTS are counted.' }),
      threshold: t.exposeInt('threshold', { description: 'How many it takes.' }),
      points: t.exposeInt('points', { nullable: true, description: POINTS }),
      badge: t.exposeString('badge', { nullable: true, description: BADGE }),
    }),
  });
  const Per = builder.enumType('StreakPeriod', {
    description: 'A period of the calendar, in the time zone of the customer.',
    values: {
      DAY: { description: 'Midnight to midnight.' },
      WEEK: { description: 'From Monday.' },
      MONTH: { description: 'From the first.' },
    } as const,
  });
  const Mark = builder.objectRef<StreakDefinition['marks'][number]>('StreakMark').implement({
    description: 'A length that is told of and rewarded.',
    fields: (t) => ({
      length: t.exposeInt('length', { description: 'Active periods in a row.' }),
      points: t.exposeInt('points', { nullable: true, description: POINTS }),
      badge: t.exposeString('badge', { nullable: true, description: BADGE }),
    }),
  });
  const Streak = builder.objectRef<StreakDefinition>('Streak').implement({
    description: 'Something to be done in every period. Streaks are data: the setting loyalty.streaks.',
    fields: (t) => ({
      key: t.exposeString('key', { description: 'Its stable name.' }),
      name: t.exposeString('name', { description: 'For people.' }),
      per: t.field({ type: Per, description: 'The period.', resolve: (one) => one.per }),
      events: t.stringList({
        nullable: true,
        description: 'Names of the events that count; null: whatever the customer does.',
        resolve: (one) => (one.events === null ? null : [...one.events]),
      }),
      forgiven: t.exposeInt('forgiven', { description: 'Missed periods in a row that do not break it.' }),
      marks: t.field({
        type: [Mark],
        description: 'Lengths that are told of and rewarded.',
        resolve: (one) => [...one.marks],
      }),
    }),
  });
  const Measure = builder.enumType('ChallengeMeasure', {
    description: 'What of the events a challenge adds up.',
    values: {
      COUNT: { description: 'How many there are.' },
      VALUE: { description: 'Their values; of order.placed whole units of the reporting currency.' },
    } as const,
  });
  const Joining = builder.enumType('ChallengeJoining', {
    description: 'How customers come to take part.',
    values: {
      AUTOMATIC: { description: 'By doing what counts.' },
      OPT_IN: { description: 'By the mutation joinChallenge; only what they do from then on counts.' },
    } as const,
  });
  const Challenge = builder.objectRef<ChallengeDefinition>('Challenge').implement({
    description: 'Something to be done within a time. Challenges are data: the setting loyalty.challenges.',
    fields: (t) => ({
      key: t.exposeString('key', { description: 'Its stable name.' }),
      name: t.exposeString('name', { description: 'For people.' }),
      description: t.exposeString('description', { description: 'What is to be done.' }),
      event: t.exposeString('event', { description: 'Name of the events that count.' }),
      measure: t.field({ type: Measure, description: 'What of them is added up.', resolve: (one) => one.measure }),
      goal: t.exposeInt('goal', { description: 'How much it takes.' }),
      from: t.expose('from', { type: 'DateTime', description: 'First instant that counts.' }),
      until: t.expose('until', { type: 'DateTime', description: 'First instant that no longer does.' }),
      joining: t.field({ type: Joining, description: 'How customers take part.', resolve: (one) => one.joining }),
      points: t.exposeInt('points', { nullable: true, description: POINTS }),
      badge: t.exposeString('badge', { nullable: true, description: BADGE }),
    }),
  });
  const Qualifying = builder.enumType('ReferralQualifying', {
    description: 'What makes a referral successful.',
    values: {
      FIRST_ORDER: { description: 'An order of the customer who was brought.' },
      ACTIVATION: { description: 'That customer being ACTIVE.' },
    } as const,
  });
  const Terms = builder.objectRef<Definitions['referrals']>('ReferralTerms').implement({
    description: 'The terms of referrals: the setting loyalty.referrals.',
    fields: (t) => ({
      enabled: t.exposeBoolean('enabled', { description: 'Whether members may refer others.' }),
      attributionDays: t.exposeInt('attributionDays', {
        description: 'Within how many days of its signup a customer can be attributed.',
      }),
      qualifying: t.field({ type: Qualifying, description: 'What it takes.', resolve: (terms) => terms.qualifying }),
      referrerRule: t.exposeString('referrerRule', { description: 'Earning rule that rewards the referrer.' }),
      referredPoints: t.exposeInt('referredPoints', {
        nullable: true,
        description: 'Points for who was brought; null: none.',
      }),
    }),
  });
  const Engagement = builder.objectRef<Definitions>('LoyaltyEngagement').implement({
    description: 'What members are recognised for, as it is in force.',
    fields: (t) => ({
      badges: t.field({ type: [Badge], description: 'The catalogue.', resolve: (all) => [...all.badges] }),
      milestones: t.field({ type: [Milestone], description: 'Milestones.', resolve: (all) => [...all.milestones] }),
      streaks: t.field({ type: [Streak], description: 'Streaks.', resolve: (all) => [...all.streaks] }),
      challenges: t.field({ type: [Challenge], description: 'Challenges.', resolve: (all) => [...all.challenges] }),
      referrals: t.field({ type: Terms, description: 'The terms of referrals.', resolve: (all) => all.referrals }),
    }),
  });
  builder.queryField('loyaltyEngagement', (t) =>
    t.field({
      type: Engagement,
      description: 'What members of the loyalty programme are recognised for: badges, milestones, streaks, challenges.',
      authScopes: { scope: 'loyalty:read' },
      resolve: () => service.definitions(),
    }),
  );
  /** The definition of a key; of one that was taken off the list what is still known. */
  const badgeOf = (key: string): BadgeDefinition =>
    service.definitionsNow().badges.find((badge) => badge.key === key) ?? { key, name: key, description: '' };
  return { Badge, Milestone, Metric, Streak, Per, Challenge, badgeOf };
}

export type DefinitionTypes = ReturnType<typeof definitionTypes>;
