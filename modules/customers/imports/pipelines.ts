import type { RecordType } from './domain/fields.ts';
import { orderLines } from './order-lines/index.ts';
import type { Pipeline } from './pipeline.ts';
import { recordPipeline } from './records/index.ts';
import { eventStream } from './stream/index.ts';

/** How each record type is imported. */
export const pipelines: Readonly<Record<RecordType, Pipeline>> = {
  CUSTOMERS: recordPipeline('CUSTOMERS'),
  CONTACTS: recordPipeline('CONTACTS'),
  SUBSCRIPTIONS: recordPipeline('SUBSCRIPTIONS'),
  INVOICES: recordPipeline('INVOICES'),
  TICKETS: recordPipeline('TICKETS'),
  ORDERS: orderLines,
  EVENTS: eventStream,
};
