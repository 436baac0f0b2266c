import { z } from 'zod';
import { systemCall } from '../../../src/core/call.ts';
import { defineJob, type JobDefinition } from '../../../src/core/jobs.ts';
import type { AllocationService } from './service.ts';

const MEASURE_JOB = 'value.measureCampaigns';

export const allocationJobs = (service: AllocationService): JobDefinition[] => [
  defineJob({
    name: MEASURE_JOB,
    description: 'Measures the lift of campaigns whose horizon is over: every hour.',
    payload: z.object({}).loose(),
    schedule: '25 * * * *',
    maxAttempts: 6,
    async run(_payload, { signal }) {
      await service.measureDue(systemCall(MEASURE_JOB), signal);
    },
  }),
];
