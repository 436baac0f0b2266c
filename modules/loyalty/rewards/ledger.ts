import type { Call } from '../../../src/core/call.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { DomainError } from '../../../src/core/errors.ts';
import type { TierKey } from '../domain/tiers.ts';
import { type LedgerCommand, type LedgerRequest, type Posted, requestOf } from '../ledger/commands.ts';
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
  readonly redemptionId: string;
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

/** The ledger as redemptions need it. */
export function createRewardLedger({ post, membership }: LedgerWrites): RewardLedger {
  // The blank keeps these keys apart from those callers choose.
  const request = (call: Call, redemptionId: string, command: LedgerCommand) =>
    requestOf(call, `redemption ${redemptionId} ${command.kind}`, command);
  return {
    // Nobody joins by spending: who is no member has no points.
    lock: (tx, call, customerIds) => accountsOf(tx, membership, call, customerIds, { join: false, tiers: [] }),
    async hold(tx, holds) {
      const requests = holds.map(({ call, redemptionId, customerId, points }) =>
        request(call, redemptionId, { kind: 'adjust', customerId, points: -points, reason: 'reward' }),
      );
      const answers = await post(tx, requests);
      return answers.map((answer) => (answer instanceof DomainError ? answer : answer.entry.id));
    },
    async settle(tx, settlements) {
      const returned = settlements.filter(({ points }) => points === 'RETURNED');
      const requests = returned.map(({ call, redemptionId, entryId }) =>
        request(call, redemptionId, { kind: 'reverse', entryId, reason: null }),
      );
      const answers = await post(tx, requests);
      const answerOf = new Map(returned.map(({ redemptionId }, index) => [redemptionId, answers[index]]));
      return settlements.map(({ redemptionId }) => {
        const answer = answerOf.get(redemptionId);
        return answer instanceof DomainError ? answer : true;
      });
    },
  };
}
