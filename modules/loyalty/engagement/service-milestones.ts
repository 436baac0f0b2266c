import type { Call } from '../../../src/core/call.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { type NewEvent, newEvent } from '../../../src/core/events/index.ts';
import { crossed } from './domain/progress.ts';
import { milestoneReached } from './events.ts';
import type { EngagementPorts } from './ports.ts';
import { type CounterRow, countersOf, noteMilestones, reachMilestones, writeCounters } from './queries.ts';
import { byCustomer, type Fact } from './service-facts.ts';
import { badgeFor, type Deserved, type Given } from './service-rewards.ts';
import type { Definitions, MilestoneDefinition, MilestoneMetric } from './settings.ts';

/** A count on its way from one value to another. */
export interface Move {
  readonly customerId: string;
  readonly metric: MilestoneMetric;
  /** Name of the event that is counted, for EVENTS. */
  readonly event: string | null;
  readonly before: number;
  readonly after: number;
  readonly call: Call;
}

/** A milestone reached just now. */
export interface Reached {
  readonly customerId: string;
  readonly milestone: MilestoneDefinition;
  readonly call: Call;
}

const EVENT = 'EVENT:';
/** The counter of a metric; null where nothing is counted here. */
export const counterOf = ({ metric, event }: Pick<MilestoneDefinition, 'metric' | 'event'>): string | null => {
  if (metric === 'ORDERS_PLACED') return 'ORDERS';
  if (metric === 'REFERRALS') return 'REFERRALS';
  if (metric === 'FEATURES_USED') return 'FEATURES';
  return metric === 'EVENTS' ? `${EVENT}${event}` : null;
};

/** Different features that are told apart; beyond, a customer has used them all. */
const NAMES_MAX = 500;

/** Counts facts, beginning with what history says where a customer was not counted yet. */
export async function count(
  tx: Tx,
  ports: EngagementPorts,
  definitions: Definitions,
  facts: readonly Fact[],
): Promise<Move[]> {
  const used = new Map<string, Pick<MilestoneDefinition, 'metric' | 'event'>>();
  for (const milestone of definitions.milestones) {
    const counter = counterOf(milestone);
    if (counter !== null) used.set(counter, milestone);
  }
  const moves: Move[] = [];
  for (const [counter, { metric, event }] of used) {
    const counted = byCustomer(facts.filter((fact) => countsFor(counter, fact)));
    if (counted.size === 0) continue;
    const rows = new Map((await countersOf(tx, [...counted.keys()], [counter])).map((row) => [row.customerId, row]));
    const opened = await open(tx, ports, counter, counted, rows);
    const changed: CounterRow[] = [];
    for (const [customerId, group] of counted) {
      const row = rows.get(customerId) ?? opened.get(customerId);
      if (row === undefined) throw new Error('a counter was neither there nor opened');
      const names = counter === 'FEATURES' ? withNames(row.names, group) : row.names;
      const live = row.live + (counter === 'FEATURES' ? names.length - row.names.length : group.length);
      changed.push({ ...row, live, names });
      const { call } = group[0] as Fact;
      moves.push({ customerId, metric, event, before: row.base + row.live, after: row.base + live, call });
    }
    await writeCounters(tx, changed);
  }
  return moves;
}

function countsFor(counter: string, { name, record, feature }: Fact): boolean {
  if (counter === 'ORDERS') return record === 'ORDER';
  if (counter === 'REFERRALS') return record === 'REFERRAL';
  if (counter === 'FEATURES') return feature !== null;
  return counter === `${EVENT}${name}`;
}

function withNames(names: readonly string[], facts: readonly Fact[]): string[] {
  const all = new Set(names);
  for (const { feature } of facts) if (feature !== null && all.size < NAMES_MAX) all.add(feature);
  return [...all];
}

/** Counters of customers who have none yet: what happened before the first of their facts is their history. */
async function open(
  tx: Tx,
  ports: EngagementPorts,
  counter: string,
  counted: ReadonlyMap<string, readonly Fact[]>,
  known: ReadonlyMap<string, unknown>,
): Promise<Map<string, CounterRow>> {
  const since = new Map<string, Date>();
  for (const [customerId, facts] of counted) {
    if (!known.has(customerId)) since.set(customerId, new Date(Math.min(...facts.map(({ at }) => at.getTime()))));
  }
  const bases = await historyOf(ports, counter, since, tx);
  return new Map(
    [...since].map(([customerId, liveSince]) => [
      customerId,
      { customerId, counter, live: 0, base: bases.get(customerId) ?? 0, liveSince, names: [] },
    ]),
  );
}

const BEGINNING = new Date(0);
const DAY_MS = 86_400_000;
/** Questions to the history engine at most; beyond, customers share the earliest day. */
const MAX_DAYS = 20;

/**
 * How often customers did what is counted before live counting began, imported history included. Of orders to the
 * instant; of events of the stream up to the earliest live fact of those whose counting began on the same day.
 */
export async function historyOf(
  { customers }: EngagementPorts,
  counter: string,
  since: ReadonlyMap<string, Date>,
  tx?: Tx,
): Promise<ReadonlyMap<string, number>> {
  const bases = new Map<string, number>();
  if (since.size === 0) return bases;
  const add = (customerId: string, n: number) => bases.set(customerId, (bases.get(customerId) ?? 0) + n);
  if (counter === 'ORDERS') {
    const to = new Date(Math.max(...[...since.values()].map((at) => at.getTime())));
    for (const { customerId, placedAt } of await customers.orders([...since.keys()], { from: BEGINNING, to }, tx)) {
      if (placedAt < (since.get(customerId) ?? BEGINNING)) add(customerId, 1);
    }
  }
  if (!counter.startsWith(EVENT)) return bases;
  const byDay = new Map<number, string[]>();
  const days = new Set([...since.values()].map((at) => Math.floor(at.getTime() / DAY_MS)));
  for (const [customerId, at] of since) {
    const day = days.size > MAX_DAYS ? 0 : Math.floor(at.getTime() / DAY_MS);
    byDay.set(day, [...(byDay.get(day) ?? []), customerId]);
  }
  for (const ids of byDay.values()) {
    const to = new Date(Math.min(...ids.map((id) => (since.get(id) as Date).getTime())));
    const name = counter.slice(EVENT.length);
    for (const row of await customers.activity(ids, { from: BEGINNING, to }, [name])) add(row.customerId, row.count);
  }
  return bases;
}

/** Keeps what was reached by moves; once for each customer. */
export async function reach(
  tx: Tx,
  { clock }: EngagementPorts,
  definitions: Definitions,
  moves: readonly Move[],
): Promise<Reached[]> {
  const candidates = moves.flatMap(({ customerId, metric, event, before, after, call }) =>
    crossed(
      definitions.milestones.filter((one) => one.metric === metric && one.event === event),
      before,
      after,
    ).map((milestone) => ({ customerId, milestone, call, value: after })),
  );
  const reachedAt = clock.now();
  const made = await reachMilestones(
    tx,
    candidates.map(({ customerId, milestone, value }) => ({ customerId, milestone: milestone.key, value, reachedAt })),
  );
  const told = new Set<string>();
  return candidates.filter(({ customerId, milestone }) => {
    const name = `${customerId} ${milestone.key}`;
    const fresh = made.has(name) && !told.has(name);
    told.add(name);
    return fresh;
  });
}

/** What is deserved for a milestone. */
export const deservedFor = ({ customerId, milestone, call }: Reached): Deserved => ({
  customerId,
  call,
  key: `milestone ${milestone.key} ${customerId}`,
  points: milestone.points,
  badge: badgeFor(milestone.badge, 'MILESTONE', milestone.key),
  reason: milestone.name,
});

/** Keeps what was given for milestones, and tells of them. */
export async function concludeMilestones(
  tx: Tx,
  reached: readonly Reached[],
  given: readonly Given[],
): Promise<NewEvent[]> {
  const rows = reached.map(({ customerId, milestone }, index) => {
    const { points, badge } = given[index] as Given;
    return { customerId, milestone: milestone.key, points, badge: badge === null ? null : milestone.badge };
  });
  await noteMilestones(tx, rows);
  return reached.map(({ customerId, call, milestone: { key: milestone, name, metric, threshold } }, index) => {
    const { points, badge } = given[index] as Given;
    return newEvent(milestoneReached, {
      customerId,
      call,
      payload: { milestone, name, metric, threshold, points, badge },
    });
  });
}
