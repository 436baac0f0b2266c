import type { Analytics } from '../../../src/core/analytics/types.ts';
import type { CohortAtAge } from '../domain/advice.ts';

/**
 * Cohorts by the month of the first order, with how many ordered again in the given month of their life; only cohorts whose
 * month lies wholly before `until`. Ascending.
 * @param options.until first day of the running month, `YYYY-MM-DD` in the time zone of the business
 */
export function cohortsAtAge(
  analytics: Analytics,
  options: {
    readonly age: number;
    readonly until: string;
    readonly before: Date;
    readonly timeZone: string;
    readonly months: number;
  },
): Promise<CohortAtAge[]> {
  const { age, until, before, timeZone, months } = options;
  return analytics
    .query<CohortAtAge>(
      `select toString(first_month) as cohort, toUInt32(count()) as customers, toUInt32(countIf(has(months, toDate(addMonths(first_month, {age:UInt16}))))) as retained,
       toString(toDate(addMonths(first_month, {age:UInt16}))) as observed
     from (
       select customer, min(month) as first_month, groupUniqArray(month) as months
       from (
         select if(a.survivor_id = toUUID('00000000-0000-0000-0000-000000000000'), e.customer_id, a.survivor_id) as customer,
           toStartOfMonth(toDate(e.at, {zone:String})) as month
         from (select customer_id, at from events final where name = 'order.placed' and at < {before:DateTime64(3, 'UTC')}) as e
         left any join (select customer_id, survivor_id from customer_alias final) as a on a.customer_id = e.customer_id
       )
       group by customer
     )
     where addMonths(first_month, {age:UInt16}) < toDate({until:String})
     group by first_month order by first_month desc limit {months:UInt16}`,
      { age, until, before, zone: timeZone, months },
    )
    .then((rows) => rows.reverse());
}
