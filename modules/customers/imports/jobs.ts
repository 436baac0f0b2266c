import { z } from 'zod';
import { dropAbandonedStages } from '../../../src/core/analytics/index.ts';
import { systemCall } from '../../../src/core/call.ts';
import { defineJob, type JobDefinition } from '../../../src/core/jobs.ts';
import type { Infrastructure } from '../../../src/core/module.ts';
import { ImportStateConflict } from './errors.ts';
import type { Runner } from './runner.ts';
import { type ImportService, RUN_IMPORT } from './service.ts';
import { UPLOAD_DAYS, WAITING_DAYS } from './settings.ts';
import { stagesInUse, waitingSince } from './store.ts';
import type { Uploads } from './uploads.ts';

const DAY_MS = 86_400_000;
/** A phase that fails for reasons of the machine is tried so often, with growing pauses: about an hour in all. */
const MAX_ATTEMPTS = 12;

export const importJobs = (
  infra: Infrastructure,
  uploads: Uploads,
  service: ImportService,
  runner: Runner,
): readonly JobDefinition[] => [
  defineJob({
    name: RUN_IMPORT,
    description: 'Brings an import as far as it goes; after a crash it goes on behind the last complete phase.',
    payload: z.object({ jobId: z.uuid() }),
    maxAttempts: MAX_ATTEMPTS,
    run: ({ jobId }, context) => runner.run(jobId, context),
  }),
  defineJob({
    name: 'customers.tidyImports',
    description:
      'Cancels imports that nobody answered, and removes old uploads and staging tables that no import needs any more.',
    payload: z.object({}),
    schedule: '47 3 * * *',
    async run(_payload, { logger }) {
      const nowMs = infra.systemClock.now().getTime();
      const daysAgo = (days: number) => new Date(nowMs - days * DAY_MS);
      const call = systemCall('customers.tidyImports');
      const unanswered = await waitingSince(infra.database, daysAgo(await infra.settings.get(WAITING_DAYS)));
      for (const id of unanswered) {
        await service.cancel(call, id).catch((error: unknown) => {
          // Somebody answered at this very moment.
          if (!(error instanceof ImportStateConflict)) throw error;
        });
      }
      const uploaded = await uploads.removeOlderThan(daysAgo(await infra.settings.get(UPLOAD_DAYS)));
      const stages = await dropAbandonedStages(infra.analytics, daysAgo(1), await stagesInUse(infra.database));
      const tidied = { unanswered: unanswered.length, uploads: uploaded, stages: stages.length };
      if (Object.values(tidied).some((count) => count > 0)) logger.info(tidied, 'tidied imports');
    },
  }),
];
