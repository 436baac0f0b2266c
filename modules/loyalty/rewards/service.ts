import { randomBytes } from 'node:crypto';
import { type Call, systemCall } from '../../../src/core/call.ts';
import { createGroupCommit } from '../../../src/core/database/index.ts';
import { DomainError, RequestInFlight } from '../../../src/core/errors.ts';
import type { Infrastructure } from '../../../src/core/module.ts';
import type { CustomerPort } from '../../customers/contract.ts';
import type { RandomBytes } from './domain/voucher.ts';
import {
  type CloseInput,
  type CloseRequest,
  closeRequest,
  type RedeemInput,
  type RedeemRequest,
  redeemRequest,
} from './inputs.ts';
import type { RewardLedger } from './ledger.ts';
import { expiredRedemptions, findRedemptions, type RedemptionName, type RedemptionRow } from './queries.ts';
import { countRewards, listRewards, type RewardFilter, type RewardRow, rewardsByIds } from './queries-rewards.ts';
import {
  archiveReward,
  type ChangeRewardInput,
  type CreateRewardInput,
  changeReward,
  createReward,
} from './service-catalogue.ts';
import { closeBatch } from './service-close.ts';
import { type Redeemed, type RedemptionPorts, redeemBatch } from './service-redeem.ts';
import { EXPIRED_REDEMPTIONS } from './settings.ts';

/** What is asked of the catalogue: `availableTo` may be a former id of a customer. */
export type CatalogueQuestion = Omit<RewardFilter, 'availableTo'> & {
  readonly availableTo: { readonly customerId: string; readonly affordable: boolean } | null;
};

/** Rewards and what customers make of them. */
export interface RewardsService {
  createReward(call: Call, input: CreateRewardInput): Promise<RewardRow>;
  changeReward(call: Call, input: ChangeRewardInput): Promise<RewardRow>;
  archiveReward(call: Call, input: { readonly rewardId: string; readonly archived: boolean }): Promise<RewardRow>;
  /** The cheapest first. */
  rewards(
    question: CatalogueQuestion,
    page: { readonly limit: number; readonly after: { readonly cost: number; readonly id: string } | null },
  ): Promise<RewardRow[]>;
  countRewards(question: CatalogueQuestion): Promise<number>;
  /** One per id, in order; null for what is unknown. */
  rewardsByIds(ids: readonly string[]): Promise<(RewardRow | null)[]>;
  /** @throws DomainError that says why nothing was exchanged */
  redeemReward(call: Call, input: RedeemInput): Promise<Redeemed>;
  fulfilRedemption(call: Call, input: CloseInput): Promise<Redeemed>;
  cancelRedemption(call: Call, input: CloseInput): Promise<Redeemed>;
  redemption(name: RedemptionName): Promise<RedemptionRow | null>;
  /** One per id, in order; null for what is unknown. */
  redemptionsByIds(ids: readonly string[]): Promise<(RedemptionRow | null)[]>;
  /** Closes redemptions whose time is over, a bounded batch per transaction. @returns how many */
  expireRedemptions(signal?: AbortSignal): Promise<number>;
}

/** What the service stands on. */
export interface RewardsFoundation extends Pick<Infrastructure, 'database' | 'settings' | 'clock' | 'systemClock'> {
  readonly ledger: RewardLedger;
  readonly customers: Pick<CustomerPort, 'survivors'>;
  /** Default: the machine's cryptographic source. */
  readonly random?: RandomBytes;
}

/** Name of the job behind `expireRedemptions`. */
export const EXPIRE_JOB = 'loyalty.expireRedemptions';

/** Bounds of the queue before the shelf: a batch stays short, and who comes when it is full is told to wait. */
const MAX_BATCH = 256;
const MAX_QUEUED = 20_000;
/** How long a repeated request waits for the first: many times what one takes, and less than callers wait. */
const REPEAT_WAIT_MS = 1_000;
/** Write transactions hold readers of the outbox back, so each closes few. */
const EXPIRE_BATCH = 500;

/** Makes the service; it holds nothing but its queue. */
export function createRewardsService(foundation: RewardsFoundation): RewardsService {
  const { database, settings, clock, systemClock, ledger, customers, random = randomBytes } = foundation;
  const ports: RedemptionPorts = { clock, ledger, random };
  const catalogue = { clock, systemClock };
  const commit = createGroupCommit<RedeemRequest, Redeemed>({
    database,
    what: 'The catalogue of rewards',
    run: (tx, requests) => redeemBatch(tx, ports, requests),
    maxBatch: MAX_BATCH,
    maxQueued: MAX_QUEUED,
    // Not the reward, though its stock is locked as well: a batch that waits for it has all else behind it by then.
    keyOf: ({ customerId }) => customerId,
    repeats: {
      nameOf: ({ key }) => key,
      waitMs: REPEAT_WAIT_MS,
      tooLong: ({ key }) => new RequestInFlight(key, REPEAT_WAIT_MS),
    },
    transaction: { pipelined: true },
  });

  const close = async (request: CloseRequest): Promise<Redeemed> => {
    const [answer] = await database.transaction((tx) => closeBatch(tx, ports, [request]));
    if (answer instanceof DomainError) throw answer;
    return answer as Redeemed;
  };
  const filterOf = async ({ availableTo, ...question }: CatalogueQuestion): Promise<RewardFilter> => {
    if (availableTo === null) return { ...question, availableTo };
    const { customerId, affordable } = availableTo;
    const survivor = (await customers.survivors([customerId])).get(customerId) ?? customerId;
    return { ...question, availableTo: { customerId: survivor, affordable, at: clock.now() } };
  };

  return {
    createReward: (call, input) => database.transaction((tx) => createReward(tx, catalogue, call, input)),
    changeReward: (call, input) => database.transaction((tx) => changeReward(tx, catalogue, call, input)),
    archiveReward: (call, input) => database.transaction((tx) => archiveReward(tx, catalogue, call, input)),
    rewards: async (question, page) => listRewards(database, await filterOf(question), page),
    countRewards: async (question) => countRewards(database, await filterOf(question)),
    rewardsByIds: async (ids) => inOrder(ids, await rewardsByIds(database, ids)),
    redeemReward: async (call, input) => commit(redeemRequest(call, input)),
    fulfilRedemption: async (call, input) => close(closeRequest(call, 'fulfil', input)),
    cancelRedemption: async (call, input) => close(closeRequest(call, 'cancel', input)),
    redemption: async (name) => (await findRedemptions(database, [name]))[0] ?? null,
    redemptionsByIds: async (ids) =>
      inOrder(
        ids,
        await findRedemptions(
          database,
          ids.map((id) => ({ id, voucherCode: null })),
        ),
      ),
    async expireRedemptions(signal) {
      const call = systemCall(EXPIRE_JOB);
      let expired = 0;
      for (;;) {
        signal?.throwIfAborted();
        const points = await settings.get(EXPIRED_REDEMPTIONS);
        const ids = await expiredRedemptions(database, clock.now(), EXPIRE_BATCH);
        const requests: CloseRequest[] = ids.map((id) => {
          const redemption = { id, voucherCode: null };
          return { call, name: null, redemption, step: { kind: 'expire', points }, reason: null };
        });
        const answers = await database.transaction((tx) => closeBatch(tx, ports, requests));
        const closed = answers.filter((answer) => !(answer instanceof DomainError)).length;
        expired += closed;
        // None at all: what is left was closed by others, or cannot be closed.
        if (ids.length < EXPIRE_BATCH || closed === 0) return expired;
      }
    },
  };
}

function inOrder<Row extends { readonly id: string }>(ids: readonly string[], rows: readonly Row[]): (Row | null)[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? null);
}
