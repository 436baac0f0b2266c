import { z } from 'zod';
import { systemCall } from '../../src/core/call.ts';
import { defineJob } from '../../src/core/jobs.ts';
import { ledgerJobs } from './ledger/jobs.ts';
import { ENROL_EVERYBODY_JOB, type LoyaltyService } from './service.ts';

/** Background work of the module. */
export const loyaltyJobs = (service: LoyaltyService) => [
  defineJob({
    name: ENROL_EVERYBODY_JOB,
    description: 'Makes all customers members of the loyalty programme, a bounded batch at a time.',
    payload: z.object({}),
    async run(_payload, { signal, logger }) {
      const joined = await service.enrolEverybody(systemCall(ENROL_EVERYBODY_JOB), signal);
      logger.info({ joined }, 'customers joined the loyalty programme');
    },
  }),
  ...ledgerJobs(service),
];
