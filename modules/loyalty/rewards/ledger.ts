import type { Call } from '../../../src/core/call.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { DomainError } from '../../../src/core/errors.ts';
import type { TierKey } from '../domain/tiers.ts';
import { type LedgerRequest, type Posted, unkeyedRequest } from '../ledger/commands.ts';
import { accountsOf, type MembershipPorts } from '../ledger/service-membership.ts';

/** Points to be held for a redemption. */
export interface Hold {
  readonly call: Call;
  readonly redemptionId: string;
  readonly customerId: string;
  readonly points: number;
}

/** What becomes of points that are held. */
export interface Settlement {
  readonly call: Call;
  readonly entryId: string;
  readonly points: 'TAKEN' | 'RETURNED';
}

/** A member as redemptions see one: under the id of the customer who lives on. */
export interface Member {
  readonly customerId: string;
  readonly tier: TierKey;
}

/** What redemptions ask of the ledger, always in their own transaction. */
export interface RewardLedger {
  /** Locks the accounts of members, in one order for everybody; an error for who is none. */
  lock(tx: Tx, call: Call, customerIds: readonly string[]): Promise<ReadonlyMap<string, Member | DomainError>>;
  /** Holds points: what can be spent falls. One answer each, in order: the entry that holds them, or why none does. */
  hold(tx: Tx, holds: readonly Hold[]): Promise<(string | DomainError)[]>;
  /** Takes or gives back what is held. One answer each, in order. */
  settle(tx: Tx, settlements: readonly Settlement[]): Promise<(true | DomainError)[]>;
}

/** What of the ledger is needed. */
export interface LedgerWrites {
  post(tx: Tx, requests: readonly LedgerRequest[]): Promise<(Posted | DomainError)[]>;
  readonly membership: MembershipPorts;
}

/**
 * Holds of redemptions do not time out by themselves: a redemption that expires ends its hold, since what becomes of the
 * points then is a setting. The last instant that four digits of a year can name.
 */
const NO_END = new Date('9999-12-31T23:59:59.999Z');

/** The ledger as redemptions need it. Requests have no keys of their own: those of redemptions guard them. */
export function createRewardLedger({ post, membership }: LedgerWrites): RewardLedger {
  return {
    // Nobody joins by spending: who is no member has no points.
    lock: (tx, call, customerIds) => accountsOf(tx, membership, call, customerIds, { join: false, tiers: [] }),
    async hold(tx, holds) {
      const answers = await post(
        tx,
        holds.map(({ call, redemptionId, customerId, points }) =>
          unkeyedRequest(call, {
            kind: 'hold',
            customerId,
            points,
            source: 'REWARD',
            sourceId: redemptionId,
            reason: null,
            expiresAt: NO_END,
          }),
        ),
      );
      return answers.map((answer) => (answer instanceof DomainError ? answer : answer.entry.id));
    },
    async settle(tx, settlements) {
      const answers = await post(
        tx,
        settlements.map(({ call, entryId, points }) =>
          unkeyedRequest(call, { kind: points === 'TAKEN' ? 'confirm' : 'void', entryId, owner: 'REWARD' }),
        ),
      );
      return answers.map((answer) => (answer instanceof DomainError ? answer : true));
    },
  };
}
