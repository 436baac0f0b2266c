import { type Tier, type TierChange, type TierKey, tierChange, tierHeld, tierOf } from '../../domain/tiers.ts';

/** Kinds of entries: what is earned, spent, lapsed, taken back or put right. */
export const ENTRY_KINDS = ['EARN', 'REDEEM', 'EXPIRE', 'REVERSE', 'ADJUST'] as const;

export type EntryKind = (typeof ENTRY_KINDS)[number];

/** What led to an entry. */
export const ENTRY_SOURCES = [
  'AWARD',
  'ORDER',
  'REVERSAL',
  'ADJUSTMENT',
  'MERGE',
  'REDEMPTION',
  'REWARD',
  'EXPIRY',
] as const;

export type EntrySource = (typeof ENTRY_SOURCES)[number];

/** Whether an entry counts at once, waits, or says what became of one that waited. */
export const ENTRY_PHASES = ['POSTED', 'PENDING', 'CONFIRMED', 'VOIDED'] as const;

export type EntryPhase = (typeof ENTRY_PHASES)[number];

/** The most points an account can hold: far beyond any programme, and exact in every JSON reader. */
export const BALANCE_MAX = 1_000_000_000_000;

/** Points of an account by what can be done with them. */
export interface Sums {
  /** Points held, those set aside included; never below zero. */
  readonly balance: number;
  /** Points awarded that are not there yet: they wait to be confirmed. */
  readonly pending: number;
  /** Points of the balance that are set aside: they wait to be spent or given back. */
  readonly held: number;
  /** Points taken back after they were spent: whatever becomes available pays them first. */
  readonly debt: number;
}

/** What the entries of an account come to. */
export interface AccountState extends Sums {
  readonly earned: number;
  readonly tier: TierKey;
  readonly entryCount: number;
  readonly lastEntryAt: Date | null;
}

/** What a movement adds to each of the sums, before it has its place in the ledger. */
export interface Movement {
  /** To the balance. */
  readonly points: number;
  /** Counts towards the tier. */
  readonly qualifying: number;
  readonly pending: number;
  readonly held: number;
  readonly debt: number;
  /** The tiers that what counts gives before and after it; absent: all that was ever earned counts. */
  readonly places?: { readonly before: TierKey; readonly after: TierKey } | undefined;
}

/** A movement at its place: what the entry says, and the account after it. */
export interface Posting {
  readonly number: number;
  readonly balanceAfter: number;
  readonly recordedAt: Date;
  readonly after: AccountState;
  readonly tierChange: TierChange | null;
}

export type PostingRefusal =
  | { readonly kind: 'insufficientPoints'; readonly available: number }
  | { readonly kind: 'balanceTooHigh' };

/** What can be spent. */
export const availableOf = (sums: Pick<Sums, 'balance' | 'held'>): number => sums.balance - sums.held;

const still = { qualifying: 0, pending: 0, held: 0, debt: 0 };

/** Points that become available: a debt is paid first, the rest adds to the balance. */
export function credit(account: Sums, points: number): Movement {
  const paid = Math.min(account.debt, points);
  return { ...still, points: points - paid, debt: 0 - paid };
}

/** Points spent at once. */
export const debit = (points: number): Movement => ({ ...still, points: 0 - points });

/** Points taken back: what is no longer available becomes a debt. */
export function takeBack(account: Sums, points: number): Movement {
  const taken = Math.min(availableOf(account), points);
  return { ...still, points: 0 - taken, debt: points - taken };
}

/** Points set aside. */
export const hold = (points: number): Movement => ({ ...still, points: 0, held: points });

/** Points that were set aside, spent. */
export const confirmHold = (points: number): Movement => ({ ...still, points: 0 - points, held: 0 - points });

/** Points that were set aside, available again: like all that becomes available they pay a debt first. */
export function voidHold(account: Sums, points: number): Movement {
  const paid = Math.min(account.debt, points);
  return { ...still, points: 0 - paid, held: 0 - points, debt: 0 - paid };
}

/** Points awarded that wait to be confirmed. */
export const promise = (points: number): Movement => ({ ...still, points: 0, pending: points });

/** Points that waited, available now. */
export const confirmPromise = (account: Sums, points: number): Movement => ({
  ...credit(account, points),
  pending: 0 - points,
});

/** Points that waited and will not come. */
export const voidPromise = (points: number): Movement => promise(0 - points);

/**
 * Puts a movement behind the last entry of an account. The tier follows what has been earned: up at once, and down only
 * when earnings were taken back, since they then were never earned.
 * @param now when it is recorded; the ledger of an account never runs backwards, whatever clocks do
 */
export function post(
  account: AccountState,
  movement: Movement,
  tiers: readonly Tier[],
  now: Date,
): Posting | PostingRefusal {
  const balance = account.balance + movement.points;
  const pending = account.pending + movement.pending;
  const held = account.held + movement.held;
  const debt = account.debt + movement.debt;
  if (balance < held) return { kind: 'insufficientPoints', available: availableOf(account) };
  if (pending < 0 || held < 0 || debt < 0) throw new Error('a movement takes more than waits, is held or is owed');
  const earned = account.earned + movement.qualifying;
  if (Math.max(balance, earned, pending, debt) > BALANCE_MAX) return { kind: 'balanceTooHigh' };
  const recordedAt = account.lastEntryAt !== null && account.lastEntryAt > now ? account.lastEntryAt : now;
  const places = movement.places ?? { before: tierOf(tiers, account.earned).key, after: tierOf(tiers, earned).key };
  const tier = tierHeld(account.tier, places);
  const number = account.entryCount + 1;
  return {
    number,
    balanceAfter: balance,
    recordedAt,
    after: { balance, pending, held, debt, earned, tier, entryCount: number, lastEntryAt: recordedAt },
    tierChange: tierChange(account.tier, tier),
  };
}
