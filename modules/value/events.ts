import { z } from 'zod';
import { defineEvent } from '../../src/core/events/index.ts';

export const featuresComputed = defineEvent({
  type: 'value.featuresComputed',
  version: 1,
  description: 'Snapshots of the features of all customers were computed: one fact for all of them.',
  payload: z.object({ snapshots: z.int(), customers: z.int(), at: z.iso.datetime() }),
});

export const valueRefreshed = defineEvent({
  type: 'value.refreshed',
  version: 1,
  description: 'Segments, clusters and lifetime value of all customers were computed anew: one fact for all of them.',
  payload: z.object({ customers: z.int(), clusters: z.int(), at: z.iso.datetime() }),
});

export const valueEvents = [featuresComputed, valueRefreshed];
