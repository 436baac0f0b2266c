import type { Queryable, Tx } from '../../../src/core/database/index.ts';
import type { CustomerPort } from '../../customers/contract.ts';
import type { CustomerTraits } from './domain/campaigns.ts';

/** Who knows what campaigns look at. */
export interface TraitPorts {
  readonly customers: Pick<CustomerPort, 'byIds' | 'subscriptions'>;
  /** RFM segment of each customer who has one; undefined where nobody segments customers. */
  readonly rfmSegmentsOf?: (customerIds: readonly string[], within: Queryable) => Promise<ReadonlyMap<string, string>>;
}

/** What campaigns look at in customers, as it is now. */
export async function traitsOf(
  tx: Tx,
  { customers, rfmSegmentsOf }: TraitPorts,
  customerIds: readonly string[],
): Promise<ReadonlyMap<string, CustomerTraits>> {
  const [facts, subscriptions, segments] = await Promise.all([
    customers.byIds(customerIds, tx),
    customers.subscriptions(customerIds, tx),
    rfmSegmentsOf?.(customerIds, tx),
  ]);
  return new Map(
    facts.map(({ id, businessSegment }) => [
      id,
      {
        businessSegment,
        plans: subscriptions.flatMap((one) => (one.customerId === id && one.cancelledAt === null ? [one.plan] : [])),
        rfmSegment: segments?.get(id) ?? null,
      },
    ]),
  );
}
