import type { EnumRef } from '@pothos/core';
import type { Builder, BuilderTypes } from '../../../src/core/builder/index.ts';
import { filterField } from '../../../src/core/graph/index.ts';
import type { CustomerAdviceKind } from '../domain/advice.ts';
import { adviceFilter } from '../parts.ts';
import type { ValueService } from '../service.ts';
import type { AdviceShown, StandingAdvice } from '../service-segments.ts';

const SCOPE = 'value:read';

export type AdviceEnum = EnumRef<BuilderTypes, CustomerAdviceKind>;

/** The kinds of advice that customers are given; its members are needed where customers are shown. */
export const adviceEnum = (builder: Builder): AdviceEnum =>
  builder.enumType('CustomerAdvice', {
    description: 'Standing advice for a customer. Its rules are a setting.',
    values: {
      PREMIUM_BUNDLES: { description: 'Loyal with modest spend: offer premium bundles.' },
      WIN_BACK: { description: 'At Risk and 30 days without a login: win back with 20 % off.' },
    } as const,
  });

/** What to do, in words, with the numbers in force. */
function textOf({ kind, rules }: AdviceShown): { readonly title: string; readonly text: string } {
  const { premiumBundles, winBack } = rules;
  if (kind === 'PREMIUM_BUNDLES') {
    return {
      title: 'Premium bundles for loyal customers with modest spend',
      text: `They come often and spend little at a time (monetary score up to ${premiumBundles.monetaryScoreMax}): offer bundles of what they buy with something better.`,
    };
  }
  return {
    title: `Win back with ${winBack.discountPercent} % off`,
    text: `They were good customers and have not logged in for ${winBack.daysWithoutLogin} days or more: send the win-back message with ${winBack.discountPercent} % off.`,
  };
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** `Query.advice` and the filter of customers by advice. */
export function adviceSchema(builder: Builder, service: ValueService, Advice: AdviceEnum): void {
  const ForCustomers = builder.objectRef<AdviceShown>('AdviceForCustomers').implement({
    description: 'A piece of advice for some customers; `customers(filter: { advice: ... })` lists them.',
    fields: (t) => ({
      advice: t.field({ type: Advice, description: 'Which.', resolve: (a) => a.kind }),
      title: t.string({ description: 'The advice in a line.', resolve: (a) => textOf(a).title }),
      text: t.string({ description: 'Why, and what to do.', resolve: (a) => textOf(a).text }),
      discountPercent: t.float({
        nullable: true,
        description: 'The discount to offer; null when none is.',
        resolve: (a) => (a.kind === 'WIN_BACK' ? a.rules.winBack.discountPercent : null),
      }),
      customers: t.exposeInt('customers', { description: 'How many it is for.' }),
    }),
  });
  const ForCohort = builder.objectRef<StandingAdvice['cohorts'][number]>('CohortAdvice').implement({
    description: 'A cohort of which fewer came back, in the same month of its life, than of the cohort before it.',
    fields: (t) => ({
      cohort: t.expose('cohort', {
        type: 'LocalDate',
        description: 'First day of the month in which its customers ordered first.',
      }),
      previousCohort: t.expose('previousCohort', { type: 'LocalDate', description: 'The same of the cohort before.' }),
      month: t.exposeInt('month', { description: 'The month of its life that is compared.' }),
      observed: t.expose('observed', {
        type: 'LocalDate',
        description: 'First day of the calendar month to look at: what was different then?',
      }),
      customers: t.exposeInt('customers', { description: 'Customers of the cohort.' }),
      retained: t.exposeInt('retained', { description: 'Those who ordered in that month.' }),
      retention: t.exposeFloat('retention', { description: 'Their share.' }),
      previousRetention: t.exposeFloat('previousRetention', { description: 'The share of the cohort before.' }),
      text: t.string({
        description: 'The same in words.',
        resolve: (c) =>
          `Of those who first ordered in ${c.cohort.slice(0, 7)}, ${percent(c.retention)} came back in month ${c.month}; of the month before it had been ${percent(c.previousRetention)}. Look at ${c.observed.slice(0, 7)}, and at how these customers were won.`,
      }),
    }),
  });
  const Standing = builder.objectRef<StandingAdvice>('StandingAdvice').implement({
    description: 'What the rules of the business advise now.',
    fields: (t) => ({
      forCustomers: t.field({
        type: [ForCustomers],
        description: 'For customers, as of the newest snapshot.',
        resolve: (a) => [...a.forCustomers],
      }),
      cohorts: t.field({
        type: [ForCohort],
        description: 'Cohorts that did worse than the one before, the newest first.',
        resolve: (a) => [...a.cohorts],
      }),
    }),
  });
  builder.queryField('advice', (t) =>
    t.field({
      type: Standing,
      description: 'Standing advice: for which customers to do what, and which cohorts fell behind.',
      authScopes: { scope: SCOPE },
      complexity: 30,
      resolve: () => service.standingAdvice(),
    }),
  );
  filterField<readonly CustomerAdviceKind[]>(builder, 'advice', adviceFilter, {
    scope: SCOPE,
    field: (t) => t.field({ type: [Advice], description: 'To whom any of this standing advice applies.' }),
  });
}
