import { type HandlerDefinition, isEvent } from '../../../src/core/events/index.ts';
import { enqueue } from '../../../src/core/jobs.ts';
import {
  customerChanged,
  customerErased,
  customerMerged,
  eventsRecorded,
  importCompleted,
  orderPlaced,
} from '../../customers/contract.ts';
import { pointsAwarded, pointsReversed } from '../events.ts';
import { referralAttributed, referralRewarded } from './events.ts';
import { RECOUNT_JOB } from './jobs.ts';
import type { EngagementPorts } from './ports.ts';
import { engage } from './service-engage.ts';

/** Calls per transaction: each may hold 1,000 events. */
const CALLS = 5;
/** Some of the events may be in a history engine that is away: with the usual pauses about an hour. */
const PATIENT_ATTEMPTS = 20;

/** How engagement reacts to facts. */
export const engagementHandlers = (ports: EngagementPorts): HandlerDefinition[] => [
  {
    name: 'loyalty.countEvents',
    on: [eventsRecorded],
    batchSize: CALLS,
    maxAttempts: PATIENT_ATTEMPTS,
    handle: (tx, events, context) => engage(tx, ports, events, context.call),
  },
  {
    name: 'loyalty.engage',
    on: [
      orderPlaced,
      pointsAwarded,
      pointsReversed,
      customerChanged,
      referralAttributed,
      referralRewarded,
      customerMerged,
      customerErased,
    ],
    handle: (tx, events, context) => engage(tx, ports, events, context.call),
  },
  {
    name: 'loyalty.recountAfterImports',
    on: [importCompleted],
    async handle(tx, events) {
      const quiet = events.some((event) => isEvent(event, importCompleted) && event.payload.quiet);
      if (quiet) await enqueue(tx, RECOUNT_JOB, {}, { key: RECOUNT_JOB });
    },
  },
];
