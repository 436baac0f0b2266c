import type { Analytics, QueryParams } from '../../../src/core/analytics/types.ts';
import type { DatedRate } from '../../customers/contract.ts';
import { FEATURES, type Feature, WINDOW_DAYS } from '../domain/catalogue.ts';

/** How amounts and days are read: the same terms give the same features. */
export interface FeatureTerms {
  readonly reportingCurrency: string;
  readonly timeZone: string;
  readonly rates: readonly DatedRate[];
  /** Decimal places of the reporting currency and of those with rates (ISO 4217). */
  readonly places: Readonly<Record<string, number>>;
}

/** A computation to be made. */
export interface SnapshotRun {
  readonly id: string;
  readonly at: Date;
  /** Rows received later are left out. */
  readonly watermark: Date;
}

const DAY_MS = 86_400_000;
const NOBODY = "toUUID('00000000-0000-0000-0000-000000000000')";

/** The instants to compute, of which most often there is one: (id, instant, watermark), times in Unix milliseconds. */
const SNAPSHOTS = 'arrayZip({ids:Array(UUID)}, {ats:Array(Int64)}, {watermarks:Array(Int64)})';
/** A row counts for the instants after it, as far as it had been received by their watermarks. */
const COUNTS_FOR = `arrayFilter(s -> s.2 > at_ms and s.3 >= received_ms, ${SNAPSHOTS})`;
const TIMES = 'toUnixTimestamp64Milli(at) as at_ms, toUnixTimestamp64Milli(received_at) as received_ms';

/** Decimal places of a currency's minor unit. */
const places = (currency: string): string =>
  `transform(${currency}, {currencies:Array(String)}, {places:Array(Int16)}, toInt16(2))`;

/** Whose row it is: customers merged into others live on in them. */
const OWNERS =
  'left any join (select customer_id, survivor_id from customer_alias final) as a on a.customer_id = r.customer_id';
const OWNER = `if(a.survivor_id = ${NOBODY}, r.customer_id, a.survivor_id)`;

/**
 * Events a customer itself made happen. Amounts are rounded to the minor unit (half away from zero), converted by the rate
 * of their day (UTC), and rounded again: the same as in the records. NULL where there is no amount or no rate.
 */
export const STREAM = `
  select customer, name, at, at_ms, received_ms, toDate(at, {zone:String}) as day, name = 'order.placed' as is_order,
    accurateCastOrNull(multiIf(currency = {reporting:String}, own, rate = '', null,
      round(own * toDecimal256(rate, 10), ${places('{reporting:String}')})), 'Decimal(38, 4)') as amount
  from (
    select ${OWNER} as customer, r.name as name, r.at as at, r.at_ms as at_ms, r.received_ms as received_ms,
      r.currency as currency, x.rate as rate, toDecimal256(round(r.value, ${places('r.currency')}), 6) as own
    from (
      select customer_id, toString(name) as name, at, ${TIMES}, value, toString(currency) as currency, toDate(at, 'UTC') as rate_day
      from events final where name not in {passive:Array(String)}
    ) as r
    ${OWNERS}
    asof left join (
      select t.1 as currency, toDate(t.2) as day, t.3 as rate
      from (select arrayJoin(arrayZip({rateCurrencies:Array(String)}, {rateDays:Array(String)}, {rates:Array(String)})) as t)
    ) as x on x.currency = r.currency and r.rate_day >= x.day
  )`;

/** The stream as each instant sees it: `age_ms` is how long before the instant it was, above 0. */
const SEEN = `
  select s.1 as id, s.2 as snapshot_ms, s.2 - at_ms as age_ms, customer, name, at, day, is_order, ifNull(amount, 0) as sum_amount,
    is_order and amount is not null as is_priced, toInt256(sum_amount * 10000) as unit_amount
  from (select *, arrayJoin(${COUNTS_FOR}) as s from (${STREAM}))`;

const within = (days: number): string => `age_ms <= ${days * DAY_MS}`;
const ofWindow = (days: number): string =>
  `countIf(is_order and ${within(days)}) as orders_${days}, sumIf(sum_amount, is_order and ${within(days)}) as revenue_${days}`;

/** One row a customer and instant. Sums are exact, so that their order is no matter. */
const ADDED_UP = `
  select id, customer, any(snapshot_ms) as snapshot_ms,
    max(age_ms) as first_activity_age, min(age_ms) as last_activity_age,
    countIf(is_order) as orders, minIfOrNull(age_ms, is_order) as last_order_age,
    arraySort(groupUniqArrayIf(day, is_order)) as days,
    sumIf(sum_amount, is_order) as revenue, countIf(is_priced) as priced_orders,
    maxIf(sum_amount, is_priced) as largest, argMaxIf(sum_amount, (at, sum_amount), is_priced) as last_amount,
    sumIf(unit_amount, is_priced) as units, sumIf(unit_amount * unit_amount, is_priced) as unit_squares,
    groupArrayIf((day, sum_amount), is_order) as amounts,
    ${WINDOW_DAYS.map(ofWindow).join(',\n    ')},
    countIf(name = 'order.returned') as returns, sumIf(abs(sum_amount), name = 'order.returned') as returned,
    countIf(is_order and toDayOfWeek(day) >= 6) as weekend, countIf(is_order and toHour(at, {zone:String}) < 12) as morning,
    uniqExactIf(day, ${within(30)}) as active_30, uniqExactIf(day, ${within(90)}) as active_90,
    countIf(name = 'ticket.opened' and ${within(90)}) as tickets_90,
    maxIfOrNull(at, name = 'session.started') as last_login_at
  from (${SEEN})
  group by id, customer`;

const GAPS = `
  select *, arrayMap((later, earlier) -> toInt64(later) - toInt64(earlier), arrayPopFront(days), arrayPopBack(days)) as gaps,
    if(length(days) < 2, null, (toInt64(days[-1]) - toInt64(days[1])) / (length(days) - 1)) as mean_gap
  from (${ADDED_UP})`;

/** Lines of orders, for whoever reckons by product. */
const LINES = `
  select s.1 as id, customer, uniqExact(product) as products, count() as lines, sum(quantity) as pieces, uniqExact(order_id) as line_orders
  from (
    select ${OWNER} as customer, r.product as product, r.quantity as quantity, r.order_id as order_id, arrayJoin(r.counts_for) as s
    from (
      select customer_id, product, quantity, order_id, ${TIMES}, ${COUNTS_FOR} as counts_for
      from order_lines final where taken_out = 'kept'
    ) as r
    ${OWNERS}
  )
  group by id, customer`;

/** Columns beside the features. */
const BESIDE = {
  first_order_on: 'if(empty(days), null, days[1])',
  last_order_on: 'if(empty(days), null, days[-1])',
  first_day_revenue: 'arraySum(o -> o.2, arrayFilter(o -> o.1 = days[1], amounts))',
  last_login_at: 'last_login_at',
} as const;

const columnType = ({ type, nullable }: Feature): string => (nullable ? `Nullable(${type})` : type);

/** The whole of a snapshot: one statement, whatever the number of customers and features. */
const WRITE = `
  insert into customer_features (snapshot_id, snapshot_at, customer_id, ${FEATURES.map(({ column }) => column).join(', ')}, ${Object.keys(BESIDE).join(', ')})
  with (age -> age / ${DAY_MS}) as in_days
  select c.id, fromUnixTimestamp64Milli(snapshot_ms, 'UTC'), c.customer,
    ${FEATURES.map((one) => `cast(${one.expression} as ${columnType(one)})`).join(',\n    ')},
    ${Object.values(BESIDE).join(',\n    ')}
  from (${GAPS}) as c
  left any join (${LINES}) as l on l.id = c.id and l.customer = c.customer
  order by c.id, c.customer`;

/**
 * Computes the features of all customers, at one instant or at a few at once, which costs little more.
 * @param passiveNames events that show no activity of the customer itself
 */
export async function writeSnapshots(
  analytics: Analytics,
  runs: readonly SnapshotRun[],
  terms: FeatureTerms,
  passiveNames: readonly string[],
): Promise<void> {
  await analytics.command(WRITE, {
    ids: runs.map(({ id }) => id),
    ats: runs.map(({ at }) => at.getTime()),
    watermarks: runs.map(({ watermark }) => watermark.getTime()),
    ...streamParams(terms, passiveNames),
  });
}

/** What `STREAM` is read with. */
export const streamParams = (terms: FeatureTerms, passiveNames: readonly string[]): QueryParams => ({
  zone: terms.timeZone,
  reporting: terms.reportingCurrency,
  passive: passiveNames,
  currencies: Object.keys(terms.places),
  places: Object.values(terms.places),
  rateCurrencies: terms.rates.map(({ currency }) => currency),
  rateDays: terms.rates.map(({ validFrom }) => validFrom),
  rates: terms.rates.map(({ rate }) => rate),
});
