import { FEATURES, PLANS } from './business.ts';
import { DAY_MS, HOUR_MS, type Stretch } from './calendar.ts';
import type { Day, Life } from './life.ts';
import type { Random } from './random.ts';

/** What an account did, as the event stream takes it. */
export interface UsageEvent {
  readonly name: string;
  readonly atMs: number;
  readonly value: number | null;
  /** JSON, or empty. */
  readonly properties: string;
}

/** How busy the days are, Sunday first. */
const WEEK = [0.12, 1, 1.06, 1.06, 1, 0.88, 0.1] as const;
const WORKDAYS_OF_30 = 21.5;
const NEWS_WEEKDAY = 2;
const FIRST_SURVEY_DAYS = 60;
const SURVEY_EVERY_DAYS = 90;

const DEVICES = ['{"device":"desktop"}', '{"device":"desktop"}', '{"device":"mobile"}'];
const USED = FEATURES.map((feature) => JSON.stringify({ feature }));
const NPS = '{"kind":"NPS"}';

/** Sessions, features, opened messages, answers, referrals and reviews of one account, in order of time. */
export function usageOf(random: Random, stretch: Stretch, life: Life, utcOffsetHours: number): UsageEvent[] {
  const events: UsageEvent[] = [];
  const order = featureOrder(random);
  const learnsFeatureDays = random.between(9, 30);
  const surveyShift = random.whole(0, 20);
  for (const [age, day] of life.days.entries()) {
    // The day of the signup itself is left out: nothing happens before it.
    if (day.use === 0 || age === 0) continue;
    const startMs = stretch.fromMs + (life.signupDay + age) * DAY_MS;
    const weekday = new Date(startMs).getUTCDay();
    const { activeDays, features } = PLANS[day.plan] as (typeof PLANS)[number];
    const active = Math.min(0.97, (activeDays / WORKDAYS_OF_30) * (WEEK[weekday] ?? 1) * day.use);
    if (random.chance(active)) {
      const known = order.slice(0, 2 + Math.floor(age / learnsFeatureDays)).filter((feature) => feature < features);
      const sessions = 1 + random.poisson(0.25 * day.use);
      for (let session = 0; session < sessions; session += 1) {
        const localHour = random.between(8, 18);
        const atMs = startMs + Math.floor(((localHour - utcOffsetHours + 24) % 24) * HOUR_MS);
        addSession(events, random, stretch, day, known.length === 0 ? [0] : known, atMs);
      }
    }
    if (weekday === NEWS_WEEKDAY) addNews(events, random, day, startMs + 9 * HOUR_MS);
    const surveyDay = age - FIRST_SURVEY_DAYS - surveyShift;
    if (surveyDay >= 0 && surveyDay % SURVEY_EVERY_DAYS === 0 && random.chance(0.3 + 0.35 * Math.min(1, day.use)))
      events.push(said(random, 'survey.answered', startMs, answer(random, day), NPS));
    if (day.mood > 0.6 && random.chance(0.0012)) events.push(said(random, 'referral.made', startMs, null, ''));
    if (random.chance(0.0004 * (1 + Math.abs(day.mood))))
      events.push(said(random, 'review.given', startMs, within(1, 5, 3.8 + day.mood + random.normal(0, 0.7)), ''));
  }
  return events.sort((a, b) => a.atMs - b.atMs);
}

/** The order in which an account comes to know the features: about that of the plans. */
function featureOrder(random: Random): number[] {
  const places = FEATURES.map((_, at) => [at, at + random.normal(0, 2.5)] as const);
  return [...places].sort(([, a], [, b]) => a - b).map(([at]) => at);
}

function addSession(
  events: UsageEvent[],
  random: Random,
  stretch: Stretch,
  day: Day,
  known: readonly number[],
  atMs: number,
): void {
  const typical = 900 * (0.4 + 0.6 * Math.min(1.2, day.use));
  const seconds = Math.round(Math.min(14_000, Math.max(30, typical * Math.exp(random.normal(0, 0.7)))));
  const endMs = atMs + seconds * 1_000;
  if (endMs >= stretch.toMs) return;
  events.push({ name: 'session.started', atMs, value: null, properties: random.pick(DEVICES) });
  const uses = 1 + random.poisson(0.9 * day.use);
  for (let use = 0; use < uses; use += 1) {
    // The features known first are used most.
    const feature = known[Math.floor(known.length * random.next() ** 1.6)] ?? 0;
    const usedAtMs = atMs + Math.floor(random.next() * seconds) * 1_000;
    events.push({ name: 'feature.used', atMs: usedAtMs, value: null, properties: USED[feature] ?? '' });
  }
  events.push({ name: 'session.ended', atMs: endMs, value: seconds, properties: '' });
}

/** The weekly message: whether it is opened, and whether a link is followed. */
function addNews(events: UsageEvent[], random: Random, day: Day, sentAtMs: number): void {
  if (!random.chance(Math.min(0.8, 0.36 * day.use))) return;
  const openedAtMs = sentAtMs + Math.floor(random.between(0.05, 8) * HOUR_MS);
  events.push({ name: 'message.opened', atMs: openedAtMs, value: null, properties: '' });
  if (random.chance(0.25))
    events.push({ name: 'message.clicked', atMs: openedAtMs + 30_000, value: null, properties: '' });
}

const within = (least: number, most: number, value: number): number =>
  Math.min(most, Math.max(least, Math.round(value)));

/** 0 to 10: the mood, what weighs on it just now, and chance. */
const answer = (random: Random, { mood, strain }: Day): number =>
  within(0, 10, 7.4 + 1.7 * mood - 1.8 * strain + random.normal(0, 1.1));

function said(random: Random, name: string, startMs: number, value: number | null, properties: string): UsageEvent {
  return { name, atMs: startMs + Math.floor(random.between(8 * HOUR_MS, 18 * HOUR_MS)), value, properties };
}
