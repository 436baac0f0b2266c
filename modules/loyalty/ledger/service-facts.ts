import type { Call } from '../../../src/core/call.ts';
import { type NewEvent, newEvent } from '../../../src/core/events/index.ts';
import {
  pointsAdjusted,
  pointsAwarded,
  pointsConfirmed,
  pointsExpired,
  pointsHeld,
  pointsPending,
  pointsRedeemed,
  pointsReversed,
  pointsVoided,
  tierChanged,
} from '../events.ts';
import type { AccountView, Posted } from './commands.ts';
import type { EntryRow } from './queries.ts';

/** The facts to publish about a posting: the movements in their order, and the tier when it changed. */
export function eventsOf(call: Call, posted: Posted): NewEvent[] {
  const { entry, lapsed, account, tierChange } = posted;
  const { customerId } = account;
  const events = movements(call, entry, account);
  if (lapsed !== null) {
    const expired = movements(call, lapsed, account);
    if (lapsed.number < entry.number) events.unshift(...expired);
    else events.push(...expired);
  }
  if (tierChange !== null) {
    const { id: accountId, balance, earned } = account;
    const payload = { accountId, entryId: entry.id, cause: 'ENTRY' as const, balance, earned, ...tierChange };
    events.push(newEvent(tierChanged, { customerId, call, at: entry.recordedAt, payload }));
  }
  return events;
}

/** What an entry is told as. What waited and happens is told as that, and as the points it earned or spent. */
function movements(call: Call, entry: EntryRow, account: AccountView): NewEvent[] {
  const { points, reverses, settles, source, sourceId, rule, debt, expiresAt } = entry;
  const envelope = { customerId: account.customerId, call, at: entry.recordedAt };
  const { earned, tier } = account;
  const about = { entryId: entry.id, accountId: account.id };
  const moved = { ...about, points, balance: entry.balanceAfter, earned };
  if (entry.phase === 'POSTED') return [posted()];
  const waiting = { source, sourceId, available: account.balance - account.held, held: account.held };
  if (settles === null) {
    const until = expiresAt?.toISOString() ?? '';
    const [definition, amount] = entry.held > 0 ? [pointsHeld, entry.held] : [pointsPending, entry.pending];
    return [newEvent(definition, { ...envelope, payload: { ...about, ...waiting, points: amount, expiresAt: until } })];
  }
  const direction = entry.held < 0 ? ('DEBIT' as const) : ('CREDIT' as const);
  const amount = -(entry.held + entry.pending);
  const payload = { ...about, ...waiting, points: amount, settles, direction };
  if (entry.phase === 'VOIDED') return [newEvent(pointsVoided, { ...envelope, payload })];
  return [newEvent(pointsConfirmed, { ...envelope, payload }), posted()];

  function posted(): NewEvent {
    if (reverses !== null) {
      return newEvent(pointsReversed, { ...envelope, payload: { ...moved, reverses, debt } });
    }
    if (entry.kind === 'REDEEM')
      return newEvent(pointsRedeemed, { ...envelope, payload: { ...moved, source, sourceId } });
    if (entry.kind === 'EXPIRE') return newEvent(pointsExpired, { ...envelope, payload: moved });
    if (entry.kind !== 'EARN') return newEvent(pointsAdjusted, { ...envelope, payload: { ...moved, source } });
    // What was earned, whether or not a part of it paid a debt.
    const payload = { ...moved, points: points - debt, tier, rule, source, sourceId };
    return newEvent(pointsAwarded, { ...envelope, payload });
  }
}
