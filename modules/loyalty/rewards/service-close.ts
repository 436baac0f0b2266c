import type { Clock } from '../../../src/core/clock.ts';
import { type Tx, type Write, writeTogether } from '../../../src/core/database/index.ts';
import { type DomainError, IdempotencyConflict } from '../../../src/core/errors.ts';
import { eventsWrite, type NewEvent, newEvent } from '../../../src/core/events/index.ts';
import { answersWrite, findKeys, type KeyClaim, keepingAnswers } from '../../../src/core/idempotency.ts';
import { step, type Transition } from './domain/redemption.ts';
import { RedemptionNotFound, RedemptionNotOpen } from './errors.ts';
import { redemptionCancelled, redemptionExpired, redemptionFulfilled } from './events.ts';
import type { CloseRequest } from './inputs.ts';
import { closingsWrite, findRedemptions, lockRedemptions, type RedemptionRow } from './queries.ts';
import { type RewardRow, rewardsWithStock, stocksWrite } from './queries-rewards.ts';
import { type KeptRedemption, type Redeemed, type RedemptionPorts, redemptionsById, SCOPE } from './service-redeem.ts';

/** A redemption that is about to be closed, and who asked for it. */
export interface Closing extends Pick<CloseRequest, 'call' | 'name'> {
  readonly transition: Transition;
  readonly after: RedemptionRow;
}

/**
 * Fulfils, cancels or lets expire a batch of redemptions in the caller's transaction. Locks are taken as redeeming takes
 * them, accounts before stocks, and redemptions last, so that nobody waits in a circle. A redemption leaves OPEN once:
 * who comes second finds it closed behind the lock.
 */
export async function closeBatch(
  tx: Tx,
  ports: RedemptionPorts,
  requests: readonly CloseRequest[],
): Promise<(Redeemed | DomainError)[]> {
  const [first] = requests;
  if (first === undefined) return [];
  const found = await findRedemptions(
    tx,
    requests.map(({ redemption }) => redemption),
  );
  await ports.ledger.lock(tx, first.call, [...new Set(found.map(({ customerId }) => customerId))].sort());
  const names = requests.flatMap(({ name }) => (name === null ? [] : [name]));
  const [claims, rewards, locked] = await Promise.all([
    findKeys<KeptRedemption>(tx, SCOPE, names),
    // Who only takes points has no business with the stock, and waits for nobody who has.
    requests.every(({ step: { kind } }) => kind === 'fulfil')
      ? new Map<string, RewardRow>()
      : rewardsWithStock(tx, [...new Set(found.map(({ rewardId }) => rewardId))]),
    lockRedemptions(
      tx,
      found.map(({ id }) => id),
    ),
  ]);
  const claimOf = new Map(names.map(({ key }, index) => [key, claims[index]]));
  const replays = await redemptionsById(
    tx,
    claims.flatMap((claim) => (claim.kind === 'replay' ? [claim.answer.redemptionId] : [])),
  );
  const at = ports.clock.now();
  const now = new Map(locked.map((row) => [row.id, row]));
  const byCode = new Map(locked.map((row) => [row.voucherCode, row.id]));

  const decide = (request: CloseRequest): Closing | Redeemed | DomainError => {
    const { name, redemption } = request;
    const path = pathOf(request);
    const claim: KeyClaim<KeptRedemption> | undefined = name === null ? undefined : claimOf.get(name.key);
    if (claim?.kind === 'conflict') return new IdempotencyConflict(name?.key ?? '');
    if (claim?.kind === 'replay') {
      return { redemption: replays.get(claim.answer.redemptionId) as RedemptionRow, replayed: true };
    }
    const row = now.get(redemption.id ?? byCode.get(redemption.voucherCode) ?? '');
    if (row === undefined) return new RedemptionNotFound(path);
    const outcome = step(row, request.step, at);
    if ('kind' in outcome) {
      const state = outcome.kind === 'notOpen' ? outcome.state : outcome.kind === 'timeIsOver' ? 'EXPIRED' : 'OPEN';
      return new RedemptionNotOpen(row.id, state, path);
    }
    const { reason } = request;
    const after = { ...row, state: outcome.state, pointsState: outcome.points, closedAt: at, reason };
    now.set(row.id, after);
    return { call: request.call, name, transition: outcome, after };
  };
  const decided = requests.map(decide);
  const closings = decided.filter((one): one is Closing => 'transition' in one);
  const settled = await ports.ledger.settle(
    tx,
    closings.map(({ call, after, transition: { points } }) => ({
      call,
      entryId: after.entryId,
      points,
    })),
  );
  const refusals = new Map(closings.map((closing, index) => [closing, settled[index]]));
  const done = closings.filter((closing) => refusals.get(closing) === true);
  // The transaction waits for it at its end.
  tx.atEnd(writeClosings(tx, ports.clock, done, rewards));
  return decided.map((one, index) => {
    if (!('transition' in one)) return one;
    // Its account was closed a moment ago: nobody can have the points any more.
    if (refusals.get(one) !== true)
      return new RedemptionNotOpen(one.after.id, 'EXPIRED', pathOf(requests[index] as CloseRequest));
    return { redemption: one.after, replayed: false };
  });
}

const pathOf = ({ redemption }: CloseRequest) => (redemption.id === null ? 'voucherCode' : 'redemptionId');

/** Writes closed redemptions, the stocks that come back, events and answers with one statement. */
export async function writeClosings(
  tx: Tx,
  clock: Clock,
  done: readonly Closing[],
  rewards: ReadonlyMap<string, RewardRow>,
): Promise<void> {
  const [first] = done;
  if (first === undefined) return;
  const stocks = new Map<string, number>();
  for (const { transition, after } of done) {
    const stock = stocks.get(after.rewardId) ?? rewards.get(after.rewardId)?.stock ?? null;
    if (stock !== null && transition.stockReturns && after.fromStock)
      stocks.set(after.rewardId, stock + after.quantity);
  }
  const answers = done.flatMap(({ name, after }) => {
    const answer: KeptRedemption = { redemptionId: after.id };
    return name === null ? [] : [{ ...name, answer }];
  });
  const writes: Write[] = [
    eventsWrite(first.call, clock, done.map(eventOf)),
    closingsWrite(done.map(({ after }) => after)),
  ];
  if (answers.length > 0) writes.push(answersWrite(SCOPE, answers));
  if (stocks.size > 0) writes.push(stocksWrite(stocks));
  await keepingAnswers(writeTogether(tx, writes));
}

function eventOf({ call, after }: Closing): NewEvent {
  const { id, customerId, rewardId, quantity, points, state, pointsState, closedAt } = after;
  const envelope = { customerId, call, ...(closedAt === null ? {} : { at: closedAt }) };
  const payload = { redemptionId: id, rewardId, quantity, points };
  switch (state) {
    case 'FULFILLED':
      return newEvent(redemptionFulfilled, { ...envelope, payload });
    case 'CANCELLED':
      return newEvent(redemptionCancelled, { ...envelope, payload });
    default:
      return newEvent(redemptionExpired, { ...envelope, payload: { ...payload, pointsState } });
  }
}
