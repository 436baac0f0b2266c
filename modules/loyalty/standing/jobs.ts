import { z } from 'zod';
import { type Call, systemCall } from '../../../src/core/call.ts';
import { newId } from '../../../src/core/ids.ts';
import { defineJob, type JobDefinition } from '../../../src/core/jobs.ts';
import type { StandingService } from './service.ts';

export const RECKON_JOB = 'loyalty.reckonStandings';
/** One after another: of two that reckon a customer at once, the one that knows less might be the last to write. */
export const RECKON_QUEUE = 'loyalty.standings';
export const RECKON_ALL_JOB = 'loyalty.reckonAllStandings';

/** What the handler hands to the job: customers, and the event that made each due. */
const reckonPayload = z.object({
  correlationId: z.string(),
  customers: z.array(z.object({ id: z.uuid(), causedBy: z.uuid() })),
  quiet: z.boolean(),
});

export function standingJobs(service: StandingService): JobDefinition[] {
  return [
    defineJob({
      name: RECKON_JOB,
      description: 'Reckons loyalty score and journey of the customers something happened to.',
      payload: reckonPayload,
      maxAttempts: 12,
      async run({ customers, correlationId, quiet }) {
        const call: Call = { ...systemCall(RECKON_JOB), correlationId: correlationId === '' ? newId() : correlationId };
        const causes = new Map(customers.map((customer) => [customer.id, customer.causedBy]));
        await service.reckon(call, [...causes.keys()], { causes, quiet });
      },
    }),
    defineJob({
      name: RECKON_ALL_JOB,
      description: 'Reckons everybody anew: time alone changes what "the last 30 days" are.',
      payload: z.object({ quiet: z.boolean().optional() }).loose(),
      // Behind the value of customers and the predictions of churn, which it reads.
      schedule: '50 3 * * *',
      async run({ quiet }, { signal }) {
        await service.reckonAll(systemCall(RECKON_ALL_JOB), { quiet: quiet === true, signal });
      },
    }),
  ];
}
