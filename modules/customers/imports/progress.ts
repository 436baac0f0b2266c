import type { Call } from '../../../src/core/call.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Database, Tx } from '../../../src/core/database/index.ts';
import { appendEvents, newEvent } from '../../../src/core/events/index.ts';
import { importProgressed } from './events.ts';
import type { ImportJob } from './model.ts';
import { changeJob, type JobChange } from './store.ts';

/** A follower wants to see movement, the outbox wants peace. */
const EVERY_MS = 1_000;

/** Changes a job and tells its followers, in one transaction. */
export async function changeAndTell(
  tx: Tx,
  clocks: { readonly clock: Clock; readonly systemClock: Clock },
  call: Call,
  id: string,
  change: JobChange,
): Promise<ImportJob> {
  const job = await changeJob(tx, id, clocks.systemClock.now(), change);
  const { state, phase, bytesDone, rowsDone, rowsTotal, rowsRefused, fileBytes: bytesTotal } = job;
  const payload = { importId: id, state, phase, bytesDone, bytesTotal, rowsDone, rowsTotal, rowsRefused };
  await appendEvents(tx, call, clocks.clock, [newEvent(importProgressed, { customerId: null, payload })]);
  return job;
}

/** Writes progress at most once a second, never two at a time, and hears on the way when the import is to be cancelled. */
export interface ProgressMeter {
  report(change: Pick<JobChange, 'bytesDone' | 'rowsDone' | 'rowsRefused'>): void;
  /** Waits for the write under way, so that it does not come behind what is written next. */
  settled(): Promise<void>;
  /** The same; later reports are dropped. */
  close(): Promise<void>;
}

export function createProgressMeter(options: {
  readonly database: Database;
  readonly clock: Clock;
  readonly systemClock: Clock;
  readonly call: Call;
  readonly jobId: string;
  readonly onCancel: () => void;
  readonly onError: (error: unknown) => void;
}): ProgressMeter {
  const { database, systemClock, call, jobId } = options;
  let writing: Promise<void> | null = null;
  let lastMs = Number.NEGATIVE_INFINITY;
  let closed = false;
  return {
    report(change) {
      const nowMs = systemClock.now().getTime();
      if (closed || writing !== null || nowMs - lastMs < EVERY_MS) return;
      lastMs = nowMs;
      writing = database
        .transaction((tx) => changeAndTell(tx, options, call, jobId, change))
        .then((job) => {
          if (job.cancelRequestedAt !== null) options.onCancel();
        })
        .catch(options.onError)
        .finally(() => {
          writing = null;
        });
    },
    async settled() {
      await writing;
    },
    async close() {
      closed = true;
      await writing;
    },
  };
}
