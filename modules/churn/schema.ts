import { type Builder, periodInput } from '../../src/core/builder/index.ts';
import { defineCustomerPart, defineFilter, filterField, partField } from '../../src/core/graph/index.ts';
import type { ChurnCause } from './domain/lifecycle.ts';
import type { MonthlyChurn } from './domain/rate.ts';
import type { ChurnReport, ChurnService } from './service.ts';

const SCOPE = 'churn:read';

interface ChurnShape {
  readonly status: 'ACTIVE' | 'CHURNED';
  readonly since: string;
  readonly dueAt: string | null;
}

/** One row by primary key. */
const churnPart = defineCustomerPart<ChurnShape>({
  name: 'churn',
  sql: (customer) => `(
    select json_build_object('status', s.status, 'since', s.since, 'dueAt', s.due_at)
    from churn_status s where s.customer_id = ${customer}.id)`,
});

const churnStatusFilter = defineFilter<'ACTIVE' | 'CHURNED'>(
  (customer, status, bind) =>
    `exists (select from churn_status s where s.customer_id = ${customer}.id and s.status = ${bind(status)})`,
);

/** `Query.churn`, `Customer.churn`, and the filter by it. */
export const churnSchema = (service: ChurnService) => (builder: Builder) => {
  const Status = builder.enumType('ChurnStatus', {
    description: 'Whether a customer is here.',
    values: {
      ACTIVE: { description: 'A subscription runs, or there was activity within the days set (90).' },
      CHURNED: { description: 'Gone.' },
    } as const,
  });
  const Cause = builder.enumType('ChurnCause', {
    description: 'How it is known that a customer is gone.',
    values: {
      INACTIVITY: { description: 'No activity for the days set (90), and no subscription.' },
      CANCELLATION: { description: 'The last subscription ended.' },
      OPERATOR: { description: 'An operator set the status CHURNED.' },
    } as const,
  });
  const Churn = builder.objectRef<ChurnShape>('CustomerChurn').implement({
    description: 'Whether a customer is here or gone, as the facts known now say.',
    fields: (t) => ({
      status: t.field({ type: Status, description: 'Here or gone.', resolve: (c) => c.status }),
      since: t.expose('since', { type: 'DateTime', description: 'When it came, came back, or went.' }),
      dueAt: t.expose('dueAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it counts as gone if nothing happens; null while a subscription runs, or when it is gone.',
      }),
    }),
  });
  partField(builder, churnPart, 'churn', {
    type: Churn,
    nullable: true,
    scope: SCOPE,
    description: 'Whether the customer is here or gone; null while nothing ever happened.',
  });
  filterField<'ACTIVE' | 'CHURNED'>(builder, 'churnStatus', churnStatusFilter, {
    scope: SCOPE,
    field: (t) => t.field({ type: Status, description: 'Here or gone.' }),
  });

  const Month = builder.objectRef<MonthlyChurn>('MonthlyChurn').implement({
    description:
      'Comings and goings of a calendar month in the time zone of the business: start + new + reactivated - churned = end.',
    fields: (t) => ({
      month: t.expose('month', { type: 'LocalDate', description: 'Its first day.' }),
      start: t.exposeInt('start', { description: 'Customers active when it began.' }),
      new: t.exposeInt('new', { description: 'Customers who came for the first time and stayed.' }),
      churned: t.exposeInt('churned', { description: 'Active when it began and gone when it ended.' }),
      reactivated: t.exposeInt('reactivated', { description: 'Gone when it began and active when it ended.' }),
      joinedAndLeft: t.exposeInt('joinedAndLeft', {
        description: 'Came for the first time and went within the month; in none of the other counts.',
      }),
      end: t.exposeInt('end', { description: 'Customers active when it ended.' }),
      rate: t.exposeFloat('rate', {
        nullable: true,
        description: 'churned / start; null when nobody was there to leave.',
      }),
    }),
  });
  const ByCause = builder
    .objectRef<{ readonly cause: ChurnCause; readonly customers: number }>('ChurnByCause')
    .implement({
      description: 'Customers who went, by how it is known.',
      fields: (t) => ({
        cause: t.field({ type: Cause, description: 'How it is known.', resolve: (c) => c.cause }),
        customers: t.exposeInt('customers', { description: 'How many went in the period.' }),
      }),
    });
  const Report = builder.objectRef<ChurnReport>('ChurnReport').implement({
    description: 'Who came and who went in a period.',
    fields: (t) => ({
      months: t.field({
        type: [Month],
        description: 'Month by month; the running one as far as it has gone.',
        resolve: (r) => [...r.months],
      }),
      causes: t.field({
        type: [ByCause],
        description: 'Who went, by how it is known, most first.',
        resolve: (r) => [...r.causes],
      }),
      inactiveAfterDays: t.exposeInt('inactiveAfterDays', { description: 'The days without activity in force.' }),
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
      },
      resolve: (_root, { period }) => service.report(period.from, period.to),
    }),
  );
};
