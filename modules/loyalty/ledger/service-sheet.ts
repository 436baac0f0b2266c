import { DomainError, InvalidInput } from '../../../src/core/errors.ts';
import { newId } from '../../../src/core/ids.ts';
import { type TierChange, tierChange } from '../domain/tiers.ts';
import { InsufficientPoints } from '../errors.ts';
import type { Earned } from '../programme/service-earn.ts';
import * as ledger from './domain/ledger.ts';
import { type Lot, lapse, pointsIn, put, take } from './domain/lots.ts';
import type { AccountRow, EntryRow } from './queries.ts';
import type { Desk } from './service-desk.ts';

/** An entry to be written; who asked for it comes later. */
export type NewEntry = Omit<EntryRow, 'actor'>;

/** A decision: what to write, and the account after it. */
export interface Decision {
  /** What was asked for. */
  readonly entry: NewEntry;
  /** What lapsed before it, or by it. */
  readonly lapsed: NewEntry | null;
  readonly account: AccountRow;
  readonly tierChange: TierChange | null;
  /** By what it was earned; null for what is no earning. */
  readonly earned: Earned | null;
}

/** What an entry says beside its movement. */
export interface Words {
  readonly kind: ledger.EntryKind;
  readonly phase?: ledger.EntryPhase;
  readonly source: ledger.EntrySource;
  readonly rule?: string | null;
  readonly ruleVersion?: number | null;
  readonly sourceId?: string | null;
  readonly reverses?: string | null;
  readonly settles?: string | null;
  readonly reason?: string | null;
  readonly effectiveAt?: Date;
  readonly expiresAt?: Date | null;
}

/** What an entry does to lots beside bringing one. */
export type LotEffect =
  /** Takes points, from its own lot first, then the oldest. */
  | { readonly take: number; readonly own?: string }
  /** Gives points back to lots they were taken from. */
  | { readonly giveBack: readonly Lot[] };

/** An account while one command is decided: the desk learns what is written on it when it is closed, or never. */
export class Sheet {
  account: AccountRow;
  /** By what it was earned that is written. */
  earned: Earned | null = null;
  readonly #desk: Desk;
  readonly #tierBefore: AccountRow['tier'];
  #lots: readonly Lot[] | undefined;
  readonly #uses: { entryId: string; lotId: string; points: number }[] = [];
  #created: Lot | undefined;
  #lapsedLots: readonly Lot[] = [];
  #entry: NewEntry | undefined;
  #lapsed: NewEntry | null = null;
  readonly #counting: { readonly points: number; readonly earnedAt: Date }[] = [];

  constructor(desk: Desk, account: AccountRow) {
    this.#desk = desk;
    this.#tierBefore = account.tier;
    this.account = account;
  }

  /** Writes what was asked for. What it brings and gives to no other lot is a lot of its own. */
  write(movement: ledger.Movement, words: Words, effect?: LotEffect): DomainError | undefined {
    const entry = this.#write(movement, words);
    if (entry instanceof DomainError) return entry;
    this.#entry = entry;
    let brought = movement.points - movement.held;
    if (effect !== undefined) brought += this.#apply(entry.id, effect);
    if (brought > 0) {
      const { id, effectiveAt: earnedAt, expiresAt } = entry;
      this.#created = { id, earnedAt, expiresAt, points: brought };
    }
    return undefined;
  }

  /**
   * Lots whose time is over lapse: before anything is taken, and after something was given back.
   * @param only these: what was given back, beside which others may not have been looked at
   */
  lapse(only?: readonly Lot[]): readonly Lot[] {
    const lots = this.#known();
    const ids = only === undefined ? undefined : new Set(only.map((lot) => lot.id));
    const { due } = lapse(ids === undefined ? lots : lots.filter((lot) => ids.has(lot.id)), this.#desk.now);
    if (due.length === 0) return due;
    const left = lots.filter((lot) => !due.includes(lot));
    const lapsed = this.#write(ledger.debit(pointsIn(due)), { kind: 'EXPIRE', source: 'EXPIRY' });
    if (lapsed instanceof DomainError) throw lapsed;
    this.#lapsed = lapsed;
    this.#lots = left;
    this.#lapsedLots = due;
    for (const lot of due) this.#uses.push({ entryId: lapsed.id, lotId: lot.id, points: lot.points });
    return due;
  }

  /** How many points of a lot have lapsed, those on this sheet included. */
  lapsedOf(lotId: string): number {
    return this.#desk.lapsedOf(lotId) + pointsIn(this.#lapsedLots.filter((lot) => lot.id === lotId));
  }

  close(): Decision {
    const entry = this.#entry ?? this.#lapsed;
    if (entry === null) throw new Error('a command wrote no entry');
    const { lots } = this.#desk;
    if (this.#lots !== undefined) lots.keep(this.account.id, this.#lots);
    if (this.#created !== undefined) lots.add(this.account.id, this.#created);
    if (this.#uses.length > 0) lots.note(this.#uses);
    if (this.#lapsedLots.length > 0) this.#desk.noteLapsed(this.#lapsedLots);
    for (const { points, earnedAt } of this.#counting) {
      this.#desk.qualification?.note(this.account, this.account.entryCount, points, earnedAt);
    }
    if (this.earned !== null && this.earned.use !== null) this.#desk.noteUse(this.account.id, this.earned.use);
    if (entry.reverses !== null) this.#desk.noteReversed(entry.reverses);
    if (entry.settles !== null) this.#desk.noteSettled(entry.settles);
    const change = tierChange(this.#tierBefore, this.account.tier);
    const account = change === null ? this.account : { ...this.account, tierSince: entry.recordedAt };
    const lapsed = entry === this.#lapsed ? null : this.#lapsed;
    return { entry, lapsed, account, tierChange: change, earned: this.earned };
  }

  #known(): readonly Lot[] {
    this.#lots ??= this.#desk.lots.of(this.account.id);
    return this.#lots;
  }

  /** @returns points it took from lots, less those it gave back */
  #apply(entryId: string, effect: LotEffect): number {
    if ('take' in effect) {
      const { left, uses } = take(this.#known(), effect.take, effect.own);
      this.#lots = left;
      for (const use of uses) this.#uses.push({ entryId, ...use });
      return effect.take;
    }
    this.#lots = put(this.#known(), effect.giveBack);
    for (const lot of effect.giveBack) this.#uses.push({ entryId, lotId: lot.id, points: -lot.points });
    return -pointsIn(effect.giveBack);
  }

  #write(movement: ledger.Movement, words: Words): NewEntry | DomainError {
    const { now, programme, qualification } = this.#desk;
    // What is taken back is taken from when it was earned.
    const earnedAt = this.#desk.entry(words.reverses ?? '')?.effectiveAt ?? words.effectiveAt ?? now;
    const places = qualification?.place(this.account, movement.qualifying, earnedAt);
    const posting = ledger.post(this.account, { ...movement, places }, programme.tiers, now);
    if ('kind' in posting) {
      if (posting.kind === 'insufficientPoints') {
        return new InsufficientPoints(posting.available, movement.held - movement.points);
      }
      return new InvalidInput(`An account holds at most ${ledger.BALANCE_MAX} points.`, { path: ['points'] });
    }
    const { after, number, balanceAfter, recordedAt } = posting;
    this.account = { ...this.account, ...after };
    this.#counting.push({ points: movement.qualifying, earnedAt });
    return {
      id: newId(),
      accountId: this.account.id,
      number,
      kind: words.kind,
      phase: words.phase ?? 'POSTED',
      points: movement.points,
      pending: movement.pending,
      held: movement.held,
      debt: movement.debt,
      qualifying: movement.qualifying,
      balanceAfter,
      rule: words.rule ?? null,
      ruleVersion: words.ruleVersion ?? null,
      source: words.source,
      sourceId: words.sourceId ?? null,
      reverses: words.reverses ?? null,
      settles: words.settles ?? null,
      reason: words.reason ?? null,
      effectiveAt: words.effectiveAt ?? now,
      recordedAt,
      expiresAt: words.expiresAt ?? null,
    };
  }
}
