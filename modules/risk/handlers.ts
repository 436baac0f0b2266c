import { type DomainEvent, type HandlerDefinition, isEvent } from '../../src/core/events/index.ts';
import { enqueue } from '../../src/core/jobs.ts';
import { predictionsScored } from '../churn/contract.ts';
import {
  batchImported,
  customerErased,
  customerMerged,
  eventsRecorded,
  invoiceIssued,
  invoiceOverdue,
  invoicePaid,
  orderPlaced,
  orderReturned,
  subscriptionCancelled,
  subscriptionChanged,
  subscriptionStarted,
  ticketFirstResponse,
  ticketOpened,
  ticketSolved,
} from '../customers/contract.ts';
import { ASSESS_ALL_JOB, ASSESS_JOB } from './jobs.ts';
import { forgetAssessments } from './store.ts';

/** Customers per job: a job is one transaction of the assessments. */
const JOB_SIZE = 500;

const RELEVANT = [
  eventsRecorded,
  batchImported,
  orderPlaced,
  orderReturned,
  subscriptionStarted,
  subscriptionChanged,
  subscriptionCancelled,
  invoiceIssued,
  invoicePaid,
  invoiceOverdue,
  ticketOpened,
  ticketFirstResponse,
  ticketSolved,
];

/** Customers an event concerns; null means anybody. */
function concerned(event: DomainEvent): readonly string[] | null {
  if (isEvent(event, eventsRecorded) || isEvent(event, batchImported)) return event.payload.customerIds;
  return event.customerId === null ? [] : [event.customerId];
}

/** The handlers only ask for the work: it reads the history engine, for which no transaction should wait. */
export const riskHandlers: readonly HandlerDefinition[] = [
  {
    name: 'risk.assessOnActivity',
    on: RELEVANT,
    async handle(tx, events) {
      for (const quiet of [false, true]) {
        const due = new Map<string, { id: string; causedBy: string }>();
        let correlationId = '';
        for (const event of events) {
          if (isQuiet(event) !== quiet) continue;
          const ids = concerned(event);
          // An import of many: one job for all, however many batches it has.
          if (ids === null) await enqueue(tx, ASSESS_ALL_JOB, {}, { key: ASSESS_ALL_JOB });
          for (const id of ids ?? []) due.set(id, { id, causedBy: event.id });
          correlationId = event.correlationId;
        }
        const customers = [...due.values()];
        for (let start = 0; start < customers.length; start += JOB_SIZE) {
          await enqueue(tx, ASSESS_JOB, { customers: customers.slice(start, start + JOB_SIZE), quiet, correlationId });
        }
      }
    },
  },
  {
    name: 'risk.assessOnPredictions',
    on: [predictionsScored],
    async handle(tx) {
      await enqueue(tx, ASSESS_ALL_JOB, {}, { key: ASSESS_ALL_JOB });
    },
  },
  {
    name: 'risk.followCustomers',
    on: [customerErased, customerMerged],
    async handle(tx, events) {
      const gone = events.flatMap((event) => {
        if (isEvent(event, customerMerged)) return [event.payload.fromId];
        return isEvent(event, customerErased) ? [event.payload.customerId] : [];
      });
      await forgetAssessments(tx, gone);
      const survivors = events.flatMap((event) =>
        isEvent(event, customerMerged) ? [{ id: event.payload.intoId, causedBy: event.id }] : [],
      );
      if (survivors.length > 0)
        await enqueue(tx, ASSESS_JOB, { customers: survivors, quiet: false, correlationId: '' });
    },
  },
];

function isQuiet(event: DomainEvent): boolean {
  if (isEvent(event, batchImported) || isEvent(event, orderPlaced) || isEvent(event, orderReturned))
    return event.payload.quiet;
  return false;
}
