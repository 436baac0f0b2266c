import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { type RewardsApp, startRewardsApp } from './api.ts';

let api: RewardsApp;

beforeAll(async () => {
  api = await startRewardsApp();
});
afterAll(() => api.app.close());

const merge = async (fromId: string, intoId: string) => {
  await api.app.query(
    'mutation ($input: MergeCustomersInput!) { mergeCustomers(input: $input) { __typename ... on DomainError { message } } }',
    { input: { fromId, intoId } },
  );
  await api.app.settle();
};
const erase = async (customerId: string) => {
  await api.app.query('mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { __typename } }', {
    input: { customerId },
  });
  await api.app.settle();
};

test('redemptions go along with a customer who is merged, with their limits and their points', async () => {
  const [from, into] = [await api.member('former', 300), await api.member('latter', 50)];
  const rewardId = await api.reward({ cost: 100, limitPerCustomer: 3, stock: 9 });
  const key = newId();
  const one = await api.redeem(from, rewardId, { idempotencyKey: key });
  const two = await api.redeem(from, rewardId);
  const three = await api.redeem(from, rewardId);
  await merge(from, into);
  expect((await api.history('latter'))?.redemptions.edges).toHaveLength(3);
  expect(await api.redeem(into, rewardId)).toMatchObject({ __typename: 'RedemptionLimitReached', left: 0 });
  expect(await api.redeem(from, rewardId)).toMatchObject({ __typename: 'RedemptionLimitReached' });
  expect(await api.redeem(from, rewardId, { idempotencyKey: key })).toMatchObject({
    replayed: true,
    redemption: { id: one.redemption.id, customer: { externalId: 'latter' } },
  });
  expect(await api.fulfil({ voucherCode: one.redemption.voucherCode })).toMatchObject({
    __typename: 'FulfilRedemptionSuccess',
    account: { balance: { available: 50 } },
  });
  expect(await api.cancel({ redemptionId: two.redemption.id })).toMatchObject({
    __typename: 'CancelRedemptionSuccess',
    account: { balance: { available: 150 } },
  });
  // What came back can be spent by the one who lives on, under either id.
  expect(await api.redeem(from, rewardId)).toMatchObject({ account: { balance: { available: 50 } } });
  expect(await api.cancel({ redemptionId: three.redemption.id })).toMatchObject({ redemption: { state: 'CANCELLED' } });
});

test('redemptions of a customer who is erased are over: words and codes go, the stock comes back', async () => {
  const customerId = await api.member('gone', 500);
  const rewardId = await api.reward({ name: 'Forgotten', cost: 100, stock: 5 });
  const open = await api.redeem(customerId, rewardId, { quantity: 2 });
  const used = await api.redeem(customerId, rewardId);
  await api.fulfil({ redemptionId: used.redemption.id, reason: 'handed to Mrs Gone' });
  await erase(customerId);
  const rows = await api.app.app.infra.database.query(
    `select x.quantity, x.state, x.points_state as "pointsState", x.voucher_code as code, x.reason, r.stock
     from loyalty_redemption x join loyalty_reward r on r.id = x.reward_id where r.name = 'Forgotten' order by x.id`,
  );
  expect(rows).toEqual([
    { quantity: 2, state: 'EXPIRED', pointsState: 'TAKEN', code: null, reason: null, stock: 4 },
    { quantity: 1, state: 'FULFILLED', pointsState: 'TAKEN', code: null, reason: null, stock: 4 },
  ]);
  expect(await api.fulfil({ voucherCode: open.redemption.voucherCode })).toMatchObject({
    __typename: 'RedemptionNotFound',
  });
  expect(await api.cancel({ redemptionId: open.redemption.id })).toMatchObject({ state: 'EXPIRED' });
  expect(await api.redeem(customerId, rewardId)).toMatchObject({ __typename: 'CustomerNotFound' });
  const { node } = await api.app.query<{ node: object }>(
    'query ($id: ID!) { node(id: $id) { ... on RewardRedemption { state voucherCode customer { externalId } } } }',
    { id: open.redemption.id },
  );
  expect(node).toMatchObject({ state: 'EXPIRED', voucherCode: null });
});

test('the job that lets redemptions expire is asked for by its schedule', () => {
  const { jobs } = api.app.app.composition;
  expect(jobs.find(({ name }) => name === 'loyalty.expireRedemptions')?.schedule).toBe('*/5 * * * *');
});
