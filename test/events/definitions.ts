import { z } from 'zod';
import { type Call, systemCall } from '../../src/core/call.ts';
import { createEventRegistry, defineEvent, type NewEvent, newEvent } from '../../src/core/events/index.ts';
import { createLogger } from '../../src/core/logger.ts';

export const logger = createLogger(process.env.HOLDFAST_TEST_LOG ?? 'silent');

export const counted = defineEvent({
  type: 'test.counted',
  version: 1,
  description: 'A number was counted.',
  payload: z.object({ n: z.number().int() }),
});

export const noted = defineEvent({
  type: 'test.noted',
  version: 1,
  description: 'Something else happened.',
  payload: z.object({ n: z.number().int() }),
});

export const registry = createEventRegistry([counted, noted]);
export const call: Call = systemCall('test');

export const count = (n: number, customerId: string | null = null): NewEvent =>
  newEvent(counted, { customerId, payload: { n } });
export const note = (n: number, customerId: string | null = null): NewEvent =>
  newEvent(noted, { customerId, payload: { n } });

/** The number an event of these tests carries. */
export const numberOf = (event: { readonly payload: unknown }): number => (event.payload as { n: number }).n;
