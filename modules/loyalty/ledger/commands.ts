import type { Call } from '../../../src/core/call.ts';
import { InvalidInput } from '../../../src/core/errors.ts';
import { hashInput } from '../../../src/core/idempotency.ts';
import type { TierChange, TierKey } from '../domain/tiers.ts';
import { BALANCE_MAX, type Sums } from './domain/ledger.ts';
import type { EntryRow } from './queries.ts';

/** What can be asked of the ledger. */
export type LedgerCommand =
  | {
      readonly kind: 'award';
      readonly customerId: string;
      /** Key of an earning rule; null when `points` are given outright. */
      readonly rule: string | null;
      readonly points: number | null;
      readonly count: number;
      readonly reason: string | null;
      readonly effectiveAt: Date | null;
      /** The points wait until they are confirmed, and are voided at this time; absent: they are there at once. */
      readonly pendingUntil?: Date | null;
    }
  | {
      readonly kind: 'order';
      readonly customerId: string;
      readonly orderId: string;
      readonly points: number;
      readonly placedAt: Date;
    }
  | { readonly kind: 'adjust'; readonly customerId: string; readonly points: number; readonly reason: string }
  | { readonly kind: 'reverse'; readonly entryId: string; readonly reason: string | null }
  | ({ readonly kind: 'redeem' } & Spending)
  /** Points are set aside until they are confirmed (spent) or voided (given back). */
  | ({ readonly kind: 'hold'; readonly expiresAt: Date } & Spending)
  /** What waited happens. */
  | ({ readonly kind: 'confirm' } & Settling)
  /** What waited does not happen. */
  | ({
      readonly kind: 'void';
      /** Only what has waited too long. */
      readonly timedOut?: boolean;
    } & Settling)
  /** Lots whose time is over lapse. */
  | { readonly kind: 'expire'; readonly customerId: string };

/** An entry that waits, and what becomes of it. */
interface Settling {
  readonly entryId: string;
  readonly reason?: string | null;
  /** What the entry belongs to, said by whoever looks after that: nobody else may settle it. */
  readonly owner?: 'REWARD';
}

/** Points to be spent, and on what. */
interface Spending {
  readonly customerId: string;
  readonly points: number;
  readonly source: 'REWARD' | 'REDEMPTION';
  /** Id of what they are spent on. */
  readonly sourceId: string | null;
  readonly reason: string | null;
}

/** Commands that name an entry instead of a customer. */
export type EntryCommand = Extract<LedgerCommand, { readonly entryId: string }>;

export const namesEntry = (command: LedgerCommand): command is EntryCommand => 'entryId' in command;

/** A command with who asked and the name of the request. */
export interface LedgerRequest {
  readonly call: Call;
  /** Null for what can be asked for again without doing any more, such as expiry. */
  readonly key: string | null;
  /** Of the input as it came: the same key with another hash is a conflict. */
  readonly hash: Buffer;
  readonly command: LedgerCommand;
}

/** The account as a posting left it. */
export interface AccountView extends Sums {
  readonly id: string;
  readonly customerId: string;
  readonly joinedAt: Date;
  readonly tier: TierKey;
  readonly tierSince: Date;
  readonly earned: number;
}

/** What came of a request. */
export interface Posted {
  readonly entry: EntryRow;
  /** What lapsed on the way: points whose time was over before they were spent, or when they were given back. */
  readonly lapsed: EntryRow | null;
  readonly account: AccountView;
  readonly tierChange: TierChange | null;
  /** Whether this is the first answer again. */
  readonly replayed: boolean;
}

/** What `awardPoints` is asked. */
export interface AwardInput {
  readonly idempotencyKey: string;
  readonly customerId: string;
  readonly rule?: string | null | undefined;
  readonly points?: number | null | undefined;
  readonly count?: number | null | undefined;
  readonly reason?: string | null | undefined;
  readonly effectiveAt?: Date | null | undefined;
  readonly pendingUntil?: Date | null | undefined;
}

/** What `adjustPoints` is asked. */
export interface AdjustInput {
  readonly idempotencyKey: string;
  readonly customerId: string;
  readonly points: number;
  readonly reason: string;
}

/** What `reversePoints` is asked. */
export interface ReverseInput {
  readonly idempotencyKey: string;
  readonly entryId: string;
  readonly reason?: string | null | undefined;
}

/** What `redeemPoints` is asked; with `expiresAt`, what `holdPoints` is asked. */
export interface RedeemInput {
  readonly idempotencyKey: string;
  readonly customerId: string;
  readonly points: number;
  readonly reason?: string | null | undefined;
}

export interface HoldInput extends RedeemInput {
  readonly expiresAt: Date;
}

/** What `confirmPoints` and `voidPoints` are asked. */
export type SettleInput = ReverseInput;

/** The bounds that inputs are checked against. */
export interface InputBounds {
  readonly maxPoints: number;
  readonly now: Date;
}

/** The most uses of a rule that one award may count. */
const COUNT_MAX = 10_000;
const REASON_MAX_LENGTH = 500;
/** Who waits longer has forgotten what for. */
const WAIT_MAX_DAYS = 366;
const WAIT_MAX_MS = WAIT_MAX_DAYS * 86_400_000;
const KEY = /^[\x21-\x7e]{1,200}$/;
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** @throws InvalidInput naming the field */
export function awardCommand(input: AwardInput, { maxPoints, now }: InputBounds): LedgerCommand {
  checkKey(input.idempotencyKey);
  checkId(input.customerId, 'customerId');
  const rule = input.rule ?? null;
  const points = input.points ?? null;
  const count = input.count ?? 1;
  if ((rule === null) === (points === null)) {
    throw invalid(rule === null ? 'rule' : 'points', 'Give either "rule" or "points": one of them, not both.');
  }
  if (rule !== null && rule.trim() === '') throw invalid('rule', '"rule" is empty; give the key of an earning rule.');
  if (!Number.isInteger(count) || count < 1 || count > COUNT_MAX) {
    throw invalid('count', `"count" is ${count}; it must be a whole number from 1 to ${COUNT_MAX}.`);
  }
  if (points !== null) {
    checkPoints(points, 1, maxPoints);
    if (count !== 1) throw invalid('count', '"count" multiplies a rule; with "points" leave it out.');
  }
  const effectiveAt = input.effectiveAt ?? null;
  if (effectiveAt !== null && !(effectiveAt.getTime() <= now.getTime())) {
    throw invalid('effectiveAt', `"effectiveAt" must not lie in the future; it is now ${now.toISOString()}.`);
  }
  const command = {
    kind: 'award',
    customerId: input.customerId,
    rule,
    points,
    count,
    reason: reasonOf(input.reason),
    effectiveAt,
  } as const;
  const pendingUntil = input.pendingUntil ?? null;
  if (pendingUntil === null) return command;
  checkWait(pendingUntil, 'pendingUntil', now);
  return { ...command, pendingUntil };
}

/** @throws InvalidInput naming the field */
export function adjustCommand(input: AdjustInput, { maxPoints }: InputBounds): LedgerCommand {
  checkKey(input.idempotencyKey);
  checkId(input.customerId, 'customerId');
  checkPoints(input.points, -maxPoints, maxPoints);
  if (input.points === 0) throw invalid('points', '"points" is 0, which would change nothing.');
  const reason = reasonOf(input.reason);
  if (reason === null) throw invalid('reason', 'An adjustment needs a "reason".');
  return { kind: 'adjust', customerId: input.customerId, points: input.points, reason };
}

/** @throws InvalidInput naming the field */
export function reverseCommand(input: ReverseInput): LedgerCommand {
  checkKey(input.idempotencyKey);
  checkId(input.entryId, 'entryId');
  return { kind: 'reverse', entryId: input.entryId, reason: reasonOf(input.reason) };
}

/** @throws InvalidInput naming the field */
export function redeemCommand(input: RedeemInput): LedgerCommand {
  return { kind: 'redeem', ...spendingOf(input) };
}

/** @throws InvalidInput naming the field */
export function holdCommand(input: HoldInput, { now }: InputBounds): LedgerCommand {
  const spending = spendingOf(input);
  checkWait(input.expiresAt, 'expiresAt', now);
  return { kind: 'hold', ...spending, expiresAt: input.expiresAt };
}

/** @throws InvalidInput naming the field */
export function settleCommand(kind: 'confirm' | 'void', input: SettleInput): LedgerCommand {
  checkKey(input.idempotencyKey);
  checkId(input.entryId, 'entryId');
  return { kind, entryId: input.entryId, reason: reasonOf(input.reason) };
}

function spendingOf(input: RedeemInput) {
  checkKey(input.idempotencyKey);
  checkId(input.customerId, 'customerId');
  const { customerId, points } = input;
  if (!Number.isInteger(points) || points < 1 || points > BALANCE_MAX) {
    throw invalid('points', `"points" is ${points}; it must be a whole number from 1 to ${BALANCE_MAX}.`);
  }
  return { customerId, points, source: 'REDEMPTION', sourceId: null, reason: reasonOf(input.reason) } as const;
}

/** Names a request by its key and what it asks. */
export const requestOf = (call: Call, key: string, command: LedgerCommand): LedgerRequest => ({
  call,
  key,
  hash: hashInput(command),
  command,
});

const NO_HASH = Buffer.alloc(0);

/** A request for what can be asked for again without doing any more. */
export const unkeyedRequest = (call: Call, command: LedgerCommand): LedgerRequest => ({
  call,
  key: null,
  hash: NO_HASH,
  command,
});

function invalid(field: string, message: string): InvalidInput {
  return new InvalidInput(message, { path: [field] });
}

function checkKey(key: string): void {
  if (!KEY.test(key)) {
    throw invalid('idempotencyKey', '"idempotencyKey" must be 1 to 200 visible ASCII characters without blanks.');
  }
}

function checkId(id: string, field: string): void {
  if (!ID.test(id)) throw invalid(field, `"${field}" is no id of this API.`);
}

function checkPoints(points: number, min: number, max: number): void {
  if (!Number.isInteger(points) || points < min || points > max) {
    throw invalid(
      'points',
      `"points" is ${points}; it must be a whole number from ${min} to ${max} (setting loyalty.maxPointsPerAward).`,
    );
  }
}

function checkWait(until: Date, field: string, now: Date): void {
  const waitMs = until.getTime() - now.getTime();
  if (!(waitMs > 0 && waitMs <= WAIT_MAX_MS)) {
    throw invalid(
      field,
      `"${field}" must lie in the future, at most ${WAIT_MAX_DAYS} days; it is now ${now.toISOString()}.`,
    );
  }
}

function reasonOf(reason: string | null | undefined): string | null {
  const text = reason?.trim() ?? '';
  if (text.length > REASON_MAX_LENGTH) {
    throw invalid('reason', `"reason" has ${text.length} characters; at most ${REASON_MAX_LENGTH} are kept.`);
  }
  return text === '' ? null : text;
}
