import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOYALTY_SCORE } from '../../../modules/loyalty/standing/settings.ts';
import { systemCall } from '../../../src/core/call.ts';
import { encodeCursor, ORIGIN } from '../../../src/core/events/index.ts';
import { subscribe } from '../../support/subscriber.ts';
import { NOW } from '../api.ts';
import { ADVOCATE, type Standing, type StandingApp, startStandingApp } from './world.ts';

const DAY_MS = 86_400_000;
const call = systemCall('test');

let world: StandingApp;
let app: typeof world.app;

beforeAll(async () => {
  world = await startStandingApp();
  app = world.app;
});
afterAll(async () => {
  await app.close();
});

const valuesOf = ({ loyaltyScore }: Standing) =>
  Object.fromEntries((loyaltyScore?.parts ?? []).map(({ name, value }) => [name, value]));

describe('the loyalty score of a customer', () => {
  test('is 0 of a customer of whom nothing is known, and says so; it is in the lowest band', async () => {
    await world.customer('quiet');
    await app.settle();
    const quiet = await world.standing('quiet');
    expect(quiet.loyaltyScore).toMatchObject({ score: 0, band: 'SATISFIED', coverage: 0 });
    expect(quiet.loyaltyJourney).toMatchObject({ stage: 'ONBOARDING', strength: 0, stay: null });
    expect(quiet.loyalty).toBeNull();
  });

  test('follows what happens, before and after it reached the history engine; the event names its cause', async () => {
    const customerId = await world.customer('ada');
    await app.settle();
    const follower = subscribe<object>({
      url: `${app.server.url}/graphql`,
      key: app.adminKey,
      field: 'bandChanged',
      query: `subscription ($customerId: ID!, $after: Cursor) {
        bandChanged(customerId: $customerId, after: $after) { from to score previousScore coverage causationId customer { externalId } }
      }`,
      variables: { customerId, after: encodeCursor(ORIGIN) },
    });
    await world.record('ada', ADVOCATE);
    const loyal = await world.standing('ada');
    expect(valuesOf(loyal)).toEqual({
      USAGE_FREQUENCY: 100,
      FEATURE_ADOPTION: 100,
      SUPPORT_INTERACTIONS: null,
      NPS: 90,
      REFERRALS: 100,
      RENEWALS: null,
    });
    expect(loyal.loyaltyScore).toMatchObject({ score: 73, band: 'LOYAL', coverage: 0.75 });

    const before = app.clock?.now() as Date;
    app.clock?.advance(3_600_000);
    await world.helped('ada');
    const champion = await world.standing('ada');
    expect(champion.loyaltyScore).toMatchObject({ score: 93, band: 'CHAMPION', coverage: 1 });
    expect(champion.loyaltyJourney).toMatchObject({ stage: 'ADVOCACY', stay: { basis: 'SUBSCRIPTION' } });
    const [first] = await follower.arrived(1);
    expect(first).toMatchObject({ from: 'SATISFIED', to: 'LOYAL', score: 73, customer: { externalId: 'ada' } });
    const last = (await follower.arrived(2)).at(-1);
    // By the ticket alone, or by both: they may be reckoned one after the other.
    expect(last).toMatchObject({ from: 'LOYAL', to: 'CHAMPION', causationId: expect.any(String) });
    follower.cut();

    expect((await world.standing('ada', before)).loyaltyScore).toMatchObject({
      score: 73,
      band: 'LOYAL',
      coverage: 0.75,
    });
    expect((await world.standing('ada', new Date(NOW.getTime() - DAY_MS))).loyaltyScore).toBeNull();
    expect(champion.loyaltyScoreHistory[0]).toEqual({ score: 93, band: 'CHAMPION' });
    expect(champion.loyaltyScoreHistory.at(-1)).toEqual({ score: 0, band: 'SATISFIED' });
  });

  test('is read with the account, also in the answer of a mutation', async () => {
    const customerId = await world.customer('ada');
    const { awardPoints } = await app.query<{ awardPoints: object }>(
      `mutation ($input: AwardPointsInput!) {
         awardPoints(input: $input) { ... on AwardPointsSuccess { account { balance { available } score { score band } journey { stage } } } }
       }`,
      { input: { idempotencyKey: 'ada-1', customerId, points: 70 } },
    );
    expect(awardPoints).toEqual({
      account: {
        balance: { available: 70 },
        score: { score: 93, band: 'CHAMPION' },
        journey: { stage: 'ADVOCACY' },
      },
    });
    expect((await world.standing('ada')).loyalty).toEqual({ score: { score: 93 }, journey: { stage: 'ADVOCACY' } });
  });

  test('goes by the setting, when everybody is reckoned anew', async () => {
    const { default: rules } = LOYALTY_SCORE;
    await world.change(LOYALTY_SCORE.key, { ...rules, bands: { champion: 95, loyal: 65, engaged: 50 } });
    await app.app.composition.services.standing.reckonAll(call);
    expect((await world.standing('ada')).loyaltyScore).toMatchObject({ score: 93, band: 'LOYAL' });
    await world.change(LOYALTY_SCORE.key, rules);
    expect(await app.app.composition.services.standing.reckonAll(call)).toMatchObject({ changed: 1 });
    expect((await world.standing('ada')).loyaltyScore).toMatchObject({ band: 'CHAMPION' });
  });

  test('finds customers, and puts all of them in exactly one band', async () => {
    await world.order('bea', 12_00);
    const { customers, loyaltySegmentation } = await app.query<{
      customers: { totalCount: number; edges: readonly { node: { externalId: string } }[] };
      loyaltySegmentation: { customers: number; unplaced: number; segments: readonly object[] };
    }>(/* GraphQL */ `
      query Find {
        customers(filter: { loyaltyBand: [CHAMPION, LOYAL] }, orderBy: { by: LOYALTY_SCORE, direction: DESC }) {
          totalCount
          edges { node { externalId } }
        }
        loyaltySegmentation { customers unplaced segments { band from customers share members nonMembers points meanScore } }
      }
    `);
    expect(customers).toEqual({ totalCount: 1, edges: [{ node: { externalId: 'ada' } }] });
    expect(loyaltySegmentation).toMatchObject({ customers: 3, unplaced: 0 });
    expect(loyaltySegmentation.segments).toEqual([
      { band: 'CHAMPION', from: 80, customers: 1, share: 1 / 3, members: 1, nonMembers: 0, points: 70, meanScore: 93 },
      { band: 'LOYAL', from: 65, customers: 0, share: 0, members: 0, nonMembers: 0, points: 0, meanScore: null },
      { band: 'ENGAGED', from: 50, customers: 0, share: 0, members: 0, nonMembers: 0, points: 0, meanScore: null },
      // One of them ordered today: rarely active, 6.25 of 100.
      {
        band: 'SATISFIED',
        from: 0,
        customers: 2,
        share: 2 / 3,
        members: 1,
        nonMembers: 1,
        points: 12,
        meanScore: 3.13,
      },
    ]);
  });

  test('revenue of a band is what its customers are worth so far; a part of the customers can be looked at', async () => {
    await app.app.composition.services.value.refresh(call);
    await app.settle();
    const { loyaltySegmentation } = await app.query<{ loyaltySegmentation: { segments: readonly object[] } }>(`{
      loyaltySegmentation(filter: { loyaltyBand: [SATISFIED] }) {
        customers segments { customers revenue { amountMinor currency } revenueShare }
      }
    }`);
    expect(loyaltySegmentation).toMatchObject({ customers: 2 });
    expect(loyaltySegmentation.segments.at(-1)).toEqual({
      customers: 2,
      revenue: { amountMinor: 1200, currency: 'GBP' },
      revenueShare: 1,
    });
  });
});

describe('the journey of a customer', () => {
  const TOUCHPOINTS = /* GraphQL */ `
    query Touchpoints($externalId: String!, $first: Int!, $after: String) {
      customer(externalId: $externalId) {
        loyaltyJourney {
          touchpoints(first: $first, after: $after) { edges { node { kind summary at } } pageInfo { hasNextPage endCursor } }
        }
      }
    }
  `;
  interface Answer {
    readonly customer: {
      readonly loyaltyJourney: {
        readonly touchpoints: {
          readonly edges: readonly {
            readonly node: { readonly kind: string; readonly summary: string; readonly at: string };
          }[];
          readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
        };
      };
    };
  }
  const page = async (first: number, after: string | null) =>
    (await app.query<Answer>(TOUCHPOINTS, { externalId: 'ada', first, after })).customer.loyaltyJourney.touchpoints;

  test('has what moved it, newest first, and the same in pages of any size', async () => {
    const customerId = await world.customer('ada');
    await world.award(customerId, { points: 1_000 });
    await app.query(
      'mutation ($input: RedeemPointsInput!) { redeemPoints(input: $input) { __typename ... on DomainError { message } } }',
      { input: { idempotencyKey: 'ada-2', customerId, points: 30 } },
    );
    await app.settle();
    const all = await page(100, null);
    const nodes = all.edges.map(({ node }) => node);
    expect(all.pageInfo.hasNextPage).toBe(false);
    expect(nodes.map(({ at }) => at)).toEqual(nodes.map(({ at }) => at).sort((a, b) => (a < b ? 1 : -1)));
    expect(new Set(nodes.map(({ kind }) => kind))).toEqual(
      new Set([
        'SIGNED_UP',
        'JOINED',
        'SUBSCRIPTION_STARTED',
        'TICKET_OPENED',
        'TICKET_SOLVED',
        'SURVEY_ANSWERED',
        'REFERRAL_MADE',
        'TIER_CHANGED',
        'POINTS_REDEEMED',
        'BAND_CHANGED',
        'STAGE_CHANGED',
      ]),
    );
    expect(nodes.map(({ summary }) => summary)).toEqual(
      expect.arrayContaining([
        'tier: from bronze to silver',
        'spent 30 points',
        'answered 9 (NPS)',
        'loyalty: from loyal to champion',
      ]),
    );
    const paged: typeof nodes = [];
    for (let after: string | null = null; ; ) {
      const next: Awaited<ReturnType<typeof page>> = await page(3, after);
      paged.push(...next.edges.map(({ node }) => node));
      if (!next.pageInfo.hasNextPage) break;
      after = next.pageInfo.endCursor;
    }
    expect(paged).toEqual(nodes);
  });

  test('is kept month by month', async () => {
    app.clock?.set(new Date('2026-12-20T12:00:00Z'));
    await app.app.composition.services.standing.reckonAll(call);
    const { loyaltyJourney } = await world.standing('ada');
    expect(loyaltyJourney?.history).toMatchObject([
      // Four weeks without use: monthly, 50 instead of 100.
      { month: '2026-12-01', score: 80.5, band: 'CHAMPION', stage: 'ADVOCACY', stay: { basis: 'SUBSCRIPTION' } },
      { month: '2026-11-01', score: 93, band: 'CHAMPION', stage: 'ADVOCACY' },
    ]);
    const quiet = (await world.standing('quiet')).loyaltyJourney;
    expect(quiet?.history.map(({ month }) => month)).toEqual(['2026-12-01', '2026-11-01']);
    app.clock?.set(new Date(NOW.getTime() + 7_200_000));
  });
});

describe('ambassadors', () => {
  const INVITE = /* GraphQL */ `
    mutation Invite($input: InviteAmbassadorInput!) {
      inviteAmbassador(input: $input) {
        __typename
        ... on InviteAmbassadorSuccess { alreadyInvited ambassador { state eligible referrals lastNps customer { externalId } } }
        ... on NotAnAmbassador { code lacks }
      }
    }
  `;
  const THANK = /* GraphQL */ `
    mutation Thank($input: ThankAmbassadorInput!) {
      thankAmbassador(input: $input) {
        __typename
        ... on ThankAmbassadorSuccess { alreadyThanked ambassador { state } }
        ... on DomainError { code }
      }
    }
  `;
  const list = async (states?: readonly string[]) => {
    const { loyaltyAmbassadors } = await app.query<{
      loyaltyAmbassadors: { edges: readonly { node: { state: string; customer: { externalId: string } } }[] };
    }>(
      'query ($states: [AmbassadorState!]) { loyaltyAmbassadors(states: $states) { edges { node { state customer { externalId } } } } }',
      {
        states,
      },
    );
    return loyaltyAmbassadors.edges.map(({ node }) => `${node.customer.externalId} ${node.state}`);
  };
  const events = async (type: string) =>
    (await app.app.infra.database.query<{ type: string }>('select type from outbox_event where type = $1', [type]))
      .length;

  test('are Champions who referred and would recommend; each is invited once and thanked once', async () => {
    const eva = await world.customer('eva');
    await world.record('eva', ADVOCATE);
    await world.helped('eva');
    expect(await list()).toEqual(['ada CANDIDATE', 'eva CANDIDATE']);
    const input = { customerId: eva };
    expect(await app.query(THANK, { input })).toEqual({
      thankAmbassador: { __typename: 'AmbassadorNotInvited', code: 'LOYALTY_AMBASSADOR_NOT_INVITED' },
    });
    const invited = await Promise.all([app.query(INVITE, { input }), app.query(INVITE, { input })]);
    const ambassador = { state: 'INVITED', eligible: true, referrals: 5, lastNps: 9, customer: { externalId: 'eva' } };
    const answer = (alreadyInvited: boolean) => ({
      inviteAmbassador: { __typename: 'InviteAmbassadorSuccess', alreadyInvited, ambassador },
    });
    expect(invited).toEqual(expect.arrayContaining([answer(false), answer(true)]));
    expect(await events('loyalty.ambassadorInvited')).toBe(1);
    expect([await list(['CANDIDATE']), await list(['INVITED'])]).toEqual([['ada CANDIDATE'], ['eva INVITED']]);

    await app.query(THANK, { input });
    expect(await app.query(THANK, { input })).toMatchObject({ thankAmbassador: { alreadyThanked: true } });
    expect(await list(['INVITED', 'THANKED'])).toEqual(['eva THANKED']);
    expect(await events('loyalty.ambassadorThanked')).toBe(1);
  });

  test('nobody else is invited, and the answer says why', async () => {
    expect(await app.query(INVITE, { input: { customerId: await world.customer('bea') } })).toEqual({
      inviteAmbassador: {
        __typename: 'NotAnAmbassador',
        code: 'LOYALTY_NOT_AN_AMBASSADOR',
        lacks: ['BAND', 'REFERRAL', 'NPS'],
      },
    });
    const reader = await app.createKey(['customers:read', 'loyalty:read']);
    const refused = await app.ask(
      INVITE,
      { input: { customerId: await world.customer('bea') } },
      { authorization: `Bearer ${reader}` },
    );
    expect(refused.errors?.[0]?.message).toMatch(/loyalty:award/);
  });

  test('an invitation follows a merge, and an erasure leaves nothing behind', async () => {
    const [eva, twin] = [await world.customer('eva'), await world.customer('twin')];
    await app.query(
      'mutation ($input: MergeCustomersInput!) { mergeCustomers(input: $input) { __typename ... on DomainError { message } } }',
      { input: { fromId: eva, intoId: twin } },
    );
    await app.settle();
    expect(await list(['INVITED', 'THANKED'])).toEqual(['twin THANKED']);
    // Events stay under the id they named, and count for whoever lives on.
    expect((await world.standing('twin')).loyaltyScore).toMatchObject({ score: 93, band: 'CHAMPION' });
    await app.query(
      'mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { __typename ... on DomainError { message } } }',
      { input: { customerId: twin } },
    );
    await app.settle();
    const left = await app.app.infra.database.query<{ rows: number }>(
      `select (select count(*) from loyalty_standing) + (select count(*) from loyalty_ambassador) as rows`,
    );
    // Ada, Bea and the quiet one.
    expect(left).toEqual([{ rows: 3 }]);
  });
});

test('who refers by the programme and chooses a reward is reckoned at once, and has it in its story', async () => {
  const [gus, hal] = [await world.customer('gus'), await world.customer('hal')];
  const one = async <Payload>(name: string, input: object, fields: string) => {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    const text = `mutation ($input: ${type}Input!) { ${name}(input: $input) { ... on ${type}Success { ${fields} } ... on DomainError { message } } }`;
    return (await app.query<Record<string, Payload>>(text, { input }))[name] as Payload;
  };
  const { code } = await one<{ code: string }>('createReferralCode', { customerId: gus }, 'code');
  await one('attributeReferral', { code, customerId: hal }, 'replayed');
  await world.order('hal', 500);
  const reward = { idempotencyKey: 'reward', name: 'Mug', kind: 'GOODS', cost: 40 };
  const created = await one<{ reward: { id: string } }>('createReward', reward, 'reward { id }');
  await one('redeemReward', { idempotencyKey: 'mug', customerId: gus, rewardId: created.reward.id }, 'replayed');
  await app.settle();
  expect(valuesOf(await world.standing('gus'))).toMatchObject({ REFERRALS: 20 });
  const { customer } = await app.query<{ customer: { loyaltyJourney: object } }>(
    '{ customer(externalId: "gus") { loyaltyJourney { stage touchpoints { edges { node { summary } } } } } }',
  );
  expect(customer.loyaltyJourney).toMatchObject({ stage: 'ADVOCACY' });
  expect(JSON.stringify(customer)).toContain('chose a reward for 40 points');
  expect(JSON.stringify(customer)).toContain('brought another customer');
});
