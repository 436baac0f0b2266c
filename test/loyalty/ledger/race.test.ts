import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { POINTS_EXPIRY } from '../../../modules/loyalty/ledger/settings.ts';
import { systemCall } from '../../../src/core/call.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { brokenInvariants, type LoyaltyWorld, openLoyalty, plantCustomers } from '../world.ts';

let created: TestDatabase;
let world: LoyaltyWorld;
const started: Awarding[] = [];

beforeAll(async () => {
  created = await createTestDatabase();
  world = await openLoyalty(created.url);
  await world.settings.change(systemCall('test'), POINTS_EXPIRY.key, { months: 12, at: 'END_OF_DAY' });
});
afterAll(async () => {
  for (const { child, exited } of started) {
    child.kill('SIGKILL');
    await exited;
  }
  await world.close();
  await created.drop();
});

/** Each process takes seconds to start on a busy machine. */
const TIMEOUT_MS = 180_000;
const PROGRAM = fileURLToPath(new URL('awarding-process.ts', import.meta.url));

interface Awarding {
  readonly child: ChildProcess;
  /** Entries by key, as acknowledged so far. */
  readonly acknowledged: Map<string, Set<string>>;
  readonly exited: Promise<number | null>;
  /** Resolves once so many requests were acknowledged. */
  reached(count: number): Promise<void>;
}

function startAwarding(
  work: 'award' | 'mixed',
  clients: number,
  requests: number,
  keys: number,
  customers: readonly string[],
): Awarding {
  const child = spawn(
    process.execPath,
    [PROGRAM, created.url, work, clients, requests, keys, ...customers].map(String),
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const acknowledged = new Map<string, Set<string>>();
  let count = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let resolveWanted = () => {};
  const lines = createInterface({ input: child.stdout as NonNullable<ChildProcess['stdout']> });
  lines.on('line', (line) => {
    const [key, entry] = line.split(' ');
    if (key === undefined || entry === undefined) return;
    acknowledged.set(key, (acknowledged.get(key) ?? new Set()).add(entry));
    count += 1;
    if (count >= wanted) resolveWanted();
  });
  const exited = Promise.all([once(child, 'exit'), once(lines, 'close')]).then(([[code]]) => code as number | null);
  const awarding: Awarding = {
    child,
    acknowledged,
    exited,
    reached: (least) =>
      new Promise((resolve) => {
        wanted = least;
        resolveWanted = resolve;
        if (count >= least) resolve();
      }),
  };
  started.push(awarding);
  return awarding;
}

/** Every acknowledgement of a key names one entry, in whatever process, and that entry is in the ledger. */
async function expectHonoured(processes: readonly Awarding[]): Promise<void> {
  const entries = new Map<string, Set<string>>();
  for (const { acknowledged } of processes) {
    for (const [key, ids] of acknowledged) {
      entries.set(key, new Set([...(entries.get(key) ?? []), ...ids]));
    }
  }
  const rows = await world.database.query<{ key: string; entryId: string }>(
    `select i.key, e.id as "entryId" from idempotency_key i join loyalty_entry e on e.id::text = i.answer ->> 'entryId'`,
  );
  const kept = new Map(rows.map((row) => [row.key, row.entryId]));
  const told = [...entries].map(([key, ids]) => [key, ...ids]);
  expect(told).toEqual([...entries.keys()].map((key) => [key, kept.get(`race-${key}`)]));
}

test(
  '50 clients of five processes award to one account with repeated keys',
  async () => {
    const [customer] = (await plantCustomers(world.database, 1)) as [string];
    const processes = Array.from({ length: 5 }, () => startAwarding('award', 10, 300, 100, [customer]));
    expect(await Promise.all(processes.map(({ exited }) => exited))).toEqual([0, 0, 0, 0, 0]);
    await expectHonoured(processes);
    expect((await world.service.members([customer]))[0]).toMatchObject({ balance: 300, earned: 300 });
    expect(await brokenInvariants(world.database)).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  'processes killed while 64 clients move points of ten accounts lose nothing they acknowledged and do nothing twice',
  async () => {
    const customers = await plantCustomers(world.database, 10);
    const KEYS = 100_000;
    const rounds: Awarding[] = [];
    for (let round = 0; round < 2; round += 1) {
      // Both run down the same keys: whoever comes second, in this round or the next, repeats the other's requests.
      const pair = [1, 2].map(() => startAwarding('mixed', 32, KEYS, KEYS, customers));
      rounds.push(...pair);
      await Promise.all(pair.map((one, index) => one.reached(150 * (round + 1) + 37 * index)));
      for (const { child } of pair) child.kill('SIGKILL');
      await Promise.all(pair.map(({ exited }) => exited));
    }
    await expectHonoured(rounds);
    expect(await brokenInvariants(world.database)).toEqual([]);
    const kinds = await world.database.query<{ kind: string }>(
      `select distinct kind || ' ' || phase as kind from loyalty_entry order by 1`,
    );
    expect(kinds.map(({ kind }) => kind)).toEqual([
      'EARN CONFIRMED',
      'EARN PENDING',
      'EARN POSTED',
      'EARN VOIDED',
      'EXPIRE POSTED',
      'REDEEM CONFIRMED',
      'REDEEM PENDING',
      'REDEEM POSTED',
      'REDEEM VOIDED',
      'REVERSE POSTED',
    ]);
  },
  TIMEOUT_MS,
);
