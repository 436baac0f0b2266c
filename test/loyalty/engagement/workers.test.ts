import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Application, createApplication } from '../../../src/app/application.ts';
import { createDatabase, type Database } from '../../../src/core/database/index.ts';
import { newId } from '../../../src/core/ids.ts';
import { createLogger } from '../../../src/core/logger.ts';
import { NOW } from '../api.ts';
import { brokenInvariants } from '../world.ts';
import { type EngagementApp, startEngagementApp } from './api.ts';

let world: EngagementApp;
let database: Database;
const workers: { readonly app: Application; readonly records: Database; stopped: boolean }[] = [];

/** Another process as far as the database can tell: its own connections, dispatcher and job runner. */
async function startWorker(): Promise<void> {
  const { config, app, clock } = world.app;
  const logger = createLogger('silent');
  const records = createDatabase({ url: app.infra.database.url, logger });
  const engines = { database: records, analytics: app.infra.analytics };
  const worker = await createApplication({ config, engines, logger, ...(clock === undefined ? {} : { clock }) });
  await worker.startWorker();
  workers.push({ app: worker, records, stopped: false });
}

async function stopWorker(worker: (typeof workers)[number]): Promise<void> {
  if (worker.stopped) return;
  worker.stopped = true;
  await worker.app.stop();
  await worker.records.close();
}

beforeAll(async () => {
  world = await startEngagementApp({ worker: false });
  database = world.app.app.infra.database;
  await startWorker();
  await startWorker();
  await world.change('loyalty.milestones', [
    { key: 'orders_2', name: '2', metric: 'ORDERS_PLACED', event: null, threshold: 2, points: 11, badge: 'regular' },
    { key: 'visits_3', name: '3', metric: 'EVENTS', event: 'session.started', threshold: 3, points: 13, badge: null },
    { key: 'referrals_1', name: '1', metric: 'REFERRALS', event: null, threshold: 1, points: 17, badge: 'advocate' },
  ]);
});
afterAll(async () => {
  for (const worker of workers) await stopWorker(worker);
  await world.app.close();
});

/** Everything that must hold of what was given, whatever raced; empty when it does. */
const given = () =>
  database.query<{ rule: string; id: string }>(`
    with orders as (select customer_id, count(*) as n from customer_order group by 1),
      keys as (select key, (answer ->> 'entryId')::uuid as entry from idempotency_key where scope = 'loyalty.ledger')
    select 'every order is counted once' as rule, o.customer_id::text as id from orders o
      left join loyalty_counter c on c.customer_id = o.customer_id and c.counter = 'ORDERS'
      where coalesce(c.base + c.live, 0) <> o.n
    union all
    select 'milestones are reached by who crossed them', o.customer_id::text from orders o
      where (o.n >= 2) <> exists (select from loyalty_milestone m where m.customer_id = o.customer_id and m.milestone = 'orders_2')
    union all
    select 'each milestone has its entry and its event once', m.customer_id::text from loyalty_milestone m
      where (select count(*) from keys k join loyalty_entry e on e.id = k.entry
             where k.key = 'milestone ' || m.milestone || ' ' || m.customer_id) <> 1
         or (select count(*) from outbox_event e where e.type = 'loyalty.milestoneReached' and e.customer_id = m.customer_id
             and e.payload ->> 'milestone' = m.milestone) <> 1
    union all
    select 'a referral is successful exactly when there is an order', r.id::text from loyalty_referral r
      where (r.state = 'REWARDED') <> exists (select from customer_order o where o.customer_id = r.referred_id)
    union all
    select 'both sides of a successful referral are rewarded once, and nobody else', r.id::text from loyalty_referral r
      where (select count(*) from keys k join loyalty_entry e on e.id = k.entry
             where k.key in ('referral ' || r.id || ' referrer', 'referral ' || r.id || ' referred'))
            <> case when r.state = 'REWARDED' then 2 else 0 end
         or (select count(*) from outbox_event e where e.type = 'loyalty.referralRewarded' and e.payload ->> 'referralId' = r.id::text)
            <> case when r.state = 'REWARDED' then 1 else 0 end
    union all
    select 'nobody brings themselves', r.id::text from loyalty_referral r where r.referrer_id = r.referred_id`);

test('two workers give everything once, also when one of them stops half-way', async () => {
  const people = Array.from({ length: 6 }, (_, index) => `p${index}`);
  const ids = new Map<string, string>();
  const codes = new Map<string, string>();
  for (const person of people) {
    const customerId = await world.customer(person);
    ids.set(person, customerId);
    codes.set(person, String((await world.mutate('createReferralCode', { customerId }, 'code')).code));
  }
  const person = fc.constantFrom(...people);
  const step = fc.oneof(
    fc.record({ kind: fc.constant('order' as const), who: person }),
    fc.record({ kind: fc.constant('visit' as const), who: person }),
    fc.record({ kind: fc.constant('refer' as const), who: person, code: person }),
  );
  const act = async (one: { kind: 'order' | 'visit' | 'refer'; who: string; code?: string }) => {
    if (one.kind === 'refer') {
      const input = { customerId: ids.get(one.who), code: codes.get(one.code ?? '') };
      await world.mutate('attributeReferral', input, 'replayed');
    } else if (one.kind === 'order') {
      const order = { externalId: newId(), customerExternalId: one.who, amountMinor: 100, currency: 'GBP' };
      await world.app.query(
        'mutation ($input: [OrderInput!]!) { upsertOrders(input: $input) { __typename ... on DomainError { message } } }',
        { input: [{ ...order, placedAt: NOW.toISOString() }] },
      );
    } else {
      const event = { id: newId(), customerExternalId: one.who, name: 'session.started', at: NOW.toISOString() };
      await world.app.query(
        'mutation ($input: RecordEventsInput!) { recordEvents(input: $input) { __typename ... on DomainError { message } } }',
        { input: { events: [event] } },
      );
    }
  };
  const [steps] = fc.sample(fc.array(step, { minLength: 60, maxLength: 60 }), { numRuns: 1, seed: 11 });
  const lanes = [0, 1, 2, 3].map((lane) => (steps ?? []).filter((_, index) => index % 4 === lane));
  const leader = workers.find((worker) => worker.app.dispatcher.leading) ?? workers[0];
  await Promise.all([
    ...lanes.map(async (lane) => {
      for (const one of lane) await act(one);
    }),
    // The one that leads stops while there is work; the other takes over.
    act({ kind: 'visit', who: 'p0' }).then(() => stopWorker(leader as (typeof workers)[number])),
  ]);
  await world.app.settle();
  expect(await given()).toEqual([]);
  expect(await brokenInvariants(database)).toEqual([]);
  const [counts] = await database.query<Record<string, number>>(
    `select (select count(*) from loyalty_referral where state = 'REWARDED')::int as rewarded,
            (select count(*) from loyalty_milestone)::int as milestones,
            (select sum(live) from loyalty_counter where counter = 'EVENT:session.started')::int as visits`,
  );
  const visits = (steps ?? []).filter(({ kind }) => kind === 'visit').length + 1;
  expect(counts?.visits).toBe(visits);
  expect(counts?.rewarded).toBeGreaterThan(0);
  expect(counts?.milestones).toBeGreaterThan(people.length);
});

test('two workers celebrate an anniversary once', async () => {
  await startWorker();
  await world.app.query(
    'mutation ($input: [CustomerInput!]!) { upsertCustomers(input: $input) { __typename ... on DomainError { message } } }',
    { input: people().map((externalId) => ({ externalId, name: externalId, signupAt: '2025-11-22T09:00:00Z' })) },
  );
  for (const externalId of people()) await world.award(await world.customer(externalId), { points: 1 });
  const running = workers.filter(({ stopped }) => !stopped);
  expect(running).toHaveLength(2);
  const celebrate = running.map(({ app }) => {
    const job = app.composition.jobs.find(({ name }) => name === 'loyalty.celebrate');
    const context = {
      signal: new AbortController().signal,
      logger: createLogger('silent'),
      attempt: 1,
      lastAttempt: false,
    };
    return job?.run({}, context);
  });
  await Promise.all(celebrate);
  await world.app.settle();
  for (const externalId of people()) expect((await world.memberOf(externalId)).balance.available).toBe(51);
  expect(await world.told('loyalty.anniversary')).toHaveLength(people().length);
});

const people = () => Array.from({ length: 8 }, (_, index) => `jubilar-${index}`);
