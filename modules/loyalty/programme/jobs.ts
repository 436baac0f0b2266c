import { z } from 'zod';
import { type Call, systemCall } from '../../../src/core/call.ts';
import type { Database } from '../../../src/core/database/index.ts';
import { defineJob, enqueue, type JobDefinition } from '../../../src/core/jobs.ts';
import { REVIEW_TIERS_JOB, type TierService } from './service-tiers.ts';
import { EARN_FROM_EVENTS_JOB, earnFromEvents, type TriggerPorts } from './service-triggers.ts';

/** Accounts per run of the review: what a crash can make it look at again, some seconds' worth. */
const REVIEW_RUN = 50_000;

/** Background work of the programme. */
export function programmeJobs(
  service: TierService,
  ports: TriggerPorts & { readonly database: Pick<Database, 'transaction'> },
): JobDefinition[] {
  return [
    defineJob({
      name: REVIEW_TIERS_JOB,
      description:
        'Looks at the tiers of all members: raises who has the points, warns who no longer has them, lowers whose grace period is over.',
      payload: z.object({ after: z.uuid().optional() }).loose(),
      // Behind the end of the day in most of the Americas and before it in the Far East: a day of grace more or less.
      schedule: '20 4 * * *',
      async run({ after }, { signal, logger }) {
        const call = systemCall(REVIEW_TIERS_JOB);
        const { next, ...done } = await service.reviewTiers(call, after ?? null, REVIEW_RUN, signal);
        logger.info(done, 'tiers were reviewed');
        // A job of its own for the rest, so that what is done is never done again.
        if (next !== null) {
          await ports.database.transaction((tx) =>
            enqueue(
              tx,
              REVIEW_TIERS_JOB,
              { after: next },
              { key: `${REVIEW_TIERS_JOB} ${next}`, queue: REVIEW_TIERS_JOB },
            ),
          );
        }
      },
    }),
    defineJob({
      name: EARN_FROM_EVENTS_JOB,
      description: 'Gives the points that rules give for events of the stream, each event once.',
      payload: z.object({
        batchId: z.uuid(),
        customerIds: z.array(z.uuid()),
        byName: z.record(z.string(), z.int()),
        correlationId: z.string(),
        causationId: z.uuid().nullable(),
      }),
      async run({ correlationId, causationId, ...batch }, { logger }) {
        const call: Call = { ...systemCall(EARN_FROM_EVENTS_JOB), correlationId, causationId };
        await earnFromEvents({ ...ports, logger }, call, batch);
      },
    }),
  ];
}
