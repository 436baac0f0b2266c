import { DomainError } from '../../../src/core/errors.ts';
import { EntryNotFound, EntryNotPending, EntryNotReversible, InsufficientPoints, NothingDue } from '../errors.ts';
import { type Earned, earnByAward, earnByOrder } from '../programme/service-earn.ts';
import type { LedgerCommand } from './commands.ts';
import * as ledger from './domain/ledger.ts';
import { giveBack, type Lot, pointsIn } from './domain/lots.ts';
import { expiresAt } from './expiry.ts';
import type { AccountRow, OwnedEntryRow } from './queries.ts';
import type { Desk } from './service-desk.ts';
import { type Decision, Sheet } from './service-sheet.ts';

type Command<K extends LedgerCommand['kind']> = Extract<LedgerCommand, { kind: K }>;

/** What a command does to an account, or why it does nothing. Writes nothing; the desk learns of it. */
export function decide(desk: Desk, account: AccountRow, command: LedgerCommand): Decision | DomainError {
  const sheet = new Sheet(desk, account);
  return carryOut(desk, sheet, command) ?? sheet.close();
}

function carryOut(desk: Desk, sheet: Sheet, command: LedgerCommand): DomainError | undefined {
  switch (command.kind) {
    case 'award':
      return award(desk, sheet, command);
    case 'order':
      return earn(desk, sheet, earnByOrder(desk, sheet.account, command), {
        source: 'ORDER',
        sourceId: command.orderId,
        effectiveAt: command.placedAt,
      });
    case 'adjust':
      return adjust(desk, sheet, command);
    case 'reverse':
      return reverse(desk, sheet, command);
    case 'redeem':
    case 'hold':
      return spend(sheet, command);
    case 'confirm':
    case 'void':
      return settle(desk, sheet, command);
    case 'expire':
      return sheet.lapse().length === 0 ? new NothingDue() : undefined;
  }
}

const expiryOf = ({ programme }: Desk, earnedAt: Date): Date | null =>
  expiresAt(earnedAt, programme.expiry, programme.timeZone);

/** Points that are there at once, or wait until an instant to be confirmed. */
function earn(
  desk: Desk,
  sheet: Sheet,
  earned: Earned | DomainError,
  words: Pick<OwnedEntryRow, 'source' | 'sourceId' | 'effectiveAt'> & { readonly reason?: string | null },
  until: Date | null = null,
): DomainError | undefined {
  if (earned instanceof DomainError) return earned;
  const { points, rule, ruleVersion } = earned;
  const entry = { ...words, kind: 'EARN', rule, ruleVersion } as const;
  sheet.earned = earned;
  if (until !== null) return sheet.write(ledger.promise(points), { ...entry, phase: 'PENDING', expiresAt: until });
  const movement = { ...ledger.credit(sheet.account, points), qualifying: points };
  return sheet.write(movement, { ...entry, expiresAt: expiryOf(desk, words.effectiveAt) });
}

function award(desk: Desk, sheet: Sheet, command: Command<'award'>): DomainError | undefined {
  const { reason } = command;
  const effectiveAt = command.effectiveAt ?? desk.now;
  const words = { source: 'AWARD', sourceId: null, reason, effectiveAt } as const;
  return earn(desk, sheet, earnByAward(desk, sheet.account, command), words, command.pendingUntil ?? null);
}

/** Put right by hand, not earned: it counts for no tier. */
function adjust(desk: Desk, sheet: Sheet, { points, reason }: Command<'adjust'>): DomainError | undefined {
  const words = { kind: 'ADJUST', source: 'ADJUSTMENT', reason } as const;
  if (points > 0) {
    return sheet.write(ledger.credit(sheet.account, points), { ...words, expiresAt: expiryOf(desk, desk.now) });
  }
  sheet.lapse();
  return sheet.write(ledger.debit(-points), words, { take: -points });
}

function spend(sheet: Sheet, command: Command<'redeem' | 'hold'>): DomainError | undefined {
  const { points, source, sourceId, reason } = command;
  const words = { kind: 'REDEEM', source, sourceId, reason } as const;
  sheet.lapse();
  if (command.kind === 'redeem') return sheet.write(ledger.debit(points), words, { take: points });
  // The points are taken from their lots at once, so that they do not lapse while they wait.
  const waiting = { ...words, phase: 'PENDING', expiresAt: command.expiresAt } as const;
  return sheet.write(ledger.hold(points), waiting, { take: points });
}

/** What waited happens, or does not: once, and only behind a look at whether it still waits. */
function settle(desk: Desk, sheet: Sheet, command: Command<'confirm' | 'void'>): DomainError | undefined {
  const entry = desk.entry(command.entryId);
  if (entry === undefined) return new EntryNotFound(command.entryId);
  if (entry.phase !== 'PENDING') return new EntryNotPending(entry.id, 'it never waited');
  if (!entry.waits) return new EntryNotPending(entry.id, 'it was confirmed or voided before');
  if (entry.source === 'REWARD' && command.owner !== 'REWARD') {
    return new EntryNotPending(entry.id, 'a redemption waits for it; fulfil or cancel that');
  }
  const late = entry.expiresAt !== null && entry.expiresAt <= desk.now;
  if (command.kind === 'confirm' && late) return new EntryNotPending(entry.id, 'its time is over');
  if (command.kind === 'void' && command.timedOut === true && !late) return new NothingDue();
  const phase = command.kind === 'confirm' ? 'CONFIRMED' : 'VOIDED';
  const { kind, source, sourceId, rule, ruleVersion } = entry;
  const from = { kind, source, sourceId, rule, ruleVersion };
  const words = { ...from, phase, settles: entry.id, reason: command.reason ?? null } as const;
  if (entry.held > 0) {
    if (phase === 'CONFIRMED') return sheet.write(ledger.confirmHold(entry.held), words);
    const movement = ledger.voidHold(sheet.account, entry.held);
    return returnTo(desk, sheet, desk.takenBy(entry.id), movement, words);
  }
  if (phase === 'VOIDED') return sheet.write(ledger.voidPromise(entry.pending), words);
  // They are earned now: that is when they become the customer's.
  const movement = { ...ledger.confirmPromise(sheet.account, entry.pending), qualifying: entry.pending };
  return sheet.write(movement, { ...words, expiresAt: expiryOf(desk, desk.now) });
}

/** Points become available again in the lots they were taken from; of a lot whose time is over they lapse at once. */
function returnTo(
  desk: Desk,
  sheet: Sheet,
  taken: readonly Lot[],
  movement: ledger.Movement,
  words: Parameters<Sheet['write']>[1],
): DomainError | undefined {
  const available = movement.points - movement.held;
  const back = giveBack(taken, Math.min(available, pointsIn(taken)));
  // What was spent before there were lots comes back as a lot of its own.
  const own = available > pointsIn(back) ? expiryOf(desk, desk.now) : null;
  const refused = sheet.write(movement, { ...words, expiresAt: own }, { giveBack: back });
  if (refused === undefined) sheet.lapse(back);
  return refused;
}

function reverse(desk: Desk, sheet: Sheet, { entryId, reason }: Command<'reverse'>): DomainError | undefined {
  const entry = desk.entry(entryId);
  if (entry === undefined) return new EntryNotFound(entryId);
  const why = whyNotReversible(entry);
  if (why !== null) return new EntryNotReversible(entry.id, why);
  const words = { kind: 'REVERSE', source: 'REVERSAL', rule: entry.rule, reverses: entry.id, reason } as const;
  if (entry.points < 0) {
    const taken = desk.takenBy(entry.settles ?? entry.id);
    return returnTo(desk, sheet, taken, ledger.credit(sheet.account, -entry.points), words);
  }
  sheet.lapse();
  // A part of what came may have paid a debt; what has lapsed is gone already.
  const points = entry.points - entry.debt - sheet.lapsedOf(entry.id);
  const movement = { ...ledger.takeBack(sheet.account, points), qualifying: 0 - entry.qualifying };
  if (movement.debt > 0 && desk.programme.reversalOfSpent === 'REFUSE') {
    return new InsufficientPoints(ledger.availableOf(sheet.account), points);
  }
  return sheet.write(movement, words, { take: -movement.points, own: entry.id });
}

/** Null when the entry can be taken back. */
function whyNotReversible(entry: OwnedEntryRow): string | null {
  if (entry.reversed) return 'it was reversed before';
  if (entry.kind === 'REVERSE') return 'it is a reversal itself; award or adjust instead';
  if (entry.kind === 'EXPIRE') return 'its points lapsed; adjust instead';
  if (entry.source === 'MERGE') return 'it stems from a merge of two customers';
  if (entry.waits) return 'it waits; void it instead';
  if (entry.phase === 'PENDING') return 'it waits no longer; reverse the entry that confirmed it';
  if (entry.phase === 'VOIDED') return 'it moved nothing';
  return null;
}
