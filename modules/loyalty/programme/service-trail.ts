import type { Write } from '../../../src/core/database/index.ts';
import { newId } from '../../../src/core/ids.ts';
import type { TierChange } from '../domain/tiers.ts';
import { earningsWrite, tierMovesWrite } from './queries-trail.ts';
import type { Earned } from './service-earn.ts';

/** A posting, as far as its trail is concerned. */
interface Trailed {
  readonly posted: {
    readonly entry: { readonly id: string; readonly accountId: string; readonly recordedAt: Date };
    readonly tierChange: TierChange | null;
  };
  readonly earned: Earned | null;
}

/**
 * What is kept beside entries: the history of the tiers, and the campaigns that had a part in the points. Most
 * postings leave none.
 */
export function historyWrites(made: readonly Trailed[]): Write[] {
  const moves = made.flatMap(({ posted: { entry, tierChange } }) => {
    if (tierChange === null) return [];
    const { from, to } = tierChange;
    const { accountId, recordedAt: at } = entry;
    return [{ id: newId(), accountId, from, to, at, cause: 'ENTRY' as const, entryId: entry.id }];
  });
  const earnings = made.flatMap(({ posted: { entry }, earned }) => {
    if (earned === null || earned.by.length === 0) return [];
    return [{ entryId: entry.id, base: earned.base, campaigns: earned.by.map((campaign) => campaign.key) }];
  });
  return [
    ...(moves.length === 0 ? [] : [tierMovesWrite(moves)]),
    ...(earnings.length === 0 ? [] : [earningsWrite(earnings)]),
  ];
}
