import type { Analytics } from '../../../src/core/analytics/types.ts';
import type { Queryable } from '../../../src/core/database/index.ts';
import { type Bind, memberSql, type Population } from '../../../src/core/graph/index.ts';
import { passiveEventNames } from '../../customers/contract.ts';
import type { CohortSum } from '../domain/cohorts.ts';
import type { CohortGrain } from '../domain/periods.ts';

export type CohortStart = 'FIRST_ORDER' | 'SIGNUP';

/** Which cohorts: those that begin in the periods `from` to `to`, by what, of whom. */
export interface CohortScope {
  readonly grain: CohortGrain;
  readonly start: CohortStart;
  readonly from: number;
  readonly to: number;
  readonly now: Date;
  readonly population: Population;
  readonly timeZone: string;
}

/** What was counted; a row whose period is null is the size of its cohort. */
interface SumRow {
  readonly cohort: number;
  readonly period: number | null;
  readonly customers: number;
  readonly amountMinor: number;
  readonly unconverted: number;
}

export interface CohortRead {
  readonly sizes: Map<number, number>;
  readonly sums: CohortSum[];
  /** Orders without a rate: not in the amounts. */
  readonly unconverted: number;
}

function read(rows: readonly SumRow[]): CohortRead {
  const sums = rows.flatMap(({ period, ...row }) => (period === null ? [] : [{ ...row, period }]));
  const sizes = new Map(rows.flatMap((row) => (row.period === null ? [[row.cohort, row.customers] as const] : [])));
  return { sizes, sums, unconverted: sums.reduce((sum, row) => sum + row.unconverted, 0) };
}

/** The number of the period a moment lies in: weeks since Monday 1970-01-05, months and quarters since year 0. */
function periodSql(grain: CohortGrain, at: string, timeZone: string): string {
  const local = `(${at} at time zone ${timeZone})`;
  if (grain === 'WEEK') return `floor((${local}::date - date '1970-01-05') / 7.0)::int`;
  const [perYear, unit] = grain === 'MONTH' ? [12, 'month'] : [4, 'quarter'];
  return `(date_part('year', ${local}) * ${perYear} + date_part('${unit}', ${local}) - 1)::int`;
}

function scopeSql({ grain, start, from, to, now, population, timeZone }: CohortScope) {
  const values: unknown[] = [timeZone, now, from, to];
  const bind: Bind = (value) => `$${values.push(value)}`;
  const member = memberSql({ ...population, dimension: null }, bind, timeZone);
  const period = (at: string) => periodSql(grain, at, '$1::text');
  // Where each customer begins. The first order is that of the order records, so that each is in its own first period.
  const begins =
    start === 'SIGNUP'
      ? `select x.id, ${period('x.signup_at')} as cohort from ${population.customers} x ${member.join('x.id')} where x.signup_at <= $2`
      : `select x.customer_id as id, ${period('min(x.placed_at)')} as cohort from customer_order x ${member.join('x.customer_id')}
         where x.placed_at <= $2 group by 1`;
  const beginning = `beginning as materialized (
    select * from (${begins}) b where cohort between $3 and $4)`;
  return { values, bind, member, period, beginning };
}

/** Sizes and what happened: the two answers of one statement. */
const answer = (sums: string) => `
  select cohort, null::int as period, count(*)::int as customers, 0::int8 as "amountMinor", 0 as unconverted
  from beginning group by 1 union all ${sums}`;

/** Customers with an order in each period, and what they spent, returns taken off: one pass over the orders. */
export async function orderCohorts(
  database: Queryable,
  scope: CohortScope,
  reportingCurrency: string,
): Promise<CohortRead> {
  const { values, bind, member, period, beginning } = scopeSql(scope);
  const currency = bind(reportingCurrency);
  const rows = await database.query<SumRow>(
    `with ${member.ctes} ${beginning},
     bought as (
       select b.cohort, o.customer_id, ${period('o.placed_at')} as period,
         sum(o.reporting_amount_minor - o.reporting_returned_minor) filter (where o.reporting_currency = ${currency}) as amount,
         count(*) filter (where o.reporting_amount_minor is null or o.reporting_currency <> ${currency}) as unconverted
       from customer_order o join beginning b on b.id = o.customer_id where o.placed_at <= $2 group by 1, 2, 3)
     ${answer(`select cohort, period, count(*)::int, coalesce(sum(amount), 0)::int8, sum(unconverted)::int from bought group by 1, 2`)}`,
    values,
  );
  return read(rows);
}

/** Who left for the first time in each period, of customers who ever were here: one pass over their first changes. */
export async function survivalCohorts(database: Queryable, scope: CohortScope): Promise<CohortRead> {
  const { values, member, period, beginning } = scopeSql(scope);
  const rows = await database.query<SumRow>(
    `with ${member.ctes} ${beginning.replace('beginning as', 'begun as')},
     beginning as materialized (
       select b.cohort, x.until as gone from begun b join churn_change x on x.customer_id = b.id and x.kind = 'NEW' where x.at <= $2)
     ${answer(`select cohort, ${period('gone')}, count(*)::int, 0::int8, 0 from beginning where gone <= $2 group by 1, 2`)}`,
    values,
  );
  return read(rows);
}

/** How MRR and the number of paying customers changed in each period: one pass over the movements. */
export async function mrrCohorts(database: Queryable, scope: CohortScope, currency: string): Promise<CohortRead> {
  const { values, bind, member, period, beginning } = scopeSql(scope);
  const only = bind(currency);
  const rows = await database.query<SumRow>(
    `with ${member.ctes} ${beginning}
     ${answer(`select b.cohort, ${period('x.at')},
         coalesce(sum(case x.kind when 'CHURNED' then -1 else 1 end) filter (where x.kind in ('NEW', 'REACTIVATION', 'CHURNED')), 0)::int,
         sum(x.delta_minor)::int8, 0
       from churn_mrr_movement x join beginning b on b.id = x.customer_id
       where x.at <= $2 and x.currency = ${only} group by 1, 2`)}`,
    values,
  );
  return read(rows);
}

const PERIODS_OF_HISTORY: Readonly<Record<CohortGrain, string>> = {
  // ClickHouse counts days from 1970-01-01, which was a Thursday.
  WEEK: 'intDiv(toInt32(toDate(toTimeZone(e.at, {timeZone:String}))) - 4, 7)',
  MONTH: 'toInt32(toYear(toTimeZone(e.at, {timeZone:String})) * 12 + toMonth(toTimeZone(e.at, {timeZone:String})) - 1)',
  QUARTER:
    'toInt32(toYear(toTimeZone(e.at, {timeZone:String})) * 4 + toQuarter(toTimeZone(e.at, {timeZone:String})) - 1)',
};

/**
 * Customers who did anything of their own in each period. When each began is in the records, what it did in the history:
 * one statement each, the latter streamed as one row per customer with the periods it was seen in.
 */
export async function activityCohorts(
  sources: { readonly database: Queryable; readonly analytics: Analytics },
  scope: CohortScope,
): Promise<CohortRead> {
  const { values, member, beginning } = scopeSql(scope);
  const begun = await sources.database.query<{ id: string; cohort: number }>(
    `with ${member.ctes} ${beginning} select id, cohort from beginning`,
    values,
  );
  const cohortOf = new Map(begun.map(({ id, cohort }) => [id, cohort]));
  const sizes = new Map<number, number>();
  for (const cohort of cohortOf.values()) sizes.set(cohort, (sizes.get(cohort) ?? 0) + 1);
  const counts = new Map<number, Map<number, number>>();
  const seen = sources.analytics.queryStream<{ id: string; periods: number[] }>(
    `select if(a.survivor_id = toUUID('00000000-0000-0000-0000-000000000000'), e.customer_id, a.survivor_id) as id,
            groupUniqArray(${PERIODS_OF_HISTORY[scope.grain]}) as periods
     from events as e left join (select customer_id, survivor_id from customer_alias final) as a on a.customer_id = e.customer_id
     where e.at <= {now:DateTime64(3)} and e.name not in {passive:Array(String)}
     group by id`,
    { timeZone: scope.timeZone, now: scope.now, passive: passiveEventNames },
  );
  for await (const rows of seen) {
    for (const { id, periods } of rows) {
      const cohort = cohortOf.get(id);
      if (cohort === undefined) continue;
      const byPeriod = counts.get(cohort) ?? new Map<number, number>();
      counts.set(cohort, byPeriod);
      // Something done before the cohort's own period belongs to its beginning, once.
      for (const period of new Set(periods.map((one) => Math.max(one, cohort))))
        byPeriod.set(period, (byPeriod.get(period) ?? 0) + 1);
    }
  }
  const sums = [...counts].flatMap(([cohort, byPeriod]) =>
    [...byPeriod].map(([period, customers]) => ({ cohort, period, customers, amountMinor: 0 })),
  );
  return { sizes, sums, unconverted: 0 };
}
