import { actorName, type Call } from '../../../src/core/call.ts';
import { InvalidInput } from '../../../src/core/errors.ts';
import { appendEvents, newEvent } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import { BUSINESS } from '../../../src/core/settings/index.ts';
import { CustomerNotFound } from '../../customers/contract.ts';
import { leaderboardStart } from './calendar.ts';
import { BadgeNotFound, ChallengeNotOpen } from './errors.ts';
import { badgeAwarded } from './events.ts';
import type { EngagementPorts } from './ports.ts';
import {
  type BadgeRow,
  badgeOf,
  type ChallengeRow,
  challengesOf,
  insertBadges,
  lockEngagement,
  writeChallenges,
} from './queries.ts';
import {
  countEntries,
  dropMembers,
  type LeaderboardPeriod,
  type Standing,
  standings,
  writeMember,
} from './queries-leaderboard.ts';
import { type Attributed, attributeReferral, memberOf, referralCode } from './service-referrals.ts';
import {
  BADGES,
  CHALLENGES,
  type ChallengeDefinition,
  type Definitions,
  definitionsInForce,
  definitionsNow,
} from './settings.ts';

/** What engagement does when asked now. */
export interface EngagementService {
  /** Everything in force. */
  definitions(): Promise<Definitions>;
  /** The same as read last, without waiting. */
  definitionsNow(): Definitions;
  now(): Date;
  /** Of the business, as read last. */
  timeZone(): string;
  /** Awards a badge by hand; who holds it keeps the first award. @throws BadgeNotFound, CustomerNotFound, NotAMember */
  awardBadge(
    call: Call,
    input: { readonly customerId: string; readonly badge: string },
  ): Promise<{ readonly award: BadgeRow; readonly alreadyHeld: boolean }>;
  /** @throws ChallengeNotOpen, CustomerNotFound, NotAMember */
  joinChallenge(
    call: Call,
    input: { readonly customerId: string; readonly challenge: string },
  ): Promise<{
    readonly entry: ChallengeRow;
    readonly challenge: ChallengeDefinition;
    readonly alreadyJoined: boolean;
  }>;
  /** Shows a member on the leaderboard, under a name. @throws InvalidInput, CustomerNotFound, NotAMember */
  joinLeaderboard(
    call: Call,
    input: { readonly customerId: string; readonly displayName: string },
  ): Promise<{ readonly customerId: string; readonly displayName: string }>;
  /** @returns whether the customer was on it */
  leaveLeaderboard(input: {
    readonly customerId: string;
  }): Promise<{ readonly customerId: string; readonly left: boolean }>;
  /** When the period that an instant lies in began. */
  leaderboardStart(period: LeaderboardPeriod, at: Date | null): Date;
  leaderboard(
    period: LeaderboardPeriod,
    startsAt: Date,
    after: { readonly points: number; readonly customerId: string } | null,
    limit: number,
  ): Promise<Standing[]>;
  referralCode(call: Call, customerId: string): Promise<string>;
  attributeReferral(call: Call, input: { readonly code: string; readonly customerId: string }): Promise<Attributed>;
}

/** Names are shown to other members: short, and of what can be seen. */
const DISPLAY_NAME = /^(?=.*\S)[^\p{C}\p{Zl}\p{Zp}]{1,40}$/u;

export function createEngagementService(ports: EngagementPorts): EngagementService {
  const { database, settings, clock } = ports;
  return {
    definitions: () => definitionsInForce(settings),
    definitionsNow: () => definitionsNow(settings),
    now: () => clock.now(),
    timeZone: () => settings.peek(BUSINESS).timeZone,
    async awardBadge(call, { customerId, badge }) {
      const definition = (await settings.get(BADGES)).find(({ key }) => key === badge);
      if (definition === undefined) throw new BadgeNotFound(badge);
      return database.transaction(async (tx) => {
        await lockEngagement(tx);
        const id = await memberOf(tx, ports, call, customerId);
        const held = await badgeOf(tx, id, badge);
        if (held !== null) return { award: held, alreadyHeld: true };
        const by = { source: 'HAND', sourceKey: null } as const;
        const award = {
          id: newId(),
          customerId: id,
          badge,
          ...by,
          actor: actorName(call.actor),
          awardedAt: clock.now(),
        };
        await insertBadges(tx, [award]);
        const payload = { badge, name: definition.name, ...by };
        await appendEvents(tx, call, clock, [newEvent(badgeAwarded, { customerId: id, payload })]);
        return { award, alreadyHeld: false };
      });
    },
    async joinChallenge(call, { customerId, challenge }) {
      const definition = (await settings.get(CHALLENGES)).find(({ key }) => key === challenge);
      const now = clock.now();
      if (definition === undefined) throw new ChallengeNotOpen(challenge, 'there is none of this key');
      if (now >= new Date(definition.until)) throw new ChallengeNotOpen(challenge, 'it is over');
      return database.transaction(async (tx) => {
        await lockEngagement(tx);
        const id = await memberOf(tx, ports, call, customerId);
        const [known] = await challengesOf(tx, [id], challenge);
        if (known !== undefined) return { entry: known, challenge: definition, alreadyJoined: true };
        const entry = { customerId: id, challenge, joinedAt: now, progress: '0', points: 0, completedAt: null };
        await writeChallenges(tx, [entry]);
        return { entry, challenge: definition, alreadyJoined: false };
      });
    },
    async joinLeaderboard(call, { customerId, displayName }) {
      const name = displayName.trim();
      if (!DISPLAY_NAME.test(name)) {
        throw new InvalidInput('"displayName" must be 1 to 40 visible characters.', { path: ['displayName'] });
      }
      const { timeZone } = await settings.get(BUSINESS);
      return database.transaction(async (tx) => {
        await lockEngagement(tx);
        const id = await memberOf(tx, ports, call, customerId);
        await writeMember(tx, { customerId: id, displayName: name, joinedAt: clock.now(), counted: null });
        await countEntries(tx, [id], timeZone);
        return { customerId: id, displayName: name };
      });
    },
    leaveLeaderboard: ({ customerId }) =>
      database.transaction(async (tx) => {
        await lockEngagement(tx);
        const [customer] = await ports.customers.byIds([customerId], tx);
        if (customer === undefined) throw new CustomerNotFound({ id: customerId }, ['customerId']);
        return { customerId: customer.id, left: await dropMembers(tx, [customer.id]) };
      }),
    leaderboardStart: (period, at) => leaderboardStart(at ?? clock.now(), period, settings.peek(BUSINESS).timeZone),
    leaderboard: (period, startsAt, after, limit) => standings(database, period, startsAt, after, limit),
    referralCode: (call, customerId) => referralCode(ports, call, customerId),
    attributeReferral: (call, input) => attributeReferral(ports, call, input),
  };
}
