import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A folder that is gone after the test. */
export interface TemporaryFolder {
  readonly path: string;
  remove(): void;
}

export function temporaryFolder(): TemporaryFolder {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-analytics-'));
  return { path: folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A program under `test/analytics` that runs as a process of its own and speaks in lines. */
export interface Child {
  /** The next line of its standard output. */
  line(): Promise<string>;
  /** Resolves with what it wrote to standard error when it has ended. */
  ended(): Promise<{ readonly code: number | null; readonly stderr: string }>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

export function startChild(program: URL, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Child {
  const child: ChildProcess = spawn(process.execPath, [fileURLToPath(program), ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stderr }));
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return {
    ended: () => ended,
    async line() {
      const next = await lines.next();
      if (next.done === true) throw new Error(`${program.pathname} ended: ${(await ended).stderr}`);
      return next.value;
    },
    async kill(signal) {
      child.kill(signal);
      await ended;
    },
  };
}

/** `holdfast analytics` as an operator starts it, on a free port. */
export interface AnalyticsCommand extends Child {
  /** Its address for CLICKHOUSE_URL, once it is ready. */
  url(): Promise<string>;
}

export function startAnalyticsCommand(dataFolder: string): AnalyticsCommand {
  const environment = { HOLDFAST_DATA: dataFolder, HOLDFAST_ANALYTICS_PORT: '0', HOLDFAST_LOG_LEVEL: 'warn' };
  const child = startChild(new URL('../../src/holdfast.mjs', import.meta.url), ['analytics'], environment);
  return {
    ...child,
    async url() {
      for (;;) {
        const url = /CLICKHOUSE_URL=(\S+)/.exec(await child.line())?.[1];
        if (url !== undefined) return url;
      }
    },
  };
}
