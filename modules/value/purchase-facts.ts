import { DateTime } from 'luxon';
import type { PurchaseFacts } from './domain/lifetime.ts';
import type { CustomerRow } from './queries/segments.ts';
import type { FeatureSnapshot } from './queries/snapshots.ts';

const DAY_MS = 86_400_000;

/** When and for how much a customer ordered; amounts in major units. */
type OrderDays = Pick<CustomerRow, 'orderDays' | 'firstOrderOn' | 'lastOrderOn'> & {
  readonly revenue: string | number;
  readonly firstDayRevenue: string | number;
};

/** Days of orders as BG/NBD counts them; the instant of the snapshot ends what was observed. */
export function purchaseFacts(
  rows: readonly OrderDays[],
  { at, terms }: Pick<FeatureSnapshot, 'at' | 'terms'>,
): PurchaseFacts {
  const end = DateTime.fromJSDate(at, { zone: terms.timeZone });
  const endDay = dayNumber(end.toISODate() as string) + end.diff(end.startOf('day')).as('days');
  const facts = {
    x: new Float64Array(rows.length),
    tx: new Float64Array(rows.length),
    T: new Float64Array(rows.length),
    meanAmount: new Float64Array(rows.length),
  };
  for (const [place, row] of rows.entries()) {
    const first = dayNumber(row.firstOrderOn);
    const repeats = row.orderDays - 1;
    facts.x[place] = repeats;
    facts.tx[place] = dayNumber(row.lastOrderOn) - first;
    facts.T[place] = endDay - first;
    if (repeats > 0) facts.meanAmount[place] = (Number(row.revenue) - Number(row.firstDayRevenue)) / repeats;
  }
  return facts;
}

const dayNumber = (day: string): number => Date.parse(`${day}T00:00:00Z`) / DAY_MS;
