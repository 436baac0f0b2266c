import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { onlineRetail } from '../../src/app/demo/online-retail.ts';
import { accountsOf } from '../../src/app/demo/saas/accounts.ts';
import { ADD_ON, PLANS } from '../../src/app/demo/saas/business.ts';
import { DEMO_STARTS_AT_MS } from '../../src/app/demo/saas/calendar.ts';
import type { SaasAsked } from '../../src/app/demo/saas/data-set.ts';
import { saas } from '../../src/app/demo/saas/index.ts';
import { mrrAt } from '../../src/app/demo/saas/money.ts';
import { systemCall } from '../../src/core/call.ts';
import { csv, findingsOf, importFile } from '../imports/support.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

const OPTIONS = { customers: 60, months: 12, seed: 4 };
const NOTHING_ASKED: SaasAsked = { customers: undefined, months: undefined, seed: undefined };
const accounts = [...accountsOf(OPTIONS)];

let app: TestApp;
/** What each start told a person. */
let told: string[] = [];

/** Starts the demo as its command does. */
async function start(asked: SaasAsked): Promise<string> {
  told = [];
  await saas(asked).prepare(app.app, systemCall('demo'));
  return told.join('');
}

const rows = <Row extends object>(sql: string): Promise<Row[]> => app.app.infra.database.query<Row>(sql);

beforeAll(async () => {
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => told.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  app = await startTestApp({ now: new Date('2026-06-01T12:00:00Z') });
  await start(OPTIONS);
  await app.settle();
});

afterAll(async () => {
  vi.restoreAllMocks();
  await app.close();
});

describe('a generated business', () => {
  test('says what it imported and how good it was, and leaves no files behind', () => {
    const report = told.join('');
    for (const name of ['customers', 'contacts', 'subscriptions', 'invoices', 'tickets', 'events'])
      expect(report).toMatch(new RegExp(`${name}\\.csv +[\\d,]+ +100\\.00 % +0 `));
    expect(existsSync(path.join(app.config.dataFolder, 'demo'))).toBe(false);
  });

  test('stands in both engines, row for row', async () => {
    const [records] = await rows(
      `select (select count(*) from customer) as customers, (select count(*) from contact) as contacts,
         (select count(*) from subscription) as subscriptions, (select count(*) from invoice) as invoices,
         (select count(*) from ticket) as tickets`,
    );
    const count = (of: (account: (typeof accounts)[number]) => readonly unknown[]): number =>
      accounts.flatMap(of).length;
    expect(records).toEqual({
      customers: 60,
      contacts: count(({ contacts }) => contacts),
      subscriptions: count(({ life }) => life.subscriptions),
      invoices: count(({ invoices }) => invoices),
      tickets: count(({ tickets }) => tickets),
    });
    const [events] = await app.app.infra.analytics.query<{ count: number }>(
      `select toUInt32(count()) as count from events final where source = 'saas-60x12-4'`,
    );
    expect(events?.count).toBe(count((account) => account.events));
  });

  test('has every state of its subscriptions in the history', async () => {
    const history = await rows<{ id: string; at: Date; plan: string; mrr: number; kind: string }>(
      `select s.external_id as id, c.at, c.plan, c.mrr_minor as mrr, c.kind
       from subscription_change c join subscription s on s.id = c.subscription_id`,
    );
    const lived = accounts.flatMap(({ number, life }) =>
      life.subscriptions.flatMap(({ states, cancelledAtMs }, index) => {
        const id = `S-${String(number).padStart(5, '0')}-${index + 1}`;
        const told = states.map(({ atMs, plan, mrrMinor }, at) => ({
          id,
          at: new Date(atMs),
          plan,
          mrr: mrrMinor,
          kind: at === 0 ? 'STARTED' : 'CHANGED',
        }));
        const plan = states.at(-1)?.plan ?? '';
        return cancelledAtMs === null
          ? told
          : [...told, { id, at: new Date(cancelledAtMs), plan, mrr: 0, kind: 'CANCELLED' }];
      }),
    );
    const order = (a: { id: string; at: Date }, b: { id: string; at: Date }): number =>
      a.id.localeCompare(b.id) || a.at.getTime() - b.at.getTime();
    expect(history.sort(order)).toEqual(lived.sort(order));
    expect(new Set(lived.map(({ kind }) => kind))).toEqual(new Set(['STARTED', 'CHANGED', 'CANCELLED']));
  });

  test('has the figures that were lived', async () => {
    const lines = (await saas(OPTIONS).headlines(app.app)).join('\n');
    const mrr = accounts
      .flatMap(({ life }) => life.subscriptions.map((one) => mrrAt(one, DEMO_STARTS_AT_MS - 1)))
      .reduce((sum, one) => sum + one, 0);
    expect(lines).toContain(`monthly recurring revenue €${(mrr / 100).toLocaleString('en')}.00: `);
    const active = accounts.filter(({ life }) => life.status === 'ACTIVE').length;
    expect(lines).toContain(`60 customers: ${active} active, `);
    const cancelled = accounts.filter(({ life }) => {
      const at = life.churnedAtMs ?? 0;
      return at >= Date.UTC(2025, 11, 1) && at < DEMO_STARTS_AT_MS;
    }).length;
    expect(lines).toMatch(new RegExp(`churn in December 2025: [\\d.]+ % \\(${cancelled} of \\d+ customers\\)`));
    expect(lines).toMatch(/health: \d+ healthy, \d+ neutral/);
    expect(lines).toMatch(/risk: \d+ critical/);
  });

  test('is quiet history: nothing is said of its rows, not even of invoices long overdue', async () => {
    const facts = await rows<{ type: string }>(
      `select distinct type from outbox_event where type like 'customers.%' and type <> 'customers.importProgressed' order by type`,
    );
    expect(facts.map(({ type }) => type)).toEqual(['customers.batchImported', 'customers.importCompleted']);
    const [open] = await rows<{ overdue: number; untold: number }>(
      `select count(*) filter (where due_at < '2026-01-01') as overdue,
         count(*) filter (where due_at < '2026-01-01' and overdue_at is null) as untold from invoice where paid_at is null`,
    );
    expect(open?.overdue).toBeGreaterThan(0);
    expect(open?.untold).toBe(0);
    const [effects] = await rows(
      `select (select count(*) from loyalty_entry) as entries, (select count(*) from message) as messages`,
    );
    expect(effects).toEqual({ entries: 0, messages: 0 });
  });

  test('measures an account with an additional subscription by its plan', async () => {
    const found = accounts.findLast(({ life }) => {
      const running = life.subscriptions.filter(({ cancelledAtMs }) => cancelledAtMs === null);
      return running.length > 1 && running.at(-1)?.states[0]?.plan === ADD_ON.key;
    });
    const plan = PLANS.find(({ key }) => key === found?.life.subscriptions[0]?.states.at(-1)?.plan);
    const { customer } = await app.query<{ customer: { health: { parts: { name: string; evidence: string }[] } } }>(
      'query ($id: String!) { customer(externalId: $id) { health { parts { name evidence } } } }',
      { id: `A-${String(found?.number).padStart(5, '0')}` },
    );
    const adoption = customer.health.parts.find(({ name }) => name === 'FEATURE_ADOPTION');
    expect(adoption?.evidence).toContain(`of ${plan?.features} features`);
  });

  test('answers the queries it offers', async () => {
    const { queries } = saas(OPTIONS);
    expect(queries).toHaveLength(3);
    const answers = await Promise.all(queries.map(({ query }) => app.query<Record<string, unknown>>(query)));
    expect(answers[0]).toMatchObject({ customers: { totalCount: expect.any(Number) } });
    expect(answers[1]).toMatchObject({ business: { companyName: 'Lantern Works', demoClock: true } });
    expect(answers[2]).toMatchObject({ customer: { name: accounts[0]?.name } });
  });
});

describe('a later start', () => {
  const imports = async (): Promise<number> =>
    (await rows<{ count: number }>('select count(*) from import_job'))[0]?.count ?? 0;

  test('finds what is there, whatever size it has, and imports nothing', async () => {
    const before = await imports();
    expect(await start(NOTHING_ASKED)).toContain(
      '60 accounts that signed up within 12 months, seed 4\nimported at an earlier start',
    );
    expect(await imports()).toBe(before);
  });

  test('refuses another business, and names the folder and the remedy', async () => {
    const refusal = { code: 'APP_DEMO_FOLDER_TAKEN', message: expect.stringContaining(app.config.dataFolder) };
    const other = start({ ...NOTHING_ASKED, seed: 5 });
    await expect(other).rejects.toMatchObject(refusal);
    await expect(other).rejects.toThrow('--customers 60 --months 12 --seed 4');
    const shop = onlineRetail.prepare(app.app, systemCall('demo'));
    await expect(shop).rejects.toMatchObject(refusal);
    await expect(shop).rejects.toThrow('HOLDFAST_DATA=.holdfast-shop npm run demo');
  });
});

describe('a file with several states of a subscription', () => {
  const HEADER = 'externalId,customerExternalId,plan,mrr,currency,startedAt,changedAt,cancelledAt,cancelReason';
  const STATES = [
    'H-1,A-00001,small,10.00,EUR,2025-03-01,2025-03-01,,',
    'H-1,A-00001,large,25.00,EUR,2025-03-01,2025-05-10,,',
    'H-1,A-00001,large,20.00,EUR,2025-03-01,2025-07-20,,',
  ];
  const END = 'H-1,A-00001,large,20.00,EUR,2025-03-01,2025-09-30,2025-09-30,price';
  const history = () =>
    rows(
      `select to_char(c.at at time zone 'UTC', 'YYYY-MM-DD') as at, c.plan, c.mrr_minor as mrr, c.kind from subscription_change c
       join subscription s on s.id = c.subscription_id where s.external_id = 'H-1' order by c.at`,
    );

  test('leaves its whole history, also when it is told again with what came since', async () => {
    const job = await importFile(app, csv(HEADER, ...STATES, ...STATES, END), { recordType: 'SUBSCRIPTIONS' });
    expect(job).toMatchObject({ state: 'DONE', result: { rowsStored: 7, recordsCreated: 1 } });
    // States of different times are no repetitions of each other.
    expect(findingsOf(job)).toContain('DUPLICATES RECORD_SEVERAL_TIMES (externalId): 3');
    expect(await history()).toEqual([
      { at: '2025-03-01', plan: 'small', mrr: 1_000, kind: 'STARTED' },
      { at: '2025-05-10', plan: 'large', mrr: 2_500, kind: 'CHANGED' },
      { at: '2025-07-20', plan: 'large', mrr: 2_000, kind: 'CHANGED' },
      { at: '2025-09-30', plan: 'large', mrr: 0, kind: 'CANCELLED' },
    ]);
  });
});
