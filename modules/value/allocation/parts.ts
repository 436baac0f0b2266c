import { defineCustomerPart } from '../../../src/core/graph/index.ts';
import type { AssignmentRow } from './store.ts';

/** What the running campaign of a customer has for it; at most one campaign runs for a customer. An index scan by customer. */
export const campaignPart = defineCustomerPart<AssignmentRow & { readonly planId: string; readonly currency: string }>({
  name: 'campaign',
  sql: (customer) => `(
    select json_build_object('planId', a.plan_id, 'customerId', a.customer_id, 'action', a.action, 'heldOut', a.held_out,
      'probability', a.probability, 'probabilitySource', a.probability_source, 'valueMinor', a.value_minor,
      'costMinor', a.cost_minor, 'savedMinor', a.saved_minor, 'retained', a.retained, 'currency', p.currency)
    from allocation_assignment a join allocation_plan p on p.id = a.plan_id
    where a.customer_id = ${customer}.id and p.state = 'CONFIRMED' limit 1)`,
});
