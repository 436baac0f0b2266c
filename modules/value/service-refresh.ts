import { DateTime } from 'luxon';
import type { Call } from '../../src/core/call.ts';
import { appendEvents, newEvent } from '../../src/core/events/index.ts';
import { newId } from '../../src/core/ids.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import { parseMoney } from '../../src/core/money.ts';
import type { CustomerPort } from '../customers/contract.ts';
import { adviceFor } from './domain/advice.ts';
import type { CustomerClusters } from './domain/clustering.ts';
import { CLUSTER_FEATURES } from './domain/clusters.ts';
import { type LifetimeOutcome, MONTH_DAYS, type PurchaseFacts } from './domain/lifetime.ts';
import { valueRefreshed } from './events.ts';
import { type CustomerRow, customerRows } from './queries/segments.ts';
import { dropOthers, type FeatureSnapshot } from './queries/snapshots.ts';
import type { createFeatureStore } from './service-features.ts';
import { ADVICE, CLUSTERS, LIFETIME_VALUE } from './settings.ts';
import {
  forgetOldModels,
  forgetOthers,
  insertClusterModel,
  insertValueModel,
  type RfmRow,
  type ValueRow,
  writeRfm,
  writeValues,
} from './store.ts';
import type { RefreshResult, RefreshStep } from './store-refreshes.ts';
import { beside } from './worker.ts';

const DAY_MS = 86_400_000;
/** Customers written at once: bounds the length of a transaction. */
const WRITE_BATCH = 2_500;

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

  /** Writes batches of customers who live, each in a transaction of its own. */
  const inBatches = async <Row extends { readonly customerId: string }>(
    rows: readonly Row[],
    write: (tx: Parameters<Parameters<typeof database.transaction>[0]>[0], batch: readonly Row[]) => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    for (let start = 0; start < rows.length; start += WRITE_BATCH) {
      signal?.throwIfAborted();
      const batch = rows.slice(start, start + WRITE_BATCH);
      await database.transaction(async (tx) => {
        const living = new Set(
          (
            await customers.byIds(
              batch.map(({ customerId }) => customerId),
              tx,
            )
          ).map(({ id }) => id),
        );
        await write(
          tx,
          batch.filter(({ customerId }) => living.has(customerId)),
        );
      });
    }
  };

  const cluster = async (rows: readonly CustomerRow[], signal: AbortSignal | undefined) => {
    const options = await settings.get(CLUSTERS);
    const input = clusterInput(rows);
    return beside('clusters', [input, options], input.length, signal);
  };

  const expect = async (rows: readonly CustomerRow[], snapshot: FeatureSnapshot, signal: AbortSignal | undefined) => {
    const options = await settings.get(LIFETIME_VALUE);
    return beside('lifetime', [purchaseFacts(rows, snapshot), options], 4 * rows.length, signal);
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

  const writeLifetime = async (
    rows: readonly CustomerRow[],
    snapshot: FeatureSnapshot,
    outcome: LifetimeOutcome,
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    const { reportingCurrency: currency } = snapshot.terms;
    const { horizonMonths } = await settings.get(LIFETIME_VALUE);
    const minor = (major: number) => parseMoney(major.toFixed(6), currency).amountMinor;
    const historical = rows.map(
      (row): ValueRow => ({
        ...NOTHING_EXPECTED,
        customerId: row.customerId,
        valueMinor: parseMoney(row.revenue, currency).amountMinor,
      }),
    );
    const past = { method: 'HISTORICAL', at: snapshot.at, currency, modelId: null } as const;
    await inBatches(historical, (tx, batch) => writeValues(tx, past, batch), signal);

    const modelId = newId();
    const { estimate, problem } = outcome;
    const expected =
      estimate === null
        ? []
        : rows.flatMap((row, at): ValueRow[] => {
            const amount = estimate.amount[at] as number;
            if (Number.isNaN(amount)) return [];
            return [
              {
                ...NOTHING_EXPECTED,
                customerId: row.customerId,
                valueMinor: minor(amount),
                horizonDays: Math.round(horizonMonths * MONTH_DAYS),
                expectedPurchases: estimate.purchases[at] as number,
                probabilityAlive: estimate.alive[at] as number,
                expectedOrderMinor: minor(estimate.orderAmount[at] as number),
              },
            ];
          });
    const terms = { method: 'BG_NBD', at: snapshot.at, currency, modelId } as const;
    await inBatches(expected, (tx, batch) => writeValues(tx, terms, batch), signal);
    await database.transaction(async (tx) => {
      await insertValueModel(tx, {
        id: modelId,
        method: 'BG_NBD',
        at: snapshot.at,
        customers: expected.length,
        parameters: estimate?.parameters ?? {},
        measures: estimate?.measures ?? {},
        problem,
        remarks: estimate?.remarks ?? [],
      });
      await forgetOldModels(tx);
    });
  };

  return async (call: Call, { signal, onStep }: RefreshOptions = {}): Promise<RefreshResult> => {
    await onStep?.('FEATURES');
    const { latest, computed, kept } = await features.refresh(signal);
    const rows: CustomerRow[] = [];
    if (latest !== null) for await (const batch of customerRows(analytics, latest.id)) rows.push(...batch);
    let clusters: CustomerClusters | null = null;
    let outcome: LifetimeOutcome = { estimate: null, problem: 'Nobody has ordered yet.' };
    if (latest !== null && rows.length > 0) {
      await onStep?.('SEGMENTS');
      const expecting = expect(rows, latest, signal);
      expecting.catch(() => {});
      clusters = await cluster(rows, signal);
      await writeSegments(rows, latest, clusters, signal);
      await onStep?.('VALUE');
      outcome = await expecting;
      await writeLifetime(rows, latest, outcome, signal);
    }
    const result: RefreshResult = {
      snapshotsComputed: computed,
      snapshotsKept: kept,
      customers: rows.length,
      clusters: clusters?.k ?? 0,
      lifetimeProblem: outcome.problem,
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
}

const NOTHING_EXPECTED = {
  horizonDays: null,
  expectedPurchases: null,
  probabilityAlive: null,
  expectedOrderMinor: null,
  lowMinor: null,
  highMinor: null,
};

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

/** Days of orders as BG/NBD counts them; the instant of the snapshot ends what was observed. */
function purchaseFacts(rows: readonly CustomerRow[], { at, terms }: FeatureSnapshot): PurchaseFacts {
  const end = DateTime.fromJSDate(at, { zone: terms.timeZone });
  const endDay = dayNumber(end.toISODate() as string) + end.diff(end.startOf('day')).as('days');
  const facts = {
    x: new Float64Array(rows.length),
    tx: new Float64Array(rows.length),
    T: new Float64Array(rows.length),
    meanAmount: new Float64Array(rows.length),
  };
  for (const [place, row] of rows.entries()) {
    const first = dayNumber(row.firstOrderOn);
    const repeats = row.orderDays - 1;
    facts.x[place] = repeats;
    facts.tx[place] = dayNumber(row.lastOrderOn) - first;
    facts.T[place] = endDay - first;
    if (repeats > 0) facts.meanAmount[place] = (Number(row.revenue) - Number(row.firstDayRevenue)) / repeats;
  }
  return facts;
}

const dayNumber = (day: string): number => Date.parse(`${day}T00:00:00Z`) / DAY_MS;
