import type { Call } from '../../../src/core/call.ts';
import { type NewEvent, newEvent } from '../../../src/core/events/index.ts';
import { pointsAdjusted, pointsAwarded, pointsReversed, tierChanged } from '../events.ts';
import type { Posted } from './commands.ts';

/** The facts to publish about a posting: the movement, and the tier when it changed. */
export function eventsOf(call: Call, posted: Posted): NewEvent[] {
  const { entry, account, tierChange } = posted;
  const envelope = { customerId: account.customerId, call, at: entry.recordedAt };
  const moved = {
    entryId: entry.id,
    accountId: account.id,
    points: entry.points,
    balance: account.balance,
    earned: account.earned,
  };
  const events = [movement()];
  if (tierChange !== null) {
    const { entryId, accountId, balance, earned } = moved;
    events.push(
      newEvent(tierChanged, { ...envelope, payload: { accountId, entryId, balance, earned, ...tierChange } }),
    );
  }
  return events;

  function movement(): NewEvent {
    if (entry.reverses !== null) {
      return newEvent(pointsReversed, { ...envelope, payload: { ...moved, reverses: entry.reverses } });
    }
    const { source, sourceId, rule } = entry;
    if (entry.kind !== 'EARN') return newEvent(pointsAdjusted, { ...envelope, payload: { ...moved, source } });
    return newEvent(pointsAwarded, { ...envelope, payload: { ...moved, tier: account.tier, rule, source, sourceId } });
  }
}
