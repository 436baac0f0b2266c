import { z } from 'zod';
import { defineJob } from '../../../src/core/jobs.ts';
import { EXPIRE_JOB, type RewardsService } from './service.ts';

/** Background work about rewards. */
export const rewardJobs = (service: Pick<RewardsService, 'expireRedemptions'>) => [
  defineJob({
    name: EXPIRE_JOB,
    description: 'Closes redemptions that were not used in time, a bounded batch at a time.',
    payload: z.object({}),
    // A redemption is over by the clock; this only tidies up behind it.
    schedule: '*/5 * * * *',
    async run(_payload, { signal, logger }) {
      const expired = await service.expireRedemptions(signal);
      if (expired > 0) logger.info({ expired }, 'redemptions expired');
    },
  }),
];
