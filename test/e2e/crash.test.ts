import { afterAll, beforeAll, describe, test } from 'vitest';
import { type CrashRun, startCrashRun } from '../storm/crash-run.ts';

/** The short form of test/storm/crash.test.ts. */
const SEED = 7;
const PATIENCE_MS = 120_000;

let run: CrashRun;

beforeAll(async () => {
  run = await startCrashRun({ seed: SEED, clients: 10, customers: 12, rows: 2_000 });
}, PATIENCE_MS);
afterAll(() => run.destroy());

describe('a server killed while it works', () => {
  test('goes on with its imports, awards and deliveries', { timeout: PATIENCE_MS }, async () => {
    await run.importing(1);
    await run.awarding(1);
    await run.dispatching(1);
  });
  test('has lost nothing it acknowledged and done nothing twice', { timeout: PATIENCE_MS }, () => run.verify());
});
