import type { Call } from '../../src/core/call.ts';
import { appendEvents, newEvent } from '../../src/core/events/index.ts';
import { newId } from '../../src/core/ids.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import { parseMoney } from '../../src/core/money.ts';
import type { CustomerPort } from '../customers/contract.ts';
import { createBatchWriter } from './batches.ts';
import { adviceFor } from './domain/advice.ts';
import type { CustomerClusters } from './domain/clustering.ts';
import { CLUSTER_FEATURES } from './domain/clusters.ts';
import { featuresComputed, valueRefreshed } from './events.ts';
import { type CustomerRow, customerRows } from './queries/segments.ts';
import { dropOthers, type FeatureSnapshot } from './queries/snapshots.ts';
import type { createFeatureStore, FeatureRefresh } from './service-features.ts';
import { createWorth } from './service-worth.ts';
import { ADVICE, CLUSTERS } from './settings.ts';
import { forgetOthers, insertClusterModel, type RfmRow, writeRfm } from './store.ts';
import type { RefreshResult, RefreshStep } from './store-refreshes.ts';
import { beside } from './worker.ts';

const DAY_MS = 86_400_000;

export interface RefreshOptions {
  readonly signal?: AbortSignal;
  readonly onStep?: (step: RefreshStep) => Promise<void>;
}

/** Everything this module knows of customers, computed anew: features, segments, clusters, lifetime value. */
export function createRefresher(
  infra: Infrastructure,
  customers: CustomerPort,
  features: ReturnType<typeof createFeatureStore>,
) {
  const { database, analytics, settings, clock } = infra;
  const inBatches = createBatchWriter(database, customers);
  const worth = createWorth(infra, inBatches);

  const cluster = async (rows: readonly CustomerRow[], signal: AbortSignal | undefined) => {
    const options = await settings.get(CLUSTERS);
    const input = clusterInput(rows);
    return beside('clusters', [input, options], input.length, signal);
  };

  const writeSegments = async (
    rows: readonly CustomerRow[],
    snapshot: FeatureSnapshot,
    clusters: CustomerClusters | null,
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    const { reportingCurrency: currency } = snapshot.terms;
    const rules = await settings.get(ADVICE);
    const placed = rows.map((row, at): RfmRow => {
      const { recencyScore: recency, frequencyScore: frequency, monetaryScore: monetary, segment } = row;
      const lastLoginAt = row.lastLoginAt === null ? null : new Date(row.lastLoginAt);
      const daysWithoutLogin =
        lastLoginAt === null ? row.activityRecencyDays : (snapshot.at.getTime() - lastLoginAt.getTime()) / DAY_MS;
      const found = clusters?.clusters[clusters.clusterOf[at] as number];
      return {
        customerId: row.customerId,
        recencyDays: Math.floor(row.recencyDays),
        orders: row.orders,
        revenueMinor: parseMoney(row.revenue, currency).amountMinor,
        scores: { recency, frequency, monetary },
        segment,
        lastLoginAt,
        advice: adviceFor({ segment, monetaryScore: monetary, daysWithoutLogin }, rules),
        cluster: found?.name ?? null,
      };
    });
    await inBatches(placed, (tx, batch) => writeRfm(tx, snapshot.at, currency, batch), signal);
    if (clusters === null) return;
    const { k, reason, trials } = clusters;
    const model = { id: newId(), at: snapshot.at, currency, k, reason, trials, clusters: clusters.clusters };
    await database.transaction((tx) => insertClusterModel(tx, model));
  };

  /** Brings the feature store up to date and says so at once: predictions need not wait for what values take. */
  const refreshFeatures = (call: Call, signal?: AbortSignal): Promise<FeatureRefresh> =>
    features.refresh(async (tx, { at, customers: count }, snapshots) => {
      const payload = { snapshots, customers: count, at: at.toISOString() };
      await appendEvents(tx, call, clock, [newEvent(featuresComputed, { customerId: null, payload })]);
    }, signal);

  const refresh = async (call: Call, { signal, onStep }: RefreshOptions = {}): Promise<RefreshResult> => {
    await onStep?.('FEATURES');
    const { latest, computed, kept } = await refreshFeatures(call, signal);
    const rows: CustomerRow[] = [];
    if (latest !== null) for await (const batch of customerRows(analytics, latest.id)) rows.push(...batch);
    let clusters: CustomerClusters | null = null;
    let lifetimeProblem: string | null = 'Nobody has ordered yet.';
    if (latest !== null && rows.length > 0) {
      await onStep?.('SEGMENTS');
      const expecting = worth.expect(rows, latest, signal);
      expecting.catch(() => {});
      clusters = await cluster(rows, signal);
      await writeSegments(rows, latest, clusters, signal);
      await onStep?.('VALUE');
      const expectations = await expecting;
      lifetimeProblem = expectations.lifetime.problem;
      await worth.write(rows, latest, expectations, signal);
    }
    const result: RefreshResult = {
      snapshotsComputed: computed,
      snapshotsKept: kept,
      customers: rows.length,
      clusters: clusters?.k ?? 0,
      lifetimeProblem,
    };
    await database.transaction(async (tx) => {
      await forgetOthers(tx, latest?.at ?? clock.now());
      const { customers: count, clusters: found } = result;
      const payload = { customers: count, clusters: found, at: (latest?.at ?? clock.now()).toISOString() };
      await appendEvents(tx, call, clock, [newEvent(valueRefreshed, { customerId: null, payload })]);
    });
    await dropOthers(analytics, database);
    return result;
  };
  return { refreshFeatures, refresh };
}

/** Seven features a row. Who ordered on one day only has a gap as long, at least, as the time since. */
function clusterInput(rows: readonly CustomerRow[]): Float64Array {
  const values = new Float64Array(rows.length * CLUSTER_FEATURES.length);
  for (const [at, row] of rows.entries()) {
    const features = { ...row, revenue: Number(row.revenue), meanGapDays: row.meanGapDays ?? row.recencyDays };
    const own = CLUSTER_FEATURES.map((feature) => Math.max(0, features[feature]));
    values.set(own, at * CLUSTER_FEATURES.length);
  }
  return values;
}
