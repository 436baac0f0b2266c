import type { Tx, Write } from '../../../src/core/database/index.ts';
import type { TierKey } from '../domain/tiers.ts';
import { monthNumber } from '../period.ts';
import { addTo, placeOf, stretchesOf } from './domain/qualification.ts';
import type { Programme } from './programme.ts';
import { countedWrite, countMonths, type MonthEarning, monthSums, monthsWrite } from './queries-months.ts';

/** What counts for the tiers of locked accounts under a window of months, movements decided in this batch included. */
export interface QualificationDesk {
  /** The tiers before and after a movement. @param earnedAt when it was earned that is added, or taken back */
  place(account: { readonly id: string }, qualifying: number, earnedAt: Date): { before: TierKey; after: TierKey };
  /** A movement is to be written. @param entryCount of the account, with its entry */
  note(account: { readonly id: string }, entryCount: number, qualifying: number, earnedAt: Date): void;
  /** What has to be written with the entries. */
  writes(): Write[];
}

/** Opens it behind the locks; null while all that was ever earned counts, which accounts know themselves. */
export async function openQualification(
  tx: Tx,
  programme: Programme,
  now: Date,
  accountIds: readonly string[],
): Promise<QualificationDesk | null> {
  const { tiers, timeZone } = programme;
  const stretches = stretchesOf(programme.qualification.window, monthNumber(now, timeZone));
  if (stretches === null || accountIds.length === 0) return null;
  // Sent together, carried out in order: the second sees what the first has counted.
  const [, sums] = await Promise.all([countMonths(tx, accountIds, timeZone), monthSums(tx, accountIds, stretches)]);
  const nothing = stretches.map(() => 0);
  const months = new Map<string, MonthEarning>();
  const counted = new Map<string, number>();
  return {
    place(account, qualifying, earnedAt) {
      const before = sums.get(account.id) ?? nothing;
      const after = addTo(stretches, before, monthNumber(earnedAt, timeZone), qualifying);
      return { before: placeOf(tiers, before), after: placeOf(tiers, after) };
    },
    note(account, entryCount, qualifying, earnedAt) {
      counted.set(account.id, entryCount);
      if (qualifying === 0) return;
      const month = monthNumber(earnedAt, timeZone);
      sums.set(account.id, addTo(stretches, sums.get(account.id) ?? nothing, month, qualifying));
      const key = `${account.id} ${month}`;
      months.set(key, { accountId: account.id, month, earned: (months.get(key)?.earned ?? 0) + qualifying });
    },
    writes() {
      const writes: Write[] = [];
      if (months.size > 0) writes.push(monthsWrite([...months.values()]));
      if (counted.size > 0)
        writes.push(countedWrite([...counted].map(([accountId, entries]) => ({ accountId, entries }))));
      return writes;
    },
  };
}
