import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { EarningRule } from '../modules/loyalty/domain/rules.ts';
import { expiresAt } from '../modules/loyalty/ledger/expiry.ts';
import { POINTS_EXPIRY } from '../modules/loyalty/ledger/settings.ts';
import { calendarPeriod } from '../modules/loyalty/period.ts';
import { EARNING_RULES } from '../modules/loyalty/settings.ts';
import { openDataFolder } from '../src/app/embedded/data-folder.ts';
import { startEmbeddedPostgres } from '../src/app/embedded/postgres.ts';
import { encodeGlobalId } from '../src/core/builder/index.ts';
import { systemCall } from '../src/core/call.ts';
import { systemClock } from '../src/core/clock.ts';
import { createDatabase, type Database } from '../src/core/database/index.ts';
import { migrateAll } from '../src/core/database/migrate-all.ts';
import { newId } from '../src/core/ids.ts';
import { createLogger } from '../src/core/logger.ts';
import { BUSINESS } from '../src/core/settings/index.ts';
import { type Connection, openConnection } from './award-points/connection.ts';
import { createLimit } from './award-points/limit.ts';
import { withServer } from './award-points/process.ts';
import { createBenchService } from './award-points/service.ts';
import type { BenchResult } from './main.ts';

const CLIENTS = 32;
const ACCOUNTS = 1_000;
const ROUNDS = 3;
const KEY = 'bench-admin-key-of-this-run';
const BARS = { spread: 2, hot: 10, http: 0.5 };

/** A rule in force with a cap that is counted and never reached, and points that lapse: each award writes all there is. */
const RULE: EarningRule = {
  key: 'bench',
  name: 'Bench',
  description: 'One point each time.',
  points: { BRONZE: 1, SILVER: 1, GOLD: 1, PLATINUM: 1 },
  cap: { times: 1_000_000, per: 'YEAR' },
  validFrom: '2000-01-01T00:00:00Z',
  validUntil: null,
  trigger: null,
};
const EXPIRY = { months: 12, at: 'END_OF_DAY' } as const;

const AWARD = `mutation Award($input: AwardPointsInput!) {
  awardPoints(input: $input) {
    ... on AwardPointsSuccess {
      entry { id points balanceAfter }
      account { balance { available } tier { name } }
      tierChange { from { name } to { name } }
      replayed
    }
    ... on DomainError { code message }
  }
}`;

/** One award of one client; resolves when it is acknowledged. */
type Award = (client: number, customerId: string, key: string) => Promise<unknown>;

/** One of the two that are compared: how it awards, and to whom next. */
interface Side {
  readonly award: Award;
  readonly pick: () => string;
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0;
const round = (value: number): number => Math.round(value * 100) / 100;

/**
 * Awards of one point by 32 clients, each waiting for its answer: over 1,000 accounts, on one account, and through HTTP
 * and GraphQL. Afterwards every balance is the sum of its entries, and there is an entry for each acknowledgement.
 */
export async function run({ quick }: { readonly quick: boolean }): Promise<BenchResult> {
  const folder = openDataFolder(mkdtempSync(path.join(tmpdir(), 'holdfast-bench-')));
  const server = await startEmbeddedPostgres({ folder: folder.path });
  try {
    await migrateAll({ connectionString: server.url });
    const database = createDatabase({ url: server.url, logger: createLogger('silent'), maxConnections: CLIENTS });
    try {
      return await measure(database, path.join(folder.path, 'server'), quick ? 1_500 : 5_000);
    } finally {
      await database.close();
    }
  } finally {
    await server.stop();
    folder.release();
    rmSync(folder.path, { recursive: true, force: true });
  }
}

async function measure(database: Database, folder: string, durationMs: number): Promise<BenchResult> {
  // The limit has accounts of its own: neither pays for rows the other left behind, or changed behind its back.
  const [ofLimit, ofHoldfast] = [await plant(database), await plant(database)];
  const anyOf = (customers: readonly string[]) => () => customers[Math.floor(Math.random() * ACCOUNTS)] as string;
  const firstOf = (customers: readonly string[]) => () => customers[0] as string;
  let acknowledged = 0;
  const drive = async ({ award, pick }: Side): Promise<number> => {
    const startedMs = performance.now();
    let done = 0;
    const client = async (index: number) => {
      while (performance.now() - startedMs < durationMs) {
        await award(index, pick(), newId());
        done += 1;
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index)));
    acknowledged += done;
    return (done * 1_000) / (performance.now() - startedMs);
  };
  const compare = async (name: string, limit: Side, holdfast: Side) => {
    await drive(limit);
    await drive(holdfast);
    const rounds: { limit: number; holdfast: number }[] = [];
    for (let index = 1; index <= ROUNDS; index += 1) {
      const measured = { limit: await drive(limit), holdfast: await drive(holdfast) };
      rounds.push(measured);
      const { limit: most, holdfast: ours } = measured;
      say(
        `${name} ${index}: limit ${Math.round(most)}, Holdfast ${Math.round(ours)} awards a second, ${round(ours / most)}`,
      );
    }
    const [most, ours] = [median(rounds.map((one) => one.limit)), median(rounds.map((one) => one.holdfast))];
    return { limit: Math.round(most), holdfast: Math.round(ours), ratio: round(ours / most) };
  };

  const call = systemCall('bench');
  const service = await createBenchService(database, call, [
    { key: EARNING_RULES.key, value: [RULE] },
    { key: POINTS_EXPIRY.key, value: EXPIRY },
  ]);
  const now = systemClock.now();
  const { start } = calendarPeriod(now, RULE.cap?.per ?? 'YEAR', BUSINESS.default.timeZone);
  const lapses = expiresAt(now, EXPIRY, BUSINESS.default.timeZone) as Date;
  const oneStatement = createLimit(database.pool, RULE.key, start, lapses);
  const limit: Award = (_client, customerId, key) => oneStatement(customerId, 1, key);
  const holdfast: Award = (_client, customerId, idempotencyKey) =>
    service.awardPoints(call, { idempotencyKey, customerId, rule: RULE.key, reason: 'bench' });
  const spread = await compare(
    'spread',
    { award: limit, pick: anyOf(ofLimit) },
    { award: holdfast, pick: anyOf(ofHoldfast) },
  );
  const hot = await compare(
    'hot',
    { award: limit, pick: firstOf(ofLimit) },
    { award: holdfast, pick: firstOf(ofHoldfast) },
  );
  // Both go through one service in one process.
  const pick = anyOf(ofHoldfast);
  const http = await throughHttp(database.url, folder, (bare, api) =>
    compare('http', { award: bare, pick }, { award: api, pick }),
  );

  await assertSums(database, acknowledged);
  return {
    ratios: { spread: spread.ratio, hot: hot.ratio, http: http.ratio },
    bars: BARS,
    figures: { unit: 'awards a second', clients: CLIENTS, accounts: ACCOUNTS, spread, hot, http, acknowledged },
  };
}

async function plant(database: Database): Promise<string[]> {
  const ids = Array.from({ length: ACCOUNTS }, newId);
  await database.query(
    `insert into customer (id, external_id, name, signup_at, created_at, updated_at)
     select id, 'c-' || id, 'Customer', now(), now(), now() from unnest($1::uuid[]) t(id)`,
    [ids],
  );
  await database.query(
    `insert into loyalty_account (id, customer_id, joined_at, tier, tier_since)
     select gen_random_uuid(), id, now(), 'BRONZE', now() from unnest($1::uuid[]) t(id)`,
    [ids],
  );
  await database.query('analyze customer');
  await database.query('analyze loyalty_account');
  return ids;
}

/** Starts the server in a process of its own and measures its API against the bare server beside it. */
async function throughHttp<T>(
  url: string,
  folder: string,
  compare: (bare: Award, api: Award) => Promise<T>,
): Promise<T> {
  const connections: Connection[] = [];
  const open = async (at: string) => {
    const opened = await Promise.all(Array.from({ length: CLIENTS }, () => openConnection(at, KEY)));
    connections.push(...opened);
    return opened;
  };
  return withServer({ url, folder, key: KEY }, async ({ bare, api }) => {
    try {
      const [toBare, toApi] = [await open(bare), await open(`${api}/graphql`)];
      return await compare(
        (client, customerId, idempotencyKey) =>
          expectEntry(
            (toBare[client] as Connection).post(
              JSON.stringify({ idempotencyKey, customerId, rule: RULE.key, reason: 'bench' }),
            ),
          ),
        (client, customerId, idempotencyKey) => {
          const input = {
            idempotencyKey,
            customerId: encodeGlobalId('Customer', customerId),
            rule: RULE.key,
            reason: 'bench',
          };
          return expectEntry(
            (toApi[client] as Connection).post(JSON.stringify({ query: AWARD, variables: { input } })),
          );
        },
      );
    } finally {
      for (const connection of connections) connection.close();
    }
  });
}

async function expectEntry(answered: Promise<{ readonly status: number; readonly body: string }>): Promise<void> {
  const { status, body } = await answered;
  if (status !== 200 || !body.includes('"balanceAfter":')) throw new Error(`an award was answered ${status} ${body}`);
}

/** @throws Error when a balance is not the sum of its entries, or an acknowledged award is not in the ledger */
async function assertSums(database: Database, acknowledged: number): Promise<void> {
  const [found] = await database.query<{ wrong: number; entries: number }>(
    `select count(*) filter (where a.balance <> s.points or a.earned <> s.qualifying or a.entry_count <> s.entries
                              or a.balance <> l.points or a.entry_count <> u.times) as wrong,
            sum(s.entries)::int8 as entries
     from loyalty_account a cross join lateral (
       select coalesce(sum(e.points), 0) as points, coalesce(sum(e.qualifying), 0) as qualifying, count(*) as entries
       from loyalty_entry e where e.account_id = a.id
     ) s cross join lateral (
       select coalesce(sum(l.points), 0) as points from loyalty_lot l where l.account_id = a.id
     ) l cross join lateral (
       select coalesce(sum(u.times), 0) as times from loyalty_rule_use u where u.account_id = a.id
     ) u`,
  );
  if (found?.wrong !== 0) throw new Error(`${found?.wrong} balances are not the sum of their entries, lots or uses`);
  if (found.entries !== acknowledged)
    throw new Error(`${acknowledged} awards were acknowledged and ${found.entries} written`);
}
