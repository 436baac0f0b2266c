import type { Builder } from '../../../src/core/builder/index.ts';
import { filterField, partField } from '../../../src/core/graph/index.ts';
import { type ChurnShape, churnPart, churnStatusFilter } from '../queries/parts.ts';

/** Scope of everything this module shows. */
export const SCOPE = 'churn:read';

/** `Customer.churn`, and the filter and the dimension by it. */
export function customerChurn(builder: Builder): void {
  const Status = builder.enumType('ChurnStatus', {
    description: 'Whether a customer is here.',
    values: {
      ACTIVE: { description: 'A subscription runs, or there was activity within the days set (90).' },
      CHURNED: { description: 'Gone.' },
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
}
