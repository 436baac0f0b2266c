import { z } from 'zod';
import { systemCall } from '../../../src/core/call.ts';
import { defineJob } from '../../../src/core/jobs.ts';
import type { LoyaltyService } from '../service.ts';

const EXPIRE_JOB = 'loyalty.expirePoints';
const VOID_JOB = 'loyalty.voidTimedOut';

/** What ends by itself. */
export const ledgerJobs = (service: Pick<LoyaltyService, 'expireLots' | 'voidTimedOut'>) => [
  defineJob({
    name: EXPIRE_JOB,
    description: 'Lets points lapse whose time is over, a bounded batch at a time.',
    payload: z.object({}).loose(),
    // Days and months end on quarters of an hour in every time zone there is.
    schedule: '1,16,31,46 * * * *',
    async run(_payload, { signal, logger }) {
      const points = await service.expireLots(systemCall(EXPIRE_JOB), signal);
      if (points > 0) logger.info({ points }, 'points lapsed');
    },
  }),
  defineJob({
    name: VOID_JOB,
    description: 'Voids pending points and gives back points set aside that have waited too long.',
    payload: z.object({}).loose(),
    schedule: '* * * * *',
    async run(_payload, { signal, logger }) {
      const entries = await service.voidTimedOut(systemCall(VOID_JOB), signal);
      if (entries > 0) logger.info({ entries }, 'entries had waited too long and were voided');
    },
  }),
];
