import type { TierKey } from '../contract.ts';
import type { Breakage } from './domain/breakage.ts';
import type { MemberCohort } from './domain/cohorts.ts';
import type { Flows, Stock } from './domain/flows.ts';
import type { Earner } from './queries.ts';

/** Days from one to another, half-open, in the time zone of the business. */
export interface Days {
  readonly from: string;
  readonly to: string;
}

/** What a month of the period brought. */
export interface ReportMonth {
  /** Its first day within the period. */
  readonly from: string;
  readonly flows: Flows;
  /** At its end, or now. */
  readonly end: Stock;
  readonly members: number;
}

export interface TierShare {
  readonly tier: TierKey;
  readonly members: number;
  /** Of all members; null without members. */
  readonly share: number | null;
}

/** Money of outstanding points. */
export interface Liability {
  readonly amountMinor: number;
  readonly currency: string;
}

export interface LoyaltyReport {
  readonly days: Days;
  readonly customers: number;
  /** Members at the end of the period, or now. */
  readonly members: number;
  readonly newMembers: number;
  readonly tiers: readonly TierShare[];
  readonly flows: Flows;
  readonly start: Stock;
  readonly end: Stock;
  readonly averagePoints: number | null;
  readonly redemptionRate: number | null;
  readonly liability: Liability | null;
  readonly months: readonly ReportMonth[];
  /** One statement each, when they are asked for. */
  activity(): Promise<{
    readonly participants: number;
    readonly participation: number | null;
    readonly earners: readonly Earner[];
  }>;
  breakage(): Promise<Breakage>;
  cohorts(months: number): Promise<readonly MemberCohort[]>;
}
