import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_RULES } from '../../modules/loyalty/defaults.ts';
import type { AwardInput } from '../../modules/loyalty/ledger/commands.ts';
import { AUTO_ENROL, EARNING_RULES } from '../../modules/loyalty/settings.ts';
import { systemCall } from '../../src/core/call.ts';
import { newId } from '../../src/core/ids.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { brokenInvariants, type LoyaltyWorld, openLoyalty, plantCustomers, refusal, START } from './world.ts';

let created: TestDatabase;
let world: LoyaltyWorld;
const call = systemCall('test');

beforeAll(async () => {
  created = await createTestDatabase();
  world = await openLoyalty(created.url);
});
afterAll(async () => {
  expect(await brokenInvariants(world.database)).toEqual([]);
  await world.close();
  await created.drop();
});

async function newCustomer(): Promise<string> {
  const [id] = await plantCustomers(world.database, 1);
  return id as string;
}

/** Awards with a key of its own. */
const award = (customerId: string, input: Partial<AwardInput>) =>
  world.service.awardPoints(call, { idempotencyKey: newId(), customerId, ...input });

describe('the programme as the operator sets it', () => {
  const change = async (key: string, value: unknown) => {
    await world.settings.change(call, key, value);
  };

  test('who does not join does not earn, when customers do not join by themselves', async () => {
    const [stranger, member] = (await plantCustomers(world.database, 2)) as [string, string];
    await change(AUTO_ENROL.key, false);
    const [enrolled, again, unknown] = await world.service.enrolCustomers(call, [member, member, newId()]);
    expect(enrolled).toMatchObject({ account: { customerId: member, balance: 0 }, alreadyMember: false });
    expect(again).toMatchObject({ account: { customerId: member } });
    expect(unknown).toMatchObject({ code: 'CUSTOMERS_NOT_FOUND' });
    expect(await refusal(award(stranger, { points: 5 }))).toEqual({
      code: 'LOYALTY_NOT_A_MEMBER',
      path: ['customerId'],
    });
    expect((await award(member, { points: 5 })).account.balance).toBe(5);
    expect((await world.service.enrolCustomers(call, [member]))[0]).toMatchObject({ alreadyMember: true });
    await change(AUTO_ENROL.key, true);
  });

  test('an expired rule, a capped one, and one that was never there', async () => {
    const customerId = await newCustomer();
    const [first, ...others] = DEFAULT_RULES;
    await change(EARNING_RULES.key, [
      { ...first, cap: { times: 3, per: 'DAY' } },
      ...others.map((rule) => ({ ...rule, validUntil: '2026-11-22T12:00:00.000Z' })),
    ]);
    expect(await refusal(award(customerId, { rule: 'feedback' }))).toEqual({
      code: 'LOYALTY_RULE_NOT_VALID',
      path: ['rule'],
    });
    await award(customerId, { rule: 'monthly_login', count: 2 });
    const refused = await award(customerId, { rule: 'monthly_login', count: 2 }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ left: 1, resetsAt: new Date('2026-11-23T00:00:00.000Z') });
    await award(customerId, { rule: 'monthly_login' });
    world.clock.advance(12 * 3_600_000);
    expect((await award(customerId, { rule: 'monthly_login' })).account.balance).toBe(40);
    world.clock.set(START);
    await change(EARNING_RULES.key, DEFAULT_RULES);
  });

  test.each<[string, unknown]>([
    ['two rules of one key', [DEFAULT_RULES[0], DEFAULT_RULES[0]]],
    ['the key kept for orders', [{ ...DEFAULT_RULES[0], key: 'order_placed' }]],
    ['a rule that gives nothing', [{ ...DEFAULT_RULES[0], points: { BRONZE: 0, SILVER: 1, GOLD: 1, PLATINUM: 1 } }]],
  ])('%s are refused', async (_, value) => {
    expect(await refusal(change(EARNING_RULES.key, value))).toMatchObject({ code: 'CORE_INVALID_INPUT' });
  });
});

test('all customers become members in bounded batches, each once', async () => {
  await plantCustomers(world.database, 2_300);
  const missing = await world.service.startEnrollingEverybody({ dryRun: true });
  expect(missing).toBeGreaterThanOrEqual(2_300);
  const [here, there] = [world, await openLoyalty(created.url)];
  const joined = await Promise.all([here.service.enrolEverybody(call), there.service.enrolEverybody(call)]);
  await there.close();
  expect(joined[0] + joined[1]).toBe(missing);
  expect(await world.service.startEnrollingEverybody({ dryRun: true })).toBe(0);
  const facts = await world.service.programme();
  const [counted] = await world.database.query<{ customers: number }>('select count(*) as customers from customer');
  expect(facts.members).toBe(counted?.customers);
});

test('the balance of a past instant is what was known then', async () => {
  const customerId = await newCustomer();
  const { account } = await award(customerId, { points: 10 });
  world.clock.advance(60_000);
  await award(customerId, { points: 20, effectiveAt: new Date('2026-01-01T00:00:00Z') });
  const at = (ms: number) => ({ accountId: account.id, asOf: new Date(START.getTime() + ms) });
  expect(
    (await world.service.sumsAsOf([at(-1), at(0), at(59_999), at(60_000), at(1_000_000)])).map(
      ({ balance }) => balance,
    ),
  ).toEqual([0, 10, 10, 30, 30]);
  // A clock set back does not let the ledger run backwards.
  world.clock.set(START);
  expect((await award(customerId, { points: 1 })).entry.recordedAt).toEqual(new Date(START.getTime() + 60_000));
});
