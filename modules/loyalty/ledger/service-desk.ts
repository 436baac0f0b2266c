import type { Earned, EarningDesk } from '../programme/service-earn.ts';
import type { QualificationDesk } from '../programme/service-qualification.ts';
import type { Lot } from './domain/lots.ts';
import type { OwnedEntryRow } from './queries.ts';
import type { LotBook } from './service-lots.ts';

/** What a batch knows while it decides, and what it has decided so far. */
export interface Desk extends EarningDesk {
  noteUse(accountId: string, use: NonNullable<Earned['use']>): void;
  /** Null while all that was ever earned counts for the tier. */
  readonly qualification: QualificationDesk | null;
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
