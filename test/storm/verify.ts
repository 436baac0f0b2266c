import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { eventUid } from '../../modules/customers/identity.ts';
import { MILESTONES } from '../../modules/loyalty/engagement/settings.ts';
import { createApplication } from '../../src/app/application.ts';
import { type Engines, openEngines } from '../../src/app/engines.ts';
import { readConfig } from '../../src/config.ts';
import { decodeGlobalId } from '../../src/core/builder/index.ts';
import type { Database } from '../../src/core/database/index.ts';
import type { HandlerDefinition } from '../../src/core/events/index.ts';
import { createLogger } from '../../src/core/logger.ts';
import { brokenRedemptions } from '../loyalty/rewards/world.ts';
import { brokenInvariants } from '../loyalty/world.ts';
import type { Mailbox } from '../support/mail.ts';
import type { Follower } from './follower.ts';
import type { RunningImport } from './imports.ts';
import { type Acknowledged, SOURCE } from './load.ts';
import { STOCK } from './redeem.ts';

/** Everything a storm leaves to be looked at. */
export interface Aftermath {
  readonly environment: Readonly<Record<string, string>>;
  readonly acknowledged: Acknowledged;
  readonly imports: readonly RunningImport[];
  readonly followers: readonly Follower[];
  readonly mailbox: Mailbox;
}

/** Finishes what the last server left undone in this process, hands the engines out, and puts everything away again. */
export async function inCalm<T>(
  environment: Readonly<Record<string, string>>,
  look: (engines: Engines, handlers: readonly HandlerDefinition[]) => Promise<T>,
): Promise<T> {
  const config = readConfig(environment);
  const logger = createLogger('silent');
  const engines = await openEngines({ config, logger, notice: () => {} });
  try {
    const application = await createApplication({ config, engines, logger });
    try {
      await application.startWorker();
      await settle(engines.database, application);
      return await look(engines, application.composition.handlers);
    } finally {
      await application.stop();
    }
  } finally {
    await engines.close();
  }
}

const SETTLE_TIMEOUT_MS = 180_000;
const LOOK_EVERY_MS = 20;

/** Until handlers, jobs and the inbox have nothing left to do. */
export async function settle(
  database: Database,
  { dispatcher, inbox }: Pick<Awaited<ReturnType<typeof createApplication>>, 'dispatcher' | 'inbox'>,
): Promise<void> {
  const signal = AbortSignal.timeout(SETTLE_TIMEOUT_MS);
  for (;;) {
    await dispatcher.drain(undefined, signal);
    const moved = await inbox.drain();
    // What failed while its database went away waits longer than there is need to.
    await database.query(
      'update graphile_worker._private_jobs set run_at = now() where run_at > now() and attempts > 0 and attempts < max_attempts',
    );
    const jobs = await database.query<{ task: string; attempts: number; error: string | null }>(
      `select task_identifier as task, attempts, last_error as error from graphile_worker.jobs where run_at <= now()`,
    );
    if (moved === 0 && jobs.length === 0) return;
    if (signal.aborted) throw new Error(`these jobs do not end: ${JSON.stringify(jobs)}`);
    await delay(LOOK_EVERY_MS);
  }
}

/** All that must hold after a storm, however often and wherever the servers were killed. */
export async function expectNothingLost(aftermath: Aftermath): Promise<void> {
  await inCalm(aftermath.environment, async (engines, handlers) => {
    // What came in between two crashes was never counted by the planner.
    await engines.database.query('analyze');
    await expectAwards(engines.database, aftermath.acknowledged);
    await expectRedemptions(engines.database, aftermath.acknowledged);
    await expectDeliveries(engines.database, handlers);
    await expectMails(engines.database, aftermath.mailbox);
    await expectHistory(engines, aftermath);
    await expectFollowed(engines.database, aftermath.followers);
  });
}

/** What the milestones of orders give, each once, by the orders that are there. */
async function milestonePoints(database: Database): Promise<Map<string, number>> {
  const placed = await database.query<{ customer: string; orders: number }>(
    `select c.external_id as customer, count(*)::int as orders from customer_order o join customer c on c.id = o.customer_id
     where starts_with(o.external_id, 'order-') group by 1`,
  );
  const milestones = MILESTONES.default.filter(({ metric }) => metric === 'ORDERS_PLACED');
  const pointsOf = (orders: number): number =>
    milestones.reduce((sum, { threshold, points }) => sum + (orders >= threshold ? (points ?? 0) : 0), 0);
  return new Map(placed.map(({ customer, orders }) => [customer, pointsOf(orders)]));
}

/** Each award and each order earned once, and each account says so. */
async function expectAwards(database: Database, acknowledged: Acknowledged): Promise<void> {
  const entries = await database.query<{ key: string; entry: string }>(
    `select i.key, e.id as entry from idempotency_key i join loyalty_entry e on e.id = (i.answer ->> 'entryId')::uuid
     where i.scope = 'loyalty.ledger' and starts_with(i.key, 'award-')`,
  );
  expect(new Map(entries.map(({ key, entry }) => [key, entry]))).toEqual(
    new Map([...acknowledged.awards].map(([key, id]) => [key, decodeGlobalId(id).id])),
  );
  const orders = await database.query<{ id: string }>(
    `select external_id as id from customer_order where starts_with(external_id, 'order-')`,
  );
  expect(orders.map(({ id }) => id).sort()).toEqual([...acknowledged.orders].sort());
  const accounts = await database.query<{ customer: string; balance: number; earned: number }>(
    `select c.external_id as customer, a.balance,
            a.earned - coalesce((select sum(x.points)::int8 from loyalty_redemption x
                                 where x.customer_id = c.id and x.points_state = 'TAKEN'), 0) as earned
     from loyalty_account a join customer c on c.id = a.customer_id where a.balance <> 0`,
  );
  const bonus = await milestonePoints(database);
  expect(new Map(accounts.map(({ customer, balance }) => [customer, balance]))).toEqual(
    new Map([...acknowledged.points].map(([customer, points]) => [customer, points + (bonus.get(customer) ?? 0)])),
  );
  expect(accounts.filter(({ balance, earned }) => balance !== earned)).toEqual([]);
  expect(await brokenInvariants(database)).toEqual([]);
}

/** Each redemption is what it was acknowledged to be, and points and stock are where they belong. */
async function expectRedemptions(database: Database, { redemptions }: Acknowledged): Promise<void> {
  const rows = await database.query<{ key: string; id: string; state: string }>(
    `select i.key, x.id, x.state from idempotency_key i
     join loyalty_redemption x on x.id = (i.answer ->> 'redemptionId')::uuid
     where i.scope = 'loyalty.redemptions' and i.key ~ '^redeem-[0-9]+$'`,
  );
  expect(new Map(rows.map(({ key, id, state }) => [key, { id, state }]))).toEqual(
    new Map([...redemptions].map(([key, { id, state }]) => [key, { id: decodeGlobalId(id).id, state }])),
  );
  const stocks = await database.query<{ there: number }>(
    `select (r.stock + coalesce(sum(x.quantity), 0))::int8 as there from loyalty_reward r
     left join loyalty_redemption x on x.reward_id = r.id and x.state in ('OPEN', 'FULFILLED') group by r.id`,
  );
  expect(stocks.filter(({ there }) => there !== STOCK)).toEqual([]);
  expect(await brokenRedemptions(database)).toEqual([]);
}

/** Each event of the outbox was applied once by each of its handlers, and none is stuck. */
async function expectDeliveries(database: Database, handlers: readonly HandlerDefinition[]): Promise<void> {
  for (const { name, on } of handlers) {
    const [row] = await database.query<{ events: number; applied: number; other: number; strange: number }>(
      `select (select count(*) from outbox_event o where o.type = any($2::text[])) as events,
         count(*) filter (where d.state = 'applied') as applied, count(*) filter (where d.state <> 'applied') as other,
         count(*) filter (where not exists (
           select from outbox_event o where o.id = d.event_id and o.type = any($2::text[]))) as strange
       from event_delivery d where d.handler = $1`,
      [name, on.map(({ type }) => type)],
    );
    expect({ name, ...row }).toEqual({ name, events: row?.applied, applied: row?.applied, other: 0, strange: 0 });
  }
  const twice = await database.query(
    `select payload ->> 'orderId' as order from outbox_event where type = 'customers.orderPlaced' group by 1 having count(*) > 1`,
  );
  expect(twice).toEqual([]);
}

/** One message for each upgrade or milestone and contact, and each in the mailbox; a mail that came twice says that it is the same. */
async function expectMails(database: Database, mailbox: Mailbox): Promise<void> {
  const wanted = await database.query<{ key: string }>(
    `select 'tier-upgrade:' || o.id || ':' || c.id as key from outbox_event o join contact c on c.customer_id = o.customer_id
     where o.type = 'loyalty.tierChanged' and o.payload ->> 'direction' = 'UP'
     union all
     select 'milestone:' || o.id || ':' || c.id from outbox_event o join contact c on c.customer_id = o.customer_id
     where o.type = 'loyalty.milestoneReached'`,
  );
  const messages = await database.query<{ id: string; key: string; state: string }>(
    'select id, unique_key as key, state from message',
  );
  expect(messages.map(({ key }) => key).sort()).toEqual(wanted.map(({ key }) => key).sort());
  expect(messages.filter(({ state }) => state !== 'SENT')).toEqual([]);
  const received = new Set(mailbox.mails.map(({ messageId }) => /^<([^@>]+)@/.exec(messageId ?? '')?.[1]));
  expect(received).toEqual(new Set(messages.map(({ id }) => id)));
  const sent = await database.query<{ count: number }>(
    `select count(*) as count from outbox_event where type = 'communication.messageSent'`,
  );
  expect(sent).toEqual([{ count: messages.length }]);
}

/** The history engine counts each event once, and has all of them. */
async function expectHistory({ database, analytics }: Engines, { acknowledged, imports }: Aftermath): Promise<void> {
  const [total] = await analytics.query<{ rows: number; uids: number; placed: number }>(
    `SELECT count() AS rows, uniqExact(event_uid) AS uids, countIf(name = 'order.placed') AS placed FROM events FINAL`,
  );
  const [orders] = await database.query<{ count: number }>('select count(*) as count from customer_order');
  expect(total).toMatchObject({ uids: total?.rows, placed: orders?.count });
  const recorded = await analytics.query<{ uid: string }>(
    'SELECT DISTINCT toString(event_uid) AS uid FROM events WHERE source = {source:String}',
    { source: SOURCE },
  );
  const uids = [...acknowledged.events].map((id) => eventUid(SOURCE, id));
  expect(recorded.map(({ uid }) => uid).sort()).toEqual(uids.sort());
  for (const { uuid, events, recordType } of imports) {
    const [stored] = await analytics.query<{ events: number }>(
      `SELECT uniqExact(event_uid) AS events FROM events WHERE import_id = {job:UUID} AND source != 'holdfast'`,
      { job: uuid },
    );
    expect({ recordType, events: stored?.events }).toEqual({ recordType, events });
  }
}

/** Who followed with a cursor saw each event once, in order, through all crashes. */
async function expectFollowed(database: Database, followers: readonly Follower[]): Promise<void> {
  const stored = await database.query<{ id: string }>('select id from outbox_event order by epoch, xid, seq');
  const ids = stored.map(({ id }) => id);
  for (const { events } of followers) {
    // What the calm itself published came after the followers had gone.
    const seen = events.map(({ id }) => id);
    expect(seen).toEqual(ids.slice(0, seen.length));
  }
}
