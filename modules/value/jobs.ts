import { z } from 'zod';
import { type Call, systemCall } from '../../src/core/call.ts';
import { defineJob, type JobDefinition } from '../../src/core/jobs.ts';
import { REFRESH_JOB } from './job-names.ts';
import type { ValueService } from './service.ts';

export function valueJobs(service: ValueService): JobDefinition[] {
  return [
    defineJob({
      name: REFRESH_JOB,
      description:
        'Computes features, segments, clusters and lifetime value of all customers: at night, and after imports.',
      payload: z.object({ refreshId: z.uuid().optional(), correlationId: z.string().optional() }).loose(),
      schedule: '40 2 * * *',
      maxAttempts: 6,
      async run({ refreshId, correlationId }, { signal, lastAttempt }) {
        const system = systemCall(REFRESH_JOB);
        const call: Call = correlationId === undefined ? system : { ...system, correlationId };
        await service.runRefresh(call, refreshId ?? null, signal, lastAttempt);
      },
    }),
  ];
}
