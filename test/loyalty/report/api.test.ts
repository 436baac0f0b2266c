import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { type LoyaltyApp, NOW, startLoyaltyApp } from '../api.ts';

let world: LoyaltyApp;
let app: LoyaltyApp['app'];

/** The time it is a month before the tests' own. */
const OCTOBER = new Date('2026-10-20T12:00:00.000Z');

beforeAll(async () => {
  world = await startLoyaltyApp();
  app = world.app;
  app.clock?.set(OCTOBER);
  const ada = await world.customer('ada');
  await world.award(ada, { points: 1_200 });
  app.clock?.set(NOW);
  await world.award(await world.customer('=bob'), { points: 300 });
  await world.customer('cid');
  await app.query(
    'mutation ($input: RedeemPointsInput!) { redeemPoints(input: $input) { __typename ... on DomainError { message } } }',
    { input: { idempotencyKey: newId(), customerId: ada, points: 200 } },
  );
  await app.settle();
});
afterAll(async () => {
  await app.close();
});

const REPORT = /* GraphQL */ `
  query Report($period: PeriodInput!, $cohorts: Int!) {
    loyaltyReport(period: $period) {
      customers members newMembers averagePoints redemptionRate
      liability { amountMinor currency }
      tiers { tier { name } members share }
      start { outstanding }
      points { issued returned redeemed expired reversed adjusted }
      end { outstanding owed unclaimable }
      activity { participants participation topEarners { earned customer { externalId } } }
      months { from members points { issued redeemed } end { outstanding } }
      breakage { state share low high points outstanding }
      cohorts(months: $cohorts) { month members cells { active earned redeemed } }
      csvPath
    }
  }
`;
const report = async (from: string, to: string, cohorts = 3) =>
  (
    await app.query<{ loyaltyReport: Record<string, unknown> & { csvPath: string } }>(REPORT, {
      period: { from, to },
      cohorts,
    })
  ).loyaltyReport;

describe('the loyalty report', () => {
  test('says who takes part, what moved and what is owed', async () => {
    const november = await report('2026-11-01', '2026-12-01');
    expect(november).toMatchObject({
      customers: 3,
      members: 2,
      newMembers: 1,
      averagePoints: 650,
      redemptionRate: 200 / 300,
      liability: { amountMinor: 1_300, currency: 'GBP' },
      start: { outstanding: 1_200 },
      points: { issued: 300, returned: 0, redeemed: 200, expired: 0, reversed: 0, adjusted: 0 },
      end: { outstanding: 1_300, owed: 0, unclaimable: 0 },
      activity: {
        participants: 2,
        participation: 1,
        topEarners: [{ earned: 300, customer: { externalId: '=bob' } }],
      },
    });
    expect(november.tiers).toEqual([
      { tier: { name: 'Bronze' }, members: 1, share: 0.5 },
      { tier: { name: 'Silver' }, members: 1, share: 0.5 },
      { tier: { name: 'Gold' }, members: 0, share: 0 },
      { tier: { name: 'Platinum' }, members: 0, share: 0 },
    ]);
    expect((await report('2026-10-01', '2026-12-01')).months).toEqual([
      { from: '2026-10-01', members: 1, points: { issued: 1_200, redeemed: 0 }, end: { outstanding: 1_200 } },
      { from: '2026-11-01', members: 2, points: { issued: 300, redeemed: 200 }, end: { outstanding: 1_300 } },
    ]);
  });

  test('of a month without anything divides by nothing', async () => {
    expect(await report('2026-09-01', '2026-10-01', 1)).toMatchObject({
      members: 0,
      averagePoints: null,
      redemptionRate: null,
      activity: { participants: 0, participation: null, topEarners: [] },
      end: { outstanding: 0 },
    });
  });

  test('follows members by the month they joined; months to come are null', async () => {
    const { cohorts } = await report('2026-11-01', '2027-01-01');
    const none = { active: 0, earned: 0, redeemed: 0 };
    expect(cohorts).toEqual([
      { month: '2026-09-01', members: 0, cells: [none, none, none] },
      {
        month: '2026-10-01',
        members: 1,
        cells: [{ active: 1, earned: 1_200, redeemed: 0 }, { active: 1, earned: 0, redeemed: 200 }, null],
      },
      { month: '2026-11-01', members: 1, cells: [{ active: 1, earned: 300, redeemed: 0 }, null, null] },
    ]);
  });

  test('says plainly when breakage cannot be forecast, and forecasts when the setting asks for less', async () => {
    const { breakage } = await report('2026-11-01', '2026-12-01');
    expect(breakage).toEqual({
      state: 'NOT_ENOUGH_HISTORY',
      share: null,
      low: null,
      high: null,
      points: null,
      outstanding: 1_300,
    });
    await world.change('loyalty.breakage', { minRedeemers: 2, minDays: 1 });
    await app.query(
      'mutation ($input: RedeemPointsInput!) { redeemPoints(input: $input) { __typename ... on DomainError { message } } }',
      { input: { idempotencyKey: newId(), customerId: await world.customer('=bob'), points: 100 } },
    );
    // 1,500 points at risk on the day they came, of which a hundred were spent; then 1,200, of which 200 were at 33 days.
    const { breakage: forecast } = await report('2026-11-01', '2026-12-01');
    const ofBob = 200 / 1_200;
    expect(forecast).toMatchObject({ state: 'ESTIMATED', outstanding: 1_200 });
    expect((forecast as { share: number }).share).toBeCloseTo(ofBob * (1_000 / 1_200) + (1 - ofBob), 12);
  });

  test('is a file, too, with the same figures; whoever may not read gets neither', async () => {
    const { csvPath } = await report('2026-11-01', '2026-12-01');
    expect(csvPath).toBe('/loyalty/report.csv?from=2026-11-01&to=2026-12-01');
    const get = (path: string, key: string) =>
      fetch(`${app.server.url}${path}`, { headers: { authorization: `Bearer ${key}` } });
    const answer = await get(csvPath, app.adminKey);
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const lines = (await answer.text()).split('\r\n');
    expect(lines[0]).toBe('section,key,age,measure,value');
    expect(lines).toEqual(
      expect.arrayContaining([
        'summary,,,members,2',
        'points,,,issued,300',
        'points,,,outstanding_at_end,1200',
        'tier,Silver,,share,0.5',
        // A spreadsheet must not take a name for a formula.
        "top_earner,'=bob,,earned,300",
        'month,2026-11-01,,redeemed,300',
        'cohort,2026-10-01,1,redeemed,200',
        'cohort,2026-11-01,0,earned,300',
        'cohort,2026-11-01,1,earned,',
        'breakage,,,state,ESTIMATED',
      ]),
    );
    const stranger = await app.createKey(['customers:read']);
    expect((await get(csvPath, stranger)).status).toBe(403);
    expect((await get('/loyalty/report.csv?from=yesterday&to=2026-12-01', app.adminKey)).status).toBe(400);
    const refused = await app.ask(
      REPORT,
      { period: { from: '2026-11-01', to: '2026-12-01' }, cohorts: 1 },
      { authorization: `Bearer ${stranger}` },
    );
    expect(refused.errors?.[0]?.message).toMatch(/loyalty:read/);
  });

  test.each([
    [{ from: '2026-11-01', to: '2026-11-01' }, 3],
    [{ from: '2026-11-01', to: '2026-12-01' }, 0],
    [{ from: '2026-11-01', to: '2026-12-01' }, 37],
  ])('refuses %j with %i cohorts', async (period, cohorts) => {
    const answer = await app.ask(REPORT, { period, cohorts });
    expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'CORE_INVALID_INPUT' });
  });
});
