import { z } from 'zod';
import { type Call, systemCall } from '../../src/core/call.ts';
import { newId } from '../../src/core/ids.ts';
import { defineJob, type JobDefinition } from '../../src/core/jobs.ts';
import type { RiskService } from './service.ts';

export const ASSESS_JOB = 'risk.assess';
export const ASSESS_ALL_JOB = 'risk.assessAll';

/** What the handler hands to the job: customers, and the event that made each due. */
export const assessPayload = z.object({
  correlationId: z.string(),
  customers: z.array(z.object({ id: z.uuid(), causedBy: z.uuid() })),
  quiet: z.boolean(),
});

export function riskJobs(service: RiskService): JobDefinition[] {
  return [
    defineJob({
      name: ASSESS_JOB,
      description: 'Reckons health and retention risk of the customers something happened to.',
      payload: assessPayload,
      maxAttempts: 12,
      async run({ customers, correlationId, quiet }) {
        const call: Call = { ...systemCall(ASSESS_JOB), correlationId: correlationId === '' ? newId() : correlationId };
        const causes = new Map(customers.map((customer) => [customer.id, customer.causedBy]));
        await service.assess(call, [...causes.keys()], { causes, quiet });
      },
    }),
    defineJob({
      name: ASSESS_ALL_JOB,
      description: 'Reckons everybody anew: time alone changes what "the last 30 days" are.',
      payload: z.object({}).loose(),
      schedule: '15 2 * * *',
      async run(_payload, { signal }) {
        await service.assessAll(systemCall(ASSESS_ALL_JOB), signal);
      },
    }),
  ];
}
