import { EventEmitter } from 'node:events';
import { Logger as GraphileLogger, parseCronItem, run, type TaskList, type WorkerEvents } from 'graphile-worker';
import pg from 'pg';
import type { z } from 'zod';
import type { Database, Tx } from './database/index.ts';
import { messageOf } from './errors.ts';
import type { Logger } from './logger.ts';

/** Background work: asked for in a transaction (`enqueue`) or by a schedule, run at least once. */
export interface JobDefinition<P = unknown> {
  /** `module.whatItDoes`, stable. */
  readonly name: string;
  readonly description: string;
  readonly payload: z.ZodType<P>;
  readonly run: (payload: P, context: JobContext) => Promise<void>;
  /** Crontab line in UTC; such a job is asked for with the payload `{}`. */
  readonly schedule?: string;
  /** Then it stays as failed, with its error. Default 25, over about three days. */
  readonly maxAttempts?: number;
}

export interface JobContext {
  /** Aborted when the process stops: finish soon or throw, the job comes back. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly attempt: number;
  readonly lastAttempt: boolean;
}

/** Declares a job; gives the payload's type to `run`. */
export const defineJob = <P>(definition: JobDefinition<P>): JobDefinition => definition as JobDefinition;

export interface EnqueueOptions {
  /** At most one waiting job has this key; asking again replaces it. */
  readonly key?: string;
  readonly runAt?: Date;
  /** Jobs of one queue run one after another. */
  readonly queue?: string;
  readonly maxAttempts?: number;
}

/** Asks for a job in the caller's transaction: it exists if and only if the rows do. */
export async function enqueue(
  tx: Tx,
  name: string,
  payload: Readonly<Record<string, unknown>>,
  options: EnqueueOptions = {},
): Promise<void> {
  await tx.query(
    `select 1 as added from graphile_worker.add_job($1, $2::json, queue_name => $3, run_at => $4, max_attempts => $5, job_key => $6)`,
    [
      name,
      JSON.stringify(payload),
      options.queue ?? null,
      options.runAt ?? null,
      options.maxAttempts ?? null,
      options.key ?? null,
    ],
    { name: 'jobs_add' },
  );
}

export interface JobRunner {
  /** Finishes what runs, or hands it back. */
  stop(): Promise<void>;
}

export interface JobRunnerOptions {
  readonly database: Database;
  readonly jobs: readonly JobDefinition[];
  readonly logger: Logger;
  readonly concurrency: number;
}

const LOCK_SPACE = 0x484f4c44; // "HOLD": first half of the advisory lock that says a worker pool is alive
const RECLAIM_EVERY_MS = 5_000;
const MAX_ATTEMPTS_WITH_CRASHES = 100;
/** A pool may take its first job before its lock is held; so young a claim is never called dead. */
const NEWBORN_S = 3;

/** Starts workers for the jobs, and takes back what dead workers held (graphile-worker alone would wait four hours). */
export async function startJobs({ database, jobs, logger, concurrency }: JobRunnerOptions): Promise<JobRunner> {
  const stopping = new AbortController();
  const presence = await announcePresence(database, logger);
  const taskList: TaskList = {};
  for (const job of jobs) {
    taskList[job.name] = async (raw, helpers) => {
      const payload = job.payload.parse(raw ?? {});
      const signal =
        helpers.abortSignal === undefined ? stopping.signal : AbortSignal.any([helpers.abortSignal, stopping.signal]);
      const { attempts: attempt, max_attempts: maxAttempts } = helpers.job;
      await job.run(payload, {
        signal,
        attempt,
        lastAttempt: attempt >= maxAttempts,
        logger: logger.child({ job: job.name, attempt }),
      });
    };
  }
  const runner = await run({
    pgPool: database.pool,
    taskList,
    concurrency,
    noHandleSignals: true,
    pollInterval: 1_000,
    events: presence.events,
    logger: new GraphileLogger((scope) => (level, message, meta) => {
      const log = level === 'error' ? 'error' : level === 'warning' ? 'warn' : 'debug';
      logger[log]({ ...scope, ...meta }, message);
    }),
    parsedCronItems: jobs.flatMap((job) =>
      job.schedule === undefined
        ? []
        : [parseCronItem({ task: job.name, match: job.schedule, identifier: job.name, payload: {} })],
    ),
  });
  return {
    async stop() {
      stopping.abort();
      await runner.stop().catch((error) => logger.warn({ err: error }, 'the job runner did not stop cleanly'));
      await presence.end();
    },
  };
}

/** Holds an advisory lock for each worker pool on a connection of its own; who holds none is dead and its jobs are free. */
async function announcePresence(database: Database, logger: Logger) {
  const events: WorkerEvents = new EventEmitter();
  const mine = new Set<string>();
  let client: pg.Client | undefined;
  let ended = false;
  // One statement at a time on the connection, in the order asked.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = (work: (connection: pg.Client) => Promise<void>): Promise<void> => {
    const done = turn.then(async () => {
      if (!ended) await work(await connected());
    });
    turn = done.catch(() => {});
    return done;
  };

  const hold = (connection: pg.Client, pool: string) =>
    connection.query('select pg_advisory_lock($1, hashtext($2))', [LOCK_SPACE, pool]);

  const connected = async (): Promise<pg.Client> => {
    if (client !== undefined) return client;
    const next = new pg.Client({
      connectionString: database.url,
      application_name: 'holdfast-presence',
      keepAlive: true,
    });
    const drop = () => {
      if (client === next) client = undefined;
    };
    next.on('error', drop);
    next.on('end', drop);
    await next.connect();
    for (const pool of mine) await hold(next, pool);
    client = next;
    return next;
  };

  const reclaim = async (connection: pg.Client) => {
    const { rows } = await connection.query<{ pool: string }>(
      `select distinct locked_by as pool from graphile_worker._private_jobs
       where locked_by is not null and locked_at < now() - make_interval(secs => $2) and not exists (
         select from pg_locks where locktype = 'advisory' and classid = $1::bigint::oid and granted
           and objid = (hashtext(locked_by)::bigint & 4294967295)::oid
           and database = (select oid from pg_database where datname = current_database()))`,
      [LOCK_SPACE, NEWBORN_S],
    );
    const dead = rows.map((row) => row.pool);
    if (dead.length === 0) return;
    const { rows: cut } = await connection.query<{ id: string; bound: number }>(
      `select id, least(max_attempts + 1, $2::int) as bound from graphile_worker._private_jobs
       where locked_by = any($1::text[]) and max_attempts < $2::int`,
      [dead, MAX_ATTEMPTS_WITH_CRASHES],
    );
    await connection.query('select graphile_worker.force_unlock_workers($1::text[])', [dead]);
    // A crash is seldom the job's fault, so it costs no attempt, up to a bound for the job that is itself the cause.
    await connection.query(
      'select graphile_worker.reschedule_jobs(array[t.id], max_attempts => t.bound) from unnest($1::bigint[], $2::int[]) as t(id, bound)',
      [cut.map((job) => job.id), cut.map((job) => job.bound)],
    );
    logger.info({ pools: dead.length }, 'took back the jobs of dead workers');
  };

  const complain = (error: unknown) => logger.warn({ reason: messageOf(error) }, 'could not look for dead workers');
  events.on('pool:create', ({ workerPool }) => {
    mine.add(workerPool.id);
    inTurn(async (connection) => {
      await hold(connection, workerPool.id);
    }).catch(complain);
  });
  await inTurn(reclaim);
  const timer = setInterval(() => inTurn(reclaim).catch(complain), RECLAIM_EVERY_MS);
  timer.unref();
  return {
    events,
    async end() {
      ended = true;
      clearInterval(timer);
      await turn;
      await client?.end().catch(() => {});
    },
  };
}
