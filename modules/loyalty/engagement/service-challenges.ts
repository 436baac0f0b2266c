import type { Call } from '../../../src/core/call.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { type NewEvent, newEvent } from '../../../src/core/events/index.ts';
import { advance, contribution, decimalOf, microsOf } from './domain/progress.ts';
import { challengeCompleted } from './events.ts';
import type { EngagementPorts } from './ports.ts';
import { type ChallengeRow, challengesOf, writeChallenges } from './queries.ts';
import { byCustomer, type Fact } from './service-facts.ts';
import { badgeFor, type Deserved, type Given } from './service-rewards.ts';
import type { ChallengeDefinition, Definitions } from './settings.ts';

/** A challenge completed just now. */
export interface Completed {
  readonly challenge: ChallengeDefinition;
  readonly row: ChallengeRow;
  readonly call: Call;
}

/** Moves the challenges that customers take part in by what they did. */
export async function moveChallenges(
  tx: Tx,
  { clock }: EngagementPorts,
  definitions: Definitions,
  facts: readonly Fact[],
): Promise<Completed[]> {
  const completed: Completed[] = [];
  for (const challenge of definitions.challenges) {
    const groups = byCustomer(facts.filter((fact) => contribution(challenge, fact) > 0));
    if (groups.size === 0) continue;
    const rows = new Map(
      (await challengesOf(tx, [...groups.keys()], challenge.key)).map((row) => [row.customerId, row]),
    );
    const changed: ChallengeRow[] = [];
    for (const [customerId, group] of groups) {
      const row = rows.get(customerId) ?? entryOf(challenge, customerId, clock.now());
      if (row === null || row.completedAt !== null) continue;
      const counted = challenge.joining === 'AUTOMATIC' ? group : group.filter(({ at }) => at >= row.joinedAt);
      const added = counted.reduce((sum, fact) => sum + contribution(challenge, fact), 0);
      const step = advance(challenge, microsOf(row.progress) ?? 0, added);
      const completedAt = step.completed ? clock.now() : null;
      const next = { ...row, progress: decimalOf(step.progress), completedAt };
      changed.push(next);
      if (step.completed) completed.push({ challenge, row: next, call: (counted.at(-1) as Fact).call });
    }
    await writeChallenges(tx, changed);
  }
  return completed;
}

/** Who takes part by what they do; null where one has to join. */
function entryOf({ key, joining }: ChallengeDefinition, customerId: string, joinedAt: Date): ChallengeRow | null {
  if (joining === 'OPT_IN') return null;
  return { customerId, challenge: key, joinedAt, progress: '0', points: 0, completedAt: null };
}

/** What is deserved for a challenge. */
export const deservedForChallenge = ({ challenge, row: { customerId }, call }: Completed): Deserved => ({
  customerId,
  call,
  key: `challenge ${challenge.key} ${customerId}`,
  points: challenge.points,
  badge: badgeFor(challenge.badge, 'CHALLENGE', challenge.key),
  reason: challenge.name,
});

/** Keeps what was given for challenges, and tells of them. */
export async function concludeChallenges(
  tx: Tx,
  completed: readonly Completed[],
  given: readonly Given[],
): Promise<NewEvent[]> {
  await writeChallenges(
    tx,
    completed.map(({ row }, index) => ({ ...row, points: (given[index] as Given).points })),
  );
  return completed.map(({ challenge: { key: challenge, name }, row: { customerId }, call }, index) => {
    const { points, badge } = given[index] as Given;
    return newEvent(challengeCompleted, { customerId, call, payload: { challenge, name, points, badge } });
  });
}
