import { Command } from 'commander';
import { type Config, readConfig } from '../../config.ts';
import type { Principal } from '../../core/access/index.ts';
import { systemCall } from '../../core/call.ts';
import { newId } from '../../core/ids.ts';
import { createLogger, type Logger } from '../../core/logger.ts';
import { type Application, createApplication, ensureAdminKey } from '../application.ts';
import { writeRunFile } from '../embedded/data-folder.ts';
import { openEngines } from '../engines.ts';
import type { RunningServer } from '../server/index.ts';
import { say } from './output.ts';
import { untilStopped } from './running.ts';

export interface ServeOptions {
  readonly worker: boolean;
  readonly http: boolean;
  /** Logs warnings and errors only, unless another level than the default is set: a person is reading. */
  readonly quiet?: boolean;
  /** Runs once the application is there and before it serves. */
  readonly prepare?: (application: Application) => Promise<void>;
  readonly examples?: Parameters<Application['startHttp']>[0];
  /** Says what a person should see once it serves; the default names the address and the key. */
  readonly announce?: (started: Started) => void | Promise<void>;
}

/** What `announce` may tell of. */
export interface Started {
  readonly application: Application;
  readonly server: RunningServer;
  /** A new admin key, to be shown this once; null when there was one. */
  readonly madeKey: string | null;
  readonly config: Config;
}

/** Opens the engines, starts what is asked for, and runs until it is told to stop. */
export async function serve(options: ServeOptions): Promise<void> {
  const config = readConfig();
  const logger: Logger = createLogger(options.quiet === true && config.logLevel === 'info' ? 'warn' : config.logLevel);
  const engines = await openEngines({ config, logger, notice: say });
  let application: Application | undefined;
  let withdrawAccess = async () => {};
  try {
    application = await createApplication({ config, engines, logger, processMetrics: true });
    if (options.worker) await application.startWorker();
    await options.prepare?.(application);
    if (options.http) {
      const madeKey = await ensureAdminKey(application, config.adminKey);
      const server = await application.startHttp(options.examples);
      withdrawAccess = await offerLocalAccess(application, config, server);
      await (options.announce ?? announce)({ application, server, madeKey, config });
    } else say('worker: running; Ctrl+C stops it');
  } catch (error) {
    await application?.stop();
    await engines.close();
    throw error;
  }
  const running = application;
  await untilStopped({
    logger,
    lost: engines.lost,
    stop: async () => {
      await withdrawAccess();
      await running.stop();
      await engines.close();
    },
  });
}

/** A local key lives this long, and is renewed at half of it: what a crash leaves behind is soon worthless. */
const LOCAL_KEY_MS = 24 * 3_600_000;

/** Lets commands of this machine talk to this server, with a key that only who owns the data folder can read. */
async function offerLocalAccess(
  application: Application,
  config: Config,
  server: RunningServer,
): Promise<() => Promise<void>> {
  const { keys, scopes } = application.composition;
  // Every scope by name, but not "admin": so it never counts as the admin who could still get in.
  const names = scopes.map((scope) => scope.name).filter((name) => name !== 'admin');
  const maker: Principal = { id: newId(), name: 'serve', scopes: new Set(['admin']), expiresAt: null };
  let current: string | undefined;
  const renew = async () => {
    const expiresAt = new Date(application.infra.systemClock.now().getTime() + LOCAL_KEY_MS);
    const { key, secret } = await keys.create(systemCall('serve'), maker, {
      name: 'command line of this machine',
      scopes: names,
      expiresAt,
    });
    writeRunFile(config.dataFolder, {
      host: config.host,
      port: server.port,
      tls: config.tlsCertificate !== null,
      adminKey: secret,
    });
    const before = current;
    current = key.id;
    if (before !== undefined) await keys.revoke(systemCall('serve'), before);
  };
  await renew();
  const timer = setInterval(() => {
    renew().catch((error) => application.infra.logger.warn({ err: error }, 'the local key was not renewed'));
  }, LOCAL_KEY_MS / 2);
  timer.unref();
  return async () => {
    clearInterval(timer);
    if (current !== undefined) await keys.revoke(systemCall('serve'), current);
  };
}

function announce({ server, madeKey, config }: Started): void {
  say(`ready: ${server.url}/graphql`);
  if (madeKey !== null) say(`admin key, shown this once: ${madeKey}`);
  else if (config.adminKey === null)
    say('admin key: as printed at the first start; "holdfast keys create" makes another');
  if (config.smtpUrl === null) say(`mail: no SMTP_URL, so messages end in ${server.url}/outbox`);
  say('Ctrl+C stops it');
}

export function serveCommand(): Command {
  return new Command('serve')
    .description('Serve the API; does the background work, too, unless told otherwise.')
    .option('--no-worker', 'leave background work to "holdfast worker" processes')
    .action(async ({ worker }: { readonly worker: boolean }) => {
      await serve({ http: true, worker: worker && readConfig().worker });
    });
}

export function workerCommand(): Command {
  return new Command('worker')
    .description('Do background work only: handlers, jobs, the inbox. Needs engines that several processes may share.')
    .action(() => serve({ http: false, worker: true }));
}
