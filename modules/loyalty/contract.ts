import type { Queryable } from '../../src/core/database/index.ts';
import type { TierKey } from './domain/tiers.ts';

export type { TierKey } from './domain/tiers.ts';
export { anniversary, milestoneReached } from './engagement/events.ts';
export { AccountNotFound } from './errors.ts';
export * from './events.ts';
export * from './rewards/events.ts';
export * from './standing/events.ts';

/** How a customer stands in the programme. */
export interface MemberFacts {
  readonly customerId: string;
  readonly tier: TierKey;
  /** Name of the tier as the business calls it. */
  readonly tierName: string;
  readonly tierSince: Date;
  /** Points held, those set aside included. */
  readonly balance: number;
  /** Points that can be spent. */
  readonly available: number;
  /** Points taken back after they were spent, which whatever comes next pays first. */
  readonly debt: number;
  readonly earned: number;
  readonly joinedAt: Date;
}

/** A tier as the business defines it. */
export interface TierFacts {
  readonly key: TierKey;
  readonly name: string;
  /** Points earned from which it is held. */
  readonly from: number;
  readonly benefits: readonly string[];
}

/** The programme in numbers. */
export interface ProgrammeFacts {
  readonly members: number;
  /** Members who hold points or have earned some, of all members; null without members. */
  readonly participation: number | null;
  /** Sum of all balances: what the business owes in points. */
  readonly outstandingPoints: number;
  /** Every tier, lowest first, also those without members. */
  readonly byTier: readonly { readonly tier: TierKey; readonly name: string; readonly members: number }[];
}

/** What `loyalty` answers to other modules now. */
export interface LoyaltyPort {
  /** Members among the customers, in any order; who is none is left out. */
  members(customerIds: readonly string[], within?: Queryable): Promise<MemberFacts[]>;
  /** The tiers in force, lowest first. */
  tiers(): Promise<readonly TierFacts[]>;
  /** Counted now: one index scan of the members. */
  programme(): Promise<ProgrammeFacts>;
}
