import type { Analytics } from '../../src/core/analytics/types.ts';
import type { Queryable } from '../../src/core/database/index.ts';
import type { DayOfUse } from './domain/facts.ts';

const DAY_MS = 86_400_000;
/** 30 recent days and the 90 before them. */
export const USE_DAYS = 120;
const NAMES = ['session.started', 'session.ended', 'feature.used', 'order.placed', 'message.opened', 'message.clicked'];

/** What a customer did as it travels, many rows of use to a customer: fields without their names, in the order of `DayOfUse`. */
interface UseRow {
  readonly customerId: string;
  readonly days: readonly (readonly [
    daysAgo: number,
    name: string,
    feature: string,
    count: number,
    durationS: number,
  ])[];
  readonly nps: number | null;
  /** Milliseconds; 0 without an answer. */
  readonly npsAtMs: number;
}

/** What is known of a customer's use of the product. */
export interface Use {
  readonly days: readonly DayOfUse[];
  /** Last NPS answer, however long ago. */
  readonly lastNps: number | null;
}

/**
 * What customers did in the 120 days up to `at`, by day, kind and feature, and their last NPS answer: events of the history
 * engine and those that were accepted and have not reached it. An event under way between the two may be seen twice for
 * an instant, which no set of days or features notices.
 * @param owners every id under which events of the customers stand → the customer
 */
export async function useOf(
  sources: { readonly analytics: Analytics; readonly database: Queryable },
  owners: ReadonlyMap<string, string>,
  at: Date,
): Promise<Map<string, Use>> {
  const all = [...owners.keys()];
  const from = new Date(at.getTime() - USE_DAYS * DAY_MS);
  const [settled, waiting] = await Promise.all([
    // Sorting key (customer_id, event_uid): reads the granules of these customers only, and once for both questions.
    sources.analytics.query<UseRow>(
      `select customer_id as "customerId", groupArrayIf((days_ago, name, feature, uses, duration), name != 'survey.answered') as days,
              argMax(nps, nps_at) as nps, max(nps_at) as "npsAtMs"
       from (
         select customer_id, toInt32(intDiv(toUnixTimestamp64Milli({at:DateTime64(3)}) - toUnixTimestamp64Milli(at), 86400000)) as days_ago,
                toString(e.name) as name, if(e.name = 'feature.used', JSONExtractString(properties, 'feature'), '') as feature,
                toUInt32(count()) as uses, toFloat64(sumIf(ifNull(value, 0), e.name = 'session.ended')) as duration,
                argMaxIf(toFloat64(value), at, e.name = 'survey.answered') as nps,
                toFloat64(maxIf(toUnixTimestamp64Milli(at), e.name = 'survey.answered')) as nps_at
         from events as e final
         where customer_id in {ids:Array(UUID)} and at <= {at:DateTime64(3)}
           and (at > {from:DateTime64(3)} and e.name in {names:Array(String)}
             or e.name = 'survey.answered' and value is not null and upper(JSONExtractString(properties, 'kind')) = 'NPS')
         group by customer_id, days_ago, name, feature
       )
       group by customer_id`,
      { ids: all, from, at, names: NAMES },
    ),
    sources.database.query<UseRow>(
      `select customer_id as "customerId",
              coalesce(json_agg(json_build_array(days_ago, name, feature, uses, duration)) filter (where name <> 'survey.answered'), '[]') as days,
              (array_agg(nps order by nps_at desc nulls last))[1] as nps, coalesce(max(nps_at), 0) as "npsAtMs"
       from (
         select customer_id, floor(extract(epoch from $3::timestamptz - at) / 86400)::int as days_ago, name,
                case when name = 'feature.used' then coalesce(properties->>'feature', '') else '' end as feature,
                count(*)::int as uses, coalesce(sum(value) filter (where name = 'session.ended'), 0)::float8 as duration,
                (array_agg(value::float8 order by at desc) filter (where name = 'survey.answered'))[1] as nps,
                (extract(epoch from max(at) filter (where name = 'survey.answered')) * 1000)::float8 as nps_at
         from event_inbox
         where customer_id = any($1::uuid[]) and at <= $3
           and (at > $2 and name = any($4::text[])
             or name = 'survey.answered' and value is not null and upper(properties->>'kind') = 'NPS')
         group by 1, 2, 3, 4
       ) as used
       group by customer_id`,
      [all, from, at, NAMES],
    ),
  ]);
  const found = new Map<string, { days: readonly DayOfUse[]; lastNps: number | null; npsAtMs: number }>();
  for (const { customerId, days, nps, npsAtMs } of [...settled, ...waiting]) {
    const id = owners.get(customerId) ?? customerId;
    const known = found.get(id);
    const own = days.map(([daysAgo, name, feature, count, durationS]) => ({
      daysAgo,
      name,
      feature,
      count,
      durationS,
    }));
    const isLater = npsAtMs > (known?.npsAtMs ?? 0);
    found.set(id, {
      days: known === undefined ? own : [...known.days, ...own],
      lastNps: isLater ? nps : (known?.lastNps ?? null),
      npsAtMs: Math.max(npsAtMs, known?.npsAtMs ?? 0),
    });
  }
  return found;
}
