import type { Readable } from 'node:stream';
import type { Call } from '../../src/core/call.ts';
import { createGroupCommit, type Tx } from '../../src/core/database/index.ts';
import { DomainError, RequestInFlight } from '../../src/core/errors.ts';
import { enqueue } from '../../src/core/jobs.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import { BUSINESS } from '../../src/core/settings/index.ts';
import type { CustomerPort } from '../customers/contract.ts';
import type { LoyaltyPort } from './contract.ts';
import type { Tier } from './domain/tiers.ts';
import {
  type AdjustInput,
  type AwardInput,
  adjustCommand,
  awardCommand,
  type HoldInput,
  holdCommand,
  type LedgerRequest,
  namesEntry,
  type Posted,
  type RedeemInput,
  type ReverseInput,
  redeemCommand,
  requestOf,
  reverseCommand,
  type SettleInput,
  settleCommand,
} from './ledger/commands.ts';
import type { Sums } from './ledger/domain/ledger.ts';
import { countCustomersWithoutAccount } from './ledger/queries.ts';
import { type BalanceAt, type Expiring, expiringNext, expiringNextAsOf, sumsAsOf } from './ledger/queries-reads.ts';
import { expireLots, voidTimedOut } from './ledger/service-expiry.ts';
import { accountsOf, type Enrolled, enrol, enrolEverybody } from './ledger/service-membership.ts';
import { createKnownAccounts, createOptimisticPosting } from './ledger/service-optimistic.ts';
import { type PostingPorts, postBatch } from './ledger/service-posting.ts';
import { type Period, statementFile } from './ledger/service-statement.ts';
import { createLoyaltyPort } from './port.ts';
import { type Programme, readProgramme } from './programme/programme.ts';
import { type SimulateInput, type Simulation, simulateEarning } from './programme/service-simulate.ts';
import { createTierService, type TierService } from './programme/service-tiers.ts';
import { type TraitPorts, traitsOf } from './programme/service-traits.ts';
import { MAX_POINTS_PER_AWARD, TIERS } from './settings.ts';

/** What `loyalty` does when asked now. */
export interface LoyaltyService extends LoyaltyPort, TierService {
  /** @throws DomainError that says why nothing was given */
  awardPoints(call: Call, input: AwardInput): Promise<Posted>;
  /** One answer per item, in order; items succeed and fail apart. */
  awardPointsBatch(call: Call, inputs: readonly AwardInput[]): Promise<(Posted | DomainError)[]>;
  adjustPoints(call: Call, input: AdjustInput): Promise<Posted>;
  /** Takes an entry back by a new one; points spent already become a debt, or it is refused: a setting. */
  reversePoints(call: Call, input: ReverseInput): Promise<Posted>;
  /** Spends points, the oldest first. */
  redeemPoints(call: Call, input: RedeemInput): Promise<Posted>;
  /** Sets points aside until they are confirmed (spent) or voided (given back). */
  holdPoints(call: Call, input: HoldInput): Promise<Posted>;
  /** Points that wait come, or are spent. */
  confirmPoints(call: Call, input: SettleInput): Promise<Posted>;
  /** Points that wait will not come, or are given back. */
  voidPoints(call: Call, input: SettleInput): Promise<Posted>;
  /** Lets points lapse whose time is over. @returns how many */
  expireLots(call: Call, signal?: AbortSignal): Promise<number>;
  /** Voids what has waited too long. @returns how many entries */
  voidTimedOut(call: Call, signal?: AbortSignal): Promise<number>;
  enrolCustomers(call: Call, customerIds: readonly string[]): Promise<(Enrolled | DomainError)[]>;
  /** Starts the job that makes all customers members. @returns how many are none yet */
  startEnrollingEverybody(options: { readonly dryRun: boolean }): Promise<number>;
  /** The same, here and now. @returns how many joined */
  enrolEverybody(call: Call, signal?: AbortSignal): Promise<number>;
  /** What the business offers now. */
  program(): Promise<Programme>;
  /** The tiers as read last, without waiting. */
  tiersNow(): readonly Tier[];
  /** What accounts held as it was known at past instants, in order. */
  sumsAsOf(wanted: readonly BalanceAt[]): Promise<Sums[]>;
  /** What of the available points of accounts lapses next, in order; null when nothing does. */
  expiringNext(accountIds: readonly string[]): Promise<(Expiring | null)[]>;
  expiringNextAsOf(wanted: readonly BalanceAt[]): Promise<(Expiring | null)[]>;
  /** A statement of account as CSV. @throws AccountNotFound */
  statementFile(accountId: string, period: Period): Promise<Readable>;
  /** What a rule, an event or an order would give, and why. Writes nothing. */
  simulateEarning(call: Call, input: SimulateInput): Promise<Simulation>;
  /** For handlers: posts in their transaction, one answer per request. */
  post(tx: Tx, requests: readonly LedgerRequest[]): Promise<(Posted | DomainError)[]>;
}

/** What the service stands on; `clock` is the business's. */
export type LoyaltyFoundation = Pick<Infrastructure, 'database' | 'settings' | 'clock'>;

/** Name of the job behind `startEnrollingEverybody`. */
export const ENROL_EVERYBODY_JOB = 'loyalty.enrolEverybody';

/** Bounds of the queue before the ledger: a batch stays short, and who comes when it is full is told to wait. */
const MAX_BATCH = 256;
const MAX_QUEUED = 20_000;
/** How long a repeated request waits for the first: many times what one takes, and less than callers wait. */
const REPEAT_WAIT_MS = 1_000;

/** Makes the service; it holds nothing but its queue. */
export function createLoyaltyService(
  { database, settings, clock }: LoyaltyFoundation,
  customers: Pick<CustomerPort, 'byIds' | 'survivors' | 'subscriptions'>,
  { rfmSegmentsOf }: Pick<TraitPorts, 'rfmSegmentsOf'> = {},
): LoyaltyService {
  const membership = { clock, customers };

  const traitPorts: TraitPorts = rfmSegmentsOf === undefined ? { customers } : { customers, rfmSegmentsOf };
  const programme = () => readProgramme(settings);
  const reportingCurrency = async () => (await settings.get(BUSINESS)).reportingCurrency;
  const posting: PostingPorts = {
    clock,
    programme,
    accountsOf: (tx, call, customerIds, { autoEnrol, tiers }) =>
      accountsOf(tx, membership, call, customerIds, { join: autoEnrol, tiers }),
    traitsOf: (tx, customerIds) => traitsOf(tx, traitPorts, customerIds),
  };
  const known = createKnownAccounts();
  const commit = createGroupCommit<LedgerRequest, Posted>({
    database,
    what: 'The loyalty ledger',
    attempt: createOptimisticPosting(database.inOrder, posting, known),
    // Known before it is committed: should it not be, the next attempt is refused and comes back here.
    run: (tx, requests) => postBatch(tx, posting, requests, known.keep),
    maxBatch: MAX_BATCH,
    maxQueued: MAX_QUEUED,
    keyOf: ({ command }) => (namesEntry(command) ? undefined : command.customerId),
    repeats: {
      nameOf: ({ key }) => key,
      waitMs: REPEAT_WAIT_MS,
      tooLong: ({ key }) => new RequestInFlight(key ?? '', REPEAT_WAIT_MS),
    },
    transaction: { pipelined: true },
  });
  const bounds = async () => ({ maxPoints: await settings.get(MAX_POINTS_PER_AWARD), now: clock.now() });

  const post = (tx: Tx, requests: readonly LedgerRequest[]) => postBatch(tx, posting, requests);
  const ending = { database, clock, post };

  const awardPoints = async (call: Call, input: AwardInput) =>
    commit(requestOf(call, input.idempotencyKey, awardCommand(input, await bounds())));

  return {
    ...createLoyaltyPort(database, settings),
    ...createTierService({ database, settings, clock }),
    simulateEarning: (call, input) => simulateEarning({ database, clock, posting, reportingCurrency }, call, input),
    awardPoints,
    awardPointsBatch: (call, inputs) =>
      Promise.all(inputs.map((input) => awardPoints(call, input).catch(expectedFailure))),
    adjustPoints: async (call, input) =>
      commit(requestOf(call, input.idempotencyKey, adjustCommand(input, await bounds()))),
    reversePoints: async (call, input) => commit(requestOf(call, input.idempotencyKey, reverseCommand(input))),
    redeemPoints: async (call, input) => commit(requestOf(call, input.idempotencyKey, redeemCommand(input))),
    holdPoints: async (call, input) =>
      commit(requestOf(call, input.idempotencyKey, holdCommand(input, await bounds()))),
    confirmPoints: async (call, input) =>
      commit(requestOf(call, input.idempotencyKey, settleCommand('confirm', input))),
    voidPoints: async (call, input) => commit(requestOf(call, input.idempotencyKey, settleCommand('void', input))),
    expireLots: (call, signal) => expireLots(ending, call, signal),
    voidTimedOut: (call, signal) => voidTimedOut(ending, call, signal),
    async enrolCustomers(call, customerIds) {
      const { tiers } = await programme();
      return database.transaction((tx) => enrol(tx, membership, call, customerIds, tiers));
    },
    async startEnrollingEverybody({ dryRun }) {
      const count = await countCustomersWithoutAccount(database);
      if (!dryRun) {
        await database.transaction((tx) => enqueue(tx, ENROL_EVERYBODY_JOB, {}, { key: ENROL_EVERYBODY_JOB }));
      }
      return count;
    },
    async enrolEverybody(call, signal) {
      const { tiers } = await programme();
      return enrolEverybody(database, membership, call, tiers, signal);
    },
    program: programme,
    tiersNow: () => settings.peek(TIERS),
    sumsAsOf: (wanted) => sumsAsOf(database, wanted),
    expiringNext: (accountIds) => expiringNext(database, accountIds),
    statementFile: (accountId, period) => statementFile(database, accountId, period),
    expiringNextAsOf: (wanted) => expiringNextAsOf(database, wanted),
    post,
  };
}

function expectedFailure(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  throw error;
}
