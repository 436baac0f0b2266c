import { setMaxListeners } from 'node:events';
import pg from 'pg';
import type { Logger } from '../logger.ts';
import { abortableDelay } from './support.ts';

/** Any fixed number: the advisory lock of the one dispatcher of a deployment. */
const LEADER_LOCK = 4_016_180_337;
/** How soon a stand-by notices that the leader is gone. PostgreSQL frees the lock when the leader's connection closes. */
const STANDBY_POLL_MS = 500;
/** A leader whose connection hangs must notice before PostgreSQL gives its lock away. */
const LEADER_CHECK_MS = 2_000;
const RETRY_MAX_MS = 5_000;

export interface LeadershipOptions {
  readonly url: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Runs while this process leads; its signal aborts when the lock is lost or everything stops. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
}

/**
 * Leads whenever no other process of the deployment does, until the signal aborts. The lock belongs to a connection of
 * its own, so it goes with the process, however that ends.
 */
export async function takeTurns({ url, logger, signal, lead }: LeadershipOptions): Promise<void> {
  let waitMs = STANDBY_POLL_MS;
  while (!signal.aborted) {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'holdfast-dispatcher',
      keepAlive: true,
      query_timeout: LEADER_CHECK_MS * 2,
    });
    const lost = new AbortController();
    const giveUp = () => lost.abort();
    client.on('error', giveUp);
    client.on('end', giveUp);
    try {
      await client.connect();
      waitMs = STANDBY_POLL_MS;
      const term = AbortSignal.any([signal, lost.signal]);
      // Every handler waits for its end.
      setMaxListeners(0, term);
      while (!term.aborted && !(await tryLock(client))) await abortableDelay(STANDBY_POLL_MS, term);
      if (!term.aborted) {
        logger.info('this process dispatches events now');
        await Promise.all([watch(client, term, giveUp), lead(term)]);
      }
    } catch (error) {
      if (!signal.aborted)
        logger.warn({ err: error, retryMs: waitMs }, 'the connection that holds the dispatcher lock failed');
    } finally {
      lost.abort();
      client.removeAllListeners();
      client.on('error', () => {});
      await client.end().catch(() => {});
    }
    await abortableDelay(waitMs, signal);
    waitMs = Math.min(waitMs * 2, RETRY_MAX_MS);
  }
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const result = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [LEADER_LOCK]);
  return result.rows[0]?.locked === true;
}

/** Holds on to the lock's connection; gives up when it no longer answers. */
async function watch(client: pg.Client, term: AbortSignal, giveUp: () => void): Promise<void> {
  while (!term.aborted) {
    await abortableDelay(LEADER_CHECK_MS, term);
    if (term.aborted) return;
    await client.query('select 1').catch(giveUp);
  }
}
