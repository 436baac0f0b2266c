import { type Builder, periodInput, periodType } from '../../../src/core/builder/index.ts';
import { customerGroupType, filterArg, groupByArg, populationOf } from '../../../src/core/graph/index.ts';
import type { MonthlyChurn } from '../domain/rate.ts';
import type { ReasonShare } from '../domain/reasons.ts';
import type { Recommendation } from '../domain/recommendations.ts';
import type { ChurnService } from '../service.ts';
import type { ChurnGroup, ChurnReport, MonthReasons } from '../service-reports.ts';
import { COHORTS_COST, type cohortFields } from './cohorts.ts';
import { SCOPE } from './status.ts';

/** Declares `Query.churn`. */
export function churnReportField(
  builder: Builder,
  service: ChurnService,
  cohorts: ReturnType<typeof cohortFields>,
): void {
  const types = { ...churnCounts(builder), ...reasonTypes(builder), Advice: recommendationType(builder) };
  const Period = periodType(builder);
  const Group = builder.objectRef<ChurnGroup>('ChurnGroup').implement({
    description: 'Churn of the customers who have the same value of a dimension.',
    fields: (t) => ({
      group: t.field({ type: customerGroupType(builder), description: 'Who they are.', resolve: (g) => g.group }),
      totals: t.field({ type: types.Totals, description: 'Over the period as a whole.', resolve: (g) => g.totals }),
      previousTotals: t.field({
        type: types.Totals,
        description: 'Over the period before.',
        resolve: (g) => g.previousTotals,
      }),
      months: t.field({ type: [types.Month], description: 'Month by month.', resolve: (g) => [...g.months] }),
      reasons: t.field({
        type: [types.Reason],
        description: 'Why they went, most frequent first.',
        resolve: async (g) => [...(await g.reasons())],
      }),
    }),
  });

  const Report = builder.objectRef<ChurnReport>('ChurnReport').implement({
    description: 'Who came and who went in a period, why, and what to do about it.',
    fields: (t) => ({
      period: t.field({
        type: Period,
        description: 'The whole months looked at; months that have not begun are left out.',
        resolve: (r) => r.period,
      }),
      previousPeriod: t.field({
        type: Period,
        description: 'As many months right before it: what "previous" figures cover.',
        resolve: (r) => r.previousPeriod,
      }),
      totals: t.field({
        type: types.Totals,
        description: 'The period as a whole.',
        resolve: async (r) => (await r.totals()).totals,
      }),
      previousTotals: t.field({
        type: types.Totals,
        description: 'The period before.',
        resolve: async (r) => (await r.totals()).previousTotals,
      }),
      current: t.field({
        type: types.Month,
        nullable: true,
        description: 'The current rate: the last month of the period that is over; null when none is.',
        resolve: async (r) => (await r.lastMonths()).current,
      }),
      previous: t.field({
        type: types.Month,
        nullable: true,
        description: 'The month before `current`.',
        resolve: async (r) => (await r.lastMonths()).previous,
      }),
      months: t.field({
        type: [types.Month],
        description: 'The trend, month by month; the running one as far as it has gone.',
        resolve: async (r) => [...(await r.months()).months],
      }),
      previousMonths: t.field({
        type: [types.Month],
        description: 'As many months before.',
        resolve: async (r) => [...(await r.months()).previousMonths],
      }),
      groups: t.field({
        type: [Group],
        description:
          'The same by group, the largest first, those unknown and put together last; empty without `groupBy`.',
        resolve: async (r) => [...(await r.groups())],
      }),
      causes: t.field({
        type: [types.ByCause],
        description: 'Who went, by how it is known, most first.',
        resolve: async (r) => [...(await r.causes())],
      }),
      reasons: t.field({
        type: [types.Reason],
        description: 'Why customers went, most frequent first: those who went in the period and were gone at its end.',
        resolve: async (r) => [...(await r.reasons())],
      }),
      reasonsByMonth: t.field({
        type: [types.MonthReasons],
        description: 'The same month by month, each beside the month before.',
        resolve: async (r) => [...(await r.reasonsByMonth())],
      }),
      cohorts: t.field({
        type: cohorts.Matrix,
        description: 'The latest 36 cohorts of the same customers.',
        complexity: COHORTS_COST,
        args: cohorts.args(t.arg),
        resolve: ({ population }, args) => service.cohorts({ ...args, period: null, population }),
      }),
      recommendations: t.field({
        type: [types.Advice],
        description:
          'What to do, by the rules of the setting churn.recommendations; nothing where the rate is not known. The rate is that of `current`, mean health that of all customers now.',
        resolve: async (r) => [...(await r.recommendations())],
      }),
      inactiveAfterDays: t.int({
        description: 'The days without activity in force.',
        resolve: (r) => r.inactiveAfterDays(),
      }),
    }),
  });
  builder.queryField('churn', (t) =>
    t.field({
      type: Report,
      description:
        'Logo churn by month: customers active at the start of a month who left in it, always with the counts it came from.',
      authScopes: { scope: SCOPE },
      complexity: 50,
      args: {
        period: t.arg({
          type: periodInput(builder),
          required: true,
          description: 'The months that begin in or contain these days.',
        }),
        filter: filterArg(builder, t.arg),
        groupBy: groupByArg(builder, t.arg),
      },
      resolve: (_root, { period, ...who }, context) => service.report(period, populationOf(builder, context, who)),
    }),
  );
}

const COUNTS = {
  start: 'Customers active when it began.',
  new: 'Customers who came for the first time and stayed.',
  churned: 'Active when it began and gone when it ended.',
  reactivated: 'Gone when it began and active when it ended.',
  joinedAndLeft: 'Came for the first time and went within it; in none of the other counts.',
  end: 'Customers active when it ended.',
} as const;

function churnCounts(builder: Builder) {
  const Month = builder.objectRef<MonthlyChurn>('MonthlyChurn').implement({
    description:
      'Comings and goings of a calendar month in the time zone of the business: start + new + reactivated - churned = end.',
    fields: (t) => ({
      month: t.expose('month', { type: 'LocalDate', description: 'Its first day.' }),
      start: t.exposeInt('start', { description: COUNTS.start }),
      new: t.exposeInt('new', { description: COUNTS.new }),
      churned: t.exposeInt('churned', { description: COUNTS.churned }),
      reactivated: t.exposeInt('reactivated', { description: COUNTS.reactivated }),
      joinedAndLeft: t.exposeInt('joinedAndLeft', {
        description: 'Came for the first time and went within the month; in none of the other counts.',
      }),
      end: t.exposeInt('end', { description: COUNTS.end }),
      rate: t.exposeFloat('rate', {
        nullable: true,
        description: 'churned / start; null when nobody was there to leave.',
      }),
    }),
  });
  const Totals = builder.objectRef<MonthlyChurn>('ChurnTotals').implement({
    description: 'Comings and goings of a period taken as one: start + new + reactivated - churned = end.',
    fields: (t) => ({
      start: t.exposeInt('start', { description: COUNTS.start }),
      new: t.exposeInt('new', { description: COUNTS.new }),
      churned: t.exposeInt('churned', { description: COUNTS.churned }),
      reactivated: t.exposeInt('reactivated', { description: COUNTS.reactivated }),
      joinedAndLeft: t.exposeInt('joinedAndLeft', { description: COUNTS.joinedAndLeft }),
      end: t.exposeInt('end', { description: COUNTS.end }),
      rate: t.exposeFloat('rate', {
        nullable: true,
        description: 'churned / start, of the whole period and not a month; null when nobody was there to leave.',
      }),
    }),
  });
  return { Month, Totals };
}

function reasonTypes(builder: Builder) {
  const Cause = builder.enumType('ChurnCause', {
    description: 'How it is known that a customer is gone.',
    values: {
      INACTIVITY: { description: 'No activity for the days set (90), and no subscription.' },
      CANCELLATION: { description: 'The last subscription ended.' },
      OPERATOR: { description: 'An operator set the status CHURNED.' },
    } as const,
  });
  const ByCause = builder.objectRef<Awaited<ReturnType<ChurnReport['causes']>>[number]>('ChurnByCause').implement({
    description: 'Customers who went, by how it is known.',
    fields: (t) => ({
      cause: t.field({ type: Cause, description: 'How it is known.', resolve: (c) => c.cause }),
      customers: t.exposeInt('customers', { description: 'How many went in the period.' }),
    }),
  });
  const Known = builder.enumType('ChurnReasonKind', {
    description: 'Whether it is known why customers went.',
    values: {
      KNOWN: { description: 'For the reason given.' },
      UNKNOWN: { description: 'Nobody said why.' },
      OTHER: { description: 'For reasons that are none of the 50 most frequent.' },
    } as const,
  });
  const Reason = builder.objectRef<ReasonShare>('ChurnReason').implement({
    description: 'Customers who went for the same reason; spelling in capitals or small letters makes no difference.',
    fields: (t) => ({
      kind: t.field({ type: Known, description: 'Whether it is known.', resolve: (r) => r.known }),
      reason: t.exposeString('reason', {
        nullable: true,
        description: 'In the words it was told with most often; null unless `kind` is KNOWN.',
      }),
      customers: t.exposeInt('customers', { description: 'How many.' }),
      share: t.exposeFloat('share', { nullable: true, description: 'Of all who went; null when nobody did.' }),
      previousCustomers: t.exposeInt('previousCustomers', { description: 'How many in the period before.' }),
      previousShare: t.exposeFloat('previousShare', {
        nullable: true,
        description: 'Of all who went in the period before; null when nobody did.',
      }),
    }),
  });
  const OfMonth = builder.objectRef<MonthReasons>('ChurnReasonsOfMonth').implement({
    description: 'Why customers went in a month.',
    fields: (t) => ({
      month: t.expose('month', { type: 'LocalDate', description: 'Its first day.' }),
      reasons: t.field({ type: [Reason], description: 'Most frequent first.', resolve: (m) => [...m.reasons] }),
    }),
  });
  return { ByCause, Reason, MonthReasons: OfMonth };
}

function recommendationType(builder: Builder) {
  const Priority = builder.enumType('RecommendationPriority', {
    description: 'How urgent a recommendation is.',
    values: {
      CRITICAL: { description: 'Now.' },
      HIGH: { description: 'This month.' },
      MEDIUM: { description: 'This quarter.' },
      LOW: { description: 'When there is time.' },
    } as const,
  });
  return builder.objectRef<Recommendation>('Recommendation').implement({
    description: 'What a rule says that matches.',
    fields: (t) => ({
      rule: t.exposeString('rule', { description: 'Stable name of the rule.' }),
      priority: t.field({ type: Priority, description: 'How urgent it is.', resolve: (r) => r.priority }),
      title: t.exposeString('title', { description: 'In a few words.' }),
      action: t.exposeString('action', { description: 'What to do.' }),
      expectedEffect: t.exposeString('expectedEffect', { description: 'What it can be expected to bring.' }),
      timeline: t.exposeString('timeline', { description: 'How long that takes.' }),
      measured: t.exposeFloat('measured', {
        description: 'The figure that matched: a monthly rate from 0 to 1, or a mean score from 0 to 100.',
      }),
      threshold: t.exposeFloat('threshold', { description: 'What the figure lies beyond.' }),
    }),
  });
}
