import { type Tier, type TierChange, type TierKey, tierChange, tierOf } from '../../domain/tiers.ts';

/** Kinds of entries: what is earned, spent, lapsed, taken back or put right. */
export const ENTRY_KINDS = ['EARN', 'REDEEM', 'EXPIRE', 'REVERSE', 'ADJUST'] as const;

export type EntryKind = (typeof ENTRY_KINDS)[number];

/** What led to an entry. */
export const ENTRY_SOURCES = ['AWARD', 'ORDER', 'REVERSAL', 'ADJUSTMENT', 'MERGE'] as const;

export type EntrySource = (typeof ENTRY_SOURCES)[number];

/** The most points an account can hold: far beyond any programme, and exact in every JSON reader. */
export const BALANCE_MAX = 1_000_000_000_000;

/** What the entries of an account come to. */
export interface AccountState {
  readonly balance: number;
  readonly earned: number;
  readonly tier: TierKey;
  readonly entryCount: number;
  readonly lastEntryAt: Date | null;
}

/** A movement of points, before it has its place in the ledger. */
export interface Movement {
  readonly points: number;
  /** What of it counts towards the tier. */
  readonly qualifying: number;
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
  if (balance < 0) return { kind: 'insufficientPoints', available: account.balance };
  const earned = account.earned + movement.qualifying;
  if (balance > BALANCE_MAX || earned > BALANCE_MAX) return { kind: 'balanceTooHigh' };
  const recordedAt = account.lastEntryAt !== null && account.lastEntryAt > now ? account.lastEntryAt : now;
  const tier = tierOf(tiers, earned).key;
  const number = account.entryCount + 1;
  return {
    number,
    balanceAfter: balance,
    recordedAt,
    after: { balance, earned, tier, entryCount: number, lastEntryAt: recordedAt },
    tierChange: tierChange(account.tier, tier),
  };
}
