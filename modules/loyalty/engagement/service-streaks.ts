import { type Call, systemCall } from '../../../src/core/call.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { appendEvents, type NewEvent, newEvent } from '../../../src/core/events/index.ts';
import { BUSINESS } from '../../../src/core/settings/index.ts';
import { periodNumber, periodStart } from './calendar.ts';
import { brokenFrom, extendStreak, type Run } from './domain/streaks.ts';
import { streakBroken, streakExtended } from './events.ts';
import type { EngagementPorts } from './ports.ts';
import { endStreaks, lockEngagement, type StreakRow, streaksOf, writeStreaks } from './queries.ts';
import { byCustomer, type Fact, isActivity } from './service-facts.ts';
import { badgeFor, type Deserved, type Given } from './service-rewards.ts';
import { type Definitions, STREAKS, type StreakDefinition } from './settings.ts';

/** A streak that came to one of its marks just now. */
export interface Marked {
  readonly customerId: string;
  readonly streak: StreakDefinition;
  readonly mark: StreakDefinition['marks'][number];
  /** The period that became active: no other can bring a customer to the same mark again. */
  readonly period: number;
  readonly call: Call;
}

/** Extends the streaks of customers by what they did. */
export async function extendStreaks(
  tx: Tx,
  ports: EngagementPorts,
  definitions: Definitions,
  facts: readonly Fact[],
): Promise<Marked[]> {
  const marked: Marked[] = [];
  let zoneOf: ((customerId: string) => string) | undefined;
  for (const streak of definitions.streaks) {
    const counts = ({ events }: StreakDefinition, fact: Fact) =>
      events === null ? isActivity(fact) : events.includes(fact.name);
    const groups = byCustomer(facts.filter((fact) => counts(streak, fact)));
    if (groups.size === 0) continue;
    zoneOf ??= await timeZones(tx, ports, [...new Set(facts.map((fact) => fact.customerId))]);
    const rows = new Map((await streaksOf(tx, [...groups.keys()], streak.key)).map((row) => [row.customerId, row]));
    const changed: StreakRow[] = [];
    for (const [customerId, group] of groups) {
      const zone = zoneOf(customerId);
      const callOf = new Map(group.map(({ at, call }) => [periodNumber(at, streak.per, zone), call]));
      const { row, steps } = extended(streak, customerId, rows.get(customerId), [...callOf.keys()], zone);
      if (row !== null) changed.push(row);
      for (const { period, before, after } of steps) {
        const call = callOf.get(period) as Call;
        for (const mark of streak.marks) {
          if (before < mark.length && mark.length <= after) marked.push({ customerId, streak, mark, period, call });
        }
      }
    }
    await writeStreaks(tx, changed);
  }
  return marked;
}

function extended(
  { key, per, forgiven }: StreakDefinition,
  customerId: string,
  row: StreakRow | undefined,
  periods: readonly number[],
  zone: string,
) {
  const known = row === undefined ? null : { ...row, runs: runsOf(row.runs) };
  const { state, steps } = extendStreak(known, periods, forgiven);
  if (state === null || steps.length === 0) return { row: null, steps };
  const same = row !== undefined && state.lastPeriod === row.lastPeriod && state.length === row.length;
  // What changes nothing of the latest streak does not bring one back to life whose end was told.
  const endsAt = same ? row.endsAt : periodStart(brokenFrom(state.lastPeriod, forgiven), per, zone);
  const { length, longest, lastPeriod } = state;
  const runs = state.runs.flatMap(({ from, to }) => [from, to]);
  return { row: { customerId, streak: key, runs, length, longest, lastPeriod, endsAt }, steps };
}

/** Runs as they are kept: first and last, one after the other. */
export function runsOf(numbers: readonly number[]): Run[] {
  const runs: Run[] = [];
  for (let index = 0; index + 1 < numbers.length; index += 2) {
    runs.push({ from: numbers[index] as number, to: numbers[index + 1] as number });
  }
  return runs;
}

/** The time zone of each customer: of the first contact that has one, else of the business. */
async function timeZones(tx: Tx, { customers, settings }: EngagementPorts, customerIds: readonly string[]) {
  const { timeZone } = await settings.get(BUSINESS);
  const zones = new Map<string, string>();
  for (const contact of await customers.contactsOf(customerIds, tx)) {
    if (contact.timeZone !== null && !zones.has(contact.customerId)) zones.set(contact.customerId, contact.timeZone);
  }
  return (customerId: string) => zones.get(customerId) ?? timeZone;
}

/** What is deserved for a mark. */
export const deservedForMark = ({ customerId, streak, mark, period, call }: Marked): Deserved => ({
  customerId,
  call,
  key: `streak ${streak.key} ${customerId} ${mark.length} ${period}`,
  points: mark.points,
  badge: badgeFor(mark.badge, 'STREAK', streak.key),
  reason: streak.name,
});

export const tellMark = ({ customerId, streak, mark, call }: Marked, { points, badge }: Given): NewEvent =>
  newEvent(streakExtended, {
    customerId,
    call,
    payload: { streak: streak.key, name: streak.name, per: streak.per, length: mark.length, points, badge },
  });

/** Streaks per transaction. */
const END_BATCH = 500;

/** Tells of streaks that are over, a bounded batch per transaction. @returns how many were over */
export async function endBrokenStreaks(ports: EngagementPorts, name: string, signal: AbortSignal): Promise<number> {
  const call = systemCall(name);
  let ended = 0;
  for (;;) {
    signal.throwIfAborted();
    const streaks = new Map((await ports.settings.get(STREAKS)).map((streak) => [streak.key, streak]));
    const over = await ports.database.transaction(async (tx) => {
      await lockEngagement(tx);
      const rows = await endStreaks(tx, ports.clock.now(), END_BATCH);
      const events = rows.flatMap(({ customerId, streak, length }) => {
        const definition = streaks.get(streak);
        if (definition === undefined || length < definition.tellEndFrom) return [];
        const payload = { streak, name: definition.name, per: definition.per, length };
        return [newEvent(streakBroken, { customerId, payload })];
      });
      await appendEvents(tx, call, ports.clock, events);
      return rows.length;
    });
    ended += over;
    if (over < END_BATCH) return ended;
  }
}
