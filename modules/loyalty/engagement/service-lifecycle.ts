import type { Tx } from '../../../src/core/database/index.ts';
import { BUSINESS } from '../../../src/core/settings/index.ts';
import { periodStart } from './calendar.ts';
import { brokenFrom, extendStreak, type Run } from './domain/streaks.ts';
import type { EngagementPorts } from './ports.ts';
import { type StreakRow, writeStreaks } from './queries.ts';
import { dropMembers, leaderboardMembers, writeMember } from './queries-leaderboard.ts';
import { eraseRows, mergeRows, streaksOfCustomers } from './queries-lifecycle.ts';
import { runsOf } from './service-streaks.ts';
import type { Definitions } from './settings.ts';

/**
 * One customer became part of another: what both did counts together, and what either was given counts as given. Of a
 * challenge both were in the further one counts.
 */
export async function mergeEngagement(
  tx: Tx,
  ports: EngagementPorts,
  definitions: Definitions,
  merge: { readonly fromId: string; readonly intoId: string },
): Promise<void> {
  const { fromId } = merge;
  // The customer who lives on may have been merged further meanwhile.
  const intoId = (await ports.customers.survivors([merge.intoId], tx)).get(merge.intoId) ?? merge.intoId;
  if (fromId === intoId) return;
  const streaks = await streaksOfCustomers(tx, [fromId, intoId]);
  const joined: StreakRow[] = [];
  for (const row of streaks.filter(({ customerId }) => customerId === fromId)) {
    const other = streaks.find(({ customerId, streak }) => customerId === intoId && streak === row.streak);
    joined.push(await joinStreaks(ports, definitions, intoId, row, other));
  }
  const [board] = await leaderboardMembers(tx, [fromId]);
  const [there] = await leaderboardMembers(tx, [intoId]);
  await dropMembers(tx, [fromId]);
  // The ledger moves its entries by a handler of its own: points are reckoned with the next that are earned.
  if (board !== undefined && there === undefined)
    await writeMember(tx, { ...board, customerId: intoId, counted: null });
  await mergeRows(tx, fromId, intoId);
  await writeStreaks(tx, joined);
}

async function joinStreaks(
  { settings }: EngagementPorts,
  { streaks }: Definitions,
  customerId: string,
  row: StreakRow,
  other: StreakRow | undefined,
): Promise<StreakRow> {
  const definition = streaks.find(({ key }) => key === row.streak);
  if (other === undefined || definition === undefined) return { ...(other ?? row), customerId };
  const known = { ...other, runs: runsOf(other.runs) };
  const { state } = extendStreak(known, runsOf(row.runs).flatMap(periodsOf), definition.forgiven);
  if (state === null) return other;
  const { length, lastPeriod } = state;
  const { timeZone } = await settings.get(BUSINESS);
  const same = length === other.length && lastPeriod === other.lastPeriod;
  const endsAt = same
    ? other.endsAt
    : periodStart(brokenFrom(lastPeriod, definition.forgiven), definition.per, timeZone);
  const runs = state.runs.flatMap(({ from, to }) => [from, to]);
  return { ...other, runs, length, longest: Math.max(state.longest, row.longest), lastPeriod, endsAt };
}

const periodsOf = ({ from, to }: Run): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** The person is gone: what they did and are called goes; that something was given stays, so that sums stay right. */
export async function eraseEngagement(tx: Tx, customerIds: readonly string[]): Promise<void> {
  await dropMembers(tx, customerIds);
  await eraseRows(tx, customerIds);
}
