import type { CustomerGroup, Population } from '../../src/core/graph/index.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import type { MonthlyChurn } from './domain/rate.ts';
import { lifetimeValue, type MrrFigures, mrrFigures, ratio } from './domain/revenue.ts';
import { type Grouped, type MovementRow, movementSums, moves } from './queries/reports.ts';
import type { Days, ReportMonths } from './service-periods.ts';
import { byGroup, churnOf, lazy, sameGroup, scopesOf, secondHalf } from './service-scope.ts';

/** MRR of a stretch of time in one currency. */
export interface MrrStretch extends MrrFigures {
  readonly days: Days;
  readonly currency: string;
  /** ARPA × gross margin / monthly churn, minor units; null when nobody pays or nobody leaves. */
  lifetimeValue(): Promise<number | null>;
}

export interface MrrReport {
  readonly totals: MrrStretch;
  readonly previousTotals: MrrStretch;
  readonly months: readonly MrrStretch[];
}

/** Revenue of a period as `Query.revenue` shows it. */
export interface RevenueReport {
  readonly period: Days;
  readonly previousPeriod: Days;
  readonly currency: string;
  readonly grossMargin: number;
  all(): Promise<MrrReport>;
  groups(): Promise<readonly (MrrReport & { readonly group: CustomerGroup })[]>;
  /** Currencies without a rate, each on its own. */
  unconverted(): Promise<readonly MrrReport[]>;
}

export interface RevenueService {
  /** @throws InvalidInput when the period is empty or too long */
  revenue(days: Days, population: Population): Promise<RevenueReport>;
}

/** Mean monthly rate, weighted by the customers at the start of each month. */
const meanRate = (months: readonly MonthlyChurn[]): number | null =>
  ratio(
    months.reduce((sum, month) => sum + month.churned, 0),
    months.reduce((sum, month) => sum + month.start, 0),
  );

interface MrrSources {
  readonly months: ReportMonths;
  readonly currency: string;
  readonly grossMargin: number;
  /** Monthly churn of the same customers. */
  logo(): Promise<readonly MonthlyChurn[]>;
}

function mrrReport(sources: MrrSources, byMonth: readonly MovementRow[], byPeriod: readonly MovementRow[]): MrrReport {
  const { months, currency, grossMargin, logo } = sources;
  const sums = (rows: readonly MovementRow[]) =>
    rows.map(({ kind: _group, movement, ...row }) => ({ ...row, kind: movement }));
  const stretch = (figures: MrrFigures, days: Days, from: number, to: number): MrrStretch => ({
    ...figures,
    days,
    currency,
    lifetimeValue: async () => lifetimeValue(figures.arpaMinor, grossMargin, meanRate((await logo()).slice(from, to))),
  });
  const count = months.labels.length;
  const monthly = mrrFigures(count, sums(byMonth)).map((figures, n) => {
    const to = months.labels[n + 1] ?? months.period.to;
    return stretch(figures, { from: months.labels[n] as string, to }, n, n + 1);
  });
  const [before, current] = mrrFigures(2, sums(byPeriod)) as [MrrFigures, MrrFigures];
  return {
    totals: stretch(current, months.period, count / 2, count),
    previousTotals: stretch(before, months.previous, 0, count / 2),
    months: secondHalf(monthly),
  };
}

/** MRR reports over the movements derived: set-based statements whose number does not depend on months or groups. */
export function createRevenueService(infra: Infrastructure): RevenueService {
  const { database } = infra;
  return {
    async revenue(days, population) {
      const { months, byMonth, byPeriod, reportingCurrency, grossMargin } = await scopesOf(infra, days, population);
      const monthMoves = lazy(() => moves(database, byMonth));
      const load = lazy(async () => {
        const [inMonths, inPeriods] = await Promise.all([
          movementSums(database, byMonth),
          movementSums(database, byPeriod),
        ]);
        return { inMonths, inPeriods };
      });
      const reportOf = (currency: string, rows: Awaited<ReturnType<typeof load>>, group: CustomerGroup | null) => {
        const mine = <Row extends Grouped>(row: Row) => group === null || sameGroup(row, group);
        const logo = async () => churnOf(months.labels, (await monthMoves()).filter(mine));
        const own = (row: MovementRow) => row.currency === currency && mine(row);
        return mrrReport(
          { months, currency, grossMargin, logo },
          rows.inMonths.filter(own),
          rows.inPeriods.filter(own),
        );
      };
      return {
        period: months.period,
        previousPeriod: months.previous,
        currency: reportingCurrency,
        grossMargin,
        all: lazy(async () => reportOf(reportingCurrency, await load(), null)),
        async groups() {
          if (population.dimension === null) return [];
          const rows = await load();
          const converted = rows.inPeriods.filter(({ currency }) => currency === reportingCurrency);
          return byGroup(converted, ({ deltaMinor }) => deltaMinor).map(({ group }) => ({
            group,
            ...reportOf(reportingCurrency, rows, group),
          }));
        },
        async unconverted() {
          const rows = await load();
          const others = new Set(
            rows.inPeriods.map(({ currency }) => currency).filter((one) => one !== reportingCurrency),
          );
          return [...others].sort().map((currency) => reportOf(currency, rows, null));
        },
      };
    },
  };
}
