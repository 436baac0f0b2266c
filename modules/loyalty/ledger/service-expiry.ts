import type { Call } from '../../../src/core/call.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Database, Tx } from '../../../src/core/database/index.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { type LedgerCommand, type LedgerRequest, type Posted, unkeyedRequest } from './commands.ts';
import { customersWithDueLots, timedOut } from './queries-lots.ts';

/** What ending points stands on. */
export interface ExpiryPorts {
  readonly database: Pick<Database, 'query' | 'transaction'>;
  readonly clock: Clock;
  post(tx: Tx, requests: readonly LedgerRequest[]): Promise<(Posted | DomainError)[]>;
}

/** Lots or entries per transaction: those who award to the same accounts wait no longer than this takes. */
const ENDING_BATCH = 100;

/**
 * Lets lots lapse whose time is over: an account at a time loses what is due by one entry. Each batch is a short
 * transaction; what it did is no longer due, so the work may stop anywhere and begin again, in several processes at once.
 * @returns how many points lapsed
 */
export async function expireLots(ports: ExpiryPorts, call: Call, signal?: AbortSignal): Promise<number> {
  let points = 0;
  await inBatches(
    ports,
    call,
    signal,
    async (now) => {
      const customerIds = await customersWithDueLots(ports.database, now, ENDING_BATCH);
      return customerIds.map((customerId) => ({ kind: 'expire', customerId }));
    },
    (posted) => {
      points -= posted.entry.points;
    },
  );
  return points;
}

/** Voids entries that have waited too long, in the same manner. @returns how many */
export async function voidTimedOut(ports: ExpiryPorts, call: Call, signal?: AbortSignal): Promise<number> {
  let entries = 0;
  await inBatches(
    ports,
    call,
    signal,
    async (now) => {
      const entryIds = await timedOut(ports.database, now, ENDING_BATCH);
      return entryIds.map((entryId) => ({ kind: 'void', entryId, timedOut: true }));
    },
    () => {
      entries += 1;
    },
  );
  return entries;
}

async function inBatches(
  { database, clock, post }: ExpiryPorts,
  call: Call,
  signal: AbortSignal | undefined,
  next: (now: Date) => Promise<LedgerCommand[]>,
  onPosted: (posted: Posted) => void,
): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    const commands = await next(clock.now());
    if (commands.length === 0) return;
    const requests = commands.map((command) => unkeyedRequest(call, command));
    const answers = await database.transaction((tx) => post(tx, requests), { pipelined: true });
    const posted = answers.filter((answer): answer is Posted => !(answer instanceof DomainError));
    for (const one of posted) onPosted(one);
    // Another process was here first; a batch that does nothing twice would never end.
    if (posted.length === 0) return;
  }
}
