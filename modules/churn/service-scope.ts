import type { CustomerGroup, Population } from '../../src/core/graph/index.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import { BUSINESS } from '../../src/core/settings/index.ts';
import { type MonthlyChurn, monthlyChurn } from './domain/rate.ts';
import type { Grouped, MoveRow } from './queries/reports.ts';
import { type Days, reportMonths } from './service-periods.ts';

/** A value that is loaded when it is asked for first, and once. */
export function lazy<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => {
    loading ??= load();
    return loading;
  };
}

/** Rows by group: the largest first, what is unknown or put together last. */
export function byGroup<Row extends Grouped>(rows: readonly Row[], weightOf: (row: Row) => number) {
  const groups = Map.groupBy(rows, ({ kind, key }) => (kind === 'VALUE' ? `=${key}` : kind));
  const weighed = [...groups.values()].map((own) => {
    const { kind, key } = own[0] as Row;
    const group: CustomerGroup = { kind, key };
    return { group, rows: own, weight: own.reduce((sum, row) => sum + weightOf(row), 0) };
  });
  const rank = { ALL: 0, VALUE: 0, OTHER: 1, UNKNOWN: 2 };
  return weighed.sort(
    (a, b) =>
      rank[a.group.kind] - rank[b.group.kind] ||
      b.weight - a.weight ||
      ((a.group.key ?? '') < (b.group.key ?? '') ? -1 : 1),
  );
}

export const sameGroup = (a: CustomerGroup, b: CustomerGroup): boolean => a.kind === b.kind && a.key === b.key;

/** From rows to months: stretch n is the month `labels[n]`. */
export function churnOf(labels: readonly string[], rows: readonly MoveRow[]): MonthlyChurn[] {
  const before = rows.reduce((sum, row) => (row.stretch < 0 ? sum + row.customers : sum), 0);
  const inside = rows.flatMap((row) => (row.stretch < 0 ? [] : [{ ...row, month: labels[row.stretch] as string }]));
  return monthlyChurn(labels, inside, before);
}

/** The months of the period itself: the second half. */
export const secondHalf = <T>(all: readonly T[]): T[] => all.slice(all.length / 2);
export const firstHalf = <T>(all: readonly T[]): T[] => all.slice(0, all.length / 2);

/** What the statements of a report share. */
export async function scopesOf({ settings, clock }: Infrastructure, days: Days, population: Population) {
  const { timeZone, reportingCurrency, grossMargin } = await settings.get(BUSINESS);
  const months = reportMonths(days, timeZone, clock.now());
  const byMonth = { bounds: months.bounds, population, timeZone };
  const byPeriod = { bounds: months.periodBounds, population, timeZone };
  return { months, byMonth, byPeriod, reportingCurrency, grossMargin };
}
