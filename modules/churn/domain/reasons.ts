import { ratio } from './revenue.ts';

/** Customers who went for the same reason. */
export interface ReasonCount {
  readonly known: 'KNOWN' | 'UNKNOWN' | 'OTHER';
  /** In the words it was told with; null unless known. */
  readonly reason: string | null;
  readonly customers: number;
}

export interface ReasonShare extends ReasonCount {
  /** Of all who went; null when nobody did. */
  readonly share: number | null;
  readonly previousCustomers: number;
  readonly previousShare: number | null;
}

const keyOf = ({ known, reason }: ReasonCount): string => (known === 'KNOWN' ? `=${reason}` : known);

function counts(rows: readonly ReasonCount[]): Map<string, ReasonCount> {
  const sums = new Map<string, ReasonCount>();
  for (const row of rows) {
    const sum = sums.get(keyOf(row));
    const { known, reason } = row;
    sums.set(keyOf(row), { known, reason, customers: row.customers + (sum?.customers ?? 0) });
  }
  return sums;
}

const total = (sums: ReadonlyMap<string, ReasonCount>): number =>
  [...sums.values()].reduce((sum, { customers }) => sum + customers, 0);

/** Reasons of one stretch of time beside the one before, most frequent first. Rows of several groups are added up. */
export function reasonShares(current: readonly ReasonCount[], previous: readonly ReasonCount[]): ReasonShare[] {
  const [now, before] = [counts(current), counts(previous)];
  const [all, allBefore] = [total(now), total(before)];
  const every = new Map([...before, ...now]);
  return [...every]
    .map(([key, { known, reason }]) => {
      const customers = now.get(key)?.customers ?? 0;
      const previousCustomers = before.get(key)?.customers ?? 0;
      return {
        known,
        reason,
        customers,
        share: ratio(customers, all),
        previousCustomers,
        previousShare: ratio(previousCustomers, allBefore),
      };
    })
    .sort(
      (a, b) =>
        b.customers - a.customers || b.previousCustomers - a.previousCustomers || (keyOf(a) < keyOf(b) ? -1 : 1),
    );
}
