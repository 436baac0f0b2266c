/** What these tests ask the API. */

export const CREATE = `mutation ($input: CreateRewardInput!) {
  createReward(input: $input) {
    __typename
    ... on CreateRewardSuccess { reward { id name stock cost lowestTier { key } } }
    ... on DomainError { code message path }
  }
}`;

export const CHANGE = `mutation ($input: ChangeRewardInput!) {
  changeReward(input: $input) {
    __typename
    ... on ChangeRewardSuccess { reward { name description cost stock validUntil limitPerCustomer } }
    ... on DomainError { code path }
  }
}`;

export const ARCHIVE = `mutation ($input: ArchiveRewardInput!) {
  archiveReward(input: $input) {
    __typename
    ... on ArchiveRewardSuccess { reward { archivedAt } }
    ... on DomainError { code path }
  }
}`;

const REDEMPTION = `redemption {
  id state pointsState quantity points voucherCode redeemedAt expiresAt closedAt reason
  reward { name stock } customer { externalId }
}`;

export const REDEEM = `mutation ($input: RedeemRewardInput!) {
  redeemReward(input: $input) {
    __typename
    ... on RedeemRewardSuccess { replayed ${REDEMPTION} account { balance { available } } }
    ... on DomainError { code path }
    ... on RewardNotAvailable { why }
    ... on OutOfStock { left }
    ... on RedemptionLimitReached { limit left }
    ... on InsufficientPoints { available needed }
  }
}`;

const closing = (name: string) => `mutation ($input: ${name}RedemptionInput!) {
  answer: ${name.toLowerCase()}Redemption(input: $input) {
    __typename
    ... on ${name}RedemptionSuccess { replayed ${REDEMPTION} account { balance { available } } }
    ... on DomainError { code path }
    ... on RedemptionNotOpen { state }
  }
}`;
export const FULFIL = closing('Fulfil');
export const CANCEL = closing('Cancel');

export const LIST = `query ($first: Int! = 100, $after: String, $filter: RewardFilter) {
  rewards(first: $first, after: $after, filter: $filter) {
    totalCount edges { node { name } } pageInfo { hasNextPage endCursor }
  }
}`;

export const FIND = `query ($id: ID, $voucherCode: String) {
  redemption(id: $id, voucherCode: $voucherCode) { id state reward { name } }
}`;

export const HISTORY = `query ($externalId: String!, $first: Int! = 20, $after: String) {
  customer(externalId: $externalId) {
    loyalty {
      balance { available }
      redemptions(first: $first, after: $after) {
        edges { node { points state reward { name } } } pageInfo { hasNextPage endCursor }
      }
    }
  }
}`;
