import { z } from 'zod';
import { defineSetting, type Settings } from '../../../src/core/settings/index.ts';
import { STREAK_PERIODS } from './calendar.ts';
import { GOAL_MAX } from './domain/progress.ts';

/** What members are recognised for. Keys are what records refer to: rename an entry by its name, never by its key. */

const key = z.string().regex(/^[a-z][a-z0-9_]{1,59}$/, 'must be lower-case letters, digits and _, such as first_order');
const name = z.string().min(1).max(100);
const description = z.string().max(500);
const eventName = z.string().min(1).max(100);
const points = z.int().min(1).max(1_000_000).nullable();
const badge = key.nullable();

/** Definitions of one kind at most: each is looked at for every fact. */
const MAX_DEFINED = 100;

/** A list whose keys are unique. */
const keyed = <T extends { readonly key: string }>(item: z.ZodType<T>) =>
  z
    .array(item)
    .max(MAX_DEFINED)
    .superRefine((items, context) => {
      const twice = items.findIndex((one, index) => items.findIndex((other) => other.key === one.key) !== index);
      if (twice !== -1)
        context.addIssue({ code: 'custom', path: [twice, 'key'], message: `"${items[twice]?.key}" is there twice` });
    });

/** A badge of the catalogue. */
export interface BadgeDefinition {
  readonly key: string;
  readonly name: string;
  readonly description: string;
}

export const BADGES = defineSetting<readonly BadgeDefinition[]>({
  key: 'loyalty.badges',
  description:
    'The badges a customer can hold. Each is awarded once: by a milestone, a streak, a challenge, an anniversary, or by hand. One that is taken off this list stays with who holds it.',
  schema: keyed(z.object({ key, name, description })),
  default: [
    { key: 'regular', name: 'Regular', description: 'Placed ten orders.' },
    { key: 'collector', name: 'Collector', description: 'Earned 10,000 points.' },
    { key: 'advocate', name: 'Advocate', description: 'Brought another customer.' },
    { key: 'veteran', name: 'Veteran', description: 'Has been a customer for five years.' },
  ],
});

/** What milestones count. */
export const MILESTONE_METRICS = [
  'POINTS_EARNED',
  'ORDERS_PLACED',
  'EVENTS',
  'FEATURES_USED',
  'REFERRALS',
  'YEARS_AS_CUSTOMER',
] as const;

export type MilestoneMetric = (typeof MILESTONE_METRICS)[number];

/** Something that is reached once. */
export interface MilestoneDefinition {
  readonly key: string;
  readonly name: string;
  readonly metric: MilestoneMetric;
  /** Name of the event that is counted, for EVENTS. */
  readonly event: string | null;
  readonly threshold: number;
  readonly points: number | null;
  readonly badge: string | null;
}

const milestone = z
  .object({
    key,
    name,
    metric: z.enum(MILESTONE_METRICS),
    event: eventName.nullable(),
    threshold: z.int().min(1).max(1_000_000_000),
    points,
    badge,
  })
  .refine(({ metric, event }) => (metric === 'EVENTS') === (event !== null), {
    path: ['event'],
    message: 'is what EVENTS counts, and null for every other metric',
  });

export const MILESTONES = defineSetting<readonly MilestoneDefinition[]>({
  key: 'loyalty.milestones',
  description:
    'What is reached once: a threshold of points earned, orders placed, events of a name, different features used, successful referrals, or years as a customer; with points or a badge. Reached by the fact that takes a customer across it: who was beyond it before gets nothing for it. Orders and events of the time before counting began are counted in, unrewarded.',
  schema: keyed(milestone),
  default: [
    {
      key: 'orders_10',
      name: '10 orders',
      metric: 'ORDERS_PLACED',
      event: null,
      threshold: 10,
      points: 50,
      badge: 'regular',
    },
    {
      key: 'orders_100',
      name: '100 orders',
      metric: 'ORDERS_PLACED',
      event: null,
      threshold: 100,
      points: 500,
      badge: null,
    },
    {
      key: 'points_10000',
      name: '10,000 points earned',
      metric: 'POINTS_EARNED',
      event: null,
      threshold: 10_000,
      points: null,
      badge: 'collector',
    },
    {
      key: 'referrals_1',
      name: 'First referral',
      metric: 'REFERRALS',
      event: null,
      threshold: 1,
      points: null,
      badge: 'advocate',
    },
    {
      key: 'years_5',
      name: 'Five years',
      metric: 'YEARS_AS_CUSTOMER',
      event: null,
      threshold: 5,
      points: 250,
      badge: 'veteran',
    },
  ],
});

/** Something to be done in every day, week or month. */
export interface StreakDefinition {
  readonly key: string;
  readonly name: string;
  readonly per: (typeof STREAK_PERIODS)[number];
  /** Names of the events that count; null: whatever the customer does. */
  readonly events: readonly string[] | null;
  /** Missed periods in a row that do not break it. */
  readonly forgiven: number;
  /** Lengths that are told of and rewarded, each time a streak comes to them. */
  readonly marks: readonly { readonly length: number; readonly points: number | null; readonly badge: string | null }[];
  /** A streak shorter than this ends without a word. */
  readonly tellEndFrom: number;
}

const FORGIVEN_MAX = 6;

export const STREAKS = defineSetting<readonly StreakDefinition[]>({
  key: 'loyalty.streaks',
  description:
    'Days, weeks or months in a row with activity, in the time zone of the customer (of the first contact that has one, else of the business). "forgiven" is how many missed periods in a row do not break a streak; they do not count either. Each of "marks" is rewarded whenever a streak comes to its length. None unless a business sets some, for example a visit on seven days: {"key": "visits", "name": "Daily visits", "per": "DAY", "events": ["session.started"], "forgiven": 1, "marks": [{"length": 7, "points": 20, "badge": null}], "tellEndFrom": 7}.',
  schema: keyed(
    z.object({
      key,
      name,
      per: z.enum(STREAK_PERIODS),
      events: z.array(eventName).min(1).max(20).nullable(),
      forgiven: z.int().min(0).max(FORGIVEN_MAX),
      marks: z.array(z.object({ length: z.int().min(1).max(10_000), points, badge })).max(20),
      tellEndFrom: z.int().min(1).max(10_000),
    }),
  ),
  default: [],
});

/** Something to be done within a time. */
export interface ChallengeDefinition {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly event: string;
  readonly measure: 'COUNT' | 'VALUE';
  readonly goal: number;
  readonly from: string;
  readonly until: string;
  readonly joining: 'AUTOMATIC' | 'OPT_IN';
  readonly points: number | null;
  readonly badge: string | null;
}

const challenge = z
  .object({
    key,
    name,
    description,
    event: eventName,
    measure: z.enum(['COUNT', 'VALUE']),
    goal: z.int().min(1).max(GOAL_MAX),
    from: z.iso.datetime(),
    until: z.iso.datetime(),
    joining: z.enum(['AUTOMATIC', 'OPT_IN']),
    points,
    badge,
  })
  .refine(({ from, until }) => Date.parse(from) < Date.parse(until), {
    path: ['until'],
    message: 'must be after from',
  });

export const CHALLENGES = defineSetting<readonly ChallengeDefinition[]>({
  key: 'loyalty.challenges',
  description:
    'Goals within a window of time (from belongs to it, until does not): so many events of a name, or so much of their value (of order.placed: whole units of the reporting currency). Customers take part by themselves or when they join; completed once, with points or a badge.',
  schema: keyed(challenge),
  default: [],
});

export const APPRECIATION = defineSetting({
  key: 'loyalty.appreciation',
  description:
    'Whether members are thanked on the anniversaries of their signup (in the time zone of the business; of 29 February on the 28th where a year has no 29th), and with how many points and which badge.',
  schema: z.object({ enabled: z.boolean(), points, badge }),
  default: { enabled: true, points: 50, badge: null },
});

export const REFERRALS = defineSetting({
  key: 'loyalty.referrals',
  description:
    'Whether members may refer others; within how many days of its signup a customer can be attributed; what makes a referral successful: the first order, or becoming ACTIVE; the earning rule that rewards the referrer, and the points for who was brought.',
  schema: z.object({
    enabled: z.boolean(),
    attributionDays: z.int().min(1).max(3_650),
    qualifying: z.enum(['FIRST_ORDER', 'ACTIVATION']),
    referrerRule: key,
    referredPoints: points,
  }),
  default: {
    enabled: true,
    attributionDays: 30,
    qualifying: 'FIRST_ORDER',
    referrerRule: 'referral_successful',
    referredPoints: 50,
  },
});

/** All of them, for the module's table of contents. */
export const engagementSettings = [BADGES, MILESTONES, STREAKS, CHALLENGES, APPRECIATION, REFERRALS];

/** Everything in force, read once for a batch. */
export interface Definitions {
  readonly badges: readonly BadgeDefinition[];
  readonly milestones: readonly MilestoneDefinition[];
  readonly streaks: readonly StreakDefinition[];
  readonly challenges: readonly ChallengeDefinition[];
  readonly referrals: typeof REFERRALS.default;
  readonly appreciation: typeof APPRECIATION.default;
}

/** What is in force now. */
export const definitionsInForce = async (settings: Settings): Promise<Definitions> => ({
  badges: await settings.get(BADGES),
  milestones: await settings.get(MILESTONES),
  streaks: await settings.get(STREAKS),
  challenges: await settings.get(CHALLENGES),
  appreciation: await settings.get(APPRECIATION),
  referrals: await settings.get(REFERRALS),
});

/** The same as read last, without waiting. */
export const definitionsNow = (settings: Settings): Definitions => ({
  badges: settings.peek(BADGES),
  milestones: settings.peek(MILESTONES),
  streaks: settings.peek(STREAKS),
  challenges: settings.peek(CHALLENGES),
  appreciation: settings.peek(APPRECIATION),
  referrals: settings.peek(REFERRALS),
});
