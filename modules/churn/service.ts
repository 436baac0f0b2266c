import { EVERYBODY } from '../../src/core/graph/index.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import type { CustomerPort } from '../customers/contract.ts';
import type { RiskPort } from '../risk/contract.ts';
import type { ChurnPort } from './contract.ts';
import { goneAt } from './queries/lifecycles.ts';
import { type CohortService, createCohortService } from './service-cohorts.ts';
import { createRefreshService, type RefreshService } from './service-refresh.ts';
import { createReportService, type ReportService } from './service-reports.ts';
import { createRevenueService, type RevenueService } from './service-revenue.ts';

export interface ChurnService extends ChurnPort, RefreshService, ReportService, RevenueService, CohortService {}

/** What other modules tell `churn`. */
export interface ChurnPorts {
  readonly customers: CustomerPort;
  /** Mean health, for recommendations. */
  readonly health: Pick<RiskPort, 'healthDistribution'>;
}

export function createChurnService(infra: Infrastructure, ports: ChurnPorts): ChurnService {
  const reports = createReportService(infra, ports.health);
  const everybody = (from: string, to: string) => reports.report({ from, to }, EVERYBODY);
  return {
    ...createRefreshService(infra, ports.customers),
    ...createRevenueService(infra),
    ...createCohortService(infra),
    ...reports,
    monthly: async (fromDay, toDay) => (await (await everybody(fromDay, toDay)).months()).months,
    lastMonth: async (fromDay, toDay) => {
      const report = await everybody(fromDay, toDay);
      const { months } = await report.months();
      const ends = [...months.slice(1).map(({ month }) => month), report.period.to];
      return months.findLast(({ month }, n) => month < report.thisMonth && (ends[n] as string) <= toDay) ?? null;
    },
    goneAt: (customerIds, at) => goneAt(infra.database, customerIds, at),
  };
}
