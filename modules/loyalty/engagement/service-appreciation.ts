import { systemCall } from '../../../src/core/call.ts';
import { appendEvents, newEvent } from '../../../src/core/events/index.ts';
import { BUSINESS } from '../../../src/core/settings/index.ts';
import { dayOf, nextDay, startOfDay } from './calendar.ts';
import { anniversariesOn, type CalendarDay } from './domain/anniversaries.ts';
import { anniversary } from './events.ts';
import type { EngagementPorts } from './ports.ts';
import { lockEngagement } from './queries.ts';
import {
  type Celebrated,
  insertCelebrated,
  membersOfDays,
  noteCelebrated,
  occasionOf,
  type SignupDay,
} from './queries-appreciation.ts';
import { concludeMilestones, deservedFor, type Move, reach } from './service-milestones.ts';
import { badgeFor, type Deserved, type Given, give } from './service-rewards.ts';
import { definitionsInForce } from './settings.ts';

/** Members per transaction. */
const BATCH = 200;
/** Days that are made up for when no worker ran on them. */
const DAYS_BACK = 2;
const YEARS_MOST = 100;
const DAY_MS = 86_400_000;

/**
 * Thanks the members whose anniversary it is where the business is, a bounded batch per transaction, each of them once.
 * It may run as often as one likes, in as many workers. @returns how many were thanked
 */
export async function celebrate(ports: EngagementPorts, name: string, signal: AbortSignal): Promise<number> {
  let thanked = 0;
  for (;;) {
    signal.throwIfAborted();
    const { appreciation } = await definitionsInForce(ports.settings);
    if (!appreciation.enabled) return thanked;
    const days = signupDays(ports.clock.now(), (await ports.settings.get(BUSINESS)).timeZone);
    const found = await ports.database.transaction((tx) => celebrateSome(tx, ports, name, days));
    thanked += found;
    if (found < BATCH) return thanked;
  }
}

function signupDays(now: Date, timeZone: string): SignupDay[] {
  const today = dayOf(now, timeZone);
  const days: CalendarDay[] = [dayOf(new Date(now.getTime() - DAYS_BACK * DAY_MS), timeZone)];
  for (let day = days[0] as CalendarDay; !isSame(day, today); ) {
    day = nextDay(day);
    days.push(day);
  }
  return days.flatMap((one) =>
    anniversariesOn(one, YEARS_MOST).map(({ years, ...signup }) => ({
      years,
      from: startOfDay(signup, timeZone),
      to: startOfDay(nextDay(signup), timeZone),
    })),
  );
}

const isSame = (one: CalendarDay, other: CalendarDay): boolean =>
  one.year === other.year && one.month === other.month && one.day === other.day;

async function celebrateSome(
  tx: Parameters<typeof lockEngagement>[0],
  ports: EngagementPorts,
  name: string,
  days: readonly SignupDay[],
): Promise<number> {
  await lockEngagement(tx);
  const definitions = await definitionsInForce(ports.settings);
  const found = await membersOfDays(tx, days, BATCH);
  const made = await insertCelebrated(tx, found, ports.clock.now());
  const celebrated = found.filter(({ customerId, years }) => made.has(`${customerId} ${years}`));
  const call = systemCall(name);
  const years = celebrated.map(({ customerId, years: after }): Move => {
    return { customerId, metric: 'YEARS_AS_CUSTOMER', event: null, before: after - 1, after, call };
  });
  const reached = await reach(tx, ports, definitions, years);
  const { points, badge } = definitions.appreciation;
  const thanks = celebrated.map(
    (one): Deserved => ({
      customerId: one.customerId,
      call,
      key: `${occasionOf(one.years)} ${one.customerId}`,
      points,
      badge: badgeFor(badge, 'ANNIVERSARY', null),
      reason: one.years === 1 ? 'One year as a customer' : `${one.years} years as a customer`,
    }),
  );
  const given = await give(tx, ports, [...thanks, ...reached.map(deservedFor)]);
  const forThanks = given.slice(0, thanks.length);
  await noteCelebrated(
    tx,
    celebrated.map((one, index) => ({ ...one, points: (forThanks[index] as Given).points })),
  );
  const milestones = await concludeMilestones(tx, reached, given.slice(thanks.length));
  const milestoneOf = new Map(reached.map(({ customerId, milestone }) => [customerId, milestone.name]));
  const told = celebrated.map(({ customerId, years: count }: Celebrated, index) => {
    const { points: got, badge: held } = forThanks[index] as Given;
    const payload = { years: count, points: got, badge: held, milestone: milestoneOf.get(customerId) ?? null };
    return newEvent(anniversary, { customerId, payload, call });
  });
  await appendEvents(tx, call, ports.clock, [...milestones, ...told]);
  return found.length;
}
