import { afterAll, beforeAll, describe, test } from 'vitest';
import { type CrashRun, startCrashRun } from './crash-run.ts';

const SEED = 20_261_122;

let run: CrashRun;

beforeAll(async () => {
  run = await startCrashRun({ seed: SEED, clients: 32, customers: 40, rows: 30_000 });
});
afterAll(() => run.destroy());

describe(`a server killed 28 times (seed ${SEED})`, () => {
  test('while it imports files', () => run.importing(9));
  test('while clients award points', () => run.awarding(7));
  test('while customers redeem rewards', () => run.redeeming(4));
  test('while orders and events lead to points, tiers and mails', () => run.dispatching(8));
  test('has lost nothing it acknowledged and done nothing twice', () => run.verify());
});
