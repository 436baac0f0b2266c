import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openDataFolder } from '../src/app/embedded/data-folder.ts';
import { startEmbeddedPostgres } from '../src/app/embedded/postgres.ts';
import { encodeGlobalId } from '../src/core/builder/index.ts';
import { systemCall } from '../src/core/call.ts';
import { createDatabase, type Database } from '../src/core/database/index.ts';
import { migrateAll } from '../src/core/database/migrate-all.ts';
import { newId } from '../src/core/ids.ts';
import { createLogger } from '../src/core/logger.ts';
import { openConnection } from './award-points/connection.ts';
import { withServer } from './award-points/process.ts';
import { createBenchService } from './award-points/service.ts';
import type { BenchResult } from './main.ts';

const LOTS_OF_ACCOUNT = 5;
const POINTS_OF_LOT = 10;
/** Clients of the API, each of which rests between two requests: a shop at work, not a load test. */
const CLIENTS = 8;
const REST_MS = 20;
const CALM_MS = 10_000;
const KEY = 'bench-admin-key-of-this-run';
/** While lots lapse on two cores that the clients, the server, the job and PostgreSQL share. */
const CEILINGS = { p99: 6 };

const AWARD = `mutation Award($input: AwardPointsInput!) {
  awardPoints(input: $input) {
    ... on AwardPointsSuccess { entry { id balanceAfter } account { balance { available } } }
    ... on DomainError { code message }
  }
}`;
const READ = `query Loyalty($id: ID!) {
  customer(id: $id) { loyalty { balance { available expiringNext { points at } } tier { name } entries(first: 5) { edges { node { points } } } } }
}`;

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const round = (value: number): number => Math.round(value * 100) / 100;

/** The expiry of a million lots by the job, and what clients of the API notice of it. */
export async function run({ quick }: { readonly quick: boolean }): Promise<BenchResult> {
  const folder = openDataFolder(mkdtempSync(path.join(tmpdir(), 'holdfast-bench-')));
  const server = await startEmbeddedPostgres({ folder: folder.path });
  try {
    await migrateAll({ connectionString: server.url });
    const database = createDatabase({ url: server.url, logger: createLogger('silent') });
    try {
      const lots = quick ? 20_000 : 1_000_000;
      const customers = await plant(database, lots / LOTS_OF_ACCOUNT);
      say(`${lots} lots of ${customers.length} accounts are due`);
      const options = { url: server.url, folder: path.join(folder.path, 'server'), key: KEY };
      return await withServer(options, ({ api }) => measure(database, api, customers, lots, quick));
    } finally {
      await database.close();
    }
  } finally {
    await server.stop();
    folder.release();
    rmSync(folder.path, { recursive: true, force: true });
  }
}

/** Accounts with lots that are due, and one of the same size that is not, each with its entry. */
async function plant(database: Database, accounts: number): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    `insert into customer (id, external_id, name, signup_at, created_at, updated_at)
     select gen_random_uuid(), 'c-' || n, 'Customer', now(), now(), now() from generate_series(1, $1::int) n returning id`,
    [accounts],
  );
  const timeoutMs = 600_000;
  await database.transaction(
    async (tx) => {
      const lots = LOTS_OF_ACCOUNT + 1;
      await tx.query(
        `insert into loyalty_account (id, customer_id, joined_at, tier, tier_since, balance, earned, entry_count, last_entry_at)
         select gen_random_uuid(), id, now(), 'BRONZE', now(), $1::int, $1::int, $2::int, now() - interval '1 hour' from customer`,
        [lots * POINTS_OF_LOT, lots],
      );
      await tx.query(
        `insert into loyalty_entry (id, account_id, number, kind, points, qualifying, balance_after, source, actor,
                                    effective_at, recorded_at, expires_at)
         select gen_random_uuid(), a.id, n, 'EARN', $2::int, $2::int, n * $2::int, 'AWARD', 'system:bench',
                now() - interval '1 year' + n * interval '1 minute', now() - interval '1 hour',
                case when n < $1::int then now() - interval '1 minute' else now() + interval '1 year' end
         from loyalty_account a, generate_series(1, $1::int) n`,
        [lots, POINTS_OF_LOT],
      );
      await tx.query(
        `insert into loyalty_lot (account_id, earned_at, entry_id, expires_at, points)
         select account_id, effective_at, id, expires_at, points from loyalty_entry`,
      );
    },
    { timeoutMs },
  );
  for (const table of ['customer', 'loyalty_account', 'loyalty_entry', 'loyalty_lot']) {
    await database.query(`vacuum analyze ${table}`);
  }
  return rows.map((row) => row.id);
}

async function measure(
  database: Database,
  api: string,
  customers: readonly string[],
  lots: number,
  quick: boolean,
): Promise<BenchResult> {
  const call = systemCall('bench');
  const durations: number[] = [];
  const timed: Database = {
    ...database,
    query: database.query,
    async transaction(work, options) {
      const startedMs = performance.now();
      try {
        return await database.transaction(work, options);
      } finally {
        durations.push(performance.now() - startedMs);
      }
    },
  };
  const service = await createBenchService(timed, call, []);
  const load = await startLoad(`${api}/graphql`, customers);
  await load.during(delay(quick ? 1_000 : 3_000));
  const calm = await load.during(delay(quick ? 2_000 : CALM_MS));
  durations.length = 0;
  const startedMs = performance.now();
  let lapsed = 0;
  const busy = await load.during(
    service.expireLots(call).then((points) => {
      lapsed = points;
    }),
  );
  const tookMs = performance.now() - startedMs;
  load.close();
  await assertLapsed(database, lots, lapsed);
  durations.sort((a, b) => a - b);
  const ratio = round(busy.p99Ms / calm.p99Ms);
  const perSecond = Math.round((lots * 1_000) / tookMs);
  say(`${lots} lots lapsed in ${round(tookMs / 1_000)} s; the API's p99 was ${busy.p99Ms} ms, before ${calm.p99Ms} ms`);
  return {
    ratios: { p99: ratio },
    bars: {},
    ceilings: CEILINGS,
    figures: {
      unit: 'lots a second',
      lots,
      accounts: customers.length,
      perSecond,
      batches: durations.length,
      batchMs: { median: round(durations[durations.length >> 1] ?? 0), longest: round(durations.at(-1) ?? 0) },
      api: { clients: CLIENTS, before: calm, during: busy },
    },
  };
}

interface Latencies {
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Clients who award to, and read of, the accounts whose lots lapse. */
async function startLoad(url: string, customers: readonly string[]) {
  const connections = await Promise.all(Array.from({ length: CLIENTS }, () => openConnection(url, KEY)));
  let turn = 0;
  const request = () => {
    turn += 1;
    const id = encodeGlobalId('Customer', customers[(turn * 7_919) % customers.length] as string);
    if (turn % 2 === 0) return { query: READ, variables: { id } };
    return { query: AWARD, variables: { input: { idempotencyKey: newId(), customerId: id, points: 1 } } };
  };
  return {
    /** Works until `end` has come. */
    async during(end: Promise<unknown>): Promise<Latencies> {
      const latencies: number[] = [];
      let ended = false;
      const clients = connections.map(async (connection) => {
        while (!ended) {
          const body = JSON.stringify(request());
          const startedMs = performance.now();
          const answer = await connection.post(body);
          latencies.push(performance.now() - startedMs);
          if (answer.status !== 200 || answer.body.includes('"code"')) throw new Error(`answered ${answer.body}`);
          await delay(REST_MS);
        }
      });
      await end.finally(() => {
        ended = true;
      });
      await Promise.all(clients);
      latencies.sort((a, b) => a - b);
      const at = (share: number) => round(latencies[Math.floor((latencies.length - 1) * share)] ?? 0);
      return { requests: latencies.length, p50Ms: at(0.5), p99Ms: at(0.99) };
    },
    close: () => {
      for (const connection of connections) connection.close();
    },
  };
}

/** @throws Error when a lot is still due, lapsed twice, or the sums are wrong */
async function assertLapsed(database: Database, lots: number, points: number): Promise<void> {
  const [found] = await database.query<{ due: number; lapsed: number; wrong: number }>(
    `select (select count(*) from loyalty_lot where expires_at <= now()) as due,
            (select coalesce(-sum(points), 0)::int8 from loyalty_entry where kind = 'EXPIRE') as lapsed,
            (select count(*) from loyalty_account a
             where a.balance <> (select sum(e.points) from loyalty_entry e where e.account_id = a.id)
                or a.balance <> (select coalesce(sum(l.points), 0) from loyalty_lot l where l.account_id = a.id)) as wrong`,
  );
  const expected = lots * POINTS_OF_LOT;
  if (found?.due !== 0 || found.lapsed !== expected || points !== expected || found.wrong !== 0) {
    throw new Error(`after the expiry of ${expected} points: ${JSON.stringify({ ...found, points })}`);
  }
}
