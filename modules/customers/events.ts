import { z } from 'zod';
import { defineEvent } from '../../src/core/events/index.ts';

/** The facts this module publishes. They carry ids and numbers, no personal data. */

const id = z.uuid();
const at = z.iso.datetime();
const minor = z.int();
const currency = z.string().length(3);
const status = z.enum(['TRIAL', 'ACTIVE', 'PAUSED', 'CHURNED']);

export const customerCreated = defineEvent({
  type: 'customers.customerCreated',
  version: 1,
  description: 'A customer is known from now on.',
  payload: z.object({ customerId: id, status, origin: z.enum(['upsert', 'event', 'order', 'import']) }),
});

export const customerChanged = defineEvent({
  type: 'customers.customerChanged',
  version: 1,
  description: 'Fields of a customer or of a contact changed; the values are read from the customer.',
  payload: z.object({
    customerId: id,
    fields: z.array(z.string()),
    status: z.object({ from: status, to: status }).nullable(),
  }),
});

export const customerMerged = defineEvent({
  type: 'customers.customerMerged',
  version: 1,
  description: 'One customer became part of another: what is kept for `fromId` belongs to `intoId` from now on.',
  payload: z.object({ fromId: id, intoId: id }),
});

export const customerRenamed = defineEvent({
  type: 'customers.customerRenamed',
  version: 1,
  description: 'A customer has another external id; the former one keeps leading to it.',
  payload: z.object({ customerId: id }),
});

export const customerErased = defineEvent({
  type: 'customers.customerErased',
  version: 1,
  description: 'The personal data of a customer is gone: whoever keeps some removes it now. Sums and counts stay.',
  payload: z.object({ customerId: id }),
});

export const orderPlaced = defineEvent({
  type: 'customers.orderPlaced',
  version: 1,
  description: 'An order came in.',
  payload: z.object({
    orderId: id,
    amountMinor: minor,
    currency,
    /** Null while there is no exchange rate for the day. */
    reportingAmountMinor: minor.nullable(),
    reportingCurrency: currency,
    placedAt: at,
    /** History that is stored and scored, but rewarded and written about by nobody. */
    quiet: z.boolean(),
  }),
});

export const orderReturned = defineEvent({
  type: 'customers.orderReturned',
  version: 1,
  description: 'An order or some of it was returned. Amounts are what came back this time.',
  payload: z.object({
    orderId: id,
    amountMinor: minor,
    currency,
    reportingAmountMinor: minor.nullable(),
    reportingCurrency: currency,
    returnedAt: at,
    quiet: z.boolean(),
  }),
});

const subscription = { subscriptionId: id, plan: z.string(), mrrMinor: minor, currency };

export const subscriptionStarted = defineEvent({
  type: 'customers.subscriptionStarted',
  version: 1,
  description: 'A subscription began, or one that had been cancelled began again.',
  payload: z.object({ ...subscription, startedAt: at }),
});

export const subscriptionChanged = defineEvent({
  type: 'customers.subscriptionChanged',
  version: 1,
  description: 'Plan or monthly revenue of a subscription changed.',
  payload: z.object({
    ...subscription,
    from: z.object({ plan: z.string(), mrrMinor: minor, currency }),
    changedAt: at,
  }),
});

export const subscriptionCancelled = defineEvent({
  type: 'customers.subscriptionCancelled',
  version: 1,
  description: 'A subscription ended.',
  payload: z.object({ ...subscription, cancelledAt: at }),
});

const invoice = { invoiceId: id, amountMinor: minor, currency, issuedAt: at, dueAt: at };

export const invoiceIssued = defineEvent({
  type: 'customers.invoiceIssued',
  version: 1,
  description: 'An invoice was issued.',
  payload: z.object(invoice),
});

export const invoicePaid = defineEvent({
  type: 'customers.invoicePaid',
  version: 1,
  description: 'An invoice was paid.',
  payload: z.object({ ...invoice, paidAt: at }),
});

export const invoiceOverdue = defineEvent({
  type: 'customers.invoiceOverdue',
  version: 1,
  description: 'An invoice was not paid when it was due.',
  payload: z.object(invoice),
});

const ticket = { ticketId: id, priority: z.enum(['LOW', 'NORMAL', 'HIGH', 'URGENT']), openedAt: at };

export const ticketOpened = defineEvent({
  type: 'customers.ticketOpened',
  version: 1,
  description: 'A customer asked for help.',
  payload: z.object(ticket),
});

export const ticketFirstResponse = defineEvent({
  type: 'customers.ticketFirstResponse',
  version: 1,
  description: 'A ticket was answered for the first time.',
  payload: z.object({ ...ticket, firstResponseAt: at }),
});

export const ticketSolved = defineEvent({
  type: 'customers.ticketSolved',
  version: 1,
  description: 'A ticket was solved, or a solved one was rated.',
  payload: z.object({ ...ticket, solvedAt: at, satisfaction: z.int().min(1).max(5).nullable() }),
});

export const eventsRecorded = defineEvent({
  type: 'customers.eventsRecorded',
  version: 1,
  description: 'Events of the stream were accepted: one fact for each call. Events sent before do not count.',
  payload: z.object({
    batchId: id,
    count: z.int(),
    byName: z.record(z.string(), z.int()),
    /** Customers of the events, each once; at most 1,000. */
    customerIds: z.array(id),
    /** For each of `customerIds`: its latest own activity in this call, in Unix milliseconds; 0 when there was none. */
    latestMs: z.array(z.int()),
  }),
});

export const importCompleted = defineEvent({
  type: 'customers.importCompleted',
  version: 1,
  description: 'A bulk import came to its end.',
  payload: z.object({
    importId: id,
    recordType: z.string(),
    rows: z.int(),
    accepted: z.int(),
    rejected: z.int(),
    quiet: z.boolean(),
  }),
});

export const batchImported = defineEvent({
  type: 'customers.batchImported',
  version: 1,
  description:
    'A part of a bulk import is stored: scores are to be computed anew. History is quiet, so nobody is written to.',
  payload: z.object({
    importId: id,
    recordType: z.string(),
    rows: z.int(),
    /** Customers of the rows when there are at most 1,000, else null: any customer may have changed. */
    customerIds: z.array(id).nullable(),
    quiet: z.boolean(),
  }),
});

export const exchangeRatesChanged = defineEvent({
  type: 'customers.exchangeRatesChanged',
  version: 1,
  description: 'Dated exchange rates were set: what was converted by them is to be reckoned anew.',
  payload: z.object({ currencies: z.array(currency) }),
});

/** All of them, for the module's table of contents. */
export const customerEvents = [
  customerCreated,
  customerChanged,
  customerMerged,
  customerRenamed,
  customerErased,
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
  eventsRecorded,
  importCompleted,
  batchImported,
  exchangeRatesChanged,
];
