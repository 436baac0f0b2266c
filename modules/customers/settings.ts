import { z } from 'zod';
import { defineSetting } from '../../src/core/settings/index.ts';
import { catalogueNames } from './catalogue.ts';

export const UNKNOWN_CUSTOMER = defineSetting({
  key: 'customers.unknownCustomer',
  description:
    'What happens when an event, an order or another record names a customer by an external id nobody has heard of: "create" makes the customer, "reject" refuses the item.',
  schema: z.enum(['create', 'reject']),
  default: 'create',
});

export const FUTURE_TOLERANCE = defineSetting({
  key: 'customers.futureToleranceSeconds',
  description:
    'How far a time may lie ahead of the clock of the business before it is refused; clocks differ a little.',
  schema: z.int().min(0).max(86_400),
  default: 300,
});

export const INBOX_LIMIT = defineSetting({
  key: 'customers.inboxLimit',
  description:
    'How many accepted events may wait for the history engine before recordEvents answers "Overloaded"; bounds the disk an outage of the engine can take.',
  schema: z.int().min(1_000).max(1_000_000_000),
  default: 2_000_000,
});

export const EVENT_NAMES = defineSetting({
  key: 'customers.eventNames',
  description:
    'Names of your own events and the known event each of them is, e.g. {"Product Viewed": "feature.used"}. A mapped event is stored and scored under the known name.',
  schema: z.record(z.string().min(1).max(200), z.enum(catalogueNames)),
  default: {},
});

export const EVENT_MEMORY = defineSetting({
  key: 'customers.eventMemoryDays',
  description:
    'How many days the identity of an accepted event is remembered: a replay within them has no effect twice.',
  schema: z.int().min(1).max(3_650),
  default: 90,
});

/** All of them, for the module's table of contents. */
export const customerSettings = [UNKNOWN_CUSTOMER, FUTURE_TOLERANCE, INBOX_LIMIT, EVENT_NAMES, EVENT_MEMORY];
