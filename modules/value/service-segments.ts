import { DateTime } from 'luxon';
import { InvalidInput } from '../../src/core/errors.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import { parseMoney } from '../../src/core/money.ts';
import { BUSINESS } from '../../src/core/settings/index.ts';
import { type AdviceRules, type CohortFall, type CustomerAdviceKind, retentionFalls } from './domain/advice.ts';
import { clusterStrategy } from './domain/clusters.ts';
import { describeRule, type RfmSegment, SEGMENT_TEXTS, SEGMENTS } from './domain/rfm.ts';
import { SnapshotNotFound } from './errors.ts';
import { cohortsAtAge } from './queries/cohorts.ts';
import {
  type PastPlacement,
  pastPlacements,
  type SegmentCount,
  segmentCounts,
  segmentMoves,
} from './queries/segments.ts';
import { type FeatureSnapshot, listSnapshots, snapshotAt } from './queries/snapshots.ts';
import { ADVICE, SEGMENT_SETTING } from './settings.ts';
import { adviceCounts, latestClusterModel } from './store.ts';

interface Amount {
  readonly amountMinor: number;
  readonly currency: string;
}

/** Customers who are alike, with what is to be done with them. */
export interface SegmentShown {
  /** Null for a cluster. */
  readonly segment: RfmSegment | null;
  readonly name: string;
  readonly rule: string;
  readonly strategy: string;
  readonly customers: number;
  /** Of all customers with an order; null when there are none. */
  readonly share: number | null;
  readonly revenue: Amount;
  readonly revenueShare: number | null;
  readonly typical: { readonly recencyDays: number; readonly orders: number; readonly revenueMinor: number } | null;
  readonly at: Date;
}

export interface SegmentMonth {
  readonly at: Date;
  readonly segments: readonly SegmentShown[];
}

export interface MoveShown {
  readonly from: RfmSegment | null;
  readonly to: RfmSegment;
  readonly customers: number;
  readonly revenue: Amount;
  readonly customerIds: readonly string[];
}

export interface SegmentMoves {
  readonly from: Date;
  readonly to: Date;
  readonly moves: readonly MoveShown[];
}

/** A piece of standing advice, with whom it is for. */
export interface AdviceShown {
  readonly kind: CustomerAdviceKind;
  readonly customers: number;
  readonly rules: AdviceRules;
}

export interface StandingAdvice {
  readonly forCustomers: readonly AdviceShown[];
  readonly cohorts: readonly (CohortFall & { readonly month: number })[];
}

/** Cohorts looked at: two years of them. */
const COHORTS_MAX = 25;

export interface SegmentReports {
  /** The eight segments at the newest snapshot not after `at`; none while there is no snapshot. */
  rfmSegments(at: Date | null): Promise<SegmentShown[]>;
  clusterSegments(): Promise<SegmentShown[]>;
  /** The newest snapshots, the oldest first. */
  segmentHistory(months: number): Promise<SegmentMonth[]>;
  /** @throws SnapshotNotFound, InvalidInput */
  moves(from: Date, to: Date | null): Promise<SegmentMoves>;
  /** Where customers stood at the newest snapshots, the newest first. */
  pastPlacements(customerIds: readonly string[], months: number): Promise<Map<string, PastPlacement[]>>;
  standingAdvice(): Promise<StandingAdvice>;
}

export function createSegmentReports(infra: Infrastructure): SegmentReports {
  const { database, analytics, settings, clock } = infra;

  const show = async (snapshots: readonly FeatureSnapshot[]): Promise<SegmentMonth[]> => {
    if (snapshots.length === 0) return [];
    const [counts, rules] = await Promise.all([
      segmentCounts(
        analytics,
        snapshots.map(({ id }) => id),
      ),
      settings.get(SEGMENT_SETTING),
    ]);
    return snapshots.map((snapshot) => {
      const own = counts.filter(({ snapshotId }) => snapshotId === snapshot.id);
      return { at: snapshot.at, segments: SEGMENTS.map((segment) => shown(segment, own, snapshot, rules)) };
    });
  };

  const found = async (at: Date | null, path: string): Promise<FeatureSnapshot> => {
    const snapshot = await snapshotAt(database, at);
    if (snapshot === null) throw new SnapshotNotFound(at === null ? 'yet' : `at or before ${at.toISOString()}`, [path]);
    return snapshot;
  };

  return {
    async rfmSegments(at) {
      const snapshot = await snapshotAt(database, at);
      return snapshot === null ? [] : ((await show([snapshot]))[0]?.segments.slice() ?? []);
    },
    async clusterSegments() {
      const model = await latestClusterModel(database);
      if (model === null) return [];
      const minor = (major: number) => parseMoney(major.toFixed(6), model.currency).amountMinor;
      const customers = model.clusters.reduce((sum, cluster) => sum + cluster.customers, 0);
      const revenue = model.clusters.reduce((sum, cluster) => sum + cluster.revenue, 0);
      return model.clusters.map((cluster) => ({
        segment: null,
        name: cluster.name,
        rule: 'Nearest to this centre of k-means on seven features.',
        strategy: clusterStrategy(cluster.centre),
        customers: cluster.customers,
        share: ratio(cluster.customers, customers),
        revenue: { amountMinor: minor(cluster.revenue), currency: model.currency },
        revenueShare: ratio(cluster.revenue, revenue),
        typical: {
          recencyDays: cluster.typical.recencyDays,
          orders: cluster.typical.orders,
          revenueMinor: minor(cluster.typical.revenue),
        },
        at: model.at,
      }));
    },
    segmentHistory: async (months) => show((await listSnapshots(database, months)).reverse()),
    async moves(from, to) {
      const [earlier, later] = await Promise.all([found(from, 'from'), found(to, 'to')]);
      if (earlier.at >= later.at) {
        throw new InvalidInput(
          '"from" and "to" lead to the same snapshot, or the wrong way round. See featureSnapshots.',
          {
            path: ['from'],
          },
        );
      }
      const { reportingCurrency: currency } = later.terms;
      const rows = await segmentMoves(analytics, earlier.id, later.id);
      const moves = rows.map(({ revenue, ...row }) => ({ ...row, revenue: parseMoney(revenue, currency) }));
      return { from: earlier.at, to: later.at, moves };
    },
    async pastPlacements(customerIds, months) {
      const snapshots = await listSnapshots(database, months);
      const placements = new Map<string, PastPlacement[]>(customerIds.map((id) => [id, []]));
      if (snapshots.length === 0) return placements;
      const ids = snapshots.map(({ id }) => id);
      for (const row of await pastPlacements(analytics, ids, customerIds)) placements.get(row.customerId)?.push(row);
      return placements;
    },
    async standingAdvice() {
      const [rules, { timeZone }, counts] = await Promise.all([
        settings.get(ADVICE),
        settings.get(BUSINESS),
        adviceCounts(database),
      ]);
      const { enabled, month } = rules.cohortRetention;
      const before = clock.now();
      const until = DateTime.fromJSDate(before, { zone: timeZone }).startOf('month').toISODate() as string;
      const cohorts = enabled
        ? await cohortsAtAge(analytics, { age: month, until, before, timeZone, months: COHORTS_MAX })
        : [];
      return {
        forCustomers: counts.map((count) => ({ ...count, rules })),
        cohorts: retentionFalls(cohorts).map((fall) => ({ ...fall, month })),
      };
    },
  };
}

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

function shown(
  segment: RfmSegment,
  counts: readonly SegmentCount[],
  { at, terms }: FeatureSnapshot,
  rules: typeof SEGMENT_SETTING.default,
): SegmentShown {
  const { reportingCurrency: currency } = terms;
  const own = counts.find((count) => count.segment === segment);
  const minor = (text: string) => parseMoney(text, currency).amountMinor;
  const customers = counts.reduce((sum, count) => sum + count.customers, 0);
  const revenue = counts.reduce((sum, count) => sum + minor(count.revenue), 0);
  const ownMinor = own === undefined ? 0 : minor(own.revenue);
  return {
    segment,
    name: SEGMENT_TEXTS[segment].name,
    rule:
      rules
        .filter((rule) => rule.segment === segment)
        .map(describeRule)
        .join('; or ') || 'no rule leads here',
    strategy: SEGMENT_TEXTS[segment].strategy,
    customers: own?.customers ?? 0,
    share: ratio(own?.customers ?? 0, customers),
    revenue: { amountMinor: ownMinor, currency },
    revenueShare: ratio(ownMinor, revenue),
    typical:
      own === undefined
        ? null
        : {
            recencyDays: own.medianRecencyDays,
            orders: own.medianOrders,
            revenueMinor: minor(own.medianRevenue.toFixed(6)),
          },
    at,
  };
}
