import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { decodeGlobalId } from '../../src/core/builder/index.ts';
import { startMailbox } from '../support/mail.ts';
import { type Followed, type Follower, follow } from './follower.ts';
import { IMPORTED_TYPES, isProgressOf, type RunningImport, startImport } from './imports.ts';
import { createTally, insist, type Random, seeded, type Tally } from './line.ts';
import { type Clients, createCustomers, type Load, prepareLoad } from './load.ts';
import { redeemers } from './redeem.ts';
import { type Kill, type ServerProcess, serverProcess } from './server-process.ts';
import { expectNothingLost } from './verify.ts';

export interface CrashPlan {
  readonly seed: number;
  /** Kills while files are imported, while clients award, while they redeem, and while they place orders and record events. */
  readonly kills: {
    readonly imports: number;
    readonly awards: number;
    readonly redemptions: number;
    readonly dispatch: number;
  };
  readonly clients: number;
  readonly customers: number;
  /** Rows of an imported file. */
  readonly rows: number;
}

/** A server on embedded engines that is killed again and again while it works. */
export interface CrashRun {
  readonly server: ServerProcess;
  importing(kills: number): Promise<void>;
  awarding(kills: number): Promise<void>;
  redeeming(kills: number): Promise<void>;
  dispatching(kills: number): Promise<void>;
  /** Lets the followers catch up, stops the server in peace, and looks at everything. */
  verify(): Promise<void>;
  destroy(): Promise<void>;
}

const KILLS: readonly Kill[] = ['server', 'everything', 'records'];

export async function startCrashRun(plan: Omit<CrashPlan, 'kills'>): Promise<CrashRun> {
  const random = seeded(plan.seed);
  const tally = createTally();
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-storm-'));
  const mailbox = await startMailbox();
  const environment = { HOLDFAST_DATA: folder, SMTP_URL: mailbox.url };
  const server = serverProcess(environment);
  const followers: Follower[] = [];
  const imports: RunningImport[] = [];
  let kills = 0;
  let load: Load;

  const destroy = async () => {
    await server.destroy();
    for (const follower of followers) await follower.stop().catch(() => {});
    await mailbox.close();
    rmSync(folder, { recursive: true, force: true });
  };

  /** Kills at a moment within the next round trips, and starts again. */
  const killSoon = async () => {
    for (let trips = random.between(0, 40); trips > 0; trips -= 1)
      await insist(server, (url) => fetch(`${url}/health`));
    await server.kill(KILLS[kills % KILLS.length] as Kill);
    kills += 1;
    await server.start();
  };

  const killWhile = async (clients: Clients, count: number, moment: () => Promise<unknown>) => {
    for (let kill = 0; kill < count; kill += 1) {
      await Promise.race([moment(), clients.failed]);
      await killSoon();
    }
    await Promise.race([moment(), clients.failed]);
    await clients.stop();
  };

  try {
    await server.start();
    const counts = (event: { readonly name: string }) => tally.add(event.name);
    followers.push(follow(server, 'sse', counts), follow(server, 'ws'));
    load = await prepareLoad({ server, random, tally, customers: plan.customers });
  } catch (error) {
    await destroy();
    throw error;
  }

  return {
    server,
    destroy,
    importing: (count) => importAndKill(count),
    awarding: (count) =>
      killWhile(load.award(plan.clients), count, () => tally.more('awards', random.between(plan.clients, 200))),
    redeeming: async (count) =>
      killWhile(
        await redeemers({ server, random, tally, acknowledged: load.acknowledged, clients: plan.clients }),
        count,
        () => tally.more('redemptions', random.between(plan.clients, 200)),
      ),
    dispatching: (count) => killWhile(load.trade(plan.clients), count, () => someEffect(tally, random, plan.clients)),
    async verify() {
      for (const { done } of imports) await done;
      await caughtUp(server, followers);
      for (const follower of followers) await follower.stop();
      await server.stop();
      await expectNothingLost({ environment, acknowledged: load.acknowledged, imports, followers, mailbox });
    },
  };

  async function importAndKill(count: number): Promise<void> {
    const follower = followers[0] as Follower;
    let current: RunningImport | undefined;
    for (let done = 0; done < count; ) {
      if (current === undefined) {
        const recordType = IMPORTED_TYPES[imports.length % IMPORTED_TYPES.length] as (typeof IMPORTED_TYPES)[number];
        const { acknowledged } = load;
        const number = imports.length;
        current = await startImport({ server, follower, acknowledged, recordType, number, rows: plan.rows });
        imports.push(current);
      }
      const { uuid } = current;
      let steps = random.between(0, 3);
      const seen = new Set(follower.events.map(({ id }) => id));
      const further = follower.arrived((event) => isProgressOf(event, uuid) && !seen.has(event.id) && --steps < 0);
      const isOver = await Promise.race([further.then(() => false), current.done.then(() => true)]);
      if (isOver) current = undefined;
      else {
        await killSoon();
        done += 1;
      }
    }
  }
}

/** Something a client asked for led somewhere: an answer, points, a message written or sent. */
function someEffect(tally: Tally, random: Random, clients: number): Promise<void> {
  const effects: Readonly<Record<string, readonly [number, number]>> = {
    orders: [clients, 60],
    calls: [clients, 60],
    'loyalty.pointsAwarded': [1, 60],
    'loyalty.tierChanged': [1, 6],
    'communication.messageQueued': [1, 6],
    'communication.messageSent': [1, 6],
  };
  const name = random.pick(Object.keys(effects));
  const [least, most] = effects[name] as readonly [number, number];
  // Tiers have a top: when nobody is left to climb, orders still come in.
  return Promise.race([tally.more(name, random.between(least, most + 1)), tally.more('orders', most * 5)]);
}

/** Publishes one event more, and waits until all followers have come so far. */
export async function caughtUp(server: Pick<ServerProcess, 'up'>, followers: readonly Follower[]): Promise<void> {
  const last = (await createCustomers(server, ['storm-end'])).get('storm-end') as string;
  const { id } = decodeGlobalId(last);
  const isLast = ({ name, payload }: Followed) => name === 'customers.customerCreated' && payload.customerId === id;
  await Promise.all(followers.map((follower) => follower.arrived(isLast)));
}
