import { afterAll, beforeAll, expect, test } from 'vitest';
import { databaseLedger, likeTheModel } from '../loyalty/ledger/database-ledger.ts';
import { compare, total } from '../loyalty/ledger/model.ts';
import { brokenInvariants, type LoyaltyWorld, openLoyalty } from '../loyalty/world.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let created: TestDatabase;
let world: LoyaltyWorld;

beforeAll(async () => {
  created = await createTestDatabase();
  world = await openLoyalty(created.url);
  await likeTheModel(world);
});
afterAll(async () => {
  await world.close();
  await created.drop();
});

test('ten thousand steps of the loyalty ledger leave what a naive one would', async () => {
  const taken = await compare(() => databaseLedger(world), { runs: 260, maxCommands: 100 });
  expect(total(taken)).toBeGreaterThan(10_000);
  expect(taken.size).toBe(12);
  expect(await brokenInvariants(world.database)).toEqual([]);
});
