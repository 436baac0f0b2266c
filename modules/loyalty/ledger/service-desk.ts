import type { EarningRule } from '../domain/rules.ts';
import type { Tier } from '../domain/tiers.ts';
import type { Lot } from './domain/lots.ts';
import type { Expiry } from './expiry.ts';
import type { OwnedEntryRow } from './queries.ts';
import type { LotBook } from './service-lots.ts';

/** The programme in force, read once for a batch. */
export interface Programme {
  readonly tiers: readonly Tier[];
  readonly rules: readonly EarningRule[];
  readonly autoEnrol: boolean;
  readonly timeZone: string;
  readonly expiry: Expiry;
  readonly reversalOfSpent: 'DEBT' | 'REFUSE';
}

/** What a batch knows while it decides, and what it has decided so far. */
export interface Desk {
  readonly programme: Programme;
  readonly now: Date;
  /** Uses of a capped rule in a period, those decided in this batch included. */
  used(accountId: string, rule: string, periodStart: Date): number;
  noteUse(accountId: string, rule: string, periodStart: Date, times: number): void;
  readonly lots: LotBook;
  entry(id: string): OwnedEntryRow | undefined;
  /** What an entry took from lots, by age. */
  takenBy(entryId: string): readonly Lot[];
  /** How many points of a lot have lapsed. */
  lapsedOf(lotId: string): number;
  noteLapsed(lots: readonly Lot[]): void;
  noteReversed(id: string): void;
  noteSettled(id: string): void;
}
