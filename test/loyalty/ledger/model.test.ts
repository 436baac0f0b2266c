import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { brokenInvariants, type LoyaltyWorld, openLoyalty } from '../world.ts';
import { databaseLedger, likeTheModel } from './database-ledger.ts';
import { memoryLedger } from './memory-ledger.ts';
import { compare, total } from './model.ts';

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

test('any history of decisions leaves what a naive ledger would', async () => {
  const taken = await compare(async () => memoryLedger(), { runs: 260, maxCommands: 100 });
  expect(total(taken)).toBeGreaterThan(10_000);
  expect(taken.size).toBe(12);
});

/** The long run of this one is a storm test. */
test('any history of the database leaves what a naive ledger would', async () => {
  const taken = await compare(() => databaseLedger(world), { runs: 8, maxCommands: 60 });
  expect(total(taken)).toBeGreaterThan(50);
  expect(await brokenInvariants(world.database)).toEqual([]);
});
