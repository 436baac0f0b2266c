import { defineCustomerPart, defineFilter } from '../../../src/core/graph/index.ts';

/** What the graph shows of a customer's churn. */
export interface ChurnShape {
  readonly status: 'ACTIVE' | 'CHURNED';
  readonly since: string;
  readonly dueAt: string | null;
}

/** One row by primary key. */
export const churnPart = defineCustomerPart<ChurnShape>({
  name: 'churn',
  sql: (customer) => `(
    select json_build_object('status', s.status, 'since', s.since, 'dueAt', s.due_at)
    from churn_status s where s.customer_id = ${customer}.id)`,
});

export const churnStatusFilter = defineFilter<'ACTIVE' | 'CHURNED'>(
  (customer, status, bind) =>
    `exists (select from churn_status s where s.customer_id = ${customer}.id and s.status = ${bind(status)})`,
);
