import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemCall } from '../../../src/core/call.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { newId } from '../../../src/core/ids.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { brokenInvariants } from '../world.ts';
import { brokenRedemptions, countsOf, openRewards, plantMembers, plantReward, type RewardsWorld } from './world.ts';

let created: TestDatabase;
let world: RewardsWorld;
const started: Redeeming[] = [];
const call = systemCall('test');

beforeAll(async () => {
  created = await createTestDatabase();
  world = await openRewards(created.url);
});
afterAll(async () => {
  for (const { child, exited } of started) {
    child.kill('SIGKILL');
    await exited;
  }
  expect(await brokenInvariants(world.database)).toEqual([]);
  expect(await brokenRedemptions(world.database)).toEqual([]);
  await world.close();
  await created.drop();
});

/** Each process takes seconds to start on a busy machine. */
const TIMEOUT_MS = 180_000;
const PROGRAM = fileURLToPath(new URL('redeeming-process.ts', import.meta.url));

interface Redeeming {
  readonly child: ChildProcess;
  /** Lines as they were printed. */
  readonly lines: readonly (readonly [step: string, key: string, what: string])[];
  readonly exited: Promise<number | null>;
  /** Resolves once so many steps were answered. */
  reached(count: number): Promise<void>;
}

function startRedeeming(clients: number, attempts: number, rewardId: string, customers: readonly string[]): Redeeming {
  const args = [PROGRAM, created.url, String(clients), String(attempts), rewardId, ...customers];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: (readonly [string, string, string])[] = [];
  let wanted = Number.POSITIVE_INFINITY;
  let resolveWanted = () => {};
  const reader = createInterface({ input: child.stdout as NonNullable<ChildProcess['stdout']> });
  reader.on('line', (line) => {
    const [step, key, what] = line.split(' ');
    if (step === undefined || key === undefined || what === undefined) return;
    lines.push([step, key, what]);
    if (lines.length >= wanted) resolveWanted();
  });
  const exited = Promise.all([once(child, 'exit'), once(reader, 'close')]).then(([[code]]) => code as number | null);
  const redeeming: Redeeming = {
    child,
    lines,
    exited,
    reached: (least) =>
      new Promise((resolve) => {
        wanted = least;
        resolveWanted = resolve;
        if (lines.length >= least) resolve();
      }),
  };
  started.push(redeeming);
  return redeeming;
}

/** Every answer to a key names one redemption, in whatever process, and it stands as it was told. */
async function expectHonoured(processes: readonly Redeeming[]): Promise<void> {
  const told = new Map<string, Set<string>>();
  const lastStep = new Map<string, string>();
  for (const [step, key, what] of processes.flatMap(({ lines }) => lines)) {
    if (step === 'refused') continue;
    told.set(key, (told.get(key) ?? new Set()).add(what));
    if (step !== 'redeem') lastStep.set(what, step === 'fulfil' ? 'FULFILLED' : 'CANCELLED');
  }
  const rows = await world.database.query<{ key: string; redemption: string; state: string }>(
    `select k.key, x.id as redemption, x.state from idempotency_key k
     join loyalty_redemption x on x.id::text = k.answer ->> 'redemptionId' where k.scope = 'loyalty.redemptions'`,
  );
  const kept = new Map(rows.map((row) => [row.key, row.redemption]));
  expect([...told].map(([key, ids]) => [key, ...ids])).toEqual([...told.keys()].map((key) => [key, kept.get(key)]));
  const states = new Map(rows.map((row) => [row.redemption, row.state]));
  expect([...lastStep].filter(([id, state]) => states.get(id) !== state)).toEqual([]);
}

test('200 redeems of a reward with a stock of 50 are 50 redemptions, and again the same 50', async () => {
  const customers = await plantMembers(world, 20, 1_000);
  const rewardId = await plantReward(world, { stock: 50, cost: 10 });
  const other = await openRewards(created.url);
  const ask = () =>
    Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        // Two services with pools and queues of their own, as two processes have.
        const { rewards } = index % 2 === 0 ? world : other;
        const customerId = customers[index % 20] as string;
        const input = { idempotencyKey: `fifty-${index}`, customerId, rewardId };
        return rewards.redeemReward(call, input).then(
          ({ redemption, replayed }) => ({ id: redemption.id, replayed }),
          (error: unknown) => {
            if (!(error instanceof DomainError)) throw error;
            return { code: error.code };
          },
        );
      }),
    );
  const first = await ask();
  const made = first.filter((answer) => 'id' in answer);
  expect(made).toHaveLength(50);
  expect(made.every(({ replayed }) => !replayed)).toBe(true);
  expect(new Set(made.map(({ id }) => id)).size).toBe(50);
  expect(new Set(first.flatMap((answer) => ('code' in answer ? [answer.code] : [])))).toEqual(
    new Set(['LOYALTY_OUT_OF_STOCK']),
  );
  expect(await ask()).toEqual(first.map((answer) => ('id' in answer ? { ...answer, replayed: true } : answer)));
  expect(await countsOf(world, rewardId)).toEqual({ stock: 0, OPEN: 50 });
  const balances = await world.service.members(customers);
  expect(balances.reduce((sum, one) => sum + one.available, 0)).toBe(20 * 1_000 - 50 * 10);
  await other.close();
});

test('one redemption that all want to close at once is closed once', async () => {
  const [customerId] = (await plantMembers(world, 1, 100)) as [string];
  const rewardId = await plantReward(world, { stock: 1, cost: 100 });
  const { redemption } = await world.rewards.redeemReward(call, { idempotencyKey: newId(), customerId, rewardId });
  const other = await openRewards(created.url);
  const answers = await Promise.allSettled(
    Array.from({ length: 24 }, (_, index) => {
      const { rewards } = index % 2 === 0 ? world : other;
      const input = { idempotencyKey: newId(), redemptionId: redemption.id };
      return index % 3 === 0 ? rewards.fulfilRedemption(call, input) : rewards.cancelRedemption(call, input);
    }),
  );
  const closed = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.redemption] : []));
  expect(closed).toHaveLength(1);
  const isTaken = closed[0]?.state === 'FULFILLED';
  expect(await countsOf(world, rewardId)).toEqual(isTaken ? { stock: 0, FULFILLED: 1 } : { stock: 1, CANCELLED: 1 });
  expect((await world.service.members([customerId]))[0]?.available).toBe(isTaken ? 0 : 100);
  await other.close();
});

test(
  'processes killed between holding and settling lose nothing they answered, and sell nothing twice',
  async () => {
    const customers = await plantMembers(world, 10, 100_000);
    const STOCK = 2_000;
    const rewardId = await plantReward(world, { stock: STOCK, cost: 10 });
    // Both run down the same keys, and so does who comes after them: each repeats the other's requests.
    const all = [0, 1].map(() => startRedeeming(16, 100_000, rewardId, customers));
    await Promise.all(all.map((one, index) => one.reached(90 + 37 * index)));
    for (const { child } of all) child.kill('SIGKILL');
    await Promise.all(all.map(({ exited }) => exited));
    const finish = startRedeeming(16, 300, rewardId, customers);
    all.push(finish);
    expect(await finish.exited).toBe(0);
    await expectHonoured(all);
    const { stock = null, ...states } = await countsOf(world, rewardId);
    const taken = (states.OPEN ?? 0) + (states.FULFILLED ?? 0);
    expect(stock).toBe(STOCK - taken);
    const balances = await world.service.members(customers);
    expect(balances.reduce((sum, one) => sum + one.available, 0)).toBe(10 * 100_000 - taken * 10);
  },
  TIMEOUT_MS,
);
