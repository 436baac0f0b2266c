import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { customersByIds, subscriptionsOf } from '../modules/customers/queries/facts.ts';
import { survivors } from '../modules/customers/service/references.ts';
import { createRewardLedger } from '../modules/loyalty/rewards/ledger.ts';
import { createRewardsService } from '../modules/loyalty/rewards/service.ts';
import { EXPIRED_REDEMPTIONS } from '../modules/loyalty/rewards/settings.ts';
import { createLoyaltyService } from '../modules/loyalty/service.ts';
import { loyaltySettings } from '../modules/loyalty/settings.ts';
import { openDataFolder } from '../src/app/embedded/data-folder.ts';
import { startEmbeddedPostgres } from '../src/app/embedded/postgres.ts';
import { systemCall } from '../src/core/call.ts';
import { systemClock } from '../src/core/clock.ts';
import { createDatabase, type Database } from '../src/core/database/index.ts';
import { migrateAll } from '../src/core/database/migrate-all.ts';
import { newId } from '../src/core/ids.ts';
import { createLogger } from '../src/core/logger.ts';
import { BUSINESS, createSettings } from '../src/core/settings/index.ts';
import type { BenchResult } from './main.ts';
import { createLimit } from './redeem/limit.ts';

const CLIENTS = 32;
const ACCOUNTS = 1_000;
const REWARDS = 8;
const ROUNDS = 3;
const BARS = { spread: 1 };
/** More than all rounds can sell or spend. */
const PLENTY = 100_000_000;
const COST = 5;
const LIFETIME_DAYS = 30;

/** One redemption of one client; resolves when it is acknowledged. */
type Redeem = (customerId: string, rewardId: string, key: string) => Promise<unknown>;

/** One of the two that are compared, with customers and rewards of its own. */
interface Side {
  readonly redeem: Redeem;
  readonly customers: readonly string[];
  readonly rewards: readonly string[];
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0;
const round = (value: number): number => Math.round(value * 100) / 100;
const anyOf = (ids: readonly string[]): string => ids[Math.floor(Math.random() * ids.length)] as string;

/**
 * Redemptions by 32 clients, each waiting for its answer: 1,000 accounts and eight rewards with a stock, at the service.
 * Afterwards points, lots and stocks add up, and there is a redemption for each acknowledgement.
 */
export async function run({ quick }: { readonly quick: boolean }): Promise<BenchResult> {
  const folder = openDataFolder(mkdtempSync(path.join(tmpdir(), 'holdfast-bench-')));
  const server = await startEmbeddedPostgres({ folder: folder.path });
  try {
    await migrateAll({ connectionString: server.url });
    const database = createDatabase({ url: server.url, logger: createLogger('silent'), maxConnections: CLIENTS });
    try {
      return await measure(database, quick ? 1_500 : 5_000);
    } finally {
      await database.close();
    }
  } finally {
    await server.stop();
    folder.release();
    rmSync(folder.path, { recursive: true, force: true });
  }
}

async function measure(database: Database, durationMs: number): Promise<BenchResult> {
  const service = createServices(database);
  const call = systemCall('bench');
  const limit: Side = { redeem: createLimit(database.pool), ...(await plant(database)) };
  const holdfast: Side = {
    redeem: (customerId, rewardId, idempotencyKey) =>
      service.redeemReward(call, { idempotencyKey, customerId, rewardId }),
    ...(await plant(database)),
  };
  let acknowledged = 0;
  const drive = async ({ redeem, customers, rewards }: Side): Promise<number> => {
    const startedMs = performance.now();
    let done = 0;
    const client = async () => {
      while (performance.now() - startedMs < durationMs) {
        await redeem(anyOf(customers), anyOf(rewards), newId());
        done += 1;
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    acknowledged += done;
    return (done * 1_000) / (performance.now() - startedMs);
  };
  await drive(limit);
  await drive(holdfast);
  const rounds: { limit: number; holdfast: number }[] = [];
  for (let index = 1; index <= ROUNDS; index += 1) {
    const measured = { limit: await drive(limit), holdfast: await drive(holdfast) };
    rounds.push(measured);
    const { limit: most, holdfast: ours } = measured;
    say(
      `spread ${index}: limit ${Math.round(most)}, Holdfast ${Math.round(ours)} redemptions a second, ${round(ours / most)}`,
    );
  }
  await assertSums(database, acknowledged);
  const [most, ours] = [median(rounds.map((one) => one.limit)), median(rounds.map((one) => one.holdfast))];
  const spread = { limit: Math.round(most), holdfast: Math.round(ours), ratio: round(ours / most) };
  return {
    ratios: { spread: spread.ratio },
    bars: BARS,
    figures: {
      unit: 'redemptions a second',
      clients: CLIENTS,
      accounts: ACCOUNTS,
      rewards: REWARDS,
      spread,
      acknowledged,
    },
  };
}

/** The services as the server makes them. */
function createServices(database: Database) {
  const settings = createSettings(database, systemClock);
  settings.declare([BUSINESS, ...loyaltySettings, EXPIRED_REDEMPTIONS]);
  const customers: Parameters<typeof createLoyaltyService>[1] = {
    byIds: (ids, within = database) => customersByIds(within, ids),
    survivors: (ids, within = database) => survivors(within, ids),
    subscriptions: (ids, within = database) => subscriptionsOf(within, ids),
  };
  const foundation = { database, settings, clock: systemClock, systemClock };
  const { post } = createLoyaltyService(foundation, customers);
  const ledger = createRewardLedger({ post, membership: { clock: systemClock, customers } });
  return createRewardsService({ ...foundation, customers, ledger });
}

/** Members with one large lot each, and rewards with a large stock. */
async function plant(database: Database): Promise<{ customers: string[]; rewards: string[] }> {
  const customers = Array.from({ length: ACCOUNTS }, newId);
  const rewards = Array.from({ length: REWARDS }, newId);
  await database.query(
    `insert into customer (id, external_id, name, signup_at, created_at, updated_at)
     select id, 'c-' || id, 'Customer', now(), now(), now() from unnest($1::uuid[]) t(id)`,
    [customers],
  );
  await database.query(
    `with account as (
       insert into loyalty_account (id, customer_id, joined_at, tier, tier_since, balance, earned, entry_count)
       select gen_random_uuid(), id, now(), 'PLATINUM', now(), $2, $2, 1 from unnest($1::uuid[]) t(id) returning id
     ), entry as (
       insert into loyalty_entry (id, account_id, number, kind, points, qualifying, balance_after, source, actor,
                                  effective_at, recorded_at)
       select gen_random_uuid(), id, 1, 'EARN', $2, $2, $2, 'AWARD', 'bench', now(), now() from account
       returning id, account_id, effective_at
     )
     insert into loyalty_lot (account_id, earned_at, entry_id, points) select account_id, effective_at, id, $2 from entry`,
    [customers, PLENTY],
  );
  await database.query(
    `insert into loyalty_reward (id, name, description, kind, cost, stock, lowest_tier, voucher_lifetime_days, created_at,
                                 updated_at)
     select id, 'Reward', '', 'VOUCHER', $2, $3, 'BRONZE', $4, now(), now() from unnest($1::uuid[]) t(id)`,
    [rewards, COST, PLENTY, LIFETIME_DAYS],
  );
  await database.query('analyze');
  return { customers, rewards };
}

/** @throws Error when points, lots or stocks do not add up, or an acknowledged redemption is not there */
async function assertSums(database: Database, acknowledged: number): Promise<void> {
  const [found] = await database.query<Record<'accounts' | 'stocks' | 'lots' | 'redemptions', number>>(
    `select (select count(*) from loyalty_account a where a.balance <> ${PLENTY} or a.held <> (
               select coalesce(sum(x.points), 0) from loyalty_redemption x where x.customer_id = a.customer_id))::int8 as accounts,
            (select count(*) from loyalty_reward r where r.stock <> ${PLENTY} - (
               select coalesce(sum(x.quantity), 0) from loyalty_redemption x where x.reward_id = r.id))::int8 as stocks,
            (select count(*) from loyalty_lot l where l.points <> ${PLENTY} - (
               select coalesce(sum(u.points), 0) from loyalty_lot_use u where u.lot_id = l.entry_id))::int8 as lots,
            (select count(*) from loyalty_redemption)::int8 as redemptions`,
  );
  const { accounts, stocks, lots, redemptions } = found ?? { accounts: -1, stocks: -1, lots: -1, redemptions: -1 };
  if (accounts !== 0 || stocks !== 0 || lots !== 0) {
    throw new Error(`${accounts} accounts, ${stocks} stocks and ${lots} lots do not add up`);
  }
  if (redemptions !== acknowledged)
    throw new Error(`${acknowledged} redemptions were acknowledged and ${redemptions} written`);
}
