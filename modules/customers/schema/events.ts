import type { Builder } from '../../../src/core/builder/index.ts';
import { domainEvent } from '../../../src/core/events/schema.ts';
import { customerResolver } from '../../../src/core/graph/index.ts';

/** `DomainEvent.customer`, on every kind of event of every module. */
export function eventCustomer(builder: Builder): void {
  builder.interfaceField(domainEvent(builder), 'customer', (t) =>
    t.field({
      type: 'Customer',
      nullable: true,
      description: 'The customer as it is now; null when the event concerns none, or one who was merged or erased.',
      authScopes: { scope: 'customers:read' },
      resolve: customerResolver(builder, (event) => event.customerId),
    }),
  );
}
