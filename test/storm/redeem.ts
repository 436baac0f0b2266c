import { newId } from '../../src/core/ids.ts';
import { ask, askOnce, insist, type Random, type Tally } from './line.ts';
import { type Acknowledged, awardPoints, type Clients, createCustomers, runClients } from './load.ts';
import type { ServerProcess } from './server-process.ts';

const SHOPPERS = 8;
const POINTS = 100_000;
const COST = 3;
/** What there is of each reward at first: more than a storm can take. */
export const STOCK = 1_000_000;
/** One request in so many is sent again although it was acknowledged. */
const REPEAT = 6;

const CREATE = /* GraphQL */ `
  mutation Create($input: CreateRewardInput!) {
    createReward(input: $input) { ... on CreateRewardSuccess { reward { id } } ... on DomainError { code message } }
  }
`;
const REDEEM = /* GraphQL */ `
  mutation Redeem($input: RedeemRewardInput!) {
    answer: redeemReward(input: $input) {
      ... on RedeemRewardSuccess { redemption { id } }
      ... on DomainError { code message }
    }
  }
`;
const FULFIL = /* GraphQL */ `
  mutation Fulfil($input: FulfilRedemptionInput!) {
    answer: fulfilRedemption(input: $input) {
      ... on FulfilRedemptionSuccess { redemption { id } }
      ... on DomainError { code message }
    }
  }
`;
const CANCEL = /* GraphQL */ `
  mutation Cancel($input: CancelRedemptionInput!) {
    answer: cancelRedemption(input: $input) {
      ... on CancelRedemptionSuccess { redemption { id } }
      ... on DomainError { code message }
    }
  }
`;

/** Clients that redeem a reward and then fulfil, cancel or keep what they got, each by keys that come again. */
export async function redeemers(options: {
  readonly server: Pick<ServerProcess, 'up'>;
  readonly random: Random;
  readonly tally: Tally;
  readonly acknowledged: Acknowledged;
  readonly clients: number;
}): Promise<Clients> {
  const { server, random, tally, acknowledged } = options;
  const shoppers = Array.from({ length: SHOPPERS }, (_, n) => `shopper-${n}`);
  const ids = await createCustomers(server, shoppers);
  for (const shopper of shoppers) {
    const award = { key: `award-${shopper}`, customerId: ids.get(shopper), points: POINTS };
    acknowledged.awards.set(award.key, await insist(server, (url) => awardPoints(url, award)));
    acknowledged.points.set(shopper, POINTS);
  }
  const input = { idempotencyKey: newId(), name: 'A reward', kind: 'GOODS', cost: COST, stock: STOCK };
  const { createReward } = await insist(server, (url) =>
    ask<{ createReward: { readonly reward: { readonly id: string } } }>(url, CREATE, { input }),
  );
  const rewardId = createReward.reward.id;

  /** The id of the redemption that is answered. */
  const exchange = async (document: string, request: object): Promise<string> => {
    const answer = await insist(server, (url) =>
      askOnce<{ readonly redemption?: { readonly id: string } }>(url, 'answer', document, { input: request }),
    );
    if (answer.redemption === undefined) throw new Error(`${JSON.stringify(request)}: ${JSON.stringify(answer)}`);
    return answer.redemption.id;
  };

  const redeemOnce = async (n: number) => {
    const shopper = shoppers[n % SHOPPERS] as string;
    const key = `redeem-${n}`;
    const { redemptions, points } = acknowledged;
    const before = redemptions.get(key);
    const id = await exchange(REDEEM, { idempotencyKey: key, customerId: ids.get(shopper), rewardId });
    if (before !== undefined && before.id !== id) throw new Error(`${key} was answered by ${before.id} and by ${id}`);
    redemptions.set(key, redemptions.get(key) ?? { id, state: 'OPEN' });
    tally.add('redemptions');
    if (n % 3 === 0) return;
    const state = n % 3 === 1 ? 'FULFILLED' : 'CANCELLED';
    await exchange(n % 3 === 1 ? FULFIL : CANCEL, { idempotencyKey: `${key}-closed`, redemptionId: id });
    if (state === 'FULFILLED' && redemptions.get(key)?.state === 'OPEN') {
      points.set(shopper, (points.get(shopper) ?? 0) - COST);
    }
    redemptions.set(key, { id, state });
  };
  let redeems = 0;
  const again = () => redeems > REPEAT && random.between(0, REPEAT) === 0;
  return runClients(options.clients, [() => redeemOnce(again() ? random.between(0, redeems) : redeems++)]);
}
