import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eraseCustomers, mergeAccounts } from '../../../modules/loyalty/ledger/service-lifecycle.ts';
import { POINTS_EXPIRY } from '../../../modules/loyalty/ledger/settings.ts';
import { readProgramme } from '../../../modules/loyalty/programme/programme.ts';
import { netOf, type Stock } from '../../../modules/loyalty/report/domain/flows.ts';
import { createReportService, type ReportService } from '../../../modules/loyalty/report/service.ts';
import { reportSettings } from '../../../modules/loyalty/report/settings.ts';
import { systemCall } from '../../../src/core/call.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { newId } from '../../../src/core/ids.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type LoyaltyWorld, openLoyalty, plantCustomers } from '../world.ts';

const DAY_MS = 86_400_000;
const BEGIN = new Date('2026-01-10T12:00:00.000Z');
const call = systemCall('test');

let created: TestDatabase;
let world: LoyaltyWorld;
let reports: ReportService;

beforeAll(async () => {
  created = await createTestDatabase();
  world = await openLoyalty(created.url);
  world.settings.declare(reportSettings);
  await world.settings.change(call, POINTS_EXPIRY.key, { months: 2, at: 'END_OF_DAY' });
  world.clock.set(BEGIN);
  const { database, settings, clock, service, customers } = world;
  const count = async () =>
    (await database.query<{ count: number }>('select count(*)::int as count from customer'))[0]?.count ?? 0;
  reports = createReportService(
    { database, settings, clock },
    { customers: { ...customers, count }, programme: service.programme },
  );
});
afterAll(async () => {
  await world.close();
  await created.drop();
});

interface RawEntry {
  readonly id: string;
  readonly accountId: string;
  readonly kind: string;
  readonly phase: string;
  readonly source: string;
  readonly points: number;
  readonly debt: number;
  readonly qualifying: number;
  readonly recordedAt: Date;
}
interface RawAccount {
  readonly id: string;
  readonly customerId: string;
  readonly joinedAt: Date;
  readonly closedAt: Date | null;
}

/** What there was, added up entry by entry. */
async function ledger() {
  const entries = await world.database.query<RawEntry>(
    `select id, account_id as "accountId", kind, phase, source, points, debt, qualifying, recorded_at as "recordedAt" from loyalty_entry`,
  );
  const accounts = await world.database.query<RawAccount>(
    `select id, customer_id as "customerId", joined_at as "joinedAt", closed_at as "closedAt" from loyalty_account`,
  );
  const sum = (of: readonly RawEntry[], value: (entry: RawEntry) => number) =>
    of.reduce((all, entry) => all + value(entry), 0);
  const stockAt = (at: Date): Stock => {
    const closed = new Set(accounts.flatMap((one) => (one.closedAt !== null && one.closedAt < at ? [one.id] : [])));
    const until = entries.filter(({ recordedAt }) => recordedAt < at);
    const open = until.filter(({ accountId }) => !closed.has(accountId));
    const left = until.filter(({ accountId }) => closed.has(accountId));
    return {
      outstanding: sum(open, (e) => e.points),
      owed: sum(open, (e) => e.debt),
      unclaimable: sum(left, (e) => e.points - e.debt),
    };
  };
  const between = (from: Date, to: Date) => {
    const own = entries.filter(({ recordedAt }) => recordedAt >= from && recordedAt < to);
    const net = (kind: string, sign: 1 | -1 = 1) =>
      sum(
        own.filter((e) => e.kind === kind && (kind !== 'REVERSE' || Math.sign(e.points - e.debt) === sign)),
        (e) => e.points - e.debt,
      );
    return {
      own,
      flows: {
        issued: net('EARN'),
        returned: net('REVERSE', 1),
        redeemed: 0 - net('REDEEM'),
        expired: 0 - net('EXPIRE'),
        reversed: 0 - net('REVERSE', -1),
        adjusted: net('ADJUST'),
      },
    };
  };
  const membersAt = (at: Date) =>
    accounts.filter((one) => one.joinedAt < at && (one.closedAt === null || one.closedAt >= at)).length;
  return { entries, accounts, stockAt, between, membersAt };
}

/** One thing that happens: what, to whom (by place), how many points, and how many days later. */
const step = fc.record({
  what: fc.constantFrom(
    'award',
    'award',
    'redeem',
    'hold',
    'confirm',
    'void',
    'reverse',
    'adjust',
    'expire',
    'merge',
    'erase',
  ),
  who: fc.nat({ max: 5 }),
  points: fc.integer({ min: 1, max: 300 }),
  days: fc.integer({ min: 0, max: 12 }),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** @param customers those who live; who is merged away or erased does nothing any more */
async function happen(customers: string[], { what, who, points }: Step): Promise<void> {
  const { service, database, clock } = world;
  const place = who % customers.length;
  const customerId = customers[place] as string;
  const key = { idempotencyKey: newId() };
  const some = async (condition: string) =>
    (
      await database.query<{ id: string }>(
        `select e.id from loyalty_entry e join loyalty_account a on a.id = e.account_id
         where a.customer_id = $1 and ${condition} order by e.number desc limit 1 offset $2`,
        [customerId, points % 3],
      )
    )[0]?.id ?? newId();
  switch (what) {
    case 'award':
      await service.awardPoints(call, { ...key, customerId, points });
      return;
    case 'redeem':
      await service.redeemPoints(call, { ...key, customerId, points });
      return;
    case 'hold':
      await service.holdPoints(call, {
        ...key,
        customerId,
        points,
        expiresAt: new Date(clock.now().getTime() + 9 * DAY_MS),
      });
      return;
    case 'confirm':
      await service.confirmPoints(call, { ...key, entryId: await some(`e.phase = 'PENDING'`) });
      return;
    case 'void':
      await service.voidPoints(call, { ...key, entryId: await some(`e.phase = 'PENDING'`) });
      return;
    case 'reverse':
      await service.reversePoints(call, { ...key, entryId: await some(`e.kind in ('EARN', 'REDEEM')`) });
      return;
    case 'adjust':
      await service.adjustPoints(call, {
        ...key,
        customerId,
        points: points % 2 === 0 ? points : -points,
        reason: 'a test',
      });
      return;
    case 'expire':
      await service.voidTimedOut(call);
      await service.expireLots(call);
      return;
    case 'merge': {
      if (customers.length < 3 || points % 2 === 0) return;
      const intoId = customers[(place + 1) % customers.length] as string;
      customers.splice(place, 1);
      const ports = { clock, customers: world.customers, programme: () => readProgramme(world.settings) };
      await database.transaction((tx) => mergeAccounts(tx, ports, call, { fromId: customerId, intoId }));
      return;
    }
    case 'erase':
      if (customers.length < 3 || points % 2 === 0) return;
      customers.splice(place, 1);
      await database.transaction((tx) => eraseCustomers(tx, clock, [customerId]));
  }
}

test('sums of a report are those of the ledger, to the point, for any history and any period', async () => {
  const isoDay = (at: Date) => at.toISOString().slice(0, 10);
  let kinds = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 30, maxLength: 60 }),
      fc.array(fc.tuple(fc.nat({ max: 300 }), fc.integer({ min: 1, max: 200 })), { minLength: 3, maxLength: 3 }),
      async (steps, periods) => {
        const customers = await plantCustomers(world.database, 6);
        for (const one of steps) {
          world.clock.advance(one.days * DAY_MS);
          await happen(customers, one).catch((error: unknown) => {
            if (!(error instanceof DomainError)) throw error;
          });
        }
        const truth = await ledger();
        kinds = new Set([...kinds, ...truth.entries.map(({ kind }) => kind)]);
        const lastDay = Math.floor((world.clock.now().getTime() - BEGIN.getTime()) / DAY_MS);
        for (const [start, length] of periods) {
          const from = new Date(Date.UTC(2026, 0, 10 + (start % (lastDay + 1))));
          const to = new Date(from.getTime() + length * DAY_MS);
          const report = await reports.report({ from: isoDay(from), to: isoDay(to) });
          const { flows, own } = truth.between(from, to);
          expect(report.flows).toEqual(flows);
          expect(report.start).toEqual(truth.stockAt(from));
          expect(report.end).toEqual(truth.stockAt(to));
          expect(report.members).toBe(truth.membersAt(to));
          // The book closes: the start and what came is the end.
          const position = ({ outstanding, owed, unclaimable }: Stock) => outstanding - owed + unclaimable;
          expect(position(report.start) + netOf(report.flows)).toBe(position(report.end));
          expect(report.months.reduce((all, month) => all + month.flows.issued, 0)).toBe(flows.issued);
          expect(report.months.at(-1)?.end).toEqual(report.end);

          const { participants, earners } = await report.activity();
          const open = truth.accounts.filter(({ closedAt }) => closedAt === null || closedAt >= to).map(({ id }) => id);
          const acting = own
            .filter(({ kind }) => kind === 'EARN' || kind === 'REDEEM')
            .map(({ accountId }) => accountId);
          expect(participants).toBe(open.filter((id) => acting.includes(id)).length);
          const best = truth.accounts
            .filter(({ closedAt }) => closedAt === null)
            .map(({ id, customerId }) => ({
              customerId,
              earned: own.reduce(
                (all, e) => (e.accountId === id && e.source !== 'MERGE' ? all + e.qualifying : all),
                0,
              ),
            }))
            .filter(({ earned }) => earned > 0)
            .sort((a, b) => b.earned - a.earned || (a.customerId < b.customerId ? -1 : 1));
          expect(earners).toEqual(best.slice(0, 10));

          const cohorts = await report.cohorts(36);
          const counted = cohorts.flatMap(({ cells }) => cells.flatMap((cell) => (cell === null ? [] : [cell.earned])));
          const end = Math.min(to.getTime() - 1, world.clock.now().getTime());
          const earned = truth.entries.filter(({ kind, recordedAt }) => kind === 'EARN' && recordedAt.getTime() <= end);
          expect(counted.reduce((all, one) => all + one, 0)).toBe(
            earned.reduce((all, e) => all + e.points - e.debt, 0),
          );
        }
      },
    ),
    { numRuns: 6, seed: 20261127, endOnFailure: true },
  );
  expect([...kinds].sort()).toEqual(['ADJUST', 'EARN', 'EXPIRE', 'REDEEM', 'REVERSE']);
}, 60_000);

test('breakage is of the points members can spend, and its history has every point once', async () => {
  const [lots] = await world.database.query<{ points: number }>(
    'select coalesce(sum(l.points), 0)::int8 as points from loyalty_lot l join loyalty_account a on a.id = l.account_id where a.closed_at is null',
  );
  const today = world.clock.now().toISOString().slice(0, 10);
  const report = await reports.report({ from: '2026-01-01', to: '2026-02-01' });
  const breakage = await report.breakage();
  expect(breakage).toMatchObject({ outstanding: lots?.points, horizonDays: expect.any(Number) });
  expect(breakage.state === 'ESTIMATED').toBe(breakage.share !== null);
  expect(today > '2026-02-01').toBe(true);
});

test.each([
  ['2026-03-01', '2026-03-01', /empty/],
  ['2026-03-02', '2026-03-01', /empty/],
  ['2199-01-01', '2199-02-01', /not begun/],
  ['1990-01-01', '2026-02-01', /more than 120 months/],
])('a period from %s to %s is refused', async (from, to, why) => {
  await expect(reports.report({ from, to })).rejects.toThrow(why);
});
