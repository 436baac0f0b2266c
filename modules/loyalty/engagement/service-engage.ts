import type { Call } from '../../../src/core/call.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { appendEvents, type DomainEvent, isEvent } from '../../../src/core/events/index.ts';
import { BUSINESS } from '../../../src/core/settings/index.ts';
import { customerChanged, customerErased, customerMerged, eventsRecorded } from '../../customers/contract.ts';
import { pointsAwarded, pointsReversed } from '../events.ts';
import { crossed } from './domain/progress.ts';
import type { EngagementPorts } from './ports.ts';
import { lockEngagement } from './queries.ts';
import { countEntries, leaderboardMembers } from './queries-leaderboard.ts';
import { concludeChallenges, deservedForChallenge, moveChallenges } from './service-challenges.ts';
import { factsOf, participants, wantedNames } from './service-facts.ts';
import { eraseEngagement, mergeEngagement } from './service-lifecycle.ts';
import { concludeMilestones, count, deservedFor, type Move, reach } from './service-milestones.ts';
import { concludeReferrals, deservedForReferral, proves, qualify } from './service-referrals.ts';
import { type Given, give } from './service-rewards.ts';
import { deservedForMark, extendStreaks, tellMark } from './service-streaks.ts';
import { type Definitions, definitionsInForce } from './settings.ts';

/**
 * What events of the outbox come to: counts, streaks, challenges and referrals move, and what is deserved is given. One
 * writer at a time (`lockEngagement`), so that a customer who is merged is found under one id, and a fact counts once.
 */
export async function engage(
  tx: Tx,
  ports: EngagementPorts,
  events: readonly DomainEvent[],
  callOf: (event: DomainEvent) => Call,
): Promise<void> {
  const definitions = await definitionsInForce(ports.settings);
  const relevant = await relevantOf(tx, ports, definitions, events);
  if (relevant.length === 0) return;
  await lockEngagement(tx);
  let segment: DomainEvent[] = [];
  const flush = async () => {
    if (segment.length > 0) await apply(tx, ports, definitions, segment, callOf);
    segment = [];
  };
  for (const event of relevant) {
    if (isEvent(event, customerMerged)) {
      await flush();
      await mergeEngagement(tx, ports, definitions, event.payload);
    } else if (isEvent(event, customerErased)) {
      await flush();
      await eraseEngagement(tx, [event.payload.customerId]);
    } else segment.push(event);
  }
  await flush();
}

/**
 * What may change something: who uses none of it, pays one look for a batch and waits for nobody. A member who joins the
 * leaderboard at this moment reads the ledger as it is.
 */
async function relevantOf(
  tx: Tx,
  { clock }: EngagementPorts,
  definitions: Definitions,
  events: readonly DomainEvent[],
): Promise<DomainEvent[]> {
  const names = wantedNames(definitions, clock.now());
  const { enabled, qualifying } = definitions.referrals;
  const earners = events.flatMap((event) => (isPoints(event) && event.customerId !== null ? [event.customerId] : []));
  const onBoard = new Set(
    earners.length === 0
      ? []
      : (await leaderboardMembers(tx, [...new Set(earners)])).map(({ customerId }) => customerId),
  );
  return events.filter((event) => {
    if (isEvent(event, eventsRecorded)) return names === null || names.some((name) => name in event.payload.byName);
    if (isEvent(event, customerChanged)) return enabled && proves(event, qualifying);
    return !isPoints(event) || onBoard.has(event.customerId ?? '') || crossesPoints(definitions, event);
  });
}

const isPoints = (event: DomainEvent): boolean => isEvent(event, pointsAwarded) || isEvent(event, pointsReversed);

/** Whether points took a customer across a milestone. */
function crossesPoints({ milestones }: Definitions, event: DomainEvent): boolean {
  if (!isEvent(event, pointsAwarded)) return false;
  const { points, earned } = event.payload;
  const ofPoints = milestones.filter(({ metric }) => metric === 'POINTS_EARNED');
  return crossed(ofPoints, earned - points, earned).length > 0;
}

async function apply(
  tx: Tx,
  ports: EngagementPorts,
  definitions: Definitions,
  events: readonly DomainEvent[],
  callOf: (event: DomainEvent) => Call,
): Promise<void> {
  const facts = await factsOf(tx, ports, definitions, events, callOf);
  const moves = [
    ...(await count(tx, ports, definitions, facts)),
    ...(await pointMoves(tx, ports, definitions, events, callOf)),
  ];
  const reached = await reach(tx, ports, definitions, moves);
  const marked = await extendStreaks(tx, ports, definitions, facts);
  const completed = await moveChallenges(tx, ports, definitions, facts);
  const qualified = await qualify(tx, ports, definitions, events, callOf);
  await rank(tx, ports, events);

  const given = await give(tx, ports, [
    ...reached.map(deservedFor),
    ...marked.map(deservedForMark),
    ...completed.map(deservedForChallenge),
    ...qualified.flatMap((one) => deservedForReferral(definitions, one)),
  ]);
  const next = (n: number) => given.splice(0, n);
  const forReached = next(reached.length);
  const forMarked = next(marked.length);
  const forCompleted = next(completed.length);
  const told = [
    ...(await concludeMilestones(tx, reached, forReached)),
    ...marked.map((one, index) => tellMark(one, forMarked[index] as Given)),
    ...(await concludeChallenges(tx, completed, forCompleted)),
    ...(await concludeReferrals(tx, ports, qualified, given)),
  ];
  const [first] = told;
  if (first?.call !== undefined) await appendEvents(tx, first.call, ports.clock, told);
}

/** Points earned as moves of a count; nobody is looked up unless somebody crossed a threshold. */
async function pointMoves(
  tx: Tx,
  ports: EngagementPorts,
  definitions: Definitions,
  events: readonly DomainEvent[],
  callOf: (event: DomainEvent) => Call,
): Promise<Move[]> {
  const moves: Move[] = [];
  for (const event of events) {
    if (!isEvent(event, pointsAwarded) || event.customerId === null) continue;
    if (!crossesPoints(definitions, event)) continue;
    const { points, earned } = event.payload;
    const move = { metric: 'POINTS_EARNED', event: null, before: earned - points, after: earned } as const;
    moves.push({ ...move, customerId: event.customerId, call: callOf(event) });
  }
  if (moves.length === 0) return [];
  const living = await participants(
    tx,
    ports,
    moves.map((move) => move.customerId),
  );
  return moves.flatMap((move) => {
    const customerId = living.get(move.customerId);
    return customerId === undefined ? [] : [{ ...move, customerId }];
  });
}

/** Brings the leaderboard up to the ledger for those who are on it. */
async function rank(tx: Tx, { settings }: EngagementPorts, events: readonly DomainEvent[]): Promise<void> {
  const ids = new Set<string>();
  for (const event of events) {
    if (isPoints(event) && event.customerId !== null) ids.add(event.customerId);
  }
  if (ids.size === 0) return;
  const members = await leaderboardMembers(tx, [...ids]);
  if (members.length === 0) return;
  await countEntries(
    tx,
    members.map((member) => member.customerId),
    (await settings.get(BUSINESS)).timeZone,
  );
}
