import { afterEach, describe, expect, test } from 'vitest';
import { openAnalytics } from '../../src/core/analytics/index.ts';
import {
  type AnalyticsCommand,
  type Child,
  startAnalyticsCommand,
  startChild,
  type TemporaryFolder,
  temporaryFolder,
} from './support.ts';

let folder: TemporaryFolder | undefined;
const children: Child[] = [];

const startWriter = (target: string, environment: NodeJS.ProcessEnv = {}): Child => {
  const child = startChild(new URL('./insert-loop.ts', import.meta.url), [target], environment);
  children.push(child);
  return child;
};

const serve = (dataFolder: string): AnalyticsCommand => {
  const command = startAnalyticsCommand(dataFolder);
  children.push(command);
  return command;
};

afterEach(async () => {
  for (const child of children.splice(0)) await child.kill('SIGKILL');
  folder?.remove();
});

/** Reads acknowledgements until there are some, kills, and gives the last one that came through. */
async function killAfter(child: Child, rows: number): Promise<number> {
  let acknowledged = 0;
  while (acknowledged < rows) acknowledged = Number(await child.line());
  await child.kill('SIGKILL');
  return acknowledged;
}

async function countAcknowledged(path: string): Promise<{ rows: number; distinct: number }> {
  const analytics = await openAnalytics({ path }, { database: 'crash' });
  try {
    const [count] = await analytics.query<{ rows: number; distinct: number }>(
      'SELECT count() AS rows, uniqExact(n) AS distinct FROM acknowledged',
    );
    return count ?? { rows: 0, distinct: 0 };
  } finally {
    await analytics.close();
  }
}

describe('processes and the folder of the embedded engine', () => {
  test('kill -9 in a loop of inserts loses no acknowledged row', { timeout: 120_000 }, async () => {
    folder = temporaryFolder();
    let acknowledged = 0;
    for (let time = 1; time <= 4; time += 1) {
      acknowledged = await killAfter(startWriter(folder.path), acknowledged + 2_000 * time);
    }
    const { rows, distinct } = await countAcknowledged(folder.path);
    expect(distinct).toBeGreaterThanOrEqual(acknowledged);
    // The block under way when the process died is there whole or not at all, and never twice.
    expect(rows).toBe(distinct);
    expect(rows % 1_000).toBe(0);
  });

  test('kill -9 of holdfast analytics loses no row it answered for', { timeout: 120_000 }, async () => {
    folder = temporaryFolder();
    const server = serve(folder.path);
    const writer = startWriter(await server.url());
    let acknowledged = 0;
    while (acknowledged < 5_000) acknowledged = Number(await writer.line());
    await server.kill('SIGKILL');
    // What it had printed before it noticed counts, too.
    const { stderr } = await writer.ended();
    expect(stderr).toContain('ANALYTICS_UNAVAILABLE');
    const { rows, distinct } = await countAcknowledged(`${folder.path}/clickhouse`);
    expect(distinct).toBeGreaterThanOrEqual(acknowledged);
    expect(rows).toBe(distinct);
  });

  test('a second process is told who has the folder, and gets it when that one is gone', {
    timeout: 120_000,
  }, async () => {
    folder = temporaryFolder();
    const holder = startWriter(folder.path);
    await holder.line();
    const { code, stderr } = await startWriter(folder.path).ended();
    expect(code).not.toBe(0);
    expect(stderr).toContain('AnalyticsFolderInUse: Process ');
    expect(stderr).toContain(`has the history folder ${folder.path} open, and only one may.`);
    await holder.kill('SIGKILL');
    const analytics = await openAnalytics({ path: folder.path }, { database: 'crash' });
    await analytics.close();
  });

  test('holdfast analytics keeps its password and lets the folder go when stopped', { timeout: 120_000 }, async () => {
    folder = temporaryFolder();
    const first = serve(folder.path);
    const { username, password } = new URL(await first.url());
    expect(username).toBe('holdfast');
    expect(password.length).toBeGreaterThanOrEqual(32);
    await first.kill('SIGTERM');
    const second = serve(folder.path);
    expect(new URL(await second.url()).password).toBe(password);
    // It holds the folder again, and says so to whoever starts it twice.
    const { code, stderr } = await serve(folder.path).ended();
    expect(code).toBe(1);
    expect(stderr).toContain('(ANALYTICS_FOLDER_IN_USE)');
  });

  test('says what to install when the embedded engine is missing', async () => {
    folder = temporaryFolder();
    const hook = `import { registerHooks } from 'node:module';
      registerHooks({ resolve(name, context, next) {
        if (name === 'chdb') throw new Error("Cannot find package 'chdb'");
        return next(name, context);
      } });`;
    const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}` };
    const { code, stderr } = await startWriter(folder.path, environment).ended();
    expect(code).not.toBe(0);
    expect(stderr).toContain('EmbeddedEngineMissing: The embedded ClickHouse (npm package "chdb") is not installed');
    expect(stderr).toContain('CLICKHOUSE_URL');
  });
});
