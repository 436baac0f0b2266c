import { DomainError, InvalidInput } from '../../../src/core/errors.ts';
import { type EarningRule, pointsOfRule } from '../domain/rules.ts';
import type { Tier, TierChange } from '../domain/tiers.ts';
import {
  EarningCapReached,
  EntryNotFound,
  EntryNotReversible,
  InsufficientPoints,
  RuleNotOpenToTier,
  RuleNotValid,
} from '../errors.ts';
import { type CalendarPeriod, calendarPeriod } from '../period.ts';
import { ORDER_RULE } from '../settings.ts';
import type { LedgerCommand } from './commands.ts';
import { BALANCE_MAX, type EntryKind, type EntrySource, type Movement, post } from './domain/ledger.ts';
import type { AccountRow, EntryRow } from './queries.ts';

/** The programme in force, read once for a batch. */
export interface Programme {
  readonly tiers: readonly Tier[];
  readonly rules: readonly EarningRule[];
  readonly autoEnrol: boolean;
  readonly timeZone: string;
}

/** What a batch knows while it decides, and what it has decided so far. */
export interface Desk {
  readonly programme: Programme;
  readonly now: Date;
  /** Uses of a capped rule in a period, those decided in this batch included. */
  used(accountId: string, rule: string, periodStart: Date): number;
  noteUse(accountId: string, rule: string, periodStart: Date, times: number): void;
  entry(id: string): (EntryRow & { readonly reversed: boolean }) | undefined;
  noteReversed(id: string): void;
}

/** A decision: the entry to write (its id comes later), and the account after it. */
export interface Decision {
  readonly entry: Omit<EntryRow, 'id' | 'actor'>;
  readonly account: AccountRow;
  readonly tierChange: TierChange | null;
}

interface Draft extends Movement {
  readonly kind: EntryKind;
  readonly source: EntrySource;
  readonly rule: string | null;
  readonly sourceId: string | null;
  readonly reverses: string | null;
  readonly reason: string | null;
  readonly effectiveAt: Date;
}

const blank = { rule: null, sourceId: null, reverses: null, reason: null };

/** The period in which a use of a capped rule counts; null for what has no cap. */
export function capPeriod(programme: Programme, command: LedgerCommand, now: Date): CalendarPeriod | null {
  if (command.kind !== 'award' || command.rule === null) return null;
  const cap = programme.rules.find((rule) => rule.key === command.rule)?.cap ?? null;
  return cap === null ? null : calendarPeriod(command.effectiveAt ?? now, cap.per, programme.timeZone);
}

/** What a command does to an account, or why it does nothing. Writes nothing. */
export function decide(desk: Desk, account: AccountRow, command: LedgerCommand): Decision | DomainError {
  const draft = draftOf(desk, account, command);
  if (draft instanceof DomainError) return draft;
  const posting = post(account, draft, desk.programme.tiers, desk.now);
  if ('kind' in posting) {
    if (posting.kind === 'insufficientPoints') return new InsufficientPoints(posting.available, -draft.points);
    return new InvalidInput(`An account holds at most ${BALANCE_MAX} points.`, { path: ['points'] });
  }
  if (draft.reverses !== null) desk.noteReversed(draft.reverses);
  const { after, number, balanceAfter, recordedAt, tierChange } = posting;
  return {
    entry: { ...draft, accountId: account.id, number, balanceAfter, recordedAt },
    account: { ...account, ...after, tierSince: tierChange === null ? account.tierSince : recordedAt },
    tierChange,
  };
}

function draftOf(desk: Desk, account: AccountRow, command: LedgerCommand): Draft | DomainError {
  switch (command.kind) {
    case 'award':
      return draftOfAward(desk, account, command);
    case 'order':
      return {
        ...blank,
        kind: 'EARN',
        source: 'ORDER',
        rule: ORDER_RULE,
        sourceId: command.orderId,
        points: command.points,
        qualifying: command.points,
        effectiveAt: command.placedAt,
      };
    case 'adjust':
      // Put right by hand, not earned: it counts for no tier.
      return {
        ...blank,
        kind: 'ADJUST',
        source: 'ADJUSTMENT',
        reason: command.reason,
        points: command.points,
        qualifying: 0,
        effectiveAt: desk.now,
      };
    case 'reverse':
      return draftOfReversal(desk, account, command);
  }
}

function draftOfAward(
  desk: Desk,
  account: AccountRow,
  command: Extract<LedgerCommand, { kind: 'award' }>,
): Draft | DomainError {
  const points = command.points ?? earnedByRule(desk, account, command);
  if (typeof points !== 'number') return points;
  return {
    ...blank,
    kind: 'EARN',
    source: 'AWARD',
    rule: command.rule,
    reason: command.reason,
    points,
    qualifying: points,
    effectiveAt: command.effectiveAt ?? desk.now,
  };
}

function earnedByRule(
  desk: Desk,
  account: AccountRow,
  command: Extract<LedgerCommand, { kind: 'award' }>,
): number | DomainError {
  const { rules } = desk.programme;
  const rule = rules.find((one) => one.key === command.rule);
  if (rule === undefined) {
    const known = rules.map((one) => one.key).join(', ');
    return new InvalidInput(`There is no earning rule "${command.rule}". There are: ${known}.`, { path: ['rule'] });
  }
  const period = capPeriod(desk.programme, command, desk.now);
  const used = period === null ? 0 : desk.used(account.id, rule.key, period.start);
  const { count } = command;
  const points = pointsOfRule(rule, { tier: account.tier, count, used, at: command.effectiveAt ?? desk.now });
  if (typeof points === 'number') {
    if (period !== null) desk.noteUse(account.id, rule.key, period.start, used + count);
    return points;
  }
  if (points.kind === 'notOpenToTier') return new RuleNotOpenToTier(rule.key, account.tier, points.openTo);
  if (points.kind === 'notValid') return new RuleNotValid(rule.key, rule.validFrom, rule.validUntil);
  if (rule.cap === null || period === null) throw new Error(`rule ${rule.key} has no cap and reached it`);
  return new EarningCapReached(rule.key, rule.cap, points.left, period.end);
}

function draftOfReversal(
  desk: Desk,
  account: AccountRow,
  command: Extract<LedgerCommand, { kind: 'reverse' }>,
): Draft | DomainError {
  const entry = desk.entry(command.entryId);
  if (entry === undefined) return new EntryNotFound(command.entryId);
  // Its points have moved on with a merge: they are the other account's now.
  if (entry.accountId !== account.id) return new EntryNotReversible(entry.id, 'its account was closed by a merge');
  if (entry.reversed) return new EntryNotReversible(entry.id, 'it was reversed before');
  if (entry.kind === 'REVERSE')
    return new EntryNotReversible(entry.id, 'it is a reversal itself; award or adjust instead');
  if (entry.source === 'MERGE') return new EntryNotReversible(entry.id, 'it stems from a merge of two customers');
  return {
    ...blank,
    kind: 'REVERSE',
    source: 'REVERSAL',
    rule: entry.rule,
    reverses: entry.id,
    reason: command.reason,
    points: -entry.points,
    qualifying: -entry.qualifying,
    effectiveAt: desk.now,
  };
}
