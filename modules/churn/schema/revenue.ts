import { type Builder, periodInput, periodType } from '../../../src/core/builder/index.ts';
import {
  type CustomerGroup,
  customerGroupType,
  filterArg,
  groupByArg,
  populationOf,
} from '../../../src/core/graph/index.ts';
import type { MovementAmounts } from '../domain/revenue.ts';
import type { ChurnService } from '../service.ts';
import type { MrrReport, MrrStretch, RevenueReport } from '../service-revenue.ts';
import { SCOPE } from './status.ts';

const money = (amountMinor: number, currency: string) => ({ amountMinor: Math.round(amountMinor), currency });
const known = (amountMinor: number | null, currency: string) =>
  amountMinor === null ? null : money(amountMinor, currency);

/** Declares `Query.revenue`. */
export function revenueField(builder: Builder, service: ChurnService): void {
  const Stretch = stretchType(builder);
  const Period = periodType(builder);
  const Group = builder.objectRef<MrrReport & { readonly group: CustomerGroup }>('RevenueGroup').implement({
    description: 'MRR of the customers who have the same value of a dimension.',
    fields: (t) => ({
      group: t.field({ type: customerGroupType(builder), description: 'Who they are.', resolve: (g) => g.group }),
      totals: t.field({ type: Stretch, description: 'The period as a whole.', resolve: (g) => g.totals }),
      previousTotals: t.field({ type: Stretch, description: 'The period before.', resolve: (g) => g.previousTotals }),
      months: t.field({ type: [Stretch], description: 'Month by month.', resolve: (g) => [...g.months] }),
    }),
  });
  const Unconverted = builder.objectRef<MrrReport>('UnconvertedMrr').implement({
    description: 'MRR in a currency for which there is no rate: a book of its own, never added to another.',
    fields: (t) => ({
      currency: t.field({ type: 'Currency', description: 'The currency.', resolve: (r) => r.totals.currency }),
      totals: t.field({ type: Stretch, description: 'The period as a whole.', resolve: (r) => r.totals }),
      previousTotals: t.field({ type: Stretch, description: 'The period before.', resolve: (r) => r.previousTotals }),
      months: t.field({ type: [Stretch], description: 'Month by month.', resolve: (r) => [...r.months] }),
    }),
  });
  const Report = builder.objectRef<RevenueReport>('RevenueReport').implement({
    description:
      'Monthly recurring revenue (MRR) of subscriptions and how it moved. Amounts in other currencies are converted by the rate of the day on which the subscription began in that currency, so that changes of rates are no movements.',
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
      currency: t.field({ type: 'Currency', description: 'The reporting currency.', resolve: (r) => r.currency }),
      grossMargin: t.exposeFloat('grossMargin', {
        description: 'Share of revenue that LTV counts, of the setting business.profile.',
      }),
      totals: t.field({
        type: Stretch,
        description: 'The period as a whole.',
        resolve: async (r) => (await r.all()).totals,
      }),
      previousTotals: t.field({
        type: Stretch,
        description: 'The period before.',
        resolve: async (r) => (await r.all()).previousTotals,
      }),
      months: t.field({
        type: [Stretch],
        description: 'Month by month; the running one as far as it has gone.',
        resolve: async (r) => [...(await r.all()).months],
      }),
      groups: t.field({
        type: [Group],
        description:
          'The same by group, the largest first, those unknown and put together last; empty without `groupBy`.',
        resolve: async (r) => [...(await r.groups())],
      }),
      unconverted: t.field({
        type: [Unconverted],
        description:
          'Currencies without a rate for the day a subscription began, each on its own; in none of the other figures.',
        resolve: async (r) => [...(await r.unconverted())],
      }),
    }),
  });
  builder.queryField('revenue', (t) =>
    t.field({
      type: Report,
      description: 'MRR by movement, net and gross revenue retention, quick ratio, ARPA and LTV.',
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
      resolve: (_root, { period, ...who }, context) => service.revenue(period, populationOf(builder, context, who)),
    }),
  );
}

const KINDS = {
  new: 'Customers who pay for the first time.',
  expansion: 'Any rise of a customer who pays.',
  contraction: 'Any fall short of zero, also when one of several subscriptions ends.',
  churned: 'Falls to zero.',
  reactivation: 'Customers who pay again after they had stopped.',
} as const;

function stretchType(builder: Builder) {
  const Counts = builder.objectRef<MovementAmounts>('MrrMovementCounts').implement({
    description: 'How many movements there were; those of a customer within an hour are one.',
    fields: (t) => ({
      new: t.exposeInt('new', { description: KINDS.new }),
      expansion: t.exposeInt('expansion', { description: KINDS.expansion }),
      contraction: t.exposeInt('contraction', { description: KINDS.contraction }),
      churned: t.exposeInt('churned', { description: KINDS.churned }),
      reactivation: t.exposeInt('reactivation', { description: KINDS.reactivation }),
    }),
  });
  const Retained = builder.objectRef<MrrStretch>('RetainedMrr').implement({
    description:
      'What became of the revenue that was there at the start; revenue that is new or came back since is left out, with whatever became of it.',
    fields: (t) => ({
      start: t.field({ type: 'Money', description: 'At the start.', resolve: (m) => money(m.startMinor, m.currency) }),
      expansion: t.field({
        type: 'Money',
        description: KINDS.expansion,
        resolve: (m) => money(m.retained.expansion, m.currency),
      }),
      contraction: t.field({
        type: 'Money',
        description: KINDS.contraction,
        resolve: (m) => money(m.retained.contraction, m.currency),
      }),
      churned: t.field({
        type: 'Money',
        description: KINDS.churned,
        resolve: (m) => money(m.retained.churned, m.currency),
      }),
    }),
  });
  return builder.objectRef<MrrStretch>('MrrMovements').implement({
    description:
      'How MRR moved: start + new + expansion + reactivation - contraction - churned = end, to the minor unit.',
    fields: (t) => ({
      from: t.field({ type: 'LocalDate', description: 'The first day.', resolve: (m) => m.days.from }),
      to: t.field({ type: 'LocalDate', description: 'The day after the last.', resolve: (m) => m.days.to }),
      start: t.field({
        type: 'Money',
        description: 'MRR when it began.',
        resolve: (m) => money(m.startMinor, m.currency),
      }),
      new: t.field({ type: 'Money', description: KINDS.new, resolve: (m) => money(m.amounts.new, m.currency) }),
      expansion: t.field({
        type: 'Money',
        description: KINDS.expansion,
        resolve: (m) => money(m.amounts.expansion, m.currency),
      }),
      contraction: t.field({
        type: 'Money',
        description: `${KINDS.contraction} At or above zero.`,
        resolve: (m) => money(m.amounts.contraction, m.currency),
      }),
      churned: t.field({
        type: 'Money',
        description: `${KINDS.churned} At or above zero.`,
        resolve: (m) => money(m.amounts.churned, m.currency),
      }),
      reactivation: t.field({
        type: 'Money',
        description: KINDS.reactivation,
        resolve: (m) => money(m.amounts.reactivation, m.currency),
      }),
      net: t.field({
        type: 'Money',
        description: 'end - start.',
        resolve: (m) => money(m.endMinor - m.startMinor, m.currency),
      }),
      end: t.field({ type: 'Money', description: 'MRR when it ended.', resolve: (m) => money(m.endMinor, m.currency) }),
      counts: t.field({ type: Counts, description: 'The number of movements by kind.', resolve: (m) => m.counts }),
      customersAtStart: t.exposeInt('customersAtStart', { description: 'Customers who paid when it began.' }),
      customersAtEnd: t.exposeInt('customersAtEnd', { description: 'Customers who paid when it ended.' }),
      retained: t.field({
        type: Retained,
        description: 'The amounts that NRR and GRR are reckoned from.',
        resolve: (m) => m,
      }),
      nrr: t.exposeFloat('nrr', {
        nullable: true,
        description:
          'Net revenue retention of the revenue there at the start: (start + expansion - contraction - churned) / start by `retained`; neither new nor reactivated revenue counts. Null without revenue at the start.',
      }),
      grr: t.exposeFloat('grr', {
        nullable: true,
        description:
          'Gross revenue retention: (start - contraction - churned) / start by `retained`; null without revenue at the start.',
      }),
      quickRatio: t.exposeFloat('quickRatio', {
        nullable: true,
        description: '(new + expansion + reactivation) / (contraction + churned); null when nothing was lost.',
      }),
      arpa: t.field({
        type: 'Money',
        nullable: true,
        description: 'MRR per paying customer when it ended, to the nearest minor unit; null without one.',
        resolve: (m) => known(m.arpaMinor, m.currency),
      }),
      ltv: t.field({
        type: 'Money',
        nullable: true,
        description:
          'Lifetime value: ARPA x gross margin / monthly logo churn of the same customers (over several months, its mean weighted by customers); null when nobody pays or nobody left.',
        resolve: async (m) => known(await m.lifetimeValue(), m.currency),
      }),
    }),
  });
}
