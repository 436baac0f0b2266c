import { type HandlerDefinition, isEvent } from '../../src/core/events/index.ts';
import { customerErased, customerMerged } from '../customers/contract.ts';
import { anniversary, milestoneReached, tierChanged } from '../loyalty/contract.ts';
import type { CommunicationService } from './service.ts';
import { blankMessages, moveMessages } from './store.ts';

export function communicationHandlers(service: CommunicationService): HandlerDefinition[] {
  return [
    {
      name: 'communication.writeTierUpgrade',
      on: [tierChanged],
      async handle(tx, events, context) {
        const changes = events.filter((event) => isEvent(event, tierChanged));
        await service.queueTierUpgrades(tx, changes, context.call);
      },
    },
    {
      name: 'communication.writeAppreciation',
      on: [anniversary, milestoneReached],
      async handle(tx, events, context) {
        const occasions = events.filter((event) => isEvent(event, anniversary) || isEvent(event, milestoneReached));
        await service.queueAppreciation(tx, occasions, context.call);
      },
    },
    {
      name: 'communication.followCustomers',
      on: [customerErased, customerMerged],
      async handle(tx, events) {
        for (const event of events) {
          if (isEvent(event, customerErased)) await blankMessages(tx, [event.payload.customerId]);
          else if (isEvent(event, customerMerged))
            await moveMessages(tx, [event.payload.fromId], [event.payload.intoId]);
        }
      },
    },
  ];
}
