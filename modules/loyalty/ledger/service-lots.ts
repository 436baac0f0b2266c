import type { Tx, Write } from '../../../src/core/database/index.ts';
import { byAge, type Lot, lapse, pointsIn } from './domain/lots.ts';
import {
  dueLots,
  type LotKey,
  type LotRow,
  type LotUseRow,
  lotsByKeys,
  lotsWrite,
  lotUsesWrite,
  newLotsWrite,
  oldestLots,
  spentLotsWrite,
} from './queries-lots.ts';

/** The lots of accounts while a batch decides: what was there, what is left, and who took what. */
export interface LotBook {
  /** Those of an account that are known here, by age: always enough for what the batch may take. */
  of(accountId: string): readonly Lot[];
  /** Puts what is left of an account's lots in place of what was known of them. */
  keep(accountId: string, lots: readonly Lot[]): void;
  /** A lot that comes with an entry. */
  add(accountId: string, lot: Lot): void;
  /** What entries took from lots, or gave back. */
  note(uses: readonly LotUseRow[]): void;
  /** Everything that changed. */
  writes(): Write[];
}

/** @param loaded lots as they are; none for who only adds some */
export function createLotBook(loaded: readonly LotRow[] = []): LotBook {
  const before = new Map<string, LotRow>();
  const lotsOf = new Map<string, readonly Lot[]>();
  const uses: LotUseRow[] = [];
  const of = (accountId: string) => lotsOf.get(accountId) ?? [];
  for (const lot of loaded) {
    if (!before.has(lot.id)) lotsOf.set(lot.accountId, [...of(lot.accountId), lot]);
    before.set(lot.id, lot);
  }
  const added = new Map<string, Lot[]>();

  const gather = (accountId: string) => {
    const more = added.get(accountId);
    if (more !== undefined) lotsOf.set(accountId, [...of(accountId), ...more]);
    added.delete(accountId);
  };

  return {
    of(accountId) {
      gather(accountId);
      return [...of(accountId)].sort(byAge);
    },
    keep(accountId, lots) {
      gather(accountId);
      lotsOf.set(accountId, lots);
    },
    add(accountId, lot) {
      const lots = added.get(accountId);
      if (lots === undefined) added.set(accountId, [lot]);
      else lots.push(lot);
    },
    note: (more) => uses.push(...more),
    writes() {
      for (const accountId of [...added.keys()]) gather(accountId);
      const made: LotRow[] = [];
      const changed: LotRow[] = [];
      const spent = new Map(before);
      for (const [accountId, lots] of lotsOf) {
        for (const lot of lots) {
          const known = before.get(lot.id);
          spent.delete(lot.id);
          if (known === undefined) made.push({ ...lot, accountId });
          else if (known.points !== lot.points) changed.push({ ...lot, accountId });
        }
      }
      return [
        ...(made.length === 0 ? [] : [newLotsWrite(made)]),
        ...(changed.length === 0 ? [] : [lotsWrite(changed)]),
        ...(spent.size === 0 ? [] : [spentLotsWrite([...spent.values()])]),
        ...(uses.length === 0 ? [] : [lotUsesWrite(uses)]),
      ];
    },
  };
}

/** What a batch may take, by account. */
export interface LotsNeeded {
  /** Points that may be taken, the oldest first. */
  readonly points: ReadonlyMap<string, number>;
  /** Lots that are needed whatever their age. */
  readonly keys: readonly LotKey[];
  /** Accounts whose lots are to lapse. */
  readonly expiring: readonly string[];
}

/** Lots of an account read at once; most of what is spent comes from the first few. */
const FIRST_PAGE = 16;
const NEXT_PAGES = 512;
/** Lots that lapse by one batch; what is due beyond them lapses by the next. */
const LAPSE_AT_ONCE = 500;

/** Reads the lots a batch needs, behind the locks of their accounts. */
export async function loadLots(tx: Tx, needed: LotsNeeded, now: Date): Promise<LotBook> {
  const [byKey, due] = await Promise.all([
    lotsByKeys(tx, needed.keys),
    needed.expiring.length === 0 ? [] : dueLots(tx, needed.expiring, now, LAPSE_AT_ONCE),
  ]);
  const found = [...byKey, ...due];
  let wanted = [...needed.points].map(([accountId, points]) => ({ accountId, points, after: null as LotKey | null }));
  for (let size = FIRST_PAGE; wanted.length > 0; size = NEXT_PAGES) {
    const rows = await oldestLots(tx, wanted, size);
    found.push(...rows);
    const pages = Map.groupBy(rows, (row) => row.accountId);
    wanted = wanted.flatMap(({ accountId, points }) => {
      const page = pages.get(accountId) ?? [];
      const missing = points - pointsIn(lapse(page, now).left);
      return missing > 0 && page.length === size ? [{ accountId, points: missing, after: page.at(-1) ?? null }] : [];
    });
  }
  return createLotBook(found);
}
