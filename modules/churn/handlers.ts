import type { Tx } from '../../src/core/database/index.ts';
import { type DomainEvent, type HandlerDefinition, isEvent } from '../../src/core/events/index.ts';
import { enqueue } from '../../src/core/jobs.ts';
import {
  batchImported,
  customerChanged,
  customerErased,
  customerMerged,
  eventsRecorded,
  exchangeRatesChanged,
  orderPlaced,
  subscriptionCancelled,
  subscriptionChanged,
  subscriptionStarted,
} from '../customers/contract.ts';
import { REFRESH_ALL_JOB, REFRESH_JOB } from './jobs.ts';
import { endLifecycles, forgetLifecycles } from './queries/lifecycles.ts';

/** Customers per job: a job is one transaction of the statuses. */
const JOB_SIZE = 500;

interface Due {
  readonly id: string;
  readonly causedBy: string;
}

async function askFor(tx: Tx, due: Iterable<Due>, quiet: boolean, correlationId: string): Promise<void> {
  const customers = [...due];
  for (let start = 0; start < customers.length; start += JOB_SIZE) {
    await enqueue(tx, REFRESH_JOB, { customers: customers.slice(start, start + JOB_SIZE), quiet, correlationId });
  }
}

const isQuiet = (event: DomainEvent): boolean =>
  isEvent(event, batchImported) || isEvent(event, orderPlaced) ? event.payload.quiet : false;

/** Fields of a customer that say whether it left, when and why. */
const LIFECYCLE_FIELDS: ReadonlySet<string> = new Set(['status', 'churnedAt', 'churnReason']);

/** The handlers only ask for the work: it reads the history engine, for which no transaction should wait. */
export const churnHandlers: readonly HandlerDefinition[] = [
  {
    name: 'churn.refreshOnActivity',
    on: [
      eventsRecorded,
      batchImported,
      orderPlaced,
      subscriptionStarted,
      subscriptionChanged,
      subscriptionCancelled,
      customerChanged,
    ],
    async handle(tx, events) {
      for (const quiet of [false, true]) {
        const due = new Map<string, Due>();
        let correlationId = '';
        for (const event of events) {
          if (isQuiet(event) !== quiet) continue;
          if (isEvent(event, customerChanged) && !event.payload.fields.some((field) => LIFECYCLE_FIELDS.has(field)))
            continue;
          const listed =
            isEvent(event, eventsRecorded) || isEvent(event, batchImported) ? event.payload.customerIds : undefined;
          if (listed === null) await enqueue(tx, REFRESH_ALL_JOB, {}, { key: REFRESH_ALL_JOB });
          const ids = listed ?? (event.customerId === null ? [] : [event.customerId]);
          for (const id of ids) due.set(id, { id, causedBy: event.id });
          correlationId = event.correlationId;
        }
        await askFor(tx, due.values(), quiet, correlationId);
      }
    },
  },
  {
    name: 'churn.followCustomers',
    on: [customerErased, customerMerged],
    async handle(tx, events) {
      for (const event of events) {
        // Of who was erased the comings and goings stay in the counts: they name nobody.
        if (isEvent(event, customerErased)) await endLifecycles(tx, [event.payload.customerId], event.at);
        if (!isEvent(event, customerMerged)) continue;
        await forgetLifecycles(tx, [event.payload.fromId]);
        await askFor(tx, [{ id: event.payload.intoId, causedBy: event.id }], false, event.correlationId);
      }
    },
  },
  {
    name: 'churn.followExchangeRates',
    on: [exchangeRatesChanged],
    handle: (tx) => enqueue(tx, REFRESH_ALL_JOB, {}, { key: REFRESH_ALL_JOB }),
  },
];
