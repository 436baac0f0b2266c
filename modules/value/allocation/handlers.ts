import { type HandlerDefinition, isEvent } from '../../../src/core/events/index.ts';
import { customerErased, customerMerged } from '../../customers/contract.ts';
import { forgetAssignments, mergeAssignments } from './store.ts';

export const allocationHandlers: readonly HandlerDefinition[] = [
  {
    name: 'value.followAssignedCustomers',
    on: [customerErased, customerMerged],
    async handle(tx, events) {
      for (const event of events) {
        if (isEvent(event, customerMerged)) await mergeAssignments(tx, event.payload.fromId, event.payload.intoId);
        if (isEvent(event, customerErased)) await forgetAssignments(tx, [event.payload.customerId]);
      }
    },
  },
];
