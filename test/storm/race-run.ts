import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { expect } from 'vitest';
import { createEmptyDatabase } from '../support/database.ts';
import { startMailbox } from '../support/mail.ts';
import { caughtUp } from './crash-run.ts';
import { type Follower, follow } from './follower.ts';
import { askOnce, createTally, insist, seeded } from './line.ts';
import { createCustomers, type Load, prepareLoad } from './load.ts';
import { PROGRAM, type ServerProcess, serverProcess } from './server-process.ts';
import { expectNothingLost } from './verify.ts';

/** Two servers on one PostgreSQL and one `holdfast analytics`. */
export interface RaceRun {
  /** Brings an empty pair of databases up to date with so many processes at once. */
  migrateAtOnce(processes: number): Promise<void>;
  /** So many clients award to one account through both servers, all with keys of one set. */
  awardToOne(options: { readonly clients: number; readonly requests: number; readonly keys: number }): Promise<void>;
  /** Kills the server that leads so many times while clients work through both. */
  killLeaders(options: { readonly kills: number; readonly clients: number }): Promise<void>;
  verify(): Promise<void>;
  destroy(): Promise<void>;
}

const execute = promisify(execFile);

export async function startRaceRun(plan: { readonly seed: number; readonly customers: number }): Promise<RaceRun> {
  const random = seeded(plan.seed);
  const tally = createTally();
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-race-'));
  const mailbox = await startMailbox();
  const database = await createEmptyDatabase();
  const watcher = new pg.Client({ connectionString: database.url });
  const analytics = serverProcess({ HOLDFAST_DATA: path.join(folder, 'analytics'), HOLDFAST_ANALYTICS_PORT: '0' }, [
    'analytics',
  ]);
  const followers: Follower[] = [];
  const servers: ServerProcess[] = [];
  let environment: Readonly<Record<string, string>> = {};
  let load: Load;

  const destroy = async () => {
    for (const server of servers) await server.destroy();
    for (const follower of followers) await follower.stop().catch(() => {});
    await analytics.destroy();
    await watcher.end();
    await database.drop();
    await mailbox.close();
    rmSync(folder, { recursive: true, force: true });
  };

  /** The backend that holds the dispatcher's lock; null while nobody leads. */
  const leader = async (): Promise<number | null> => {
    const { rows } = await watcher.query<{ pid: number }>(
      `select pid from pg_locks join pg_stat_activity using (pid)
       where locktype = 'advisory' and granted and application_name = 'holdfast-dispatcher' and datname = current_database()`,
    );
    return rows[0]?.pid ?? null;
  };
  const newLeader = async (former: number | null): Promise<number> => {
    for (;;) {
      const pid = await leader();
      if (pid !== null && pid !== former) return pid;
      await delay(LOOK_EVERY_MS);
    }
  };

  try {
    await watcher.connect();
    const { url } = await analytics.start();
    environment = { DATABASE_URL: database.url, CLICKHOUSE_URL: url, SMTP_URL: mailbox.url };
    for (const name of ['a', 'b']) {
      servers.push(serverProcess({ ...environment, HOLDFAST_DATA: path.join(folder, name) }));
    }
    // Both find neither database nor tables.
    await Promise.all(servers.map((server) => server.start()));
    const [a, b] = servers as [ServerProcess, ServerProcess];
    const hopping = { up: () => Promise.race([a.up(), b.up()]) };
    followers.push(
      follow(a, 'sse', ({ name }) => tally.add(name)),
      follow(b, 'ws'),
      follow(hopping, 'sse'),
    );
    load = await prepareLoad({ server: inTurn(servers), random, tally, customers: plan.customers });
  } catch (error) {
    await destroy();
    throw error;
  }

  return {
    destroy,
    migrateAtOnce: (processes) => migrateAtOnce(environment.CLICKHOUSE_URL as string, folder, processes),
    async awardToOne({ clients, requests, keys }) {
      const server = inTurn(servers);
      const customerId = (await createCustomers(server, ['hot'])).get('hot') as string;
      const answers = new Map<string, Award[]>();
      await Promise.all(
        Array.from({ length: clients }, async () => {
          for (let request = 0; request < requests; request += 1) {
            const number = random.between(0, keys);
            const key = `hot-${number}`;
            const input = { idempotencyKey: key, customerId, points: 1 + (number % 5) };
            const answer = await insist(server, (url) => askOnce<Award>(url, 'awardPoints', AWARD, { input }));
            answers.set(key, [...(answers.get(key) ?? []), answer]);
          }
        }),
      );
      let total = 0;
      for (const [key, given] of answers) {
        expect(
          given.filter(({ replayed }) => !replayed),
          key,
        ).toHaveLength(1);
        const contents = new Set(given.map(({ replayed: _, ...content }) => JSON.stringify(content)));
        expect([...contents], key).toEqual([expect.stringContaining('"entry"')]);
        total += 1 + (Number(key.slice(4)) % 5);
      }
      load.acknowledged.points.set('hot', total);
    },
    async killLeaders({ kills, clients }) {
      const working = [load.award(clients >> 1), load.trade(clients - (clients >> 1))];
      const failed = Promise.race(working.map((each) => each.failed));
      let led = await newLeader(null);
      // The first of them may have been the stand-by; from then on each kill hits the leader.
      for (let kill = 0; kill <= kills; kill += 1) {
        await Promise.race([tally.more('orders', random.between(clients, 60)), failed]);
        const server = servers[kill % 2] as ServerProcess;
        await server.kill('server');
        led = await newLeader(kill === 0 ? null : led);
        await server.start();
      }
      await Promise.race([tally.more('orders', clients), failed]);
      for (const each of working) await each.stop();
    },
    async verify() {
      await caughtUp(inTurn(servers), followers);
      for (const follower of followers) await follower.stop();
      for (const server of servers) await server.stop();
      await expectNothingLost({
        environment: { ...environment, HOLDFAST_DATA: path.join(folder, 'calm') },
        acknowledged: load.acknowledged,
        imports: [],
        followers,
        mailbox,
      });
      await analytics.stop();
    },
  };
}

const LOOK_EVERY_MS = 20;

interface Award {
  readonly entry: object;
  readonly account: object;
  readonly replayed: boolean;
}

const AWARD = /* GraphQL */ `
  mutation Award($input: AwardPointsInput!) {
    awardPoints(input: $input) {
      ... on AwardPointsSuccess { replayed entry { id points } account { earned balance { available } } }
      ... on DomainError { code message }
    }
  }
`;

/** One server after the other, whichever runs. */
function inTurn(servers: readonly ServerProcess[]): Pick<ServerProcess, 'up'> {
  let turn = 0;
  return { up: () => (servers[turn++ % servers.length] as ServerProcess).up() };
}

async function migrateAtOnce(clickhouseUrl: string, folder: string, processes: number): Promise<void> {
  const database = await createEmptyDatabase();
  // Not even the database is there.
  await database.drop();
  try {
    const said = await Promise.all(
      Array.from({ length: processes }, async () => {
        const { stdout } = await execute(process.execPath, [PROGRAM, 'migrate'], {
          env: {
            PATH: process.env.PATH,
            DATABASE_URL: database.url,
            CLICKHOUSE_URL: clickhouseUrl,
            CLICKHOUSE_DATABASE: new URL(database.url).pathname.slice(1),
            HOLDFAST_DATA: path.join(folder, 'migrating'),
          },
        });
        return stdout.trim().split('\n');
      }),
    );
    for (const engine of ['records', 'history']) {
      const ends = said.map((lines) => lines.find((line) => line.startsWith(`${engine}: `))?.replace(/^.*, /, ''));
      expect(
        ends.filter((end) => end === 'up to date'),
        engine,
      ).toHaveLength(processes - 1);
      expect(
        ends.filter((end) => /^\d+ migrations? applied$/.test(end ?? '')),
        engine,
      ).toHaveLength(1);
    }
  } finally {
    await database.drop();
  }
}
