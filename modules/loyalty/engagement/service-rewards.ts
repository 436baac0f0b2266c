import { actorName, type Call } from '../../../src/core/call.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { appendEvents, type NewEvent, newEvent } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import { NotAMember } from '../errors.ts';
import { type LedgerRequest, requestOf } from '../ledger/commands.ts';
import { type BadgeSource, badgeAwarded } from './events.ts';
import type { EngagementPorts } from './ports.ts';
import { type BadgeRow, insertBadges } from './queries.ts';
import { BADGES } from './settings.ts';

/** Something a customer has deserved. */
export interface Deserved {
  readonly customerId: string;
  readonly call: Call;
  /** Names what it is for: the ledger gives its points once. With a blank, so that no caller of the API can choose it. */
  readonly key: string;
  /** Points outright, or by an earning rule. */
  readonly points: number | null | { readonly rule: string };
  readonly badge: { readonly key: string; readonly source: BadgeSource; readonly sourceKey: string | null } | null;
  /** For people, in the ledger. */
  readonly reason: string;
}

/** A badge as it is deserved. */
export const badgeFor = (key: string | null, source: BadgeSource, sourceKey: string | null): Deserved['badge'] =>
  key === null ? null : { key, source, sourceKey };

/** What became of it. */
export interface Given {
  /** Whether or not a part of them paid a debt; 0 when there were none, or the ledger refused them. */
  readonly points: number;
  /** Name of the badge when it was awarded by this; null when there was none or the customer held it. */
  readonly badge: string | null;
}

/**
 * Gives points and badges, in the caller's transaction, and publishes the badges. What the ledger refuses (a cap, no
 * member) is not given, and the rest is. One answer per item, in order.
 */
export async function give(tx: Tx, ports: EngagementPorts, deserved: readonly Deserved[]): Promise<Given[]> {
  const [first] = deserved;
  if (first === undefined) return [];
  await ports.join(tx, first.call, [...new Set(deserved.map((one) => one.customerId))]);
  const points = await givePoints(tx, ports, deserved);
  const badges = await giveBadges(tx, ports, deserved);
  return deserved.map((one) => ({ points: points.get(one) ?? 0, badge: badges.get(one) ?? null }));
}

async function givePoints(
  tx: Tx,
  { post, logger }: EngagementPorts,
  deserved: readonly Deserved[],
): Promise<Map<Deserved, number>> {
  const asked: { readonly of: Deserved; readonly request: LedgerRequest }[] = [];
  for (const of of deserved) {
    const { points, call, key, customerId, reason } = of;
    if (points === null) continue;
    const what = typeof points === 'number' ? { points, rule: null } : { points: null, rule: points.rule };
    const command = { kind: 'award', customerId, ...what, count: 1, reason, effectiveAt: null } as const;
    asked.push({ of, request: requestOf(call, key, command) });
  }
  const answers = await post(
    tx,
    asked.map(({ request }) => request),
  );
  const given = new Map<Deserved, number>();
  for (const [index, { of }] of asked.entries()) {
    const answer = answers[index];
    if (answer === undefined) throw new Error('the ledger left a request unanswered');
    if (!(answer instanceof DomainError)) given.set(of, answer.entry.points - answer.entry.debt);
    else if (!(answer instanceof NotAMember)) logger.warn({ key: of.key, code: answer.code }, 'no points were given');
  }
  return given;
}

async function giveBadges(
  tx: Tx,
  { settings, clock, logger }: EngagementPorts,
  deserved: readonly Deserved[],
): Promise<Map<Deserved, string>> {
  const catalogue = new Map((await settings.get(BADGES)).map((badge) => [badge.key, badge]));
  const rows: { readonly of: Deserved; readonly row: BadgeRow; readonly name: string }[] = [];
  for (const of of deserved) {
    const { customerId, call } = of;
    if (of.badge === null) continue;
    const { key: badge, source, sourceKey } = of.badge;
    const definition = catalogue.get(badge);
    if (definition === undefined) {
      logger.warn({ badge, source, sourceKey }, 'a badge was not awarded: it is not in the setting loyalty.badges');
      continue;
    }
    const award = { id: newId(), customerId, badge, source, sourceKey, actor: actorName(call.actor) };
    rows.push({ of, name: definition.name, row: { ...award, awardedAt: clock.now() } });
  }
  const made = await insertBadges(
    tx,
    rows.map(({ row }) => row),
  );
  const given = new Map<Deserved, string>();
  const events: NewEvent[] = [];
  for (const { of, row, name } of rows) {
    if (!made.has(row.id)) continue;
    given.set(of, name);
    const { badge, source, sourceKey, customerId } = row;
    events.push(newEvent(badgeAwarded, { customerId, payload: { badge, name, source, sourceKey }, call: of.call }));
  }
  if (events.length > 0) await appendEvents(tx, (rows[0] as (typeof rows)[number]).of.call, clock, events);
  return given;
}
