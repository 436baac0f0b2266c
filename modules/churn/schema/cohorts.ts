import type { ArgBuilder } from '@pothos/core';
import { type Builder, type BuilderTypes, periodInput } from '../../../src/core/builder/index.ts';
import { filterArg, populationOf } from '../../../src/core/graph/index.ts';
import type { CohortCell, CohortMean, CohortRow } from '../domain/cohorts.ts';
import type { ChurnService } from '../service.ts';
import type { CohortReport } from '../service-cohorts.ts';
import { SCOPE } from './status.ts';

/** What a cell needs beside itself. */
type Of<T> = T & { readonly report: CohortReport };

const money = <T extends { readonly amountMinor: number }>({ amountMinor, report }: Of<T>) =>
  report.measure === 'REVENUE' || report.measure === 'MRR' ? { amountMinor, currency: report.currency } : null;

/** The cost of a matrix: a statement over the history of everybody. */
export const COHORTS_COST = { field: 100, multiplier: 1 };

/** Declares `Query.cohorts`. @returns the type and its arguments, for other fields that show a matrix */
export function cohortFields(builder: Builder, service: ChurnService) {
  const Grain = builder.enumType('CohortGrain', {
    description: 'How long the periods of cohorts are: calendar periods in the time zone of the business.',
    values: {
      WEEK: { description: 'Weeks from Monday.' },
      MONTH: { description: 'Calendar months.' },
      QUARTER: { description: 'Quarters of the calendar year.' },
    } as const,
  });
  const Measure = builder.enumType('CohortMeasure', {
    description: 'What the cells of a cohort matrix say.',
    values: {
      ACTIVITY: {
        description:
          'Who came back in the period: ordered in it for cohorts by first order, did anything of their own in it for cohorts by signup. A moment behind the newest events.',
      },
      SURVIVAL: {
        description: 'Who is still here when the period ends: never left so far. Of customers who ever were here.',
      },
      REVENUE: {
        description:
          'What was ordered in the period, returns taken off, in the reporting currency; a share is of the amount at age 0.',
      },
      MRR: {
        description: 'What is paid a month when the period ends, and how many pay; a share is of the amount at age 0.',
      },
    } as const,
  });
  const Start = builder.enumType('CohortStart', {
    description: 'What puts a customer into a cohort.',
    values: {
      FIRST_ORDER: { description: 'The period of the first order; who never ordered is in none.' },
      SIGNUP: { description: 'The period of the signup.' },
    } as const,
  });

  const Cell = builder.objectRef<Of<CohortCell>>('CohortCell').implement({
    description: 'A cohort at an age.',
    fields: (t) => ({
      age: t.exposeInt('age', { description: 'Periods since the cohort’s own, from 0.' }),
      complete: t.exposeBoolean('complete', { description: 'False for the running period: it is counted so far.' }),
      customers: t.exposeInt('customers', {
        description: 'Who came back, is still here, ordered or pays, by the measure.',
      }),
      share: t.exposeFloat('share', {
        nullable: true,
        description: 'Of the cohort, or of its amount at age 0; null when that is nothing.',
      }),
      amount: t.field({
        type: 'Money',
        nullable: true,
        description: 'Of the measures REVENUE and MRR; else null.',
        resolve: money,
      }),
    }),
  });
  const Row = builder.objectRef<Of<CohortRow>>('CohortRow').implement({
    description: 'Customers who began in the same period, and what became of them.',
    fields: (t) => ({
      cohort: t.field({
        type: 'LocalDate',
        description: 'First day of the period in which they began.',
        resolve: ({ cohort, report }) => report.firstDay(cohort),
      }),
      size: t.exposeInt('size', { description: 'How many they are.' }),
      cells: t.field({
        type: [Cell],
        nullable: { list: false, items: true },
        description: 'By age from 0, as many as the oldest cohort has, at most 120; null for what lies in the future.',
        resolve: ({ cells, report }) => cells.map((cell) => (cell === null ? null : { ...cell, report })),
      }),
    }),
  });
  const Mean = builder.objectRef<Of<CohortMean>>('CohortMean').implement({
    description: 'An age over all cohorts that have reached it; each weighs as much as it has customers (or amount).',
    fields: (t) => ({
      age: t.exposeInt('age', { description: 'Periods since the cohorts’ own, from 0.' }),
      cohorts: t.exposeInt('cohorts', { description: 'How many cohorts have reached it.' }),
      customers: t.exposeInt('customers', { description: 'Sum over these cohorts.' }),
      share: t.exposeFloat('share', {
        nullable: true,
        description: 'Sum over these cohorts by the sum of what their shares are of; null when that is nothing.',
      }),
      amount: t.field({
        type: 'Money',
        nullable: true,
        description: 'Sum over these cohorts, of the measures REVENUE and MRR; else null.',
        resolve: money,
      }),
    }),
  });
  const Matrix = builder.objectRef<CohortReport>('CohortMatrix').implement({
    description: 'Cohorts by age: what became of the customers who began in the same period.',
    fields: (t) => ({
      by: t.field({ type: Grain, description: 'How long the periods are.', resolve: (r) => r.by }),
      measure: t.field({ type: Measure, description: 'What the cells say.', resolve: (r) => r.measure }),
      start: t.field({ type: Start, description: 'What puts a customer into a cohort.', resolve: (r) => r.start }),
      rows: t.field({
        type: [Row],
        description: 'Cohort by cohort, oldest first, empty ones included.',
        resolve: (report) => report.matrix.rows.map((row) => ({ ...row, report })),
      }),
      mean: t.field({
        type: [Mean],
        description: 'The weighted mean row, by age from 0.',
        resolve: (report) => report.matrix.mean.map((mean) => ({ ...mean, report })),
      }),
      unconvertedOrders: t.exposeInt('unconvertedOrders', {
        description: 'Orders in currencies without a rate for their day: counted, but in no amount.',
      }),
    }),
  });

  const args = (arg: ArgBuilder<BuilderTypes>) => ({
    by: arg({ type: Grain, required: true, defaultValue: 'MONTH', description: 'How long the periods are.' }),
    measure: arg({ type: Measure, required: true, defaultValue: 'ACTIVITY', description: 'What the cells say.' }),
    start: arg({
      type: Start,
      required: true,
      defaultValue: 'FIRST_ORDER',
      description: 'What puts a customer into a cohort.',
    }),
  });
  builder.queryField('cohorts', (t) =>
    t.field({
      type: Matrix,
      description: 'Retention by cohort: activity, survival, revenue and recurring revenue by age.',
      authScopes: { scope: SCOPE },
      complexity: COHORTS_COST,
      args: {
        ...args(t.arg),
        period: t.arg({
          type: periodInput(builder),
          description: 'Cohorts that begin in these days, at most 120; default: the latest 36.',
        }),
        filter: filterArg(builder, t.arg),
      },
      resolve: (_root, { by, measure, start, period, filter }, context) =>
        service.cohorts({
          by,
          measure,
          start,
          period: period ?? null,
          population: populationOf(builder, context, { filter }),
        }),
    }),
  );
  return { Matrix, args };
}
