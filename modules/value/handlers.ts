import type { Clock } from '../../src/core/clock.ts';
import type { Tx } from '../../src/core/database/index.ts';
import { type HandlerDefinition, isEvent } from '../../src/core/events/index.ts';
import { enqueue } from '../../src/core/jobs.ts';
import { batchImported, customerErased, customerMerged } from '../customers/contract.ts';
import { REFRESH_JOB, REFRESH_QUEUE } from './job-names.ts';
import { forgetCustomers } from './store.ts';

/** An import tells of itself in parts: one computation for all of them, this long after the last. */
const SETTLED_AFTER_MS = 10_000;

/** The handlers only ask for the work: it reads the history engine, for which no transaction should wait. */
export function valueHandlers(clock: Clock): readonly HandlerDefinition[] {
  const refreshSoon = (tx: Tx) => {
    const runAt = new Date(clock.now().getTime() + SETTLED_AFTER_MS);
    return enqueue(tx, REFRESH_JOB, {}, { key: REFRESH_JOB, queue: REFRESH_QUEUE, runAt });
  };
  return [
    { name: 'value.refreshAfterImport', on: [batchImported], handle: (tx) => refreshSoon(tx) },
    {
      name: 'value.followCustomers',
      on: [customerErased, customerMerged],
      async handle(tx, events) {
        const gone = events.flatMap((event) => {
          if (isEvent(event, customerMerged)) return [event.payload.fromId];
          return isEvent(event, customerErased) ? [event.payload.customerId] : [];
        });
        await forgetCustomers(tx, gone);
        if (events.some((event) => isEvent(event, customerMerged))) await refreshSoon(tx);
      },
    },
  ];
}
