import { DateTime } from 'luxon';
import { InvalidInput } from '../../src/core/errors.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import { BUSINESS } from '../../src/core/settings/index.ts';
import type { ChurnPort, MonthlyChurn } from '../churn/contract.ts';
import type { CustomerPort, RevenueFacts } from '../customers/contract.ts';
import type { LoyaltyPort, ProgrammeFacts } from '../loyalty/contract.ts';
import type { HealthDistribution, RiskPort } from '../risk/contract.ts';

/** A half-open range of days. */
export interface Days {
  readonly from: string;
  readonly to: string;
}

/** The business at a glance; each figure loads when it is selected. */
export interface Dashboard {
  readonly period: Days;
  /** As long as `period`, right before it. */
  readonly previous: Days;
  readonly now: Date;
  customers(): Promise<number>;
  /** The last complete month of each period; null when it has none. */
  churn(): Promise<{ readonly current: MonthlyChurn | null; readonly previous: MonthlyChurn | null }>;
  revenue(): Promise<{ readonly current: RevenueFacts; readonly previous: RevenueFacts }>;
  health(): Promise<HealthDistribution>;
  loyalty(): Promise<ProgrammeFacts>;
}

export interface DashboardPorts {
  readonly customers: CustomerPort;
  readonly churn: ChurnPort;
  readonly risk: RiskPort;
  readonly loyalty: LoyaltyPort;
}

export interface DashboardService {
  /** @throws InvalidInput when the period is empty */
  dashboard(period: Days): Promise<Dashboard>;
}

export function createDashboardService(infra: Infrastructure, ports: DashboardPorts): DashboardService {
  return {
    async dashboard(period) {
      const { timeZone } = await infra.settings.get(BUSINESS);
      const startOf = (day: string) => DateTime.fromISO(day, { zone: timeZone });
      const [from, to] = [startOf(period.from), startOf(period.to)];
      if (!from.isValid || !to.isValid || to <= from) {
        throw new InvalidInput(
          `The period from ${period.from} to ${period.to} is empty; "to" is the day after its last day.`,
          {
            path: ['period', 'to'],
          },
        );
      }
      const length = to.diff(from, 'days');
      const previous: Days = { from: from.minus(length).toISODate() as string, to: period.from };
      const now = infra.clock.now();
      const revenueOf = (days: Days) =>
        ports.customers.revenue({ from: startOf(days.from).toJSDate(), to: startOf(days.to).toJSDate() });
      return {
        period,
        previous,
        now,
        customers: () => ports.customers.count(),
        churn: async () => ({
          current: await ports.churn.lastMonth(period.from, period.to),
          previous: await ports.churn.lastMonth(previous.from, previous.to),
        }),
        revenue: async () => ({ current: await revenueOf(period), previous: await revenueOf(previous) }),
        health: () => ports.risk.healthDistribution(),
        loyalty: () => ports.loyalty.programme(),
      };
    },
  };
}
