import type { Analytics } from '../../src/core/analytics/types.ts';
import type { Queryable } from '../../src/core/database/index.ts';
import type { DayOfUse } from './domain/facts.ts';

const DAY_MS = 86_400_000;
/** 30 recent days and the 90 before them. */
export const USE_DAYS = 120;
const NAMES = ['session.started', 'session.ended', 'feature.used', 'order.placed', 'message.opened', 'message.clicked'];

/** Days of use as they travel, many to a customer: fields without their names, in the order of `DayOfUse`. */
interface UseRow {
  readonly customerId: string;
  readonly days: readonly (readonly [
    daysAgo: number,
    name: string,
    feature: string,
    count: number,
    durationS: number,
  ])[];
}

/**
 * What customers did in the 120 days up to `at`, by day, kind and feature: events of the history engine and those that
 * were accepted and have not reached it. An event under way between the two may be seen twice for an instant, which no
 * set of days or features notices.
 * @param owners every id under which events of the customers stand → the customer
 */
export async function daysOfUse(
  sources: { readonly analytics: Analytics; readonly database: Queryable },
  owners: ReadonlyMap<string, string>,
  at: Date,
): Promise<Map<string, DayOfUse[]>> {
  const all = [...owners.keys()];
  const from = new Date(at.getTime() - USE_DAYS * DAY_MS);
  const [settled, waiting] = await Promise.all([
    // Sorting key (customer_id, event_uid): reads the granules of these customers only.
    sources.analytics.query<UseRow>(
      `select customer_id as "customerId", groupArray((days_ago, name, feature, uses, duration)) as days
       from (
         select customer_id, toInt32(intDiv(toUnixTimestamp64Milli({at:DateTime64(3)}) - toUnixTimestamp64Milli(at), 86400000)) as days_ago,
                toString(name) as name, if(name = 'feature.used', JSONExtractString(properties, 'feature'), '') as feature,
                toUInt32(count()) as uses, toFloat64(sumIf(ifNull(value, 0), name = 'session.ended')) as duration
         from events final
         where customer_id in {ids:Array(UUID)} and at > {from:DateTime64(3)} and at <= {at:DateTime64(3)} and name in {names:Array(String)}
         group by all
       )
       group by customer_id`,
      { ids: all, from, at, names: NAMES },
    ),
    sources.database.query<UseRow>(
      `select customer_id as "customerId", json_agg(json_build_array(days_ago, name, feature, uses, duration)) as days
       from (
         select customer_id, floor(extract(epoch from $3::timestamptz - at) / 86400)::int as days_ago, name,
                case when name = 'feature.used' then coalesce(properties->>'feature', '') else '' end as feature,
                count(*)::int as uses, coalesce(sum(value) filter (where name = 'session.ended'), 0)::float8 as duration
         from event_inbox
         where customer_id = any($1::uuid[]) and at > $2 and at <= $3 and name = any($4::text[])
         group by 1, 2, 3, 4
       ) as used
       group by customer_id`,
      [all, from, at, NAMES],
    ),
  ]);
  const byCustomer = new Map<string, DayOfUse[]>();
  for (const { customerId, days } of [...settled, ...waiting]) {
    const id = owners.get(customerId) ?? customerId;
    const own = days.map(([daysAgo, name, feature, count, durationS]) => ({
      daysAgo,
      name,
      feature,
      count,
      durationS,
    }));
    byCustomer.set(id, [...(byCustomer.get(id) ?? []), ...own]);
  }
  return byCustomer;
}

/** Last NPS answer of each customer up to `at`. */
export async function lastNpsAnswers(
  sources: { readonly analytics: Analytics; readonly database: Queryable },
  owners: ReadonlyMap<string, string>,
  at: Date,
): Promise<Map<string, number>> {
  interface Answer {
    customerId: string;
    score: number;
    atMs: number;
  }
  const all = [...owners.keys()];
  const [settled, waiting] = await Promise.all([
    sources.analytics.query<Answer>(
      `select customer_id as "customerId", toFloat64(argMax(assumeNotNull(value), at)) as score,
              toFloat64(toUnixTimestamp64Milli(max(at))) as "atMs"
       from events final
       where customer_id in {ids:Array(UUID)} and at <= {at:DateTime64(3)} and name = 'survey.answered'
         and upper(JSONExtractString(properties, 'kind')) = 'NPS' and value is not null
       group by 1`,
      { ids: all, at },
    ),
    sources.database.query<Answer>(
      `select distinct on (customer_id) customer_id as "customerId", value::float8 as score,
              (extract(epoch from at) * 1000)::float8 as "atMs"
       from event_inbox
       where customer_id = any($1::uuid[]) and at <= $2 and name = 'survey.answered' and upper(properties->>'kind') = 'NPS' and value is not null
       order by customer_id, at desc`,
      [all, at],
    ),
  ]);
  const latest = new Map<string, Answer>();
  for (const answer of [...settled, ...waiting]) {
    const id = owners.get(answer.customerId) ?? answer.customerId;
    const known = latest.get(id);
    if (known === undefined || answer.atMs > known.atMs) latest.set(id, answer);
  }
  return new Map([...latest].map(([id, answer]) => [id, answer.score]));
}
