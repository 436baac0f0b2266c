import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NOW } from '../api.ts';
import { brokenInvariants } from '../world.ts';
import { type EngagementApp, startEngagementApp } from './api.ts';

let world: EngagementApp;

beforeAll(async () => {
  world = await startEngagementApp();
});
afterAll(async () => {
  expect(await brokenInvariants(world.app.app.infra.database)).toEqual([]);
  await world.app.close();
});

const codeOf = async (customer: string): Promise<string> =>
  String((await world.mutate('createReferralCode', { customerId: await world.customer(customer) }, 'code')).code);
const attribute = async (code: string, customer: string) =>
  world.mutate(
    'attributeReferral',
    { code, customerId: await world.customer(customer) },
    'replayed referral { state referred { externalId } }',
  );
const balanceOf = async (customer: string) => (await world.memberOf(customer)).balance.available;

describe('a referral', () => {
  test('is rewarded on both sides with the first order, once, and counts as referral.made', async () => {
    const code = await codeOf('ada');
    expect(await codeOf('ada')).toBe(code);
    const typed = code.toLowerCase().replace('-', ' ');
    expect(await attribute(typed, 'bob')).toEqual({
      __typename: 'AttributeReferralSuccess',
      replayed: false,
      referral: { state: 'ATTRIBUTED', referred: { externalId: 'bob' } },
    });
    expect(await attribute(code, 'bob')).toMatchObject({ replayed: true });
    expect((await world.memberOf('ada')).referring).toEqual({ code, waiting: 1, successful: 0 });
    await world.order('bob', 500);
    await world.order('bob', 500);
    expect([await balanceOf('ada'), await balanceOf('bob')]).toEqual([50, 60]);
    const ada = await world.memberOf('ada');
    expect(ada.referring).toEqual({ code, waiting: 0, successful: 1 });
    expect(ada.referrals.edges.map(({ node }) => node)).toEqual([
      { state: 'REWARDED', referrerPoints: 50, referredPoints: 50, referred: { externalId: 'bob' } },
    ]);
    expect(await world.badgesOf('ada')).toEqual(['advocate']);
    const { customer } = await world.app.query<{ customer: { activity: { edges: { node: { name: string } }[] } } }>(
      '{ customer(externalId: "ada") { activity { edges { node { name } } } } }',
    );
    expect(customer.activity.edges.map(({ node }) => node.name)).toEqual(['referral.made']);
    expect(await world.told('loyalty.referralRewarded')).toMatchObject([{ referrerPoints: 50, referredPoints: 50 }]);
  });

  test('is rewarded at once when the order came before the code', async () => {
    const code = await codeOf('cat');
    await world.order('dan', 500);
    await attribute(code, 'dan');
    await world.app.settle();
    expect([await balanceOf('cat'), await balanceOf('dan')]).toEqual([50, 55]);
    expect(await attribute(code, 'dan')).toMatchObject({ replayed: true, referral: { state: 'REWARDED' } });
  });

  test('may be successful by activation instead', async () => {
    await world.change('loyalty.referrals', { ...(await terms()), qualifying: 'ACTIVATION', referredPoints: null });
    const upsert = (status: string) =>
      world.app.query(
        'mutation ($input: [CustomerInput!]!) { upsertCustomers(input: $input) { __typename ... on DomainError { message } } }',
        { input: [{ externalId: 'eva', name: 'Eva', status }] },
      );
    await upsert('TRIAL');
    const code = await codeOf('fin');
    await attribute(code, 'eva');
    await world.app.settle();
    expect(await balanceOf('fin')).toBe(0);
    await upsert('ACTIVE');
    await world.app.settle();
    expect(await balanceOf('fin')).toBe(50);
    await world.change('loyalty.referrals', await terms());
  });
});

const terms = async () => ({
  enabled: true,
  attributionDays: 30,
  qualifying: 'FIRST_ORDER',
  referrerRule: 'referral_successful',
  referredPoints: 50,
});

describe('an attribution is refused', () => {
  const contact = (customerExternalId: string, email: string) =>
    world.app.query(
      'mutation ($input: [ContactInput!]!) { upsertContacts(input: $input) { __typename ... on DomainError { message } } }',
      { input: [{ customerExternalId, email }] },
    );

  test('to oneself, by id and by address', async () => {
    const code = await codeOf('gus');
    expect(await attribute(code, 'gus')).toEqual({
      __typename: 'SelfReferral',
      code: 'LOYALTY_SELF_REFERRAL',
      path: ['code'],
    });
    await contact('gus', 'gus@mail.example');
    await contact('gus-two', 'GUS@mail.example');
    expect(await attribute(code, 'gus-two')).toMatchObject({ __typename: 'SelfReferral' });
  });

  test('to a code nobody has, to a second code, in a circle, and too late', async () => {
    expect(await attribute('00000-00000', 'ida')).toMatchObject({ __typename: 'ReferralCodeNotFound' });
    const codes = { a: await codeOf('ring-a'), b: await codeOf('ring-b'), c: await codeOf('ring-c') };
    await attribute(codes.a, 'ring-b');
    await attribute(codes.b, 'ring-c');
    expect(await attribute(codes.c, 'ring-a')).toMatchObject({ __typename: 'ReferralCycle' });
    expect(await attribute(codes.a, 'ring-c')).toMatchObject({ __typename: 'AlreadyReferred' });
    const old = async (externalId: string, signupAt: Date) => {
      await world.app.query(
        'mutation ($input: [CustomerInput!]!) { upsertCustomers(input: $input) { __typename ... on DomainError { message } } }',
        { input: [{ externalId, name: externalId, signupAt: signupAt.toISOString() }] },
      );
      return attribute(codes.a, externalId);
    };
    const days = 30 * 24 * 3_600_000;
    expect(await old('just-late', new Date(NOW.getTime() - days))).toMatchObject({ __typename: 'ReferralTooLate' });
    expect(await old('just-right', new Date(NOW.getTime() - days + 1))).toMatchObject({ replayed: false });
  });

  test('where the business does not offer it', async () => {
    const code = await codeOf('jo');
    await world.change('loyalty.referrals', { ...(await terms()), enabled: false });
    expect(await attribute(code, 'kim')).toMatchObject({ __typename: 'ReferralsDisabled' });
    await world.change('loyalty.referrals', await terms());
  });
});

test('two who name each other at once do not both succeed', async () => {
  for (let round = 0; round < 5; round += 1) {
    const [one, other] = [`one-${round}`, `other-${round}`];
    const codes = [await codeOf(one), await codeOf(other)] as const;
    const answers = await Promise.all([attribute(codes[0], other), attribute(codes[1], one)]);
    expect(answers.map(({ __typename }) => __typename).sort()).toEqual(['AttributeReferralSuccess', 'ReferralCycle']);
  }
});

test('when the two are merged, the referral comes to nothing', async () => {
  const code = await codeOf('mia');
  await attribute(code, 'ned');
  await world.app.query(
    'mutation ($input: MergeCustomersInput!) { mergeCustomers(input: $input) { __typename ... on DomainError { message } } }',
    { input: { fromId: await world.customer('ned'), intoId: await world.customer('mia') } },
  );
  await world.app.settle();
  await world.order('mia', 500);
  expect(await balanceOf('mia')).toBe(5);
  expect((await world.memberOf('mia')).referring).toEqual({ code, waiting: 0, successful: 0 });
});
