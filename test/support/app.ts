import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Application, createApplication } from '../../src/app/application.ts';
import type { RunningServer } from '../../src/app/server/index.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { migrateAnalytics } from '../../src/core/analytics/migrate.ts';
import { openAnalytics } from '../../src/core/analytics/open.ts';
import { systemCall } from '../../src/core/call.ts';
import { type ManualClock, manualClock } from '../../src/core/clock.ts';
import { createDatabase } from '../../src/core/database/index.ts';
import { newId } from '../../src/core/ids.ts';
import { createLogger } from '../../src/core/logger.ts';
import { createTestDatabase } from './database.ts';

/** An answer as the API gives it. */
export interface GraphqlAnswer<Data> {
  readonly status: number;
  readonly data: Data;
  readonly errors?: readonly { readonly message: string; readonly extensions: Readonly<Record<string, unknown>> }[];
  readonly extensions: Readonly<Record<string, unknown>>;
}

/** The whole product on a database and a ClickHouse folder of its own. */
export interface TestApp {
  readonly app: Application;
  readonly server: RunningServer;
  readonly config: Config;
  readonly adminKey: string;
  /** Set when the app was started with `now`. */
  readonly clock: ManualClock | undefined;
  /** Asks the API over HTTP; throws when it answers with errors. */
  query<Data>(text: string, variables?: Readonly<Record<string, unknown>>, key?: string): Promise<Data>;
  /** Asks the API over HTTP and gives back whatever it answers. */
  ask<Data = Record<string, unknown>>(
    text: string,
    variables?: Readonly<Record<string, unknown>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<GraphqlAnswer<Data>>;
  createKey(scopes: readonly string[], expiresAt?: Date | null): Promise<string>;
  /**
   * Resolves when nothing is left to do: handlers, jobs due, and the inbox.
   * @throws Error when a job failed, but for those of `mayFail`, which wait for their next attempt
   */
  settle(options?: { readonly mayFail?: readonly string[] }): Promise<void>;
  close(): Promise<void>;
}

export interface TestAppOptions {
  /** The time it is and stays, until `clock` is moved. Default: the machine's clock. */
  readonly now?: Date;
  readonly worker?: boolean;
  /** Tabs of GraphiQL. */
  readonly examples?: readonly { readonly query: string }[];
  readonly environment?: Readonly<Record<string, string>>;
}

const ADMIN_KEY = 'an-admin-key-for-tests-only';
/** Long enough for what follows from a large import on a busy machine. */
const SETTLE_TIMEOUT_MS = 100_000;

/** Starts it on a free port. Call `close` in `afterAll`. */
export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const database = await createTestDatabase();
  const dataFolder = mkdtempSync(path.join(tmpdir(), 'holdfast-test-'));
  const config = readConfig({
    PORT: '0',
    HOLDFAST_DATA: dataFolder,
    HOLDFAST_LOG_LEVEL: process.env.HOLDFAST_LOG_LEVEL ?? 'silent',
    HOLDFAST_ADMIN_KEY: ADMIN_KEY,
    ...options.environment,
  });
  const logger = createLogger(config.logLevel);
  const clock = options.now === undefined ? undefined : manualClock(options.now);
  const records = createDatabase({ url: database.url, logger });
  const analytics = await openAnalytics({ path: path.join(dataFolder, 'clickhouse') }, { database: 'holdfast' });
  await migrateAnalytics(analytics, (run) => run());
  const app = await createApplication({
    config,
    engines: { database: records, analytics },
    logger,
    ...(clock === undefined ? {} : { clock }),
  });
  await app.composition.keys.ensureAdmin(systemCall('test'), ADMIN_KEY);
  if (options.worker !== false) await app.startWorker();
  const server = await app.startHttp(options.examples === undefined ? {} : { examples: options.examples });

  const ask: TestApp['ask'] = async (text, variables = {}, headers = {}) => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}`, ...headers },
      body: JSON.stringify({ query: text, variables }),
    });
    return { status: response.status, ...((await response.json()) as object) } as GraphqlAnswer<never>;
  };

  return {
    app,
    server,
    config,
    adminKey: ADMIN_KEY,
    clock,
    ask,
    async query<Data>(text: string, variables?: Readonly<Record<string, unknown>>, key = ADMIN_KEY) {
      const answer = await ask<Data>(text, variables, { authorization: `Bearer ${key}` });
      if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors));
      return answer.data;
    },
    async createKey(scopes, expiresAt = null) {
      const maker = { id: newId(), name: 'test', scopes: new Set(['admin']), expiresAt: null };
      const { secret } = await app.composition.keys.create(systemCall('test'), maker, {
        name: `test ${newId()}`,
        scopes,
        expiresAt,
      });
      return secret;
    },
    async settle({ mayFail = [] } = {}) {
      const signal = AbortSignal.timeout(SETTLE_TIMEOUT_MS);
      for (let quietRounds = 0; quietRounds < 2; ) {
        signal.throwIfAborted();
        await app.dispatcher.drain(undefined, signal);
        const moved = await app.inbox.drain();
        const [row] = await records.query<{ due: number }>(
          `select count(*)::int as due from graphile_worker._private_jobs where attempts < max_attempts and run_at <= now()`,
        );
        const [failed] = await records.query<{ job: string; error: string }>(
          `select task_identifier as job, last_error as error from graphile_worker.jobs
           where last_error is not null and not task_identifier = any($1::text[]) limit 1`,
          [mayFail],
        );
        if (failed !== undefined) throw new Error(`the job ${failed.job} failed: ${failed.error}`);
        if (moved === 0 && row?.due === 0) quietRounds += 1;
        else {
          quietRounds = 0;
          await delay(10);
        }
      }
    },
    async close() {
      await app.stop();
      await records.close();
      await analytics.close();
      await database.drop();
      rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}
