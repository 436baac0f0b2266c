import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REVERSAL_OF_SPENT_POINTS } from '../../../modules/loyalty/ledger/settings.ts';
import { systemCall } from '../../../src/core/call.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { newId } from '../../../src/core/ids.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { brokenInvariants, type LoyaltyWorld, openLoyalty, plantCustomers, START } from '../world.ts';

let created: TestDatabase;
let world: LoyaltyWorld;
const call = systemCall('model');

beforeAll(async () => {
  created = await createTestDatabase();
  world = await openLoyalty(created.url);
  await world.settings.change(call, REVERSAL_OF_SPENT_POINTS.key, 'REFUSE');
});
afterAll(async () => {
  await world.close();
  await created.drop();
});

/** The naive ledger: lists and sums, written without looking at the real one. */
interface Model {
  /** Points of each entry by customer; an entry taken back keeps its place. */
  readonly entries: { id: string; points: number; kind: string; reversed: boolean }[][];
  /** First answers by key: what was asked, and the balance it led to. */
  readonly keys: Map<string, { readonly asked: string; readonly balance: number }>;
  readonly logins: Map<string, number>;
  month: number;
}

interface Real {
  readonly customers: readonly string[];
  readonly prefix: string;
}

const balanceOf = (model: Model, who: number) =>
  (model.entries[who] ?? []).reduce((sum, entry) => sum + entry.points, 0);
const earnedOf = (model: Model, who: number) =>
  (model.entries[who] ?? []).reduce(
    (sum, { kind, points, reversed }) => sum + (kind === 'EARN' && !reversed ? points : 0),
    0,
  );
const tierOf = (earned: number) =>
  earned >= 5_000 ? 'PLATINUM' : earned >= 2_500 ? 'GOLD' : earned >= 1_000 ? 'SILVER' : 'BRONZE';

/** Runs a call and says what came of it: `ok` or the code of the refusal. */
async function outcome<T>(asked: Promise<T>): Promise<{ code: string; value?: T }> {
  try {
    return { code: 'ok', value: await asked };
  } catch (error) {
    if (error instanceof DomainError) return { code: error.code };
    throw error;
  }
}

async function checkAccount(model: Model, real: Real, who: number): Promise<void> {
  const [member] = await world.service.members([real.customers[who] as string]);
  const earned = earnedOf(model, who);
  expect({ balance: member?.balance ?? 0, earned: member?.earned ?? 0, tier: member?.tier ?? 'BRONZE' }).toEqual({
    balance: balanceOf(model, who),
    earned,
    tier: tierOf(earned),
  });
}

type Command = fc.AsyncCommand<Model, Real>;

const command = (name: string, run: (model: Model, real: Real) => Promise<void>): Command => ({
  check: () => true,
  run,
  toString: () => name,
});

const award = (who: number, key: number, points: number): Command =>
  command(`award(${who}, key ${key}, ${points})`, async (model, real) => {
    const asked = `award ${who} ${points}`;
    const before = model.keys.get(`${key}`);
    const input = { idempotencyKey: `${real.prefix}-${key}`, customerId: real.customers[who] as string, points };
    const { code, value } = await outcome(world.service.awardPoints(call, input));
    if (before !== undefined) {
      if (before.asked !== asked) expect(code).toBe('CORE_IDEMPOTENCY_CONFLICT');
      else expect(value).toMatchObject({ replayed: true, account: { balance: before.balance } });
    } else {
      expect(value).toMatchObject({ replayed: false, account: { balance: balanceOf(model, who) + points } });
      model.entries[who]?.push({ id: value?.entry.id as string, points, kind: 'EARN', reversed: false });
      model.keys.set(`${key}`, { asked, balance: balanceOf(model, who) });
    }
    await checkAccount(model, real, who);
  });

const login = (who: number): Command =>
  command(`login(${who})`, async (model, real) => {
    const tier = tierOf(earnedOf(model, who));
    const input = { idempotencyKey: newId(), customerId: real.customers[who] as string, rule: 'monthly_login' };
    const { code, value } = await outcome(world.service.awardPoints(call, input));
    const used = `${who} ${model.month}`;
    if (model.logins.has(used)) expect(code).toBe('LOYALTY_EARNING_CAP_REACHED');
    else {
      const points = { BRONZE: 10, SILVER: 15, GOLD: 20, PLATINUM: 25 }[tier];
      expect(value?.entry.points).toBe(points);
      model.entries[who]?.push({ id: value?.entry.id as string, points, kind: 'EARN', reversed: false });
      model.logins.set(used, 1);
    }
    await checkAccount(model, real, who);
  });

const adjust = (who: number, points: number): Command =>
  command(`adjust(${who}, ${points})`, async (model, real) => {
    const input = { idempotencyKey: newId(), customerId: real.customers[who] as string, points, reason: 'model' };
    const { code, value } = await outcome(world.service.adjustPoints(call, input));
    if (balanceOf(model, who) + points < 0) expect(code).toBe('LOYALTY_INSUFFICIENT_POINTS');
    else model.entries[who]?.push({ id: value?.entry.id as string, points, kind: 'ADJUST', reversed: false });
    await checkAccount(model, real, who);
  });

const reverse = (who: number, which: number): Command =>
  command(`reverse(${who}, ${which})`, async (model, real) => {
    const entries = model.entries[who] ?? [];
    const entry = entries[which % Math.max(entries.length, 1)];
    if (entry === undefined) return;
    const { code, value } = await outcome(
      world.service.reversePoints(call, { idempotencyKey: newId(), entryId: entry.id }),
    );
    if (entry.reversed || entry.kind === 'REVERSE') expect(code).toBe('LOYALTY_ENTRY_NOT_REVERSIBLE');
    else if (balanceOf(model, who) - entry.points < 0) expect(code).toBe('LOYALTY_INSUFFICIENT_POINTS');
    else {
      expect(code).toBe('ok');
      entry.reversed = true;
      entries.push({ id: value?.entry.id as string, points: -entry.points, kind: 'REVERSE', reversed: false });
    }
    await checkAccount(model, real, who);
  });

const nextMonth = command('nextMonth', async (model) => {
  model.month += 1;
  world.clock.advance(31 * 24 * 3_600_000);
});

const CUSTOMERS = 3;
/** Some 300 steps, each a transaction and a look at what it left. */
const RUNS = 12;
const TIMEOUT_MS = 120_000;
const who = fc.nat(CUSTOMERS - 1);
const commands = fc.commands(
  [
    fc.tuple(who, fc.nat(20), fc.constantFrom(1, 499, 999, 1_000, 2_500)).map(([a, b, c]) => award(a, b, c)),
    who.map(login),
    fc
      .tuple(
        who,
        fc.integer({ min: -1_500, max: 1_500 }).filter((points) => points !== 0),
      )
      .map(([a, b]) => adjust(a, b)),
    fc.tuple(who, fc.nat(100)).map(([a, b]) => reverse(a, b)),
    fc.constant(nextMonth),
  ],
  { maxCommands: 50, size: 'max' },
);

test(
  'any history leaves what a naive ledger would',
  async () => {
    let steps = 0;
    await fc.assert(
      fc.asyncProperty(commands, async (history) => {
        world.clock.set(START);
        const real: Real = { customers: await plantCustomers(world.database, CUSTOMERS), prefix: newId() };
        const setup = () => ({
          model: {
            entries: Array.from({ length: CUSTOMERS }, () => []),
            keys: new Map(),
            logins: new Map(),
            month: 0,
          } as Model,
          real,
        });
        await fc.asyncModelRun(setup, history);
        steps += [...history].length;
      }),
      { numRuns: RUNS },
    );
    expect(steps).toBeGreaterThan(RUNS * 10);
    expect(await brokenInvariants(world.database)).toEqual([]);
  },
  TIMEOUT_MS,
);
