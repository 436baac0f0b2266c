import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import autocannon from 'autocannon';
import { openDataFolder } from '../src/app/embedded/data-folder.ts';
import { startEmbeddedPostgres } from '../src/app/embedded/postgres.ts';
import { migrateAll } from '../src/core/database/migrate-all.ts';
import { newId } from '../src/core/ids.ts';
import { customerId, seed } from './health-graph/seed.ts';
import type { BenchResult } from './main.ts';

/**
 * A page of 20 customers out of 100,000 with all that is known of them, through HTTP and GraphQL, against node:http and
 * one hand-written statement. Both servers have a process of their own; this one sends the requests.
 */
const CUSTOMERS = 100_000;
const CONNECTIONS = 16;
const ROUNDS = 3;
const MAX_STATEMENTS = 3;
const KEY = `bench-${newId()}`;
const QUERY = `query HealthGraph($after: String) {
  customers(first: 20, after: $after) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges { cursor node {
      id externalId name status businessSegment signupAt
      health { score tier coverage at parts { name value weight evidence } }
      risk { score category since }
      loyalty { earned tier { name } balance { available } entries(first: 5) { edges { node { points kind reason effectiveAt } } } }
      tickets(first: 5, open: true) { edges { node { externalId priority openedAt } } }
    } }
  }
}`;

const log = (line: string): void => void process.stderr.write(`${line}\n`);
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));
const headers = { 'content-type': 'application/json', authorization: `Bearer ${KEY}` };

function bodyAt(n: number): string {
  const after = Buffer.from(JSON.stringify([customerId(n)])).toString('base64url');
  return JSON.stringify({ query: QUERY, variables: { after } });
}

interface Target {
  readonly name: string;
  readonly url: string;
  cpuMs(): Promise<number>;
}

interface Measured {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly cpuMsPerRequest: number;
}

export async function run({ quick }: { readonly quick: boolean }): Promise<BenchResult> {
  const folder = openDataFolder(mkdtempSync(path.join(tmpdir(), 'holdfast-bench-graph-')));
  const stops: (() => unknown)[] = [
    () => rmSync(folder.path, { recursive: true, force: true }),
    () => folder.release(),
  ];
  try {
    const postgres = await startEmbeddedPostgres({ folder: folder.path });
    stops.push(() => postgres.stop());
    await migrateAll({ connectionString: postgres.url }, { createDatabase: true });
    log(`planting ${CUSTOMERS} customers`);
    await seed(postgres.url, CUSTOMERS);
    const holdfast = await startHoldfast(postgres.url, stops);
    const limit = await startLimit(postgres.url, stops);
    const statements = await compare(limit, holdfast);
    const seconds = quick ? 3 : 8;
    for (const target of [limit, holdfast]) await measure(target, 2);
    const results: Record<'limit' | 'holdfast', Measured[]> = { limit: [], holdfast: [] };
    for (let round = 1; round <= ROUNDS; round += 1) {
      for (const [name, target] of [
        ['limit', limit],
        ['holdfast', holdfast],
      ] as const) {
        const measured = await measure(target, seconds);
        log(`round ${round}, ${target.name}: ${Math.round(measured.perSecond)} pages/s, p99 ${measured.p99Ms} ms`);
        results[name].push(measured);
      }
    }
    return summarise(results, statements);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

function summarise(results: Record<'limit' | 'holdfast', Measured[]>, statements: number): BenchResult {
  const of = (measured: readonly Measured[], figure: keyof Measured) => median(measured.map((each) => each[figure]));
  const figures = (measured: readonly Measured[]) => ({
    pagesPerSecond: Math.round(of(measured, 'perSecond')),
    p99Ms: of(measured, 'p99Ms'),
    serverCpuMsPerPage: rounded(of(measured, 'cpuMsPerRequest'), 3),
  });
  const page = median(results.holdfast.map((each, i) => each.perSecond / (results.limit[i] as Measured).perSecond));
  return {
    ratios: { page: rounded(page), statements: rounded(MAX_STATEMENTS / statements) },
    // Statements as a ratio too, so that more is better: the bar is three statements a page.
    bars: { page: 0.6, statements: 1 },
    figures: {
      customers: CUSTOMERS,
      connections: CONNECTIONS,
      statementsPerPage: statements,
      limit: figures(results.limit),
      holdfast: figures(results.holdfast),
    },
  };
}

async function measure(target: Target, seconds: number): Promise<Measured> {
  const requests = Array.from({ length: 1_000 }, () => ({
    method: 'POST' as const,
    headers,
    body: bodyAt(Math.floor(Math.random() * (CUSTOMERS - 21))),
  }));
  const cpuBefore = await target.cpuMs();
  const result = await autocannon({ url: target.url, connections: CONNECTIONS, duration: seconds, requests });
  if (result.errors > 0 || result.non2xx > 0) {
    throw new Error(`${target.name}: ${result.errors} errors, ${result.non2xx} refused`);
  }
  const cpuMs = (await target.cpuMs()) - cpuBefore;
  return {
    perSecond: result.requests.average,
    p99Ms: result.latency.p99,
    cpuMsPerRequest: cpuMs / result.requests.total,
  };
}

/** Paths of a JSON value that hold something, lists by their length. */
function shapeOf(value: unknown, at = ''): string[] {
  if (Array.isArray(value)) return [`${at}[${value.length}]`, ...value.flatMap((item) => shapeOf(item, `${at}[]`))];
  if (typeof value !== 'object' || value === null) return [`${at}:${value === null ? 'null' : typeof value}`];
  return Object.entries(value).flatMap(([key, inner]) => shapeOf(inner, `${at}.${key}`));
}

/**
 * Both must give the same JSON, but for how ids and times are written.
 * @returns how many statements Holdfast took
 */
async function compare(limit: Target, holdfast: Target): Promise<number> {
  const ask = async ({ url }: Target) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'x-holdfast-statements': '1' },
      body: bodyAt(500),
    });
    return (await response.json()) as { data: unknown; errors?: unknown; extensions?: { statements: number } };
  };
  const [one, other] = [await ask(limit), await ask(holdfast)];
  const [expected, found] = [shapeOf(one.data).sort().join('\n'), shapeOf(other.data).sort().join('\n')];
  if (other.errors !== undefined || expected !== found) {
    const first = found.split('\n').find((line, i) => line !== expected.split('\n')[i]);
    throw new Error(`the answers differ at ${first}: ${JSON.stringify(other.errors ?? other.data).slice(0, 500)}`);
  }
  return other.extensions?.statements ?? Number.NaN;
}

async function ask<Answer>(child: ChildProcess): Promise<Answer> {
  child.send({});
  const [answer] = (await once(child, 'message')) as [Answer];
  return answer;
}

async function startLimit(url: string, stops: (() => unknown)[]): Promise<Target> {
  const child = fork(new URL('health-graph/limit-server.ts', import.meta.url), [url]);
  stops.push(() => stopChild(child));
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    name: 'node:http and one statement',
    url: `http://127.0.0.1:${port}/graphql`,
    cpuMs: async () => (await ask<{ cpuMs: number }>(child)).cpuMs,
  };
}

async function startHoldfast(databaseUrl: string, stops: (() => unknown)[]): Promise<Target> {
  const port = await freePort();
  const data = mkdtempSync(path.join(tmpdir(), 'holdfast-bench-graph-'));
  const child = spawn(process.execPath, [new URL('../src/main.ts', import.meta.url).pathname, 'serve'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      PORT: String(port),
      DATABASE_URL: databaseUrl,
      HOLDFAST_DATA: data,
      HOLDFAST_ADMIN_KEY: KEY,
      HOLDFAST_COST_PER_MINUTE: '1000000000',
      HOLDFAST_WORKER: 'false',
      HOLDFAST_LOG_LEVEL: 'warn',
    },
  });
  stops.push(() => rmSync(data, { recursive: true, force: true }));
  stops.push(() => stopChild(child));
  const base = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${base}/ready`).then(
      (response) => response.ok,
      () => false,
    );
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    await delay(50);
  }
  return {
    name: 'holdfast',
    url: `${base}/graphql`,
    async cpuMs() {
      const text = await (await fetch(`${base}/metrics`)).text();
      return Number(/^process_cpu_seconds_total (.*)$/m.exec(text)?.[1] ?? 0) * 1e3;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill();
  await once(child, 'exit');
}
