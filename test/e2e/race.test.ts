import { afterAll, beforeAll, describe, test } from 'vitest';
import { type RaceRun, startRaceRun } from '../storm/race-run.ts';

/** The short form of test/storm/race.test.ts. */
const SEED = 7;
const PATIENCE_MS = 120_000;

let run: RaceRun;

beforeAll(async () => {
  run = await startRaceRun({ seed: SEED, customers: 12 });
}, PATIENCE_MS);
afterAll(() => run.destroy());

describe('two servers on one database', () => {
  test('award each key once', { timeout: PATIENCE_MS }, () => run.awardToOne({ clients: 10, requests: 20, keys: 60 }));
  test('take over from each other when the leader is killed', { timeout: PATIENCE_MS }, () =>
    run.killLeaders({ kills: 1, clients: 10 }),
  );
  test('have lost nothing they acknowledged and done nothing twice', { timeout: PATIENCE_MS }, () => run.verify());
});
