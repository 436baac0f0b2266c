import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgresFailed, EmbeddedPostgresUnavailable } from './errors.ts';
import type { ServerUser } from './postgres-user.ts';
import { processExists, processStart } from './process-identity.ts';

export interface RunningServer {
  readonly pid: number;
  readonly exited: Promise<void>;
  stop(): Promise<void>;
}

export interface ServerStart {
  readonly binary: string;
  readonly dataDir: string;
  readonly logFile: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly user: ServerUser | null;
}

/** Replaying the log after a crash can take long on a slow disk; the server says nothing while it does. */
const START_TIMEOUT_MS = 180_000;
const IMMEDIATE_STOP_MS = 5_000;
/** Fast shutdown writes a checkpoint; then immediate shutdown (recovered at the next start), then the end. */
const STOP_LADDER = [
  ['SIGINT', 30_000],
  ['SIGQUIT', IMMEDIATE_STOP_MS],
  ['SIGKILL', IMMEDIATE_STOP_MS],
] as const;
const POLL_MS = 15;
const LOG_LIMIT_BYTES = 10 * 1024 * 1024;

/** Starts the server and waits until it takes connections. */
export async function startServer(start: ServerStart): Promise<RunningServer> {
  const logFrom = rotateLog(start.logFile);
  for (let attempt = 1; ; attempt++) {
    const child = spawnServer(start);
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
    try {
      await untilReady(child, exited, start, logFrom);
      return running(child, exited);
    } catch (error) {
      await end(child, exited);
      // Backends of a server that was killed die by themselves within a moment; until then the memory is theirs.
      const lingering = error instanceof EmbeddedPostgresFailed && error.message.includes('pre-existing shared memory');
      if (!lingering || attempt === 50) throw error;
      await killStragglers(start.dataDir);
      await delay(100);
    }
  }
}

function spawnServer(start: ServerStart): ChildProcess {
  const log = openSync(start.logFile, 'a', 0o600);
  const settings = Object.entries(start.settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  try {
    return spawn(start.binary, ['-D', start.dataDir, ...settings], {
      ...spawnAs(start.user),
      // A group of its own: Ctrl-C reaches Holdfast alone, which ends its work before it stops the database.
      detached: true,
      stdio: ['ignore', log, log],
    });
  } finally {
    closeSync(log);
  }
}

/** A clean environment (no PG… or LC_… of the caller's), and a folder that anyone may stand in. */
function spawnAs(user: ServerUser | null) {
  const identity = user === null ? {} : { uid: user.uid, gid: user.gid };
  return { ...identity, cwd: '/', env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } };
}

async function untilReady(
  child: ChildProcess,
  exited: Promise<void>,
  start: ServerStart,
  logFrom: number,
): Promise<void> {
  let gone = false;
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  void exited.then(() => {
    gone = true;
  });
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    if (gone) throw startFailure(failure, start, logFrom);
    const state = readPidFile(start.dataDir);
    if (state?.pid === child.pid && state?.status === 'ready') return;
    await delay(POLL_MS);
  }
  throw new EmbeddedPostgresFailed(
    `PostgreSQL was not ready after ${START_TIMEOUT_MS / 1000} s. Its log: ${start.logFile}`,
  );
}

function startFailure(cause: Error | undefined, start: ServerStart, logFrom: number): Error {
  if (cause !== undefined) return cannotRun(start.binary, start.user, cause);
  const said = readFileSync(start.logFile).subarray(logFrom).toString('utf8').trim().split('\n').slice(-8).join('\n');
  return new EmbeddedPostgresFailed(`PostgreSQL did not start. Its log ${start.logFile} says:\n${said}`);
}

const cannotRun = (binary: string, user: ServerUser | null, cause: Error): EmbeddedPostgresUnavailable =>
  new EmbeddedPostgresUnavailable(
    `${binary} cannot be run${user === null ? '' : ` as ${user.name}`}: ${cause.message}. ` +
      'Start Holdfast as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own.',
    { cause },
  );

function running(child: ChildProcess, exited: Promise<void>): RunningServer {
  // Should Holdfast end without stopping (an uncaught exception), at least the signal is on its way.
  const onExit = () => child.kill('SIGINT');
  process.once('exit', onExit);
  void exited.then(() => process.removeListener('exit', onExit));
  let stopping: Promise<void> | undefined;
  return {
    pid: child.pid as number,
    exited,
    stop: () => {
      stopping ??= end(child, exited);
      return stopping;
    },
  };
}

async function end(child: ChildProcess, exited: Promise<void>): Promise<void> {
  for (const [signal, waitMs] of STOP_LADDER) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    child.kill(signal);
    const timer = new AbortController();
    await Promise.race([exited, delay(waitMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
    timer.abort();
  }
}

/** Runs a program to its end; throws with what it said when it fails. */
export async function runToEnd(binary: string, args: readonly string[], user: ServerUser | null): Promise<void> {
  const child = spawn(binary, args, { ...spawnAs(user), stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  child.stdout.on('data', (chunk) => said.push(String(chunk)));
  child.stderr.on('data', (chunk) => said.push(String(chunk)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(cannotRun(binary, user, error)));
    child.once('close', resolve);
  });
  if (code === 0) return;
  const text = said.join('').trim();
  if (text.includes('could not look up effective user ID')) {
    throw new EmbeddedPostgresUnavailable(
      `PostgreSQL needs the user that runs it (number ${user?.uid ?? process.getuid?.()}) to have a line in /etc/passwd. Add one, or set DATABASE_URL.`,
    );
  }
  throw new EmbeddedPostgresFailed(`${path.basename(binary)} failed (code ${code}):\n${text}`);
}

/**
 * A server that outlived a killed Holdfast is stopped by its own means, so nothing it acknowledged is lost. Lock files
 * whose number belongs to nobody or to another program are removed: PostgreSQL would believe them and refuse to start.
 * @returns the number of the server stopped, or null
 */
export async function stopOrphan(dataDir: string): Promise<number | null> {
  const left = readPidFile(dataDir);
  const start = left === null ? null : processStart(left.pid);
  const isOrphan = left !== null && start !== null && isServerOf(left.pid, dataDir);
  if (isOrphan) await stopByLadder(left.pid, start, dataDir);
  else await killStragglers(dataDir);
  // Where nobody buries the dead (a container without an init), PostgreSQL takes a zombie for alive as well.
  if (left !== null && processExists(left.pid)) rmSync(path.join(dataDir, 'postmaster.pid'), { force: true });
  // A start that was killed before its first file has left no folder.
  for (const name of existsSync(dataDir) ? readdirSync(dataDir) : []) {
    if (name.startsWith('.s.PGSQL.')) rmSync(path.join(dataDir, name), { force: true });
  }
  return isOrphan ? left.pid : null;
}

async function stopByLadder(pid: number, start: string, dataDir: string): Promise<void> {
  for (const [signal, waitMs] of STOP_LADDER) {
    process.kill(pid, signal);
    if (await gone(pid, start, waitMs)) return;
  }
  throw new EmbeddedPostgresFailed(
    `PostgreSQL ${pid}, left running in ${dataDir}, does not stop. End it by hand, then start again.`,
  );
}

async function gone(pid: number, start: string, waitMs: number): Promise<boolean> {
  for (const until = performance.now() + waitMs; performance.now() < until; await delay(POLL_MS)) {
    if (processStart(pid) !== start) return true;
  }
  return false;
}

/** A server works in its data folder, and names it on its command line. */
function isServerOf(pid: number, dataDir: string): boolean {
  try {
    if (process.platform === 'linux') return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dataDir);
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' }).includes(
      dataDir,
    );
  } catch {
    // Gone, or a process of another user, which no server of this folder can be.
    return false;
  }
}

/**
 * Ends backends whose postmaster was killed, before a new one starts on their files. They end by themselves within a
 * moment, and all they acknowledged is in the log already.
 */
async function killStragglers(dataDir: string): Promise<void> {
  if (process.platform !== 'linux') return;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid || !isServerOf(pid, dataDir)) continue;
    const start = processStart(pid);
    try {
      if (!path.basename(readlinkSync(`/proc/${pid}/exe`)).startsWith('postgres')) continue;
      process.kill(pid, 'SIGKILL');
    } catch {
      continue; // It ended by itself.
    }
    if (start !== null) await gone(pid, start, IMMEDIATE_STOP_MS);
  }
}

function readPidFile(dataDir: string): { pid: number; status: string } | null {
  const file = path.join(dataDir, 'postmaster.pid');
  if (!existsSync(file)) return null;
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    const pid = Number(lines[0]);
    return Number.isInteger(pid) && pid > 1 ? { pid, status: (lines[7] ?? '').trim() } : null;
  } catch {
    return null;
  }
}

/** @returns where in the log this start begins */
function rotateLog(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size < LOG_LIMIT_BYTES) return size;
  renameSync(file, `${file}.1`);
  return 0;
}
