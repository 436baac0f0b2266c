import { type Builder, periodInput, periodType } from '../../src/core/builder/index.ts';
import type { MonthlyChurn } from '../churn/contract.ts';
import type { RevenueFacts } from '../customers/contract.ts';
import type { ProgrammeFacts } from '../loyalty/contract.ts';
import type { HealthDistribution } from '../risk/contract.ts';
import type { Dashboard, DashboardService } from './service.ts';

/** `Query.dashboard`. */
export const dashboardSchema = (service: DashboardService) => (builder: Builder) => {
  const Period = periodType(builder);
  const ChurnRate = builder.objectRef<MonthlyChurn>('ChurnRate').implement({
    description: 'Logo churn of one complete month, with the counts it came from.',
    fields: (t) => ({
      month: t.expose('month', { type: 'LocalDate', description: 'First day of the month.' }),
      start: t.exposeInt('start', { description: 'Customers active when it began.' }),
      churned: t.exposeInt('churned', { description: 'Of these, gone when it ended.' }),
      rate: t.exposeFloat('rate', {
        nullable: true,
        description: 'churned / start; null when nobody was there to leave.',
      }),
    }),
  });
  const ChurnMetric = builder
    .objectRef<{ readonly current: MonthlyChurn | null; readonly previous: MonthlyChurn | null }>('ChurnMetric')
    .implement({
      description: 'Churn rate of the last complete month of a period, and of the period before.',
      fields: (t) => ({
        definition: t.string({
          description: 'What is counted.',
          resolve: () =>
            'Customers active at the start of the last complete month of the period who left in it, of all active at its start.',
        }),
        current: t.field({
          type: ChurnRate,
          nullable: true,
          description: 'In the period; null when it has no complete month.',
          resolve: (m) => m.current,
        }),
        previous: t.field({
          type: ChurnRate,
          nullable: true,
          description: 'In the period before.',
          resolve: (m) => m.previous,
        }),
      }),
    });
  const Unconverted = builder.objectRef<RevenueFacts['unconverted'][number]>('UnconvertedRevenue').implement({
    description: 'Revenue for which there is no exchange rate: shown apart, never added.',
    fields: (t) => ({
      amount: t.field({
        type: 'Money',
        description: 'In its own currency.',
        resolve: ({ amountMinor, currency }) => ({ amountMinor, currency }),
      }),
      orders: t.exposeInt('orders', { description: 'How many orders.' }),
    }),
  });
  const Revenue = builder.objectRef<RevenueFacts>('Revenue').implement({
    description: 'What was ordered, less what was returned.',
    fields: (t) => ({
      amount: t.field({
        type: 'Money',
        description: 'In the reporting currency.',
        resolve: (r) => ({ amountMinor: r.reportingAmountMinor, currency: r.reportingCurrency }),
      }),
      orders: t.exposeInt('orders', { description: 'Orders placed.' }),
      customers: t.exposeInt('customers', { description: 'Customers who placed one.' }),
      unconverted: t.field({
        type: [Unconverted],
        description: 'Amounts in currencies without a rate.',
        resolve: (r) => [...r.unconverted],
      }),
    }),
  });
  const RevenueMetric = builder
    .objectRef<{ readonly current: RevenueFacts; readonly previous: RevenueFacts }>('RevenueMetric')
    .implement({
      description: 'Revenue of a period and of the one before.',
      fields: (t) => ({
        definition: t.string({
          description: 'What is counted.',
          resolve: () => 'Orders placed in the period in the reporting currency, returns taken off.',
        }),
        current: t.field({ type: Revenue, description: 'In the period.', resolve: (m) => m.current }),
        previous: t.field({ type: Revenue, description: 'In the period before.', resolve: (m) => m.previous }),
      }),
    });
  const Distribution = builder.objectRef<HealthDistribution>('HealthDistribution').implement({
    description: 'How the customers are doing now.',
    fields: (t) => ({
      healthy: t.int({ description: 'Customers in tier HEALTHY.', resolve: (d) => d.tiers.HEALTHY }),
      neutral: t.int({ description: 'Customers in tier NEUTRAL.', resolve: (d) => d.tiers.NEUTRAL }),
      poor: t.int({ description: 'Customers in tier POOR.', resolve: (d) => d.tiers.POOR }),
      unknown: t.int({ description: 'Assessed customers of whom nothing is known.', resolve: (d) => d.tiers.UNKNOWN }),
      meanScore: t.exposeFloat('meanScore', {
        nullable: true,
        description: 'Mean of the known scores; null when there is none.',
      }),
      histogram: t.intList({
        description: 'Customers by tenths of the score, from [0,10) to [90,100].',
        resolve: (d) => [...d.histogram],
      }),
      secure: t.int({ description: 'Customers in risk category SECURE.', resolve: (d) => d.categories.SECURE }),
      monitor: t.int({ description: 'Customers in risk category MONITOR.', resolve: (d) => d.categories.MONITOR }),
      atRisk: t.int({ description: 'Customers in risk category AT_RISK.', resolve: (d) => d.categories.AT_RISK }),
      critical: t.int({ description: 'Customers in risk category CRITICAL.', resolve: (d) => d.categories.CRITICAL }),
    }),
  });
  const Loyalty = builder.objectRef<ProgrammeFacts>('LoyaltyParticipation').implement({
    description: 'The loyalty programme in numbers.',
    fields: (t) => ({
      members: t.exposeInt('members', { description: 'Customers who joined.' }),
      participation: t.exposeFloat('participation', {
        nullable: true,
        description: 'Share of members with points; null without members.',
      }),
      outstandingPoints: t.field({
        type: 'SafeInt',
        description: 'Sum of all balances.',
        resolve: (p) => p.outstandingPoints,
      }),
    }),
  });
  const DashboardType = builder.objectRef<Dashboard>('Dashboard').implement({
    description: 'The business at a glance: each figure with its definition, its period and the one before.',
    fields: (t) => ({
      period: t.field({ type: Period, description: 'What was asked for.', resolve: (d) => d.period }),
      previousPeriod: t.field({
        type: Period,
        description: 'As long, right before it: what "previous" figures cover.',
        resolve: (d) => d.previous,
      }),
      now: t.field({ type: 'DateTime', description: 'What time it is for the business.', resolve: (d) => d.now }),
      customers: t.int({ description: 'Customers known now.', resolve: (d) => d.customers() }),
      churn: t.field({ type: ChurnMetric, description: 'Logo churn.', complexity: 20, resolve: (d) => d.churn() }),
      revenue: t.field({ type: RevenueMetric, description: 'Revenue.', complexity: 20, resolve: (d) => d.revenue() }),
      health: t.field({
        type: Distribution,
        description: 'Health and retention risk.',
        complexity: 20,
        resolve: (d) => d.health(),
      }),
      loyalty: t.field({
        type: Loyalty,
        description: 'The loyalty programme.',
        complexity: 20,
        resolve: (d) => d.loyalty(),
      }),
    }),
  });
  builder.queryField('dashboard', (t) =>
    t.field({
      type: DashboardType,
      description: 'The business at a glance.',
      authScopes: { scope: 'dashboard:read' },
      args: { period: t.arg({ type: periodInput(builder), required: true, description: 'The days looked at.' }) },
      resolve: (_root, { period }) => service.dashboard(period),
    }),
  );
};
