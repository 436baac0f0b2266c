import { z } from 'zod';
import { dropAbandonedStages } from '../../../src/core/analytics/index.ts';
import { defineJob, type JobDefinition } from '../../../src/core/jobs.ts';
import type { Infrastructure } from '../../../src/core/module.ts';
import type { Runner } from './runner.ts';
import { RUN_IMPORT } from './service.ts';
import { UPLOAD_DAYS } from './settings.ts';
import { stagesInUse } from './store.ts';
import type { Uploads } from './uploads.ts';

const DAY_MS = 86_400_000;
/** A phase that fails for reasons of the machine is tried so often, with growing pauses: about an hour in all. */
const MAX_ATTEMPTS = 12;

export const importJobs = (infra: Infrastructure, uploads: Uploads, runner: Runner): readonly JobDefinition[] => [
  defineJob({
    name: RUN_IMPORT,
    description: 'Brings an import as far as it goes; after a crash it goes on behind the last complete phase.',
    payload: z.object({ jobId: z.uuid() }),
    maxAttempts: MAX_ATTEMPTS,
    run: ({ jobId }, context) => runner.run(jobId, context),
  }),
  defineJob({
    name: 'customers.tidyImports',
    description: 'Removes old uploads, and staging tables that no import needs any more.',
    payload: z.object({}),
    schedule: '47 3 * * *',
    async run(_payload, { logger }) {
      const nowMs = infra.systemClock.now().getTime();
      const days = await infra.settings.get(UPLOAD_DAYS);
      const uploaded = await uploads.removeOlderThan(new Date(nowMs - days * DAY_MS));
      const stages = await dropAbandonedStages(
        infra.analytics,
        new Date(nowMs - DAY_MS),
        await stagesInUse(infra.database),
      );
      if (uploaded + stages.length > 0) logger.info({ uploads: uploaded, stages: stages.length }, 'tidied imports');
    },
  }),
];
