import type { Call } from '../../../src/core/call.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import type { RedemptionState } from './domain/redemption.ts';
import { lockRedemptions, openRedemptionsOf, redactRedemptions } from './queries.ts';
import { rewardsWithStock } from './queries-rewards.ts';
import { type Closing, writeClosings } from './service-close.ts';

/**
 * The person is gone: what was open is over, whatever its time, and its stock goes back; nobody can have the points.
 * Words and codes go, the sums of what was exchanged stay.
 */
export async function forgetRedemptions(tx: Tx, clock: Clock, call: Call, customerId: string): Promise<void> {
  const found = await openRedemptionsOf(tx, [customerId]);
  const rewards = await rewardsWithStock(tx, [...new Set(found.map(({ rewardId }) => rewardId))]);
  const locked = await lockRedemptions(
    tx,
    found.map(({ id }) => id),
  );
  const at = clock.now();
  const isOpen = ({ state }: { readonly state: RedemptionState }) => state === 'OPEN';
  const closings = locked.filter(isOpen).map((row): Closing => {
    const over = { state: 'EXPIRED', points: 'TAKEN', stockReturns: true } as const;
    const after = { ...row, state: over.state, pointsState: over.points, closedAt: at };
    return { call, name: null, transition: over, after };
  });
  await writeClosings(tx, clock, closings, rewards);
  await redactRedemptions(tx, [customerId]);
}
