import { z } from 'zod';
import { defineEvent } from '../../src/core/events/index.ts';

export const valueRefreshed = defineEvent({
  type: 'value.refreshed',
  version: 1,
  description: 'Segments, clusters and lifetime value of all customers were computed anew: one fact for all of them.',
  payload: z.object({ customers: z.int(), clusters: z.int(), at: z.iso.datetime() }),
});

export const valueEvents = [valueRefreshed];
