import type { Analytics } from '../../../src/core/analytics/types.ts';
import { PACKED } from './blocks.ts';
import { type FeatureTerms, STREAM, streamParams } from './features.ts';

/** A snapshot whose following days are known. */
export interface OutcomeWindow {
  readonly snapshotId: string;
  readonly at: Date;
}

/** What a customer who had ordered before a snapshot was like then, and bought in the days after it. */
export interface OutcomeRow {
  readonly snapshotId: string;
  readonly customerId: string;
  /** Features, see `unpacked`. */
  readonly packed: string;
  /** Major units of the reporting currency, as all amounts here. */
  readonly revenue: number;
  readonly orderDays: number;
  readonly firstOrderOn: string;
  readonly lastOrderOn: string;
  readonly firstDayRevenue: number;
  readonly bought: number;
}

const DAY_MS = 86_400_000;
const WINDOWS = 'arrayZip({ids:Array(UUID)}, {ats:Array(Int64)})';
const AFTER = `arrayFilter(s -> at_ms >= s.2 and at_ms < s.2 + {horizonMs:Int64}, ${WINDOWS})`;
/** Hashes of ids up to which a customer is looked at: the same customers at every snapshot. */
const SHARE_STEPS = 1_000_000;

/**
 * Snapshots with what came after them, in one statement: the amounts are of the orders themselves, read from the events of the days
 * after each snapshot, never of features. Rows in the order of snapshots and customers.
 * @param options.share of the customers to look at, above 0 up to 1
 */
export function outcomeRows(
  analytics: Analytics,
  windows: readonly OutcomeWindow[],
  terms: FeatureTerms,
  options: { readonly horizonDays: number; readonly passiveNames: readonly string[]; readonly share: number },
): Promise<OutcomeRow[]> {
  const chosen = `cityHash64(customer_id) % ${SHARE_STEPS} < {steps:UInt32}`;
  return analytics.query<OutcomeRow>(
    `with orders_after as (
       select s.1 as snapshot_id, customer as customer_id, sum(amount) as bought
       from (select customer, amount, arrayJoin(${AFTER}) as s from (${STREAM}) where is_order)
       group by snapshot_id, customer_id)
     select f.snapshot_id as "snapshotId", f.customer_id as "customerId", ${PACKED} as packed, toFloat64(f.revenue) as revenue, f.order_days as "orderDays",
       toString(f.first_order_on) as "firstOrderOn", toString(f.last_order_on) as "lastOrderOn",
       toFloat64(f.first_day_revenue) as "firstDayRevenue", toFloat64(ifNull(o.bought, 0)) as bought
     from (select * from customer_features where snapshot_id in {ids:Array(UUID)} and orders > 0 and ${chosen}) as f
     left any join orders_after as o on o.snapshot_id = f.snapshot_id and o.customer_id = f.customer_id
     order by f.snapshot_at, f.customer_id`,
    {
      ids: windows.map(({ snapshotId }) => snapshotId),
      ats: windows.map(({ at }) => at.getTime()),
      horizonMs: options.horizonDays * DAY_MS,
      steps: Math.round(options.share * SHARE_STEPS),
      ...streamParams(terms, options.passiveNames),
    },
  );
}
