import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { openDataFolder } from '../src/app/embedded/data-folder.ts';
import { startEmbeddedPostgres } from '../src/app/embedded/postgres.ts';
import { newId } from '../src/core/ids.ts';
import { type BenchEvent, createLimit } from './ingest-limit.ts';
import type { BenchResult } from './main.ts';

const CUSTOMERS = 20_000;
const PER_CALL = 1_000;
const IN_FLIGHT = 4;
const ROUNDS = 3;
const KEY = 'bench-admin-key-of-this-run';
const START_MS = Date.UTC(2026, 0, 1);

const RECORD = `mutation Record($input: RecordEventsInput!) {
  recordEvents(input: $input) {
    ... on RecordEventsSuccess { accepted duplicates outcomes rejected { index id code message path } }
    ... on DomainError { code message }
  }
}`;

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0;

/** Events of a product: sessions of four events each, over all customers. */
function makeEvents(from: number, count: number): BenchEvent[] {
  return Array.from({ length: count }, (_, offset) => {
    const n = from + offset;
    const at = new Date(START_MS + (n % 5_000_000) * 1_000).toISOString();
    const base = { id: `e-${n}`, at, customer: (Math.floor(n / 4) * 7_919) % CUSTOMERS };
    if (n % 4 === 0) return { ...base, name: 'session.started', value: null, properties: { device: 'web' } };
    if (n % 4 === 3) return { ...base, name: 'session.ended', value: 60 + (n % 3_000), properties: {} };
    return { ...base, name: 'feature.used', value: null, properties: { feature: `feature-${n % 37}` } };
  });
}

const bodyOf = (events: readonly BenchEvent[]): Buffer =>
  Buffer.from(
    JSON.stringify({
      query: RECORD,
      variables: {
        input: {
          source: 'bench',
          events: events.map(({ id, name, at, customer, value, properties }) => ({
            id,
            name,
            at,
            customerExternalId: `c-${customer}`,
            ...(value === null ? {} : { value }),
            properties,
          })),
        },
      },
    }),
  );

/** `recordEvents` over HTTP and GraphQL until acknowledged, against the bare statement, in turn in one run. */
export async function run({ quick }: { readonly quick: boolean }): Promise<BenchResult> {
  const total = quick ? 90_000 : 1_000_000;
  const callsPerRound = Math.ceil(total / ROUNDS / PER_CALL);
  const folder = openDataFolder(mkdtempSync(path.join(tmpdir(), 'holdfast-bench-ingest-')));
  const postgres = await startEmbeddedPostgres({ folder: folder.path });
  let server: BenchServer | undefined;
  let limit: Awaited<ReturnType<typeof createLimit>> | undefined;
  try {
    server = await startServer(postgres.url, path.join(folder.path, 'server'));
    const customerIds = await plantCustomers(postgres.url);
    limit = await createLimit(postgres.url, customerIds, IN_FLIGHT);
    const rates = { limit: [] as number[], holdfast: [] as number[] };
    let made = 0;
    // The first round warms both sides and is not counted.
    for (let round = 0; round <= ROUNDS; round += 1) {
      const calls = round === 0 ? 20 : callsPerRound;
      const batches = Array.from({ length: calls }, (_, call) => makeEvents(made + call * PER_CALL, PER_CALL));
      made += calls * PER_CALL;
      const bare = limit;
      const limitMs = await drive(batches, (events) => bare.record(events));
      const bodies = batches.map(bodyOf);
      const api = server;
      const holdfastMs = await drive(bodies, (body) => api.post(body));
      if (round === 0) continue;
      rates.limit.push((calls * PER_CALL * 1_000) / limitMs);
      rates.holdfast.push((calls * PER_CALL * 1_000) / holdfastMs);
      say(`ingest mutation, round ${round}: limit ${perSecond(limitMs)}, Holdfast ${perSecond(holdfastMs)} events/s`);
      function perSecond(ms: number): string {
        return Math.round((calls * PER_CALL * 1_000) / ms).toLocaleString('en');
      }
    }
    await proveCount(postgres.url, made);
    const ratio = median(rates.holdfast.map((rate, round) => rate / (rates.limit[round] as number)));
    return {
      ratios: { mutation: Number(ratio.toFixed(3)) },
      bars: { mutation: 0.5 },
      figures: {
        mutationEvents: callsPerRound * PER_CALL * ROUNDS,
        mutationEventsPerSecond: Math.round(median(rates.holdfast)),
        limitEventsPerSecond: Math.round(median(rates.limit)),
        inFlight: IN_FLIGHT,
        eventsPerCall: PER_CALL,
      },
    };
  } finally {
    await limit?.close();
    await server?.stop();
    await postgres.stop();
    folder.release();
    rmSync(folder.path, { recursive: true, force: true });
  }
}

/** Sends all, `IN_FLIGHT` at a time. @returns milliseconds */
async function drive<T>(items: readonly T[], send: (item: T) => Promise<void>): Promise<number> {
  const start = performance.now();
  let next = 0;
  const client = async () => {
    while (next < items.length) {
      const item = items[next] as T;
      next += 1;
      await send(item);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, client));
  return performance.now() - start;
}

async function plantCustomers(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const ids = Array.from({ length: CUSTOMERS }, newId);
  await client.query(
    `insert into customer (id, external_id, name, signup_at, created_at, updated_at)
     select id, 'c-' || (n - 1), 'Customer ' || n, now(), now(), now() from unnest($1::uuid[]) with ordinality as t(id, n)`,
    [ids],
  );
  await client.query('update customer_counter set customers = $1 where shard = 0', [CUSTOMERS]);
  await client.query('analyze customer');
  await client.end();
  return ids;
}

/** What was acknowledged is there, once: nothing is measured that was not done. */
async function proveCount(url: string, expected: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ n: string }>('select count(*) as n from event_seen');
  await client.end();
  if (Number(rows[0]?.n) !== expected)
    throw new Error(`${rows[0]?.n} events are remembered, ${expected} were acknowledged`);
}

interface BenchServer {
  post(body: Buffer): Promise<void>;
  stop(): Promise<void>;
}

/** The server of a deployment with a process for the API and others for background work: what is measured is the intake. */
async function startServer(databaseUrl: string, dataFolder: string): Promise<BenchServer> {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [main, 'serve', '--no-worker'], {
    env: {
      ...process.env,
      PORT: '0',
      DATABASE_URL: databaseUrl,
      HOLDFAST_DATA: dataFolder,
      HOLDFAST_ADMIN_KEY: KEY,
      HOLDFAST_LOG_LEVEL: 'warn',
      HOLDFAST_COST_PER_MINUTE: '1000000000',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await addressOf(child);
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
  return {
    post: (body) => post(url, agent, body),
    async stop() {
      agent.destroy();
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** The address it says it serves at; its output is read on, so that it never waits for a reader. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /ready: (https?:\/\/[^\s/]+)/.exec(text);
      if (found?.[1] !== undefined) resolve(found[1]);
    });
    child.once('exit', () => reject(new Error(`the server ended before it served: ${text}`)));
  });
}

function post(url: string, agent: Agent, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/graphql`,
      {
        method: 'POST',
        agent,
        headers: {
          'content-type': 'application/json',
          'content-length': body.length,
          authorization: `Bearer ${KEY}`,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const { data } = JSON.parse(text) as { data?: { recordEvents?: { accepted?: number } } };
          if (data?.recordEvents?.accepted === PER_CALL) resolve();
          else reject(new Error(`not accepted: ${text.slice(0, 500)}`));
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
