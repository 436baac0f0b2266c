import type { Config } from '../config.ts';
import { type Authenticator, createAuthenticator } from '../core/access/index.ts';
import { createInboxFlusher } from '../core/analytics/inbox.ts';
import { pendingAnalyticsMigrations } from '../core/analytics/migrate.ts';
import { systemCall } from '../core/call.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { pendingMigrations } from '../core/database/migrate.ts';
import { createDispatcher, createTail, type Dispatcher, healEpoch, type Tail } from '../core/events/index.ts';
import { startJobs } from '../core/jobs.ts';
import type { Logger } from '../core/logger.ts';
import { createMetrics } from '../core/metrics.ts';
import type { Infrastructure } from '../core/module.ts';
import { businessClock, createSettings } from '../core/settings/index.ts';
import { backupRoutes } from './backup/index.ts';
import { type Composition, compose } from './compose.ts';
import type { Engines } from './engines.ts';
import { featureRoutes } from './feature-routes.ts';
import { importRoutes } from './import-routes.ts';
import { localOutboxRoutes } from './local-outbox.ts';
import { loyaltyReportRoutes } from './loyalty-report-routes.ts';
import { loyaltyRoutes } from './loyalty-routes.ts';
import { type ReadinessCheck, type RunningServer, startServer } from './server/index.ts';
import { subscriptionServer } from './subscription-host.ts';

/** Holdfast over open engines; parts are started one by one, and stopped together. */
export interface Application {
  readonly infra: Infrastructure;
  readonly composition: Composition;
  /** The end of the outbox as this process sees it. */
  readonly tail: Tail;
  readonly dispatcher: Dispatcher;
  readonly inbox: ReturnType<typeof createInboxFlusher>;
  /** Background work: dispatcher, jobs, inbox. */
  startWorker(): Promise<void>;
  startHttp(options?: { readonly examples?: ServerExamples }): Promise<RunningServer>;
  /** Finishes what runs, or hands it back. */
  stop(): Promise<void>;
}

type ServerExamples = NonNullable<Parameters<typeof startServer>[0]['examples']>;

export interface ApplicationOptions {
  readonly config: Config;
  readonly engines: Pick<Engines, 'database' | 'analytics'>;
  readonly logger: Logger;
  /** The machine's clock; another one in tests. */
  readonly clock?: Clock;
  readonly processMetrics?: boolean;
}

/** Beyond this a readiness check fails: traffic would only make it worse. */
const MAX_LAG_MS = 60_000;
const MAX_INBOX_AGE_MS = 15 * 60_000;

/** Puts Holdfast together. Nothing runs until something is started. */
export async function createApplication(options: ApplicationOptions): Promise<Application> {
  const { config, engines, logger } = options;
  const { database, analytics } = engines;
  const clock = options.clock ?? systemClock;
  const settings = createSettings(database, clock);
  const metrics = createMetrics({ processMetrics: options.processMetrics ?? false });
  const infra: Infrastructure = {
    database,
    analytics,
    settings,
    clock: businessClock(settings, clock),
    systemClock: clock,
    logger,
    metrics,
    dataFolder: config.dataFolder,
  };
  const smtp =
    config.smtpUrl === null
      ? null
      : { url: config.smtpUrl, from: config.mailFrom, mailsPerSecond: config.mailsPerSecond };
  const composition = compose(infra, { smtp });
  const stopFollowing = await settings.follow();
  await healEpoch(database);
  const { registry } = composition;
  const tail = createTail({ database, registry, logger });
  await tail.start();
  const dispatcher = createDispatcher({ database, registry, tail, handlers: composition.handlers, logger, metrics });
  const inbox = createInboxFlusher({ database, analytics, logger, metrics });

  const checks: ReadinessCheck[] = [
    { name: 'database', run: async () => ({ ok: (await database.query('select 1 as one')).length === 1 }) },
    {
      name: 'analytics',
      run: async () => {
        await analytics.ping();
        return { ok: true };
      },
    },
    {
      name: 'migrations',
      run: async () => {
        const pending = [...(await pendingMigrations(database)), ...(await pendingAnalyticsMigrations(analytics))];
        return { ok: pending.length === 0, pending };
      },
    },
    { name: 'outbox', run: async () => ({ ok: tail.lagMs() < MAX_LAG_MS, lagMs: tail.lagMs() }) },
    {
      name: 'inbox',
      run: async () => {
        const { events, oldestAt, refused } = await inbox.backlog();
        const ageMs = oldestAt === null ? 0 : clock.now().getTime() - oldestAt.getTime();
        return { ok: ageMs < MAX_INBOX_AGE_MS, events, ageMs, refused };
      },
    },
    // Dead letters wait for an operator; they do not stop traffic.
    { name: 'deadLetters', run: async () => ({ ok: true, count: await composition.deadLetters.count(null) }) },
  ];

  const stoppers: (() => Promise<unknown>)[] = [];
  let authenticator: Authenticator | undefined;
  return {
    infra,
    composition,
    tail,
    dispatcher,
    inbox,
    async startWorker() {
      await dispatcher.start();
      stoppers.push(() => dispatcher.stop());
      const jobs = await startJobs({ database, jobs: composition.jobs, logger, concurrency: config.jobConcurrency });
      stoppers.push(() => jobs.stop());
      await inbox.start();
      stoppers.push(() => inbox.stop());
    },
    async startHttp({ examples = [] } = {}) {
      authenticator = await createAuthenticator({ database, clock, logger });
      const opened = authenticator;
      stoppers.push(() => opened.close());
      const server = await startServer({
        config,
        schema: composition.buildSchema(),
        authenticator: opened,
        subscriptions: subscriptionServer({
          database,
          registry,
          tail,
          logger,
          metrics,
          limits: { perProcess: config.maxSubscriptions },
        }),
        checks,
        routes: (gate) => [
          ...localOutboxRoutes(gate, composition.services.communication),
          ...backupRoutes({ gate, database, analytics, dataFolder: config.dataFolder }),
          ...importRoutes(gate, composition.services.customers.imports),
          ...featureRoutes(gate, composition.services.value),
          ...loyaltyRoutes(gate, composition.services.loyalty),
          ...loyaltyReportRoutes(gate, composition.services.loyaltyReport),
        ],
        examples,
        logger,
        metrics,
        clock,
      });
      stoppers.push(() => server.close());
      return server;
    },
    async stop() {
      // The last started stops first: no request comes in while the background finishes.
      for (const stop of stoppers.splice(0).reverse()) await stop();
      await tail.stop();
      for (const module of composition.modules) module.close?.();
      await stopFollowing();
    },
  };
}

/** Sees to it that an admin can get in; the text is to be shown once. */
export const ensureAdminKey = (application: Application, given: string | null): Promise<string | null> =>
  application.composition.keys.ensureAdmin(systemCall('start'), given);
