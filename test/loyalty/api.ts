import { newId } from '../../src/core/ids.ts';
import { startTestApp, type TestApp, type TestAppOptions } from '../support/app.ts';

/** The time it is in these tests. */
export const NOW = new Date('2026-11-22T12:00:00.000Z');

export const AWARD = `mutation Award($input: AwardPointsInput!) {
  awardPoints(input: $input) {
    __typename
    ... on AwardPointsSuccess {
      replayed
      entry { id number kind points balanceAfter rule source reason }
      account {
        balance { available } earned tier { name } nextTier { name pointsToGo }
        entries(first: 2) { edges { node { number points } } pageInfo { hasNextPage } }
      }
      tierChange { from { name } to { name benefits } direction }
    }
    ... on DomainError { code path }
    ... on EarningCapReached { left resetsAt }
    ... on RuleNotOpenToTier { tier openTo }
  }
}`;

export interface Awarded {
  readonly __typename: string;
  readonly entry: { readonly id: string };
}

export const LOYALTY = `query ($externalId: String!) {
  customer(externalId: $externalId) {
    loyalty {
      balance { available } earned tier { name }
      entries { edges { node { number kind points balanceAfter rule source reason } } }
    }
  }
}`;

export interface Loyalty {
  readonly balance: { readonly available: number };
  readonly earned: number;
  readonly tier: { readonly name: string };
  readonly entries: {
    readonly edges: readonly { readonly node: { readonly points: number; readonly reason: string | null } }[];
  };
}

const ORDER = `mutation ($input: [OrderInput!]!) {
  upsertOrders(input: $input) { __typename ... on DomainError { message } }
}`;
async function profile(app: TestApp): Promise<object> {
  const { settings } = await app.query<{ settings: { key: string; value: object }[] }>('{ settings { key value } }');
  return settings.find((setting) => setting.key === 'business.profile')?.value ?? {};
}

/** An application whose business reckons in pounds, and the words these tests speak to it in. */
export async function startLoyaltyApp(options: TestAppOptions = {}) {
  const app = await startTestApp({ now: NOW, ...options });
  const change = (key: string, value: unknown) =>
    app.query<{ changeSetting: { __typename: string } }>(
      'mutation ($input: ChangeSettingInput!) { changeSetting(input: $input) { __typename ... on DomainError { message } } }',
      { input: { key, value } },
    );

  async function customer(externalId: string): Promise<string> {
    const { upsertCustomers } = await app.query<{ upsertCustomers: { customer: { id: string } }[] }>(
      `mutation ($input: [CustomerInput!]!) {
       upsertCustomers(input: $input) { ... on UpsertCustomerSuccess { customer { id } } ... on DomainError { message } }
     }`,
      { input: [{ externalId, name: externalId }] },
    );
    return upsertCustomers[0]?.customer.id as string;
  }

  const award = async (customerId: string, input: object) =>
    (await app.query<{ awardPoints: Awarded }>(AWARD, { input: { idempotencyKey: newId(), customerId, ...input } }))
      .awardPoints;

  const loyaltyOf = async (externalId: string) =>
    (await app.query<{ customer: { loyalty: Loyalty | null } | null }>(LOYALTY, { externalId })).customer?.loyalty;

  const order = async (customerExternalId: string, amountMinor: number, more: object = {}) => {
    const input = {
      externalId: newId(),
      customerExternalId,
      amountMinor,
      currency: 'GBP',
      placedAt: NOW.toISOString(),
      ...more,
    };
    await app.query(ORDER, { input: [input] });
    await app.settle();
    return input;
  };

  await change('business.profile', { ...(await profile(app)), reportingCurrency: 'GBP' });
  return { app, change, customer, award, loyaltyOf, order };
}

export type LoyaltyApp = Awaited<ReturnType<typeof startLoyaltyApp>>;
