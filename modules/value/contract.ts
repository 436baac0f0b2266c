import type { Call } from '../../src/core/call.ts';
import type { Queryable } from '../../src/core/database/index.ts';
import type { RfmSegment } from './domain/rfm.ts';
import type { FeatureBlock } from './queries/blocks.ts';
import type { FeatureRow } from './queries/segments.ts';
import type { FeatureSnapshot } from './queries/snapshots.ts';
import type { ValueMethod } from './store.ts';

export * from './allocation/events.ts';
export { CATALOGUE_VERSION, FEATURES, type Feature, featureNames } from './domain/catalogue.ts';
export { FeatureLeak, findLeaks, type Leak, type LearntColumn, refuseLeaks } from './domain/leakage.ts';
export type { RfmSegment } from './domain/rfm.ts';
export * from './events.ts';
export type { FeatureBlock } from './queries/blocks.ts';
export type { FeatureRow } from './queries/segments.ts';
export type { FeatureSnapshot } from './queries/snapshots.ts';
export type { ValueMethod } from './store.ts';

/** What a customer is worth by one method, in minor units. */
export interface CustomerWorth {
  readonly customerId: string;
  readonly method: ValueMethod;
  readonly valueMinor: number;
  readonly currency: string;
  /** Purchases expected within the horizon; null for a method that looks back. */
  readonly expectedPurchases: number | null;
}

/** What `value` answers to other modules now. */
export interface ValuePort {
  /** Snapshots in force, the newest first. */
  snapshots(limit: number, before?: Date | null): Promise<FeatureSnapshot[]>;
  /**
   * Features of all customers at a snapshot, in batches by customer id: values in the order of FEATURES, null where unknown.
   * Only what happened before the snapshot is in them.
   */
  features(snapshotId: string): AsyncIterable<FeatureRow[]>;
  /** The same as matrices, for whoever learns from them; values have the precision of 32 bits. */
  featureBlocks(snapshotId: string): AsyncIterable<FeatureBlock>;
  /** Worth of customers by every method there is; customers who never ordered are left out. */
  worth(customerIds: readonly string[]): Promise<CustomerWorth[]>;
  /** RFM segment of customers by their newest snapshot; customers who never ordered are left out. */
  rfmSegmentsOf(customerIds: readonly string[], within?: Queryable): Promise<ReadonlyMap<string, RfmSegment>>;
  /** Computes everything anew and resolves when it stands; months whose input is as it was stay as they are. */
  refresh(call: Call): Promise<unknown>;
}
