import type { Queryable } from '../../../src/core/database/index.ts';
import type { CustomerWorth } from '../contract.ts';
import type { RfmSegment } from '../domain/rfm.ts';

/** Worth of customers by every method: an index scan by customer. */
export function readWorth(database: Queryable, customerIds: readonly string[]): Promise<CustomerWorth[]> {
  return database.query<CustomerWorth>(
    `select customer_id as "customerId", method, value_minor as "valueMinor", currency, expected_purchases as "expectedPurchases"
     from customer_value where customer_id = any($1::uuid[]) order by customer_id, method`,
    [customerIds],
    { name: 'value_worth' },
  );
}

/** RFM segments by customer: index scans, n = customers. */
export async function rfmSegmentsOf(
  database: Queryable,
  customerIds: readonly string[],
): Promise<ReadonlyMap<string, RfmSegment>> {
  const rows = await database.query<{ customerId: string; segment: RfmSegment }>(
    'select customer_id as "customerId", segment from customer_rfm where customer_id = any($1::uuid[])',
    [customerIds],
    { name: 'rfm_segments_of' },
  );
  return new Map(rows.map((row) => [row.customerId, row.segment]));
}
