import { z } from 'zod';
import { type Call, systemCall } from '../../src/core/call.ts';
import { defineJob, type JobDefinition } from '../../src/core/jobs.ts';
import type { ChurnService } from './service.ts';

export const REFRESH_JOB = 'churn.refresh';
export const REFRESH_ALL_JOB = 'churn.refreshAll';
const SWEEP_JOB = 'churn.sweep';

export function churnJobs(service: ChurnService): JobDefinition[] {
  return [
    defineJob({
      name: REFRESH_JOB,
      description: 'Derives comings, goings and MRR movements of the customers something happened to.',
      payload: z.object({
        correlationId: z.string(),
        customers: z.array(z.object({ id: z.uuid(), causedBy: z.uuid() })),
        quiet: z.boolean(),
      }),
      maxAttempts: 12,
      async run({ customers, correlationId, quiet }) {
        const call: Call = { ...systemCall(REFRESH_JOB), correlationId };
        const causes = new Map(customers.map((customer) => [customer.id, customer.causedBy]));
        await service.refresh(call, [...causes.keys()], { causes, quiet });
      },
    }),
    defineJob({
      name: REFRESH_ALL_JOB,
      description:
        'Derives comings, goings and MRR movements of everybody, after a large import or new exchange rates.',
      payload: z.object({}).loose(),
      async run(_payload, { signal }) {
        await service.refreshAll(systemCall(REFRESH_ALL_JOB), signal);
      },
    }),
    defineJob({
      name: SWEEP_JOB,
      description:
        'Says of customers that they are gone when their time has run out; derives everybody anew after a change of settings.',
      payload: z.object({}).loose(),
      schedule: '5 * * * *',
      async run(_payload, { signal }) {
        await service.refreshStale(systemCall(SWEEP_JOB), signal);
        await service.sweep(systemCall(SWEEP_JOB), signal);
      },
    }),
  ];
}
