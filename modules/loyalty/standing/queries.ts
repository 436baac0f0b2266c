import type { Analytics } from '../../../src/core/analytics/types.ts';
import type { Queryable } from '../../../src/core/database/index.ts';
import type { Way } from './domain/facts.ts';

const DAY_MS = 86_400_000;

/** Events by which a customer uses the product or buys; each day with one is an active day. */
const USE_EVENTS = ['session.started', 'session.ended', 'feature.used', 'order.placed'];

/** Which way of taking part an event goes. */
const WAY_OF: Readonly<Record<string, Way>> = {
  'session.started': 'USE',
  'session.ended': 'USE',
  'feature.used': 'USE',
  'order.placed': 'ORDER',
  'survey.answered': 'FEEDBACK',
  'review.given': 'FEEDBACK',
  'referral.made': 'REFERRAL',
  'message.clicked': 'MESSAGE',
};
const NAMES = Object.keys(WAY_OF);
/** A year: ways gone and reviews given count so long. */
const YEAR_DAYS = 365;
const USE_DAYS = 90;
/** More than these make no difference to any score: bounds a row. */
const KEPT_UIDS = 1_000;

/** What the event stream tells of a customer. */
export interface StreamFacts {
  readonly activeDays30: number;
  readonly activeDays90: number;
  readonly featuresUsed: number;
  readonly referrals: number;
  readonly reviews: number;
  readonly ways: ReadonlySet<Way>;
  readonly lastNps: number | null;
}

interface StreamRow {
  readonly customerId: string;
  /** Whole days before the moment, of days with use within 90. */
  readonly useDays: readonly number[];
  readonly features: readonly string[];
  /** Of events, so that one under way between the engines counts once. */
  readonly referralUids: readonly string[];
  readonly reviewUids: readonly string[];
  /** Names of a year. */
  readonly names: readonly string[];
  readonly nps: number | null;
  /** Unix milliseconds; 0 without an answer. */
  readonly npsAtMs: number;
}

/**
 * What the stream tells of customers up to `at`: one statement in each engine, one row per customer, whatever their
 * number. What is accepted and has not reached the history engine is in it.
 * @param owners every id under which events of the customers stand → the customer
 */
export async function streamFacts(
  sources: { readonly analytics: Analytics; readonly database: Queryable },
  owners: ReadonlyMap<string, string>,
  at: Date,
  referralDays: number,
): Promise<Map<string, StreamFacts>> {
  const all = [...owners.keys()];
  const since = (days: number) => new Date(at.getTime() - days * DAY_MS);
  const [useSince, yearSince, referralSince] = [since(USE_DAYS), since(YEAR_DAYS), since(referralDays)];
  const [settled, waiting] = await Promise.all([
    // Sorting key (customer_id, event_uid): reads the granules of these customers only.
    sources.analytics.query<StreamRow>(
      `select customer_id as "customerId",
         groupUniqArrayIf(toInt32(intDiv(toUnixTimestamp64Milli({at:DateTime64(3)}) - toUnixTimestamp64Milli(at), 86400000)),
                          at > {use:DateTime64(3)} and name in {useNames:Array(String)}) as "useDays",
         arrayFilter(f -> f != '', groupUniqArrayIf(JSONExtractString(properties, 'feature'), at > {use:DateTime64(3)} and name = 'feature.used')) as features,
         groupUniqArrayIf(${KEPT_UIDS})(toString(event_uid), at > {referral:DateTime64(3)} and name = 'referral.made') as "referralUids",
         groupUniqArrayIf(${KEPT_UIDS})(toString(event_uid), at > {year:DateTime64(3)} and name = 'review.given') as "reviewUids",
         groupUniqArrayIf(toString(name), at > {year:DateTime64(3)}) as names,
         if(countIf(name = 'survey.answered' and upper(JSONExtractString(properties, 'kind')) = 'NPS' and value is not null) = 0, null,
            toFloat64(argMaxIf(assumeNotNull(value), at, name = 'survey.answered' and upper(JSONExtractString(properties, 'kind')) = 'NPS' and value is not null))) as nps,
         toFloat64(toUnixTimestamp64Milli(maxIf(at, name = 'survey.answered' and upper(JSONExtractString(properties, 'kind')) = 'NPS' and value is not null))) as "npsAtMs"
       from events final
       where customer_id in {ids:Array(UUID)} and at <= {at:DateTime64(3)} and name in {names:Array(String)}
       group by 1`,
      { ids: all, at, use: useSince, year: yearSince, referral: referralSince, names: NAMES, useNames: USE_EVENTS },
    ),
    sources.database.query<StreamRow>(
      `select customer_id as "customerId",
         coalesce(array_agg(distinct floor(extract(epoch from $2::timestamptz - at) / 86400)::int) filter (where at > $3 and name = any($7::text[])), '{}') as "useDays",
         coalesce(array_agg(distinct properties->>'feature') filter (where at > $3 and name = 'feature.used' and properties->>'feature' <> ''), '{}') as features,
         coalesce(array_agg(event_uid::text) filter (where at > $5 and name = 'referral.made'), '{}') as "referralUids",
         coalesce(array_agg(event_uid::text) filter (where at > $4 and name = 'review.given'), '{}') as "reviewUids",
         coalesce(array_agg(distinct name) filter (where at > $4), '{}') as names,
         (array_agg(value::float8 order by at desc) filter (where name = 'survey.answered' and upper(properties->>'kind') = 'NPS' and value is not null))[1] as nps,
         coalesce((extract(epoch from max(at) filter (where name = 'survey.answered' and upper(properties->>'kind') = 'NPS' and value is not null)) * 1000)::float8, 0) as "npsAtMs"
       from event_inbox
       where customer_id = any($1::uuid[]) and at <= $2 and name = any($6::text[])
       group by 1`,
      [all, at, useSince, yearSince, referralSince, NAMES, USE_EVENTS],
    ),
  ]);
  const rowsOf = new Map<string, StreamRow[]>();
  for (const row of [...settled, ...waiting]) {
    const id = owners.get(row.customerId) ?? row.customerId;
    rowsOf.set(id, [...(rowsOf.get(id) ?? []), row]);
  }
  return new Map([...rowsOf].map(([id, rows]) => [id, together(rows)]));
}

/** Rows of one customer: of both engines, and of former ids. */
function together(rows: readonly StreamRow[]): StreamFacts {
  const days = new Set(rows.flatMap((row) => row.useDays));
  const answered = rows.filter((row) => row.nps !== null).sort((a, b) => b.npsAtMs - a.npsAtMs);
  return {
    activeDays30: [...days].filter((day) => day < 30).length,
    activeDays90: days.size,
    featuresUsed: new Set(rows.flatMap((row) => row.features)).size,
    referrals: new Set(rows.flatMap((row) => row.referralUids)).size,
    reviews: new Set(rows.flatMap((row) => row.reviewUids)).size,
    ways: new Set(rows.flatMap((row) => row.names.flatMap((name) => WAY_OF[name] ?? []))),
    lastNps: answered[0]?.nps ?? null,
  };
}
