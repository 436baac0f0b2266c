import type { CustomerGroup, Population } from '../../src/core/graph/index.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import type { RiskPort } from '../risk/contract.ts';
import type { MonthlyChurn } from './domain/rate.ts';
import { type ReasonShare, reasonShares } from './domain/reasons.ts';
import { type Recommendation, recommend } from './domain/recommendations.ts';
import { type CauseRow, churnedByCause, type MoveRow, moves, type ReasonRow, reasons } from './queries/reports.ts';
import type { Days, ReportMonths } from './service-periods.ts';
import { byGroup, churnOf, firstHalf, lazy, sameGroup, scopesOf, secondHalf } from './service-scope.ts';
import { INACTIVITY, RECOMMENDATIONS } from './settings.ts';

/** Comings and goings of a period and of the one before, in all and by month. */
export interface LogoChurn {
  readonly totals: MonthlyChurn;
  readonly previousTotals: MonthlyChurn;
  readonly months: readonly MonthlyChurn[];
  readonly previousMonths: readonly MonthlyChurn[];
}

export interface MonthReasons {
  readonly month: string;
  readonly reasons: readonly ReasonShare[];
}

export interface ChurnGroup extends LogoChurn {
  readonly group: CustomerGroup;
  reasons(): Promise<readonly ReasonShare[]>;
}

/** Churn of a period as `Query.churn` shows it; each figure loads when it is selected, once. */
export interface ChurnReport {
  readonly period: Days;
  readonly previousPeriod: Days;
  readonly population: Population;
  /** First day of the running month. */
  readonly thisMonth: string;
  totals(): Promise<Pick<LogoChurn, 'totals' | 'previousTotals'>>;
  months(): Promise<Pick<LogoChurn, 'months' | 'previousMonths'>>;
  /** The last month of the period that is over, and the month before it; null when none is. */
  lastMonths(): Promise<{ readonly current: MonthlyChurn | null; readonly previous: MonthlyChurn | null }>;
  groups(): Promise<readonly ChurnGroup[]>;
  causes(): Promise<readonly CauseRow[]>;
  reasons(): Promise<readonly ReasonShare[]>;
  reasonsByMonth(): Promise<readonly MonthReasons[]>;
  recommendations(): Promise<readonly Recommendation[]>;
  inactiveAfterDays(): Promise<number>;
}

export interface ReportService {
  /** @throws InvalidInput when the period is empty or too long */
  report(days: Days, population: Population): Promise<ChurnReport>;
}

function monthsOf(months: ReportMonths, rows: readonly MoveRow[]): Pick<LogoChurn, 'months' | 'previousMonths'> {
  const all = churnOf(months.labels, rows);
  return { months: secondHalf(all), previousMonths: firstHalf(all) };
}

function totalsOf(months: ReportMonths, rows: readonly MoveRow[]): Pick<LogoChurn, 'totals' | 'previousTotals'> {
  const [previousTotals, totals] = churnOf([months.previous.from, months.period.from], rows);
  return { totals: totals as MonthlyChurn, previousTotals: previousTotals as MonthlyChurn };
}

/** Counts each customer who was there or came once: what groups are ordered by. */
const everHere = ({ stretch, isNew, customers }: MoveRow): number => (stretch < 0 || isNew ? customers : 0);

/** Reports over what was derived: set-based statements whose number does not depend on months or groups. */
export function createReportService(
  infra: Infrastructure,
  health: Pick<RiskPort, 'healthDistribution'>,
): ReportService {
  const { database, settings } = infra;

  return {
    async report(days, population) {
      const { months, byMonth, byPeriod } = await scopesOf(infra, days, population);
      const monthMoves = lazy(() => moves(database, byMonth));
      const periodMoves = lazy(() => moves(database, byPeriod));
      const periodReasons = lazy(() => reasons(database, byPeriod));
      const lastMonths = lazy(async () => {
        const monthly = churnOf(months.labels, await monthMoves());
        const over = monthly.filter(({ month }) => month < months.thisMonth);
        const current = over.findLast(({ month }) => month >= months.period.from) ?? null;
        return { current, previous: current === null ? null : (over.at(-2) ?? null) };
      });
      const reasonsOf = (rows: readonly ReasonRow[]) =>
        reasonShares(
          rows.filter(({ stretch }) => stretch === 1),
          rows.filter(({ stretch }) => stretch === 0),
        );
      return {
        period: months.period,
        previousPeriod: months.previous,
        population,
        thisMonth: months.thisMonth,
        totals: async () => totalsOf(months, await periodMoves()),
        months: async () => monthsOf(months, await monthMoves()),
        lastMonths,
        async groups() {
          if (population.dimension === null) return [];
          const [inMonths, inPeriods] = await Promise.all([monthMoves(), periodMoves()]);
          return byGroup(inPeriods, everHere).map(({ group, rows }) => {
            const monthRows = inMonths.filter((row) => sameGroup(row, group));
            return {
              group,
              ...totalsOf(months, rows),
              ...monthsOf(months, monthRows),
              reasons: async () => reasonsOf((await periodReasons()).filter((row) => sameGroup(row, group))),
            };
          });
        },
        causes: () => churnedByCause(database, { ...byPeriod, bounds: months.periodBounds.slice(1) }),
        reasons: async () => reasonsOf(await periodReasons()),
        async reasonsByMonth() {
          const rows = await reasons(database, byMonth);
          const own = (n: number) => rows.filter(({ stretch }) => stretch === n);
          const count = months.labels.length;
          return secondHalf(months.labels).map((month, n) => {
            const at = count / 2 + n;
            return { month, reasons: reasonShares(own(at), own(at - 1)) };
          });
        },
        async recommendations() {
          const [rules, { current }, { meanScore }] = await Promise.all([
            settings.get(RECOMMENDATIONS),
            lastMonths(),
            health.healthDistribution(),
          ]);
          return recommend(rules, { monthlyChurn: current?.rate ?? null, meanHealth: meanScore });
        },
        inactiveAfterDays: async () => (await settings.get(INACTIVITY)).days,
      };
    },
  };
}
