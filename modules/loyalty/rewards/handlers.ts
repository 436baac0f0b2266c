import type { Clock } from '../../../src/core/clock.ts';
import { type HandlerDefinition, isEvent } from '../../../src/core/events/index.ts';
import { type CustomerPort, customerErased, customerMerged } from '../../customers/contract.ts';
import { moveRedemptions } from './queries.ts';
import { forgetRedemptions } from './service-lifecycle.ts';

/** How redemptions follow what befalls customers. */
export function rewardHandlers(options: {
  readonly clock: Clock;
  readonly customers: Pick<CustomerPort, 'survivors'>;
}): HandlerDefinition[] {
  const { clock, customers } = options;
  return [
    {
      // One handler for both, so that a customer merged and then erased is followed in this order.
      name: 'loyalty.followCustomers',
      on: [customerMerged, customerErased],
      async handle(tx, events, context) {
        for (const event of events) {
          if (isEvent(event, customerErased)) {
            await forgetRedemptions(tx, clock, context.call(event), event.payload.customerId);
          }
          if (!isEvent(event, customerMerged)) continue;
          const { fromId, intoId } = event.payload;
          // The customer who lives on may have been merged further meanwhile.
          const survivor = (await customers.survivors([intoId], tx)).get(intoId) ?? intoId;
          await moveRedemptions(tx, fromId, survivor);
        }
      },
    },
  ];
}
