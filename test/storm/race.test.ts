import { afterAll, beforeAll, describe, test } from 'vitest';
import { type RaceRun, startRaceRun } from './race-run.ts';

const SEED = 20_261_122;

let run: RaceRun;

beforeAll(async () => {
  run = await startRaceRun({ seed: SEED, customers: 40 });
});
afterAll(() => run.destroy());

describe(`two servers on one database (seed ${SEED})`, () => {
  test('ten processes bring both engines up to date once', async () => {
    for (let round = 0; round < 3; round += 1) await run.migrateAtOnce(10);
  });
  test('50 clients award to one account with repeated keys', () =>
    run.awardToOne({ clients: 50, requests: 100, keys: 1_000 }));
  test('take over from each other when the leader is killed', () => run.killLeaders({ kills: 8, clients: 32 }));
  test('have lost nothing they acknowledged and done nothing twice', () => run.verify());
});
