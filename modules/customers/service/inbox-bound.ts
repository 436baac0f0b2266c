import type { Clock } from '../../../src/core/clock.ts';
import type { Database } from '../../../src/core/database/index.ts';
import { Overloaded } from '../../../src/core/errors.ts';
import type { Logger } from '../../../src/core/logger.ts';

/** The count of the inbox is refreshed after this time, or after a tenth of the bound was accepted here. */
const RECOUNT_AFTER_MS = 2_000;

/**
 * Keeps the inbox bounded: an outage of the history engine may fill it, and no further. The rows are counted now and then
 * beside the stream (up to the bound, never the whole table twice), so the bound holds within what is accepted between
 * two counts.
 */
export function createInboxBound(database: Database, clock: Clock, logger: Logger) {
  let waiting = 0;
  let acceptedSince = 0;
  let countedAtMs = Number.NEGATIVE_INFINITY;
  let counting: Promise<void> | undefined;

  const count = async (bound: number): Promise<void> => {
    const [row] = await database.query<{ rows: number }>(
      'select count(*) as rows from (select 1 from event_inbox limit $1) t',
      [bound + 1],
      { name: 'inbox_count' },
    );
    waiting = row?.rows ?? 0;
    acceptedSince = 0;
  };

  return {
    /** @throws Overloaded when the inbox is full */
    check(bound: number): void {
      const nowMs = clock.now().getTime();
      const due = nowMs - countedAtMs > RECOUNT_AFTER_MS || acceptedSince > bound / 10;
      if (due && counting === undefined) {
        countedAtMs = nowMs;
        counting = count(bound)
          .catch((error) => logger.warn({ err: error }, 'could not count the inbox'))
          .finally(() => {
            counting = undefined;
          });
      }
      if (waiting + acceptedSince >= bound) throw new Overloaded('The inbox of events', 1_000);
    },
    accepted(events: number): void {
      acceptedSince += events;
    },
    /** For tests and figures: waits until a count under way is done. */
    settled: (): Promise<void> => counting ?? Promise.resolve(),
  };
}
