import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_TIERS } from '../modules/loyalty/defaults.ts';
import { createTierService, type TierService } from '../modules/loyalty/programme/service-tiers.ts';
import { TIER_QUALIFICATION } from '../modules/loyalty/programme/settings.ts';
import { loyaltySettings, TIERS } from '../modules/loyalty/settings.ts';
import { openDataFolder } from '../src/app/embedded/data-folder.ts';
import { startEmbeddedPostgres } from '../src/app/embedded/postgres.ts';
import { encodeGlobalId } from '../src/core/builder/index.ts';
import { systemCall } from '../src/core/call.ts';
import { systemClock } from '../src/core/clock.ts';
import { createDatabase, type Database } from '../src/core/database/index.ts';
import { migrateAll } from '../src/core/database/migrate-all.ts';
import { newId } from '../src/core/ids.ts';
import { createLogger } from '../src/core/logger.ts';
import { BUSINESS, createSettings } from '../src/core/settings/index.ts';
import { openConnection } from './award-points/connection.ts';
import { withServer } from './award-points/process.ts';
import type { BenchResult } from './main.ts';

const ACCOUNTS = 1_000_000;
const ACCOUNTS_QUICK = 100_000;
/** Of these the API is asked meanwhile. */
const ASKED = 1_000;
/** A steady load that leaves the machine room: what is measured is the wait, not the throughput. */
const CLIENTS = 4;
const PAUSE_MS = 40;
const ALONE_MS = 5_000;
const KEY = 'bench-admin-key-of-this-run';
/** A review that moves everybody, over one statement that does the same at once and holds every reader back. */
const BARS = { moving: 0.2 };

const AWARD = `mutation Award($input: AwardPointsInput!) {
  awardPoints(input: $input) { ... on AwardPointsSuccess { entry { balanceAfter } } ... on DomainError { code message } } }`;

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const round = (value: number): number => Math.round(value * 100) / 100;

/**
 * Reviews the tiers of a million accounts as the job does, a batch a transaction, while the API awards points: when nobody
 * moves, when half of all move, when a window is counted for the first time, and when it stands. The limit is one statement
 * that moves as many and writes the same rows.
 */
export async function run({ quick }: { readonly quick: boolean }): Promise<BenchResult> {
  const folder = openDataFolder(mkdtempSync(path.join(tmpdir(), 'holdfast-bench-')));
  const server = await startEmbeddedPostgres({ folder: folder.path });
  try {
    await migrateAll({ connectionString: server.url });
    const database = createDatabase({ url: server.url, logger: createLogger('silent'), maxConnections: 4 });
    try {
      const customers = await plant(database, quick ? ACCOUNTS_QUICK : ACCOUNTS);
      return await withApi(server.url, path.join(folder.path, 'server'), customers, (api) => measure(database, api));
    } finally {
      await database.close();
    }
  } finally {
    await server.stop();
    folder.release();
    rmSync(folder.path, { recursive: true, force: true });
  }
}

/** Latencies of the API, in milliseconds, since they were last asked for. */
interface Api {
  latencies(): number[];
  /** Whether nobody asks for now. */
  rest(resting: boolean): void;
}

async function measure(database: Database, api: Api): Promise<BenchResult> {
  const settings = createSettings(database, systemClock);
  settings.declare([BUSINESS, ...loyaltySettings]);
  const service = createTierService({ database, settings, clock: systemClock });
  const call = systemCall('bench');
  const change = (definition: { readonly key: string }, value: unknown) => settings.change(call, definition.key, value);
  const [total] = await database.query<{ accounts: number }>('select count(*) as accounts from loyalty_account');
  const accounts = total?.accounts ?? 0;

  // The first calls warm the server up.
  await delay(ALONE_MS);
  api.latencies();
  await delay(ALONE_MS);
  const alone = p99(api.latencies());
  const figures: Record<string, unknown> = { unit: 'accounts a second', accounts, apiP99Ms: { alone } };
  const timed = async (name: string, of: number, work: () => Promise<unknown>) => {
    api.latencies();
    const startedMs = performance.now();
    const done = await work();
    const seconds = (performance.now() - startedMs) / 1_000;
    const apiP99 = p99(api.latencies());
    const perSecond = Math.round(of / seconds);
    figures[name] = { accounts: of, seconds: round(seconds), perSecond, apiP99Ms: apiP99, done };
    const waits = Number.isNaN(apiP99) ? 'nobody asked' : `API p99 ${apiP99} ms (alone ${alone} ms)`;
    say(`${name}: ${round(seconds)} s, ${perSecond} accounts a second, ${waits}`);
    return { perSecond, apiP99 };
  };

  await change(TIER_QUALIFICATION, { window: { kind: 'LIFETIME' }, graceDays: 0 });
  const still = await timed('still', accounts, () => review(service));
  const foretold = await timed('foretold', accounts, () =>
    service.changeTiers(call, { tiers: halved(), dryRun: true, sample: 0 }),
  );
  await change(TIERS, halved());
  const moving = await timed('moving', accounts, () => review(service));
  // The way back, with nobody asking: who did would wait for it.
  api.rest(true);
  const limit = await timed('limit', ACCOUNTS_QUICK, () => moveAtOnce(database));
  api.rest(false);
  await change(TIERS, DEFAULT_TIERS);
  await change(TIER_QUALIFICATION, { window: { kind: 'ROLLING_MONTHS', months: 12 }, graceDays: 30 });
  const counting = await timed('counting', accounts, () => review(service));
  const windowed = await timed('windowed', accounts, () => review(service));
  const worst = Math.max(...[still, foretold, moving, counting, windowed].map(({ apiP99 }) => apiP99));
  return {
    ratios: { moving: round(moving.perSecond / limit.perSecond), apiP99: round(worst / alone) },
    bars: BARS,
    figures,
  };
}

/** As the job does, run by run. */
async function review(service: TierService): Promise<object> {
  const sum = { raised: 0, lowered: 0, warned: 0 };
  for (let from: string | null = null; ; ) {
    const run = await service.reviewTiers(systemCall('bench'), from, 50_000);
    sum.raised += run.raised;
    sum.lowered += run.lowered;
    sum.warned += run.warned;
    if (run.next === null) return sum;
    from = run.next;
  }
}

const halved = () => DEFAULT_TIERS.map((tier) => ({ ...tier, from: tier.from / 2 }));

/**
 * The limit: one statement that writes what the review writes. Of a million accounts it is given a tenth: it locks all it
 * moves and holds every reader of the outbox back until its end, which is why nobody would do it so.
 */
async function moveAtOnce(database: Database): Promise<void> {
  await database.transaction(
    async (tx) => {
      await tx.query(
        `with place as (
           select id, tier, case when earned >= 5000 then 'PLATINUM' when earned >= 2500 then 'GOLD'
                                 when earned >= 1000 then 'SILVER' else 'BRONZE' end as place
           from (select * from loyalty_account where closed_at is null order by id limit $1) a
         ), moved as (
           update loyalty_account a set tier = p.place, tier_since = now() from place p
           where p.id = a.id and p.place <> a.tier returning a.id, a.customer_id, p.tier as before, a.tier, a.earned, a.balance
         ), history as (
           insert into loyalty_tier_change (id, account_id, from_tier, to_tier, changed_at, cause)
           select gen_random_uuid(), id, before, tier, now(), 'REVIEW' from moved
         )
         insert into outbox_event (id, type, version, at, customer_id, actor, correlation_id, causation_id, payload)
         select gen_random_uuid(), 'loyalty.tierChanged', 2, now(), customer_id, 'bench', 'bench', null,
                jsonb_build_object('accountId', id, 'entryId', null, 'cause', 'REVIEW', 'from', before, 'to', tier,
                                   'direction', 'DOWN', 'earned', earned, 'balance', balance)
         from moved`,
        [ACCOUNTS_QUICK],
      );
    },
    { timeoutMs: 600_000 },
  );
}

/** Accounts with an entry in each of the last two years, most of them below the first threshold. */
async function plant(database: Database, accounts: number): Promise<string[]> {
  const startedMs = performance.now();
  const customers = Array.from({ length: ASKED }, newId);
  await database.query(
    `insert into customer (id, external_id, name, signup_at, created_at, updated_at)
     select id, 'c-' || id, 'Customer', now(), now(), now() from unnest($1::uuid[]) t(id)`,
    [customers],
  );
  await database.transaction(
    async (tx) => {
      await tx.query(
        `insert into loyalty_account (id, customer_id, joined_at, tier, tier_since, balance, earned, entry_count, last_entry_at)
         select gen_random_uuid(), coalesce(($1::uuid[])[n], gen_random_uuid()), now() - interval '2 years',
                case when points >= 2500 then 'PLATINUM' when points >= 1250 then 'GOLD' when points >= 500 then 'SILVER' else 'BRONZE' end,
                now() - interval '2 years', points * 2, points * 2, 2, now() - interval '30 days'
         from (select n, (random() ^ 2 * 2000)::int + 1 as points from generate_series(1, $2::int) n) t`,
        [customers, accounts],
      );
      await tx.query(
        `insert into loyalty_entry (id, account_id, number, kind, points, qualifying, balance_after, source, actor, effective_at, recorded_at)
         select gen_random_uuid(), a.id, n, 'EARN', a.earned / 2, a.earned / 2, a.earned / 2 * n, 'AWARD', 'bench',
                now() - (2 - n) * interval '18 months' - interval '30 days', now() - (2 - n) * interval '18 months' - interval '30 days'
         from loyalty_account a cross join generate_series(1, 2) n`,
      );
    },
    { timeoutMs: 600_000 },
  );
  await database.query('analyze customer');
  await database.query('analyze loyalty_account');
  await database.query('analyze loyalty_entry');
  // What planting left to be written is no part of what is measured.
  await database.query('checkpoint');
  say(`planted ${accounts} accounts in ${round((performance.now() - startedMs) / 1_000)} s`);
  return customers;
}

function p99(latencies: readonly number[]): number {
  const sorted = [...latencies].sort((a, b) => a - b);
  return round(sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN);
}

/** Asks the API of a process of its own steadily, until the work is done. */
function withApi<T>(
  url: string,
  folder: string,
  customers: readonly string[],
  work: (api: Api) => Promise<T>,
): Promise<T> {
  return withServer({ url, folder, key: KEY }, async ({ api }) => {
    let latencies: number[] = [];
    let asking = true;
    let resting = false;
    const ask = async () => {
      const connection = await openConnection(`${api}/graphql`, KEY);
      for (; asking; await delay(PAUSE_MS)) {
        if (resting) continue;
        const customerId = encodeGlobalId('Customer', customers[Math.floor(Math.random() * ASKED)] as string);
        const input = { idempotencyKey: newId(), customerId, points: 1, reason: 'bench' };
        const startedMs = performance.now();
        const { status, body } = await connection.post(JSON.stringify({ query: AWARD, variables: { input } }));
        latencies.push(performance.now() - startedMs);
        if (status !== 200 || !body.includes('"balanceAfter":'))
          throw new Error(`an award was answered ${status} ${body}`);
      }
      connection.close();
    };
    const clients = Promise.all(Array.from({ length: CLIENTS }, ask));
    const failed = clients.then(() => new Promise<never>(() => {}));
    const steady: Api = {
      latencies() {
        const seen = latencies;
        latencies = [];
        return seen;
      },
      rest(now) {
        resting = now;
      },
    };
    const done = await Promise.race([work(steady), failed]);
    asking = false;
    await clients;
    return done;
  });
}
