import { defineListPart } from '../../../src/core/graph/index.ts';
import type { TierCause, TierKey } from '../domain/tiers.ts';

/** A move between tiers as the graph shows it. */
export interface TierMoveShape {
  readonly id: string;
  readonly from: TierKey;
  readonly to: TierKey;
  readonly at: Date | string;
  readonly cause: TierCause;
}

/** The newest moves of the account it stands in: a backward index scan, n = page size. */
export const tierHistoryPart = defineListPart<TierMoveShape>({
  name: 'tierHistory',
  keyLength: 2,
  cursorOf: (move) => [new Date(move.at).toISOString(), move.id],
  select: (_customer, { limit, after }, _args, bind) => `
    select tc.id, tc.from_tier as "from", tc.to_tier as "to", tc.changed_at as "at", tc.cause
    from loyalty_tier_change tc
    where tc.account_id = la.id${
      after === null ? '' : ` and (tc.changed_at, tc.id) < (${bind(after[0])}::timestamptz, ${bind(after[1])}::uuid)`
    }
    order by tc.changed_at desc, tc.id desc limit ${limit}`,
});
