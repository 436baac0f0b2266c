import type { Clock } from '../../../src/core/clock.ts';
import { type Tx, type Write, writeTogether } from '../../../src/core/database/index.ts';
import { DomainError, IdempotencyConflict } from '../../../src/core/errors.ts';
import { eventsWrite, type NewEvent, newEvent } from '../../../src/core/events/index.ts';
import { answersWrite, findKeys, keepingAnswers } from '../../../src/core/idempotency.ts';
import { newId } from '../../../src/core/ids.ts';
import { InsufficientPoints } from '../errors.ts';
import { fellLow, refusalOf } from './domain/reward.ts';
import { newVoucherCode, type RandomBytes } from './domain/voucher.ts';
import { OutOfStock, RedemptionLimitReached, RewardNotAvailable, RewardNotFound } from './errors.ts';
import { rewardRedeemed, rewardStockLow } from './events.ts';
import type { RedeemRequest } from './inputs.ts';
import type { Member, RewardLedger } from './ledger.ts';
import { findRedemptions, hadBy, type RedemptionRow, redemptionsWrite } from './queries.ts';
import { type RewardRow, rewardsWithStock, stocksWrite } from './queries-rewards.ts';

/** What redeeming stands on. */
export interface RedemptionPorts {
  readonly clock: Clock;
  readonly ledger: RewardLedger;
  /** Of voucher codes; cryptographic, but for tests. */
  readonly random: RandomBytes;
}

/** What came of a request about a redemption. */
export interface Redeemed {
  readonly redemption: RedemptionRow;
  /** Whether this is the first answer again. */
  readonly replayed: boolean;
}

/** The first answer as it is kept; the rest the redemption says. */
export interface KeptRedemption {
  readonly redemptionId: string;
}

/** All requests about redemptions share their keys, so that one key never means two things. */
export const SCOPE = 'loyalty.redemptions';

const DAY_MS = 86_400_000;

/**
 * Redeems for a batch of requests in the caller's transaction, in order: accounts are locked, then stocks, each in one
 * order for everybody; everything is decided in memory; the ledger holds the points, and redemptions, stocks, events and
 * answers are written with one statement. Whoever comes later, in whatever process, waits for the stock and sees what is
 * left of it.
 */
export async function redeemBatch(
  tx: Tx,
  ports: RedemptionPorts,
  requests: readonly RedeemRequest[],
): Promise<(Redeemed | DomainError)[]> {
  const [first] = requests;
  if (first === undefined) return [];
  const members = await ports.ledger.lock(tx, first.call, [...new Set(requests.map((one) => one.customerId))]);
  const [claims, rewards] = await Promise.all([
    findKeys<KeptRedemption>(tx, SCOPE, requests),
    rewardsWithStock(tx, [...new Set(requests.map((one) => one.rewardId))]),
  ]);
  const replays = claims.flatMap((claim) => (claim.kind === 'replay' ? [claim.answer.redemptionId] : []));
  const before = await redemptionsById(tx, replays);
  const shelf = await openShelf(tx, ports, { requests, members, rewards });

  const answers = new Map<RedeemRequest, Redeemed | DomainError>();
  let pending: RedeemRequest[] = [];
  for (const [index, request] of requests.entries()) {
    const claim = claims[index];
    if (claim?.kind === 'conflict') answers.set(request, new IdempotencyConflict(request.key));
    else if (claim?.kind === 'replay') answers.set(request, replayOf(before.get(claim.answer.redemptionId)));
    else pending.push(request);
  }
  const made = new Map<string, Made>();
  while (pending.length > 0) {
    const later: RedeemRequest[] = [];
    const wanted = new Map<string, Made>();
    for (const request of pending) {
      const known = made.get(request.key);
      if (known !== undefined) answers.set(request, repeated(known, request));
      else if (wanted.has(request.key)) later.push(request);
      else {
        const redemption = shelf.take(request);
        if (redemption instanceof DomainError) answers.set(request, redemption);
        else wanted.set(request.key, { request, redemption });
      }
    }
    const isFreed = await hold(tx, ports, shelf, { wanted, made, answers });
    // What somebody could not pay for may be what another one lacked.
    if (isFreed) later.push(...pending.filter((request) => isLack(answers.get(request))));
    pending = requests.filter((request) => later.includes(request));
  }
  if (made.size > 0) {
    // The transaction waits for it at its end.
    tx.atEnd(keepingAnswers(writeTogether(tx, writesOf(ports.clock, [...made.values()], shelf))));
  }
  return requests.map((request) => answers.get(request) as Redeemed | DomainError);
}

interface Made {
  readonly request: RedeemRequest;
  readonly redemption: RedemptionRow;
}

const isLack = (answer: Redeemed | DomainError | undefined): boolean =>
  answer instanceof OutOfStock || answer instanceof RedemptionLimitReached;

const repeated = ({ request, redemption }: Made, again: RedeemRequest): Redeemed | DomainError =>
  request.hash.equals(again.hash) ? { redemption, replayed: true } : new IdempotencyConflict(again.key);

/** The first answer: the redemption as it was when it was made. */
function replayOf(row: RedemptionRow | undefined): Redeemed {
  if (row === undefined) throw new Error('a redemption is gone');
  const redemption = { ...row, state: 'OPEN', pointsState: 'HELD', closedAt: null, reason: null } as const;
  return { redemption, replayed: true };
}

/** Redemptions by id. */
export async function redemptionsById(tx: Tx, ids: readonly string[]): Promise<Map<string, RedemptionRow>> {
  if (ids.length === 0) return new Map();
  const rows = await findRedemptions(
    tx,
    ids.map((id) => ({ id, voucherCode: null })),
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** Lets the ledger hold the points for what is wanted. @returns whether something taken from the shelf was put back */
async function hold(
  tx: Tx,
  { ledger }: RedemptionPorts,
  shelf: Shelf,
  round: {
    readonly wanted: ReadonlyMap<string, Made>;
    readonly made: Map<string, Made>;
    readonly answers: Map<RedeemRequest, Redeemed | DomainError>;
  },
): Promise<boolean> {
  const wanted = [...round.wanted.values()];
  const holds = wanted.map(({ request: { call }, redemption: { id, customerId, points } }) => ({
    call,
    redemptionId: id,
    customerId,
    points,
  }));
  const entries = wanted.length === 0 ? [] : await ledger.hold(tx, holds);
  let isFreed = false;
  for (const [index, one] of wanted.entries()) {
    const entryId = entries[index];
    if (typeof entryId === 'string') {
      const redemption = { ...one.redemption, entryId };
      round.made.set(one.request.key, { ...one, redemption });
      round.answers.set(one.request, { redemption, replayed: false });
    } else {
      if (entryId === undefined) throw new Error('the ledger left a request unanswered');
      shelf.putBack(one.redemption);
      round.answers.set(one.request, refusalBy(entryId));
      isFreed = true;
    }
  }
  return isFreed;
}

/** What the ledger answers, said of what was asked here: not points, but a reward. */
const refusalBy = (error: DomainError): DomainError =>
  error instanceof InsufficientPoints ? new InsufficientPoints(error.available, error.needed, ['rewardId']) : error;

/** What is left of rewards while a batch decides. */
interface Shelf {
  /** A redemption, as yet without its entry, or why there is none. */
  take(request: RedeemRequest): RedemptionRow | DomainError;
  putBack(redemption: RedemptionRow): void;
  /** Stocks that changed, and those that fell to their mark by it. */
  changes(): { readonly stocks: ReadonlyMap<string, number>; readonly low: readonly RewardRow[] };
}

async function openShelf(
  tx: Tx,
  { clock, random }: RedemptionPorts,
  batch: {
    readonly requests: readonly RedeemRequest[];
    readonly members: ReadonlyMap<string, Member | DomainError>;
    readonly rewards: ReadonlyMap<string, RewardRow>;
  },
): Promise<Shelf> {
  const { members, rewards } = batch;
  const at = clock.now();
  const pairOf = (customerId: string, rewardId: string) => `${customerId} ${rewardId}`;
  const limited = new Map<string, { customerId: string; rewardId: string }>();
  for (const { customerId, rewardId } of batch.requests) {
    const member = members.get(customerId);
    if (member === undefined || member instanceof DomainError) continue;
    if ((rewards.get(rewardId)?.limitPerCustomer ?? null) === null) continue;
    limited.set(pairOf(member.customerId, rewardId), { customerId: member.customerId, rewardId });
  }
  const had = new Map<string, number>();
  for (const row of await hadBy(tx, [...limited.values()])) had.set(pairOf(row.customerId, row.rewardId), row.quantity);
  const left = new Map<string, number>();
  for (const { id, stock } of rewards.values()) if (stock !== null) left.set(id, stock);

  const move = ({ customerId, rewardId }: RedemptionRow, quantity: number) => {
    const pair = pairOf(customerId, rewardId);
    had.set(pair, (had.get(pair) ?? 0) + quantity);
    const stock = left.get(rewardId);
    if (stock !== undefined) left.set(rewardId, stock - quantity);
  };
  return {
    take({ customerId, rewardId, quantity }) {
      const member = members.get(customerId);
      if (member === undefined) throw new Error('an account asked for was not answered');
      if (member instanceof DomainError) return member;
      const reward = rewards.get(rewardId);
      if (reward === undefined) return new RewardNotFound(rewardId);
      const stock = left.get(rewardId) ?? null;
      const wish = { quantity, tier: member.tier, had: had.get(pairOf(member.customerId, rewardId)) ?? 0, at };
      const refusal = refusalOf({ ...reward, stock }, wish);
      if (refusal?.kind === 'notAvailable') return new RewardNotAvailable(rewardId, refusal.why, reward);
      if (refusal?.kind === 'limitReached') {
        return new RedemptionLimitReached(rewardId, reward.limitPerCustomer ?? 0, refusal.left);
      }
      if (refusal !== null) return new OutOfStock(rewardId, refusal.left);
      const { voucherLifetimeDays: days } = reward;
      const redemption: RedemptionRow = {
        id: newId(),
        customerId: member.customerId,
        rewardId,
        quantity,
        points: reward.cost * quantity,
        state: 'OPEN',
        pointsState: 'HELD',
        fromStock: stock !== null,
        voucherCode: newVoucherCode(random),
        entryId: '',
        redeemedAt: at,
        expiresAt: days === null ? null : new Date(at.getTime() + days * DAY_MS),
        closedAt: null,
        reason: null,
      };
      move(redemption, quantity);
      return redemption;
    },
    putBack: (redemption) => move(redemption, -redemption.quantity),
    changes() {
      const changed = [...left].filter(([id, stock]) => rewards.get(id)?.stock !== stock);
      const low = changed.flatMap(([id, stock]) => {
        const reward = rewards.get(id) as RewardRow;
        return fellLow(reward.stock ?? 0, stock, reward.lowStockAt) ? [{ ...reward, stock }] : [];
      });
      return { stocks: new Map(changed), low };
    },
  };
}

function writesOf(clock: Clock, made: readonly Made[], shelf: Shelf): Write[] {
  const { call } = (made[0] as Made).request;
  const { stocks, low } = shelf.changes();
  const events: NewEvent[] = made.map(({ request, redemption }) => {
    const { id, customerId, rewardId, quantity, points, redeemedAt, expiresAt } = redemption;
    const payload = { redemptionId: id, rewardId, quantity, points, expiresAt: expiresAt?.toISOString() ?? null };
    return newEvent(rewardRedeemed, { customerId, call: request.call, at: redeemedAt, payload });
  });
  for (const { id, stock, lowStockAt } of low) {
    const payload = { rewardId: id, stock: stock ?? 0, lowStockAt: lowStockAt ?? 0 };
    events.push(newEvent(rewardStockLow, { customerId: null, payload }));
  }
  const answers = made.map(({ request: { key, hash }, redemption }) => {
    const answer: KeptRedemption = { redemptionId: redemption.id };
    return { key, hash, answer };
  });
  const writes = [
    answersWrite(SCOPE, answers),
    eventsWrite(call, clock, events),
    redemptionsWrite(made.map(({ redemption }) => redemption)),
  ];
  return stocks.size === 0 ? writes : [...writes, stocksWrite(stocks)];
}
