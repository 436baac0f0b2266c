import { newId } from '../../../src/core/ids.ts';
import { startLoyaltyApp } from '../api.ts';
import { ARCHIVE, CANCEL, CHANGE, CREATE, FIND, FULFIL, HISTORY, LIST, REDEEM } from './documents.ts';

export interface RedemptionShown {
  readonly id: string;
  readonly state: string;
  readonly pointsState: string;
  readonly voucherCode: string;
  readonly reward: { readonly name: string; readonly stock: number | null };
}

/** An answer: of a success, or of a failure. */
export interface Answer {
  readonly __typename: string;
  readonly replayed: boolean;
  readonly redemption: RedemptionShown;
}

export interface HistoryShown {
  readonly balance: { readonly available: number };
  readonly redemptions: {
    readonly edges: readonly { readonly node: { readonly points: number; readonly state: string } }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

interface RewardsPage {
  readonly totalCount: number;
  readonly edges: readonly { readonly node: { readonly name: string } }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** An application with members, and the words these tests speak to it in. */
export async function startRewardsApp() {
  const loyalty = await startLoyaltyApp();
  const { app, customer, award } = loyalty;

  /** A customer with so many points. */
  const member = async (externalId: string, points: number): Promise<string> => {
    const id = await customer(externalId);
    await award(id, { points });
    return id;
  };
  const create = async (input: object) =>
    (
      await app.query<{ createReward: { __typename: string; reward: { id: string } } }>(CREATE, {
        input: { idempotencyKey: newId(), kind: 'VOUCHER', name: 'A reward', cost: 100, ...input },
      })
    ).createReward;
  return {
    ...loyalty,
    member,
    create,
    /** The id of a new reward. */
    reward: async (input: object) => (await create(input)).reward.id,
    alter: async (rewardId: string, input: object) =>
      (await app.query<{ changeReward: object }>(CHANGE, { input: { rewardId, ...input } })).changeReward,
    archive: async (rewardId: string, archived?: boolean) =>
      (await app.query<{ archiveReward: object }>(ARCHIVE, { input: { rewardId, archived } })).archiveReward,
    redeem: async (customerId: string, rewardId: string, input: object = {}) =>
      (
        await app.query<{ redeemReward: Answer }>(REDEEM, {
          input: { idempotencyKey: newId(), customerId, rewardId, ...input },
        })
      ).redeemReward,
    fulfil: async (input: object) =>
      (await app.query<{ answer: Answer }>(FULFIL, { input: { idempotencyKey: newId(), ...input } })).answer,
    cancel: async (input: object) =>
      (await app.query<{ answer: Answer }>(CANCEL, { input: { idempotencyKey: newId(), ...input } })).answer,
    list: async (variables: object = {}) => (await app.query<{ rewards: RewardsPage }>(LIST, { ...variables })).rewards,
    find: async (variables: object) =>
      (await app.query<{ redemption: RedemptionShown | null }>(FIND, { ...variables })).redemption,
    history: async (externalId: string, variables: object = {}) =>
      (await app.query<{ customer: { loyalty: HistoryShown | null } | null }>(HISTORY, { externalId, ...variables }))
        .customer?.loyalty,
  };
}

export type RewardsApp = Awaited<ReturnType<typeof startRewardsApp>>;
