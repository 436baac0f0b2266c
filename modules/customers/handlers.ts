import { type HandlerDefinition, isEvent } from '../../src/core/events/index.ts';
import { eventsRecorded } from './events.ts';
import { noteActivity } from './service/facts.ts';

/** Calls per transaction: each may name 1,000 customers. */
const CALLS = 20;

export const customerHandlers: readonly HandlerDefinition[] = [
  {
    name: 'customers.noteActivity',
    on: [eventsRecorded],
    batchSize: CALLS,
    // Beside the intake and not within it: a busy customer's row would hold up the whole stream.
    async handle(tx, events) {
      const latest = new Map<string, number>();
      for (const event of events) {
        if (!isEvent(event, eventsRecorded)) continue;
        const { customerIds, latestMs } = event.payload;
        for (const [position, id] of customerIds.entries()) {
          const ms = latestMs[position] ?? 0;
          if (ms > 0 && ms > (latest.get(id) ?? 0)) latest.set(id, ms);
        }
      }
      const seen = [...latest].map(([customerId, lastMs]) => ({ customerId, lastMs, firstOrderMs: null }));
      await noteActivity(
        tx,
        seen.sort((a, b) => (a.customerId < b.customerId ? -1 : 1)),
      );
    },
  },
];
