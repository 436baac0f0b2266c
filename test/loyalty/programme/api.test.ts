import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RecordedBatch } from '../../../modules/customers/contract.ts';
import { DEFAULT_RULES } from '../../../modules/loyalty/defaults.ts';
import { systemCall } from '../../../src/core/call.ts';
import { encodeCursor, ORIGIN } from '../../../src/core/events/index.ts';
import type { TestApp } from '../../support/app.ts';
import { subscribe } from '../../support/subscriber.ts';
import { type LoyaltyApp, NOW, startLoyaltyApp } from '../api.ts';
import { brokenInvariants } from '../world.ts';
import { tiersFrom } from './world.ts';

let app: TestApp;
let change: LoyaltyApp['change'];
let customer: LoyaltyApp['customer'];
let award: LoyaltyApp['award'];
let loyaltyOf: LoyaltyApp['loyaltyOf'];

beforeAll(async () => {
  ({ app, change, customer, award, loyaltyOf } = await startLoyaltyApp());
});
afterAll(async () => {
  expect(await brokenInvariants(app.app.infra.database)).toEqual([]);
  await app.close();
});

const PROGRESS = `query ($externalId: String!, $asOf: DateTime) { customer(externalId: $externalId) { loyalty {
  tier { key } before: tier(asOf: $asOf) { key } nextTier { name pointsToGo }
  tierStanding { counting pointsToKeep downgradeAt }
  tierHistory(first: 2) { edges { node { from { key } to { key } direction cause at } } pageInfo { hasNextPage endCursor } }
  entries(first: 1) { edges { node { earning { ruleVersion base campaigns } } } }
} } }`;

const progress = async (externalId: string, asOf: Date | null = null) =>
  (await app.query<{ customer: { loyalty: Record<string, unknown> } }>(PROGRESS, { externalId, asOf })).customer
    .loyalty;

describe('tiers over the API', () => {
  test.each([
    [999, 'BRONZE', { name: 'Silver', pointsToGo: 1 }],
    [1_000, 'SILVER', { name: 'Gold', pointsToGo: 1_500 }],
    [2_499, 'SILVER', { name: 'Gold', pointsToGo: 1 }],
    [2_500, 'GOLD', { name: 'Platinum', pointsToGo: 2_500 }],
    [4_999, 'GOLD', { name: 'Platinum', pointsToGo: 1 }],
    [5_000, 'PLATINUM', null],
  ])('%i points are %s', async (points, key, nextTier) => {
    const externalId = `with ${points}`;
    await award(await customer(externalId), { points });
    expect(await progress(externalId)).toMatchObject({
      tier: { key },
      nextTier,
      tierStanding: { counting: points, pointsToKeep: 0, downgradeAt: null },
    });
  });

  test('have a history, page by page, and were what they were', async () => {
    const externalId = 'climber';
    const customerId = await customer(externalId);
    const days: Date[] = [];
    for (const points of [1_000, 1_500, 2_500]) {
      days.push(app.clock?.now() as Date);
      await award(customerId, { points });
      app.clock?.advance(86_400_000);
    }
    const [first, second, third] = days as [Date, Date, Date];
    expect(await progress(externalId, new Date(third.getTime() - 1))).toMatchObject({
      tier: { key: 'PLATINUM' },
      before: { key: 'GOLD' },
      tierHistory: {
        edges: [
          {
            node: {
              from: { key: 'GOLD' },
              to: { key: 'PLATINUM' },
              direction: 'UP',
              cause: 'ENTRY',
              at: third.toISOString(),
            },
          },
          { node: { from: { key: 'SILVER' }, to: { key: 'GOLD' }, at: second.toISOString() } },
        ],
        pageInfo: { hasNextPage: true },
      },
    });
    expect(await progress(externalId, new Date(first.getTime() - 1))).toMatchObject({ before: { key: 'BRONZE' } });
    const after = ((await progress(externalId)).tierHistory as { pageInfo: { endCursor: string } }).pageInfo.endCursor;
    const rest = await app.query<{ customer: { loyalty: object } }>(
      `query ($externalId: String!, $after: String) { customer(externalId: $externalId) { loyalty {
         tierHistory(after: $after) { edges { node { to { key } } } pageInfo { hasNextPage } } } } }`,
      { externalId, after },
    );
    expect(rest.customer.loyalty).toEqual({
      tierHistory: { edges: [{ node: { to: { key: 'SILVER' } } }], pageInfo: { hasNextPage: false } },
    });
    app.clock?.set(NOW);
  });

  const CHANGE = `mutation ($input: ChangeTiersInput!) { changeTiers(input: $input) { __typename
    ... on ChangeTiersSuccess { saved accounts moves { from to afterGrace accounts } sample { customer { externalId } from to counting } }
    ... on DomainError { code path } } }`;
  const changeTiers = async (input: object) =>
    (await app.query<{ changeTiers: Record<string, unknown> }>(CHANGE, { input })).changeTiers;

  test('are changed once it is known who would move', async () => {
    await award(await customer('just short'), { points: 900 });
    const tiers = tiersFrom(900, 2_500, 5_000);
    const foretold = await changeTiers({ tiers, dryRun: true });
    // 999 points, and 900.
    expect(foretold).toMatchObject({
      saved: false,
      moves: [{ from: 'BRONZE', to: 'SILVER', afterGrace: false, accounts: 2 }],
    });
    expect(foretold.sample).toContainEqual({
      customer: { externalId: 'just short' },
      from: 'BRONZE',
      to: 'SILVER',
      counting: 900,
    });
    expect(await loyaltyOf('just short')).toMatchObject({ tier: { name: 'Bronze' } });
    expect(await changeTiers({ tiers, dryRun: false })).toEqual({ ...foretold, saved: true });
    await app.settle();
    expect(await loyaltyOf('just short')).toMatchObject({ tier: { name: 'Silver' } });
    expect(await progress('just short')).toMatchObject({ tierHistory: { edges: [{ node: { cause: 'REVIEW' } }] } });
    const back = { tiers: tiersFrom(1_000, 2_500, 5_000), qualification: { window: 'LIFETIME', graceDays: 0 } };
    expect(await changeTiers({ ...back, dryRun: false })).toMatchObject({
      moves: [{ from: 'SILVER', to: 'BRONZE', afterGrace: false, accounts: 2 }],
    });
    await app.settle();
    expect(await loyaltyOf('just short')).toMatchObject({ tier: { name: 'Bronze' } });
  });

  test.each([
    [{ tiers: tiersFrom(3_000, 2_500, 5_000) }, ['input', 'tiers']],
    [{ qualification: { window: 'ROLLING_MONTHS', graceDays: 1 } }, ['input', 'qualification', 'months']],
    [
      { qualification: { window: 'ROLLING_MONTHS', months: 61, graceDays: 1 } },
      ['input', 'qualification', 'window', 'months'],
    ],
  ])('%j cannot be', async (input, path) => {
    expect(await changeTiers({ ...input, dryRun: true })).toEqual({
      __typename: 'InvalidInput',
      code: 'CORE_INVALID_INPUT',
      path,
    });
  });

  test('at risk are told to who listens', async () => {
    app.clock?.set(new Date('2026-12-31T12:00:00Z'));
    const customerId = await customer('at risk');
    await award(customerId, { points: 5_000 });
    await change('loyalty.tierQualification', { window: { kind: 'ROLLING_MONTHS', months: 1 }, graceDays: 7 });
    app.clock?.set(new Date('2027-01-01T04:20:00Z'));
    await app.app.composition.services.loyalty.reviewTiers(systemCall('test'), null, 1_000);
    const told = subscribe({
      url: `${app.server.url}/graphql`,
      key: app.adminKey,
      query: `subscription ($after: Cursor!, $customerId: ID!) { tierAtRisk(after: $after, customerId: $customerId) {
        customer { externalId } tier { key } to { key } counting pointsToKeep downgradeAt } }`,
      variables: { after: encodeCursor(ORIGIN), customerId },
      field: 'tierAtRisk',
    });
    expect(await told.arrived(1)).toEqual([
      {
        customer: { externalId: 'at risk' },
        tier: { key: 'PLATINUM' },
        to: { key: 'BRONZE' },
        counting: 0,
        pointsToKeep: 5_000,
        downgradeAt: '2027-01-08T04:20:00.000Z',
      },
    ]);
    told.cut();
    await change('loyalty.tierQualification', { window: { kind: 'LIFETIME' }, graceDays: 0 });
    app.clock?.set(NOW);
  });
});

describe('events of the stream', () => {
  const record = (events: readonly object[], source = 'shop') =>
    app.query<{ recordEvents: object }>(
      'mutation ($input: RecordEventsInput!) { recordEvents(input: $input) { __typename ... on DomainError { message } } }',
      { input: { source, events } },
    );
  const session = (id: string, customerExternalId: string, more: object = {}) => ({
    id,
    name: 'session.started',
    at: NOW.toISOString(),
    customerExternalId,
    ...more,
  });

  test('earn by the rules they trigger, each once, however often and by whichever way they are told', async () => {
    await change(
      'loyalty.earningRules',
      DEFAULT_RULES.map((rule) => {
        if (rule.key === 'monthly_login') return { ...rule, trigger: { event: 'session.started', where: [] } };
        if (rule.key !== 'feature_usage') return rule;
        const where = [{ field: 'properties.feature', is: 'IN', to: ['reports', 'alerts'] }];
        return { ...rule, trigger: { event: 'feature.used', where } };
      }),
    );
    await customer('ann');
    const feature = (id: string, name: string) => ({
      ...session(id, 'ann'),
      name: 'feature.used',
      properties: { feature: name },
    });
    const events = [
      session('s1', 'ann'),
      session('s2', 'ann'),
      feature('f1', 'reports'),
      feature('f2', 'exports'),
      feature('f3', 'alerts'),
    ];
    await record(events);
    await app.settle();
    // One login of the month, and two uses of features that count.
    const expected = {
      balance: { available: 20 },
    };
    expect(await loyaltyOf('ann')).toMatchObject(expected);
    const points = (await loyaltyOf('ann'))?.entries.edges.map(({ node }) => node.points);
    expect(points?.sort((a, b) => a - b)).toEqual([5, 5, 10]);
    await record(events);
    await record([session('s3', 'ann')]);
    await app.settle();
    expect(await loyaltyOf('ann')).toMatchObject(expected);
    // The job again, as after a crash, when the events have long left the inbox.
    const { database } = app.app.infra;
    const batches = await database.query<{ payload: RecordedBatch }>(
      `select payload from outbox_event where type = 'customers.eventsRecorded'`,
    );
    const earn = app.app.composition.modules
      .flatMap((module) => module.jobs ?? [])
      .find((job) => job.name === 'loyalty.earnFromEvents');
    for (const { payload } of batches) {
      const { batchId, customerIds, byName } = payload;
      await earn?.run(
        { batchId, customerIds, byName, correlationId: 'again', causationId: null },
        { signal: new AbortController().signal, logger: app.app.infra.logger, attempt: 2, lastAttempt: false },
      );
    }
    expect(await loyaltyOf('ann')).toMatchObject(expected);
    expect(await progress('ann')).toMatchObject({
      entries: { edges: [{ node: { earning: { ruleVersion: 1, campaigns: [] } } }] },
    });
  });

  test('are simulated with what they would give', async () => {
    const asked = await app.query<{ simulateEarning: object }>(
      `query ($id: ID!) { simulateEarning(customerId: $id, event: { name: "session.started" }) {
         customer { externalId } at points tierBefore { key } tierAfter { key }
         earnings { rule points base ruleVersion campaigns { key } refusalCode cap { per limit used left resetsAt } } } }`,
      { id: await customer('ann') },
    );
    expect(asked.simulateEarning).toEqual({
      customer: { externalId: 'ann' },
      at: NOW.toISOString(),
      points: 0,
      tierBefore: { key: 'BRONZE' },
      tierAfter: { key: 'BRONZE' },
      earnings: [
        {
          rule: 'monthly_login',
          points: 0,
          base: 0,
          ruleVersion: 1,
          campaigns: [],
          refusalCode: 'LOYALTY_EARNING_CAP_REACHED',
          cap: { per: 'MONTH', limit: 1, used: 1, left: 0, resetsAt: '2026-12-01T00:00:00.000Z' },
        },
      ],
    });
  });

  test('earn more in a campaign for an RFM segment', async () => {
    const { database } = app.app.infra;
    await change('loyalty.campaigns', {
      stacking: 'BEST',
      campaigns: [
        {
          key: 'champions',
          name: 'Champions',
          validFrom: '2026-11-01T00:00:00Z',
          validUntil: '2026-12-01T00:00:00Z',
          multiplier: 3,
          segment: { rfmSegments: ['CHAMPIONS'] },
        },
      ],
    });
    const [champion, other] = [await customer('champion'), await customer('no champion')];
    await database.query(
      `insert into customer_rfm (customer_id, at, recency_days, orders, revenue_minor, currency, recency_score,
                                 frequency_score, monetary_score, segment, advice)
       select id, now(), 1, 9, 900, 'GBP', 5, 5, 5, 'CHAMPIONS', '{}' from customer where external_id = 'champion'`,
    );
    expect(await award(champion, { rule: 'feedback' })).toMatchObject({ entry: { points: 45 } });
    expect(await award(other, { rule: 'feedback' })).toMatchObject({ entry: { points: 15 } });
    expect(await progress('champion')).toMatchObject({
      entries: { edges: [{ node: { earning: { ruleVersion: 1, base: 15, campaigns: ['champions'] } } }] },
    });
  });

  test('are shown with the rest of the programme', async () => {
    await change('loyalty.campaigns', {
      stacking: 'ADD',
      campaigns: [
        {
          key: 'double_week',
          name: 'Double week',
          validFrom: '2026-11-23T00:00:00Z',
          validUntil: '2026-11-30T00:00:00Z',
          multiplier: 2,
          segment: { plans: ['team'] },
        },
      ],
    });
    const { loyaltyProgram } = await app.query<{ loyaltyProgram: object }>(`{ loyaltyProgram {
      stacking campaigns { key multiplier rules tiers plans validFrom } qualification { window months graceDays }
      orderPoints { minimumUnits multipliers { tier multiplier } maxPointsPerOrder cap { points per } }
      rules { key trigger { event where { field is to } } } } }`);
    expect(loyaltyProgram).toMatchObject({
      stacking: 'ADD',
      campaigns: [
        {
          key: 'double_week',
          multiplier: 2,
          rules: null,
          tiers: null,
          plans: ['team'],
          validFrom: '2026-11-23T00:00:00.000Z',
        },
      ],
      qualification: { window: 'LIFETIME', months: null, graceDays: 0 },
      orderPoints: { minimumUnits: 0, maxPointsPerOrder: null, cap: null },
      rules: [
        { key: 'monthly_login', trigger: { event: 'session.started', where: [] } },
        {
          key: 'feature_usage',
          trigger: { where: [{ field: 'properties.feature', is: 'IN', to: ['reports', 'alerts'] }] },
        },
        { trigger: null },
        { trigger: null },
        { trigger: null },
      ],
    });
  });
});
