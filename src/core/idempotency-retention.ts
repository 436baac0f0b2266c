import { z } from 'zod';
import type { Clock } from './clock.ts';
import type { Database } from './database/index.ts';
import { defineJob, type JobDefinition } from './jobs.ts';
import { defineSetting, type Settings } from './settings/index.ts';

export const IDEMPOTENCY_DAYS = defineSetting({
  key: 'core.idempotencyDays',
  description: 'For how many days an idempotency key is remembered with its first answer.',
  schema: z.number().int().min(1).max(3_650),
  default: 90,
});

const DAY_MS = 86_400_000;
const BATCH = 5_000;

/** The job that forgets idempotency keys after their time, in bounded batches. @param clock the machine's */
export const idempotencyJob = (options: {
  readonly database: Database;
  readonly settings: Settings;
  readonly clock: Clock;
}): JobDefinition =>
  defineJob({
    name: 'core.forgetIdempotencyKeys',
    description: 'Removes idempotency keys older than the setting core.idempotencyDays.',
    payload: z.object({}).loose(),
    schedule: '41 3 * * *',
    async run(_payload, { signal }) {
      const days = await options.settings.get(IDEMPOTENCY_DAYS);
      const before = new Date(options.clock.now().getTime() - days * DAY_MS);
      for (let removed = BATCH; removed === BATCH && !signal.aborted; ) {
        const rows = await options.database.query(
          `delete from idempotency_key where (scope, key) in (
             select scope, key from idempotency_key where created_at < $1 order by created_at limit ${BATCH}) returning 1 as one`,
          [before],
        );
        removed = rows.length;
      }
    },
  });
