import { type HandlerDefinition, isEvent } from '../../src/core/events/index.ts';
import { enqueue } from '../../src/core/jobs.ts';
import { batchImported, customerErased, customerMerged } from '../customers/contract.ts';
import { REFRESH_JOB, REFRESH_QUEUE } from './job-names.ts';
import { forgetCustomers } from './store.ts';

/** One computation for all that asked for one meanwhile. */
const SOON = { key: REFRESH_JOB, queue: REFRESH_QUEUE };

/** The handlers only ask for the work: it reads the history engine, for which no transaction should wait. */
export const valueHandlers: readonly HandlerDefinition[] = [
  {
    name: 'value.refreshAfterImport',
    on: [batchImported],
    async handle(tx) {
      await enqueue(tx, REFRESH_JOB, {}, SOON);
    },
  },
  {
    name: 'value.followCustomers',
    on: [customerErased, customerMerged],
    async handle(tx, events) {
      const gone = events.flatMap((event) => {
        if (isEvent(event, customerMerged)) return [event.payload.fromId];
        return isEvent(event, customerErased) ? [event.payload.customerId] : [];
      });
      await forgetCustomers(tx, gone);
      if (events.some((event) => isEvent(event, customerMerged))) await enqueue(tx, REFRESH_JOB, {}, SOON);
    },
  },
];
