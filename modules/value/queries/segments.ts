import type { Analytics } from '../../../src/core/analytics/types.ts';
import { FEATURES } from '../domain/catalogue.ts';
import type { RfmFacts, RfmScores, RfmSegment, Score } from '../domain/rfm.ts';

/** Whole days since the last order. */
const FACTS = `f.snapshot_id as "snapshotId", f.customer_id as "customerId", toUInt32(floor(f.recency_days)) as "recencyDays",
  f.orders as orders, toFloat64(f.revenue) as revenue, toString(f.revenue) as "revenueText"`;

/** What scores are made of at a computation, with the exact amount beside the number that ranks. */
export interface StoredFacts extends RfmFacts {
  readonly snapshotId: string;
  readonly revenueText: string;
}

/** Facts of customers who ordered, computation by computation, in the order of their ids. */
export function rfmFacts(analytics: Analytics, snapshotIds: readonly string[]): AsyncIterable<StoredFacts[]> {
  return analytics.queryStream<StoredFacts>(
    `select ${FACTS} from customer_features as f where f.snapshot_id in {ids:Array(UUID)} and f.orders > 0
     order by f.snapshot_id, f.customer_id`,
    { ids: snapshotIds },
  );
}

/** A customer's place at a computation. */
export interface Placement extends StoredFacts {
  readonly at: Date;
  readonly scores: RfmScores;
  readonly segment: RfmSegment;
}

/** Rows of an insert: bounds the memory of its text. */
const INSERT_ROWS = 50_000;

/** Writes where customers stand. */
export async function writePlacements(analytics: Analytics, placements: readonly Placement[]): Promise<void> {
  for (let start = 0; start < placements.length; start += INSERT_ROWS) {
    await analytics.insert(
      'customer_segments',
      placements.slice(start, start + INSERT_ROWS).map((one) => ({
        snapshot_id: one.snapshotId,
        snapshot_at: one.at,
        customer_id: one.customerId,
        recency_days: one.recencyDays,
        orders: one.orders,
        revenue: one.revenueText,
        recency_score: one.scores.recency,
        frequency_score: one.scores.frequency,
        monetary_score: one.scores.monetary,
        segment: one.segment,
      })),
    );
  }
}

/** All that segments, clusters and lifetime value need of a customer at the latest computation. */
export interface CustomerRow {
  readonly customerId: string;
  /** Decimal text. */
  readonly revenue: string;
  readonly recencyDays: number;
  readonly orders: number;
  readonly orderDays: number;
  readonly averageOrder: number;
  readonly tenureDays: number;
  readonly meanGapDays: number | null;
  readonly distinctProducts: number;
  readonly activityRecencyDays: number;
  readonly firstOrderOn: string;
  readonly lastOrderOn: string;
  readonly firstDayRevenue: string;
  readonly lastLoginAt: string | null;
  readonly recencyScore: Score;
  readonly frequencyScore: Score;
  readonly monetaryScore: Score;
  readonly segment: RfmSegment;
}

/** Customers who ordered, at a computation, in the order of their ids. */
export function customerRows(analytics: Analytics, snapshotId: string): AsyncIterable<CustomerRow[]> {
  return analytics.queryStream<CustomerRow>(
    `select f.customer_id as "customerId", toString(f.revenue) as revenue, f.recency_days as "recencyDays", f.orders as orders,
       f.order_days as "orderDays", ifNull(f.average_order, 0) as "averageOrder", f.tenure_days as "tenureDays",
       f.mean_gap_days as "meanGapDays", f.distinct_products as "distinctProducts", f.activity_recency_days as "activityRecencyDays",
       toString(f.first_order_on) as "firstOrderOn", toString(f.last_order_on) as "lastOrderOn",
       toString(f.first_day_revenue) as "firstDayRevenue", f.last_login_at as "lastLoginAt", s.recency_score as "recencyScore",
       s.frequency_score as "frequencyScore", s.monetary_score as "monetaryScore", s.segment as segment
     from (select * from customer_features where snapshot_id = {id:UUID}) as f
     inner join (select * from customer_segments where snapshot_id = {id:UUID}) as s on s.customer_id = f.customer_id
     order by f.customer_id`,
    { id: snapshotId },
  );
}

/** Customers and revenue of a segment at a snapshot. */
export interface SegmentCount {
  readonly snapshotId: string;
  readonly segment: RfmSegment;
  readonly customers: number;
  /** Decimal text. */
  readonly revenue: string;
  readonly orders: number;
  readonly medianRecencyDays: number;
  readonly medianOrders: number;
  readonly medianRevenue: number;
}

export function segmentCounts(analytics: Analytics, snapshotIds: readonly string[]): Promise<SegmentCount[]> {
  return analytics.query<SegmentCount>(
    `select s.snapshot_id as "snapshotId", s.segment as segment, toUInt32(count()) as customers, toString(sum(s.revenue)) as revenue,
       toUInt64(sum(s.orders)) as orders, medianExact(s.recency_days) as "medianRecencyDays", medianExact(s.orders) as "medianOrders",
       toFloat64(medianExact(s.revenue)) as "medianRevenue"
     from customer_segments as s where s.snapshot_id in {ids:Array(UUID)}
     group by s.snapshot_id, s.segment order by s.snapshot_id, s.segment`,
    { ids: snapshotIds },
  );
}

/** Customers who were in one segment at a snapshot and are in another at a later one. */
export interface SegmentMove {
  /** Null: ordered first after the earlier snapshot. */
  readonly from: RfmSegment | null;
  readonly to: RfmSegment;
  readonly customers: number;
  /** Decimal text: what they had bought by the later snapshot. */
  readonly revenue: string;
  /** The most valuable of them. */
  readonly customerIds: readonly string[];
}

export const MOVERS_MAX = 100;

export function segmentMoves(analytics: Analytics, earlierId: string, laterId: string): Promise<SegmentMove[]> {
  return analytics.query<SegmentMove>(
    `select nullIf(toString(b.segment), '') as "from", toString(l.segment) as "to", toUInt32(count()) as customers,
       toString(sum(l.revenue)) as revenue,
       arrayMap(c -> c.2, arraySlice(arrayReverseSort(groupArray((l.revenue, toString(l.customer_id)))), 1, ${MOVERS_MAX})) as "customerIds"
     from (select customer_id, segment, revenue from customer_segments where snapshot_id = {later:UUID}) as l
     left any join (select customer_id, segment from customer_segments where snapshot_id = {earlier:UUID}) as b on b.customer_id = l.customer_id
     group by 1, 2 order by customers desc, "from", "to"`,
    { earlier: earlierId, later: laterId },
  );
}

/** Where customers stood at each snapshot, the newest first. */
export interface PastPlacement {
  readonly customerId: string;
  readonly at: string;
  readonly recencyScore: number;
  readonly frequencyScore: number;
  readonly monetaryScore: number;
  readonly segment: RfmSegment;
}

export function pastPlacements(
  analytics: Analytics,
  snapshotIds: readonly string[],
  customerIds: readonly string[],
): Promise<PastPlacement[]> {
  return analytics.query<PastPlacement>(
    `select customer_id as "customerId", snapshot_at as at, recency_score as "recencyScore", frequency_score as "frequencyScore",
       monetary_score as "monetaryScore", segment
     from customer_segments where snapshot_id in {ids:Array(UUID)} and customer_id in {customers:Array(UUID)}
     order by snapshot_at desc`,
    { ids: snapshotIds, customers: customerIds },
  );
}

/** A row of features in the order of the catalogue; null where a feature is unknown. */
export interface FeatureRow {
  readonly customerId: string;
  readonly values: readonly (number | null)[];
}

const VALUES = `array(${FEATURES.map(({ column }) => `toFloat64OrNull(toString(${column}))`).join(', ')})`;

/** Features of all customers at a computation, in the order of their ids. */
export function featureRows(analytics: Analytics, snapshotId: string): AsyncIterable<FeatureRow[]> {
  return analytics.queryStream<FeatureRow>(
    `select customer_id as "customerId", ${VALUES} as values from customer_features where snapshot_id = {id:UUID} order by customer_id`,
    { id: snapshotId },
  );
}

/** Features of some customers. */
export function featuresOf(
  analytics: Analytics,
  snapshotId: string,
  customerIds: readonly string[],
): Promise<FeatureRow[]> {
  return analytics.query<FeatureRow>(
    `select customer_id as "customerId", ${VALUES} as values from customer_features
     where snapshot_id = {id:UUID} and customer_id in {customers:Array(UUID)}`,
    { id: snapshotId, customers: customerIds },
  );
}

/** The SQL of a snapshot as a file: one order of rows and columns, so that equal snapshots are equal files. */
export const EXPORT_SQL = `
  select toString(customer_id) as customer_id, snapshot_at, ${FEATURES.map(({ column }) => column).join(', ')}
  from customer_features where snapshot_id = {id:UUID} order by customer_features.customer_id`;
