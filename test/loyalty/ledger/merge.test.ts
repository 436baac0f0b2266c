import { afterAll, beforeAll, expect, test } from 'vitest';
import { eraseCustomers, mergeAccounts } from '../../../modules/loyalty/ledger/service-lifecycle.ts';
import { POINTS_EXPIRY } from '../../../modules/loyalty/ledger/settings.ts';
import { systemCall } from '../../../src/core/call.ts';
import { newId } from '../../../src/core/ids.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { brokenInvariants, type LoyaltyWorld, openLoyalty, plantCustomers, refusal, START } from '../world.ts';

let created: TestDatabase;
let world: LoyaltyWorld;
const call = systemCall('test');
const DAY_MS = 86_400_000;

beforeAll(async () => {
  created = await createTestDatabase();
  world = await openLoyalty(created.url);
  await world.settings.change(call, POINTS_EXPIRY.key, { months: 12, at: 'END_OF_DAY' });
});
afterAll(async () => {
  expect(await brokenInvariants(world.database)).toEqual([]);
  await world.close();
  await created.drop();
});

const key = () => ({ idempotencyKey: newId() });
const award = (customerId: string, points: number, more = {}) =>
  world.service.awardPoints(call, { ...key(), customerId, points, ...more });
const redeem = (customerId: string, points: number) =>
  world.service.redeemPoints(call, { ...key(), customerId, points });
const hold = (customerId: string, points: number) =>
  world.service.holdPoints(call, { ...key(), customerId, points, expiresAt: new Date(START.getTime() + DAY_MS) });
const reverse = (entryId: string) => world.service.reversePoints(call, { ...key(), entryId });

/** What the customers' module and the handler of the event do. */
async function merge(fromId: string, intoId: string): Promise<void> {
  const { database, clock, customers, service } = world;
  await database.query(
    `with gone as (delete from customer where id = $1 returning external_id)
     insert into customer_alias (external_id, customer_id, former_id, reason, created_at)
     select external_id, $2, $1, 'MERGED', now() from gone`,
    [fromId, intoId],
  );
  await database.transaction((tx) =>
    mergeAccounts(tx, { clock, customers, programme: service.program }, call, { fromId, intoId }),
  );
}

async function pair(): Promise<[string, string]> {
  return (await plantCustomers(world.database, 2)) as [string, string];
}

const memberOf = async (customerId: string) => (await world.service.members([customerId]))[0];

test('lots keep their age, what waits goes on waiting, and what was spent can be taken back', async () => {
  const [from, into] = await pair();
  await award(from, 100, { effectiveAt: new Date(START.getTime() - 30 * DAY_MS) });
  await award(into, 50);
  const held = await hold(from, 20);
  const waits = await award(from, 7, { pendingUntil: new Date(START.getTime() + DAY_MS) });
  const spent = await redeem(from, 30);
  await merge(from, into);
  expect(await memberOf(into)).toMatchObject({ balance: 120, available: 100, earned: 150 });
  // The oldest of the two together go first: 50 of the former's are left, and lapse first.
  await redeem(into, 20);
  const [account] = await world.database.query<{ id: string }>(
    'select id from loyalty_account where customer_id = $1',
    [into],
  );
  const accountId = account?.id as string;
  const next = { points: 30, at: new Date('2027-10-24T00:00:00.000Z') };
  expect(await world.service.expiringNext([accountId])).toEqual([next]);
  expect(await world.service.expiringNextAsOf([{ accountId, asOf: START }])).toEqual([next]);
  expect((await world.service.voidPoints(call, { ...key(), entryId: held.entry.id })).account).toMatchObject({
    customerId: into,
    balance: 100,
    held: 0,
  });
  expect((await world.service.confirmPoints(call, { ...key(), entryId: waits.entry.id })).account.balance).toBe(107);
  expect((await reverse(spent.entry.id)).account).toMatchObject({ customerId: into, balance: 137 });
});

test('a debt of either is paid with what the other can spend', async () => {
  for (const owes of ['from', 'into'] as const) {
    const [from, into] = await pair();
    const [debtor, other] = owes === 'from' ? [from, into] : [into, from];
    const { entry } = await award(debtor, 100);
    await redeem(debtor, 100);
    await reverse(entry.id);
    await award(other, 130);
    await merge(from, into);
    expect(await memberOf(into), owes).toMatchObject({ balance: 30, debt: 0, earned: 130 });
    await redeem(into, 30);
  }
  const [from, into] = await pair();
  const { entry } = await award(from, 100);
  await redeem(from, 100);
  await reverse(entry.id);
  await award(into, 40);
  await merge(from, into);
  expect(await memberOf(into)).toMatchObject({ balance: 0, debt: 60 });
});

test('of a person who is gone nothing waits and nothing lapses', async () => {
  const [customerId] = await pair();
  await award(customerId, 100);
  const held = await hold(customerId, 20);
  await world.database.query('update customer set erased_at = now() where id = $1', [customerId]);
  await world.database.transaction((tx) => eraseCustomers(tx, world.clock, [customerId]));
  expect(await refusal(world.service.voidPoints(call, { ...key(), entryId: held.entry.id }))).toMatchObject({
    code: 'CUSTOMERS_NOT_FOUND',
  });
  world.clock.advance(400 * DAY_MS);
  expect(await world.service.voidTimedOut(systemCall('loyalty.voidTimedOut'))).toBe(0);
  await world.service.expireLots(call);
  const kept = await world.database.query(
    `select a.balance, a.closed_at is not null as closed from loyalty_account a where a.customer_id = $1`,
    [customerId],
  );
  expect(kept).toEqual([{ balance: 100, closed: true }]);
});
