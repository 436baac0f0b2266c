import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What every npm script runs. */
export const PROGRAM = fileURLToPath(new URL('../../src/holdfast.mjs', import.meta.url));

export const ADMIN_KEY = 'an-admin-key-for-storms-only';

/**
 * What a kill takes: the process alone, so that its PostgreSQL is orphaned; everything at once, as a power failure
 * would; or the embedded PostgreSQL under a server that then has to end by itself.
 */
export type Kill = 'server' | 'everything' | 'records';

/** One run of the server, from its start to its end. */
export interface Life {
  readonly number: number;
  readonly url: string;
  /** Set before it is killed: from then on whatever goes wrong with it is no wonder. */
  readonly doomed: boolean;
}

/** The real server as a child process, started again and again on one data folder. */
export interface ServerProcess {
  /** The running server; waits while there is none. */
  up(): Promise<Life>;
  start(): Promise<Life>;
  /** Resolves when nothing of it runs any more, but for a PostgreSQL that was left behind on purpose. */
  kill(how: Kill): Promise<void>;
  /** Asks it to stop, and demands that it does so in peace. */
  stop(): Promise<void>;
  /** For `afterAll`, whatever happened: ends everything it ever started. */
  destroy(): Promise<void>;
}

interface Running {
  readonly life: { number: number; url: string; doomed: boolean };
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  readonly said: string[];
}

const KEPT_LINES = 60;

/** @param command of the program: `serve`, `analytics`, ... */
export function serverProcess(
  environment: Readonly<Record<string, string>>,
  command: readonly string[] = ['serve'],
): ServerProcess {
  let current: Running | undefined;
  let number = 0;
  let waiting = Promise.withResolvers<Life>();
  waiting.promise.catch(() => {});
  let records: string | undefined;

  const launch = (): Running => {
    number += 1;
    const child = spawn(process.execPath, [PROGRAM, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH ?? '',
        TZ: 'UTC',
        PORT: '0',
        HOLDFAST_ADMIN_KEY: ADMIN_KEY,
        HOLDFAST_LOG_LEVEL: 'warn',
        HOLDFAST_COST_PER_MINUTE: '1000000000',
        HOLDFAST_MAILS_PER_SECOND: '1000',
        ...environment,
      },
    });
    const said: string[] = [];
    const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    return { life: { number, url: '', doomed: false }, child, exited, said };
  };

  const untilReady = (running: Running): Promise<Life> =>
    new Promise((resolve, reject) => {
      const onLine = (line: string) => {
        running.said.push(line);
        if (running.said.length > KEPT_LINES) running.said.shift();
        records = /^records: embedded PostgreSQL on port \d+ in (.+?)(?:, |$)/.exec(line)?.[1] ?? records;
        const address = /^ready: (?:.*?CLICKHOUSE_URL=)?(http\S+?)(?:\/graphql)?$/.exec(line)?.[1];
        if (address === undefined) return;
        running.life.url = address;
        resolve(running.life);
      };
      for (const stream of [running.child.stdout, running.child.stderr]) {
        createInterface({ input: stream as NonNullable<typeof stream> }).on('line', onLine);
      }
      void running.exited.then((code) => {
        reject(new Error(`the server ended with ${code} and said:\n${running.said.join('\n')}`));
      });
    });

  const start = async (): Promise<Life> => {
    const running = launch();
    current = running;
    try {
      const life = await untilReady(running);
      waiting.resolve(life);
      return life;
    } catch (error) {
      waiting.reject(error);
      throw error;
    }
  };

  const doom = (): Running => {
    const running = current as Running;
    running.life.doomed = true;
    waiting = Promise.withResolvers<Life>();
    waiting.promise.catch(() => {});
    return running;
  };

  return {
    up: () => waiting.promise,
    start,
    async kill(how) {
      const running = doom();
      if (how === 'records') {
        killAll(postgresOf(records));
        // Without its records it cannot go on, and has to see that by itself.
        await running.exited;
        return;
      }
      const others = how === 'everything' ? postgresOf(records) : [];
      running.child.kill('SIGKILL');
      killAll(others);
      await running.exited;
    },
    async stop() {
      const running = doom();
      running.child.kill('SIGTERM');
      const code = await running.exited;
      if (code !== 0) throw new Error(`the server stopped with ${code} and said:\n${running.said.join('\n')}`);
    },
    async destroy() {
      waiting.reject(new Error('the server was stopped for good'));
      current?.child.kill('SIGKILL');
      await current?.exited;
      killAll(postgresOf(records));
    },
  };
}

/** Numbers of an embedded PostgreSQL and of all its children, which are no group of their own. */
function postgresOf(dataDir: string | undefined): number[] {
  if (dataDir === undefined) return [];
  let postmaster: number;
  try {
    postmaster = Number(readFileSync(path.join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
  } catch {
    return [];
  }
  return [postmaster, ...childrenOf(postmaster)];
}

function childrenOf(parent: number): number[] {
  if (process.platform !== 'linux') return []; // They end by themselves when the postmaster is gone.
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent;
      } catch {
        return false;
      }
    });
}

function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
}
