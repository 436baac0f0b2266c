import type { Readable } from 'node:stream';
import { DateTime } from 'luxon';
import { actorName, type Call } from '../../src/core/call.ts';
import { IdempotencyConflict, messageOf } from '../../src/core/errors.ts';
import { claimKeys, hashInput, storeAnswers } from '../../src/core/idempotency.ts';
import { newId } from '../../src/core/ids.ts';
import { enqueue } from '../../src/core/jobs.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import type { Money } from '../../src/core/money.ts';
import { BUSINESS } from '../../src/core/settings/index.ts';
import type { CustomerPort } from '../customers/contract.ts';
import type { ValuePort } from './contract.ts';
import { FEATURES, type Feature } from './domain/catalogue.ts';
import { SnapshotNotFound } from './errors.ts';
import { REFRESH_JOB, REFRESH_QUEUE } from './job-names.ts';
import type { EstimateShape } from './parts.ts';
import { featureBlocks } from './queries/blocks.ts';
import { EXPORT_SQL, type FeatureRow, featureRows, featuresOf } from './queries/segments.ts';
import { type FeatureSnapshot, listSnapshots, snapshotAt, snapshotById } from './queries/snapshots.ts';
import { readWorth, rfmSegmentsOf } from './queries/worth.ts';
import { createFeatureStore, type FeatureRefresh } from './service-features.ts';
import { createRefresher, type RefreshOptions } from './service-refresh.ts';
import { createSegmentReports, type SegmentReports } from './service-segments.ts';
import { LIFETIME_VALUE } from './settings.ts';
import { type ClusterModel, latestClusterModel, listValueModels, type ValueModel } from './store.ts';
import {
  findRefresh,
  forgetRefreshesBefore,
  insertRefresh,
  type RefreshResult,
  updateRefresh,
  type ValueRefresh,
} from './store-refreshes.ts';

/** Lock number of the computation: one at a time, whoever started it. */
const REFRESH_LOCK = 0x56414c55; // "VALU"
const REFRESHES_KEPT_DAYS = 90;
const REFRESH_SCOPE = 'value.refreshValue';

export interface ValueService extends ValuePort, SegmentReports {
  /** The feature store alone, which predictions are made from. */
  refreshFeatures(call: Call, signal?: AbortSignal): Promise<FeatureRefresh>;
  refresh(call: Call, options?: RefreshOptions): Promise<RefreshResult>;
  /** Asks for a computation; it can be watched by its id. */
  requestRefresh(call: Call, idempotencyKey: string | null): Promise<ValueRefresh>;
  /** Runs what was asked for. */
  runRefresh(call: Call, id: string | null, signal: AbortSignal, lastAttempt: boolean): Promise<void>;
  findRefresh(id: string): Promise<ValueRefresh | null>;
  /** The newest snapshot that is not after `at`. */
  snapshotAt(at: Date | null): Promise<FeatureSnapshot | null>;
  /** Features of some customers at a snapshot. */
  featuresOf(snapshotId: string, customerIds: readonly string[]): Promise<FeatureRow[]>;
  /** A snapshot as a Parquet file, the same bytes for the same snapshot. @throws SnapshotNotFound */
  featureFile(snapshotId: string): Promise<Readable>;
  /** What is to be known of that file: its snapshot and its columns. @throws SnapshotNotFound */
  featureMetadata(snapshotId: string): Promise<FeatureMetadata>;
  /** Computes a snapshot anew at its own watermark and says whether it came out the same. @throws SnapshotNotFound */
  verifySnapshot(snapshotId: string): Promise<{ readonly snapshot: FeatureSnapshot; readonly contentHash: string }>;
  clustering(): Promise<ClusterModel | null>;
  models(limit: number): Promise<ValueModel[]>;
  /** What winning a customer may cost, by the value expected of it; null while none is. */
  acquisitionCeiling(
    estimates: readonly Pick<EstimateShape, 'method' | 'valueMinor' | 'currency'>[],
  ): Promise<Money | null>;
}

export function createValueService(infra: Infrastructure, customers: CustomerPort): ValueService {
  const { database, analytics, settings, systemClock } = infra;
  const store = createFeatureStore(infra, customers);
  const refresher = createRefresher(infra, customers, store);
  const reports = createSegmentReports(infra);

  /** A lock of the session, since no transaction may last so long; it goes with its connection. */
  const alone = async <T>(run: () => Promise<T>): Promise<T> => {
    const client = await database.pool.connect();
    try {
      await client.query('set statement_timeout = 0');
      await client.query('select pg_advisory_lock($1)', [REFRESH_LOCK]);
      return await run();
    } finally {
      client.release(true);
    }
  };

  const known = async (id: string): Promise<FeatureSnapshot> => {
    const snapshot = await snapshotById(database, id);
    if (snapshot === null) throw new SnapshotNotFound('of this id', ['id']);
    return snapshot;
  };

  const service: ValueService = {
    ...reports,
    refreshFeatures: (call, signal) => alone(() => refresher.refreshFeatures(call, signal)),
    refresh: (call, options) => alone(() => refresher.refresh(call, options)),
    async requestRefresh(call, idempotencyKey) {
      const id = await database.transaction(async (tx) => {
        const key = idempotencyKey === null ? [] : [{ key: idempotencyKey, hash: hashInput({}) }];
        const [claim] = await claimKeys<{ id: string }>(tx, REFRESH_SCOPE, key);
        if (claim?.kind === 'conflict') throw new IdempotencyConflict(idempotencyKey ?? '');
        if (claim?.kind === 'replay') return claim.answer.id;
        const fresh = newId();
        await insertRefresh(tx, { id: fresh, requestedAt: systemClock.now(), requestedBy: actorName(call.actor) });
        await enqueue(
          tx,
          REFRESH_JOB,
          { refreshId: fresh, correlationId: call.correlationId },
          { queue: REFRESH_QUEUE },
        );
        if (idempotencyKey !== null)
          await storeAnswers(tx, REFRESH_SCOPE, [{ key: idempotencyKey, answer: { id: fresh } }]);
        return fresh;
      });
      return (await findRefresh(database, id)) as ValueRefresh;
    },
    async runRefresh(call, id, signal, lastAttempt) {
      const note = async (change: Parameters<typeof updateRefresh>[2]) => {
        if (id !== null) await updateRefresh(database, id, change);
      };
      await note({ state: 'RUNNING', startedAt: systemClock.now() });
      try {
        const onStep = (step: NonNullable<ValueRefresh['step']>) => note({ state: 'RUNNING', step });
        const result = await service.refresh(call, { signal, onStep });
        await note({ state: 'DONE', finishedAt: systemClock.now(), result });
      } catch (error) {
        if (lastAttempt) await note({ state: 'FAILED', finishedAt: systemClock.now(), error: messageOf(error) });
        throw error;
      }
      const before = DateTime.fromJSDate(systemClock.now()).minus({ days: REFRESHES_KEPT_DAYS }).toJSDate();
      await forgetRefreshesBefore(database, before);
    },
    findRefresh: (id) => findRefresh(database, id),
    snapshots: (limit, before = null) => listSnapshots(database, limit, before),
    snapshotAt: (at) => snapshotAt(database, at),
    features: (snapshotId) => featureRows(analytics, snapshotId),
    featureBlocks: (snapshotId) => featureBlocks(analytics, snapshotId),
    featuresOf: (snapshotId, customerIds) => featuresOf(analytics, snapshotId, customerIds),
    async featureFile(snapshotId) {
      const { id } = await known(snapshotId);
      return analytics.export(EXPORT_SQL, 'Parquet', { id }, { settings: ONE_WRITER });
    },
    featureMetadata: async (snapshotId) => metadataOf(await known(snapshotId)),
    async verifySnapshot(snapshotId) {
      const snapshot = await known(snapshotId);
      const { contentHash } = await alone(() => store.recompute(snapshot));
      return { snapshot, contentHash };
    },
    clustering: () => latestClusterModel(database),
    models: (limit) => listValueModels(database, limit),
    async acquisitionCeiling(estimates) {
      const expected = estimates.find(({ method }) => method === 'BG_NBD');
      if (expected === undefined) return null;
      const [{ acquisitionShare }, { grossMargin }] = await Promise.all([
        settings.get(LIFETIME_VALUE),
        settings.get(BUSINESS),
      ]);
      const amountMinor = Math.floor(expected.valueMinor * acquisitionShare * grossMargin);
      return { amountMinor, currency: expected.currency };
    },
    worth: (customerIds) => readWorth(database, customerIds),
    rfmSegmentsOf: (customerIds, within = database) => rfmSegmentsOf(within, customerIds),
  };
  return service;
}

/** Several writers would cut the file into groups of rows as they happen to run. */
const ONE_WRITER = { max_threads: 1, output_format_parquet_parallel_encoding: 0 };

/** Describes a file of features. */
export interface FeatureMetadata {
  readonly at: Date;
  readonly watermark: Date;
  readonly customers: number;
  readonly contentHash: string;
  readonly catalogueVersion: number;
  readonly reportingCurrency: string;
  readonly timeZone: string;
  readonly keys: readonly { readonly column: string; readonly description: string }[];
  readonly features: readonly Omit<Feature, 'expression'>[];
}

function metadataOf({
  at,
  watermark,
  customers,
  contentHash,
  catalogueVersion,
  terms,
}: FeatureSnapshot): FeatureMetadata {
  return {
    at,
    watermark,
    customers,
    contentHash,
    catalogueVersion,
    reportingCurrency: terms.reportingCurrency,
    timeZone: terms.timeZone,
    keys: [
      { column: 'customer_id', description: 'Id of the customer; rows are in its order.' },
      { column: 'snapshot_at', description: 'The instant: only what happened before is in the row.' },
    ],
    features: FEATURES.map(({ expression: _, ...feature }) => feature),
  };
}
