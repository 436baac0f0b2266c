import type { Queryable } from '../../../src/core/database/index.ts';
import { type Bind, memberSql, type Population } from '../../../src/core/graph/index.ts';
import type { LoyaltyBand } from './domain/score.ts';

/** What the customers of a band come to. */
export interface BandCount {
  readonly band: LoyaltyBand;
  readonly customers: number;
  readonly members: number;
  /** Exact text, as sums of int8 are numeric. */
  readonly points: string;
  readonly revenue: string;
  readonly scores: number;
  readonly coverages: number;
}

/** Customers of a population by band: one scan of the standings beside the members', and of the population when it is a part. */
export function countBands(
  database: Queryable,
  population: Population,
  timeZone: string,
  currency: string,
): Promise<BandCount[]> {
  const values: unknown[] = [];
  const bind: Bind = (value) => `$${values.push(value)}`;
  const member = memberSql(population, bind, timeZone);
  return database.query<BandCount>(
    `with ${member.ctes} placed as (
       select s.band, s.score, s.coverage, a.id as account, coalesce(a.balance, 0) as balance,
         case when s.revenue_currency = ${bind(currency)} then s.revenue_minor else 0 end as revenue
       from loyalty_standing s ${member.join('s.customer_id')}
       left join loyalty_account a on a.customer_id = s.customer_id and a.closed_at is null)
     select band, count(*)::int as customers, count(account)::int as members, sum(balance)::text as points,
       sum(revenue)::text as revenue, sum(score) as scores, sum(coverage) as coverages
     from placed group by band`,
    values,
  );
}

/** How many customers of a part have no standing yet. */
export async function countUnplaced(database: Queryable, population: Population, timeZone: string): Promise<number> {
  const values: unknown[] = [];
  const bind: Bind = (value) => `$${values.push(value)}`;
  const member = memberSql(population, bind, timeZone);
  const [row] = await database.query<{ customers: number }>(
    `with ${member.ctes} unplaced as (
       select c.id from customer c ${member.join('c.id')}
       where c.erased_at is null and not exists (select from loyalty_standing s where s.customer_id = c.id))
     select count(*)::int as customers from unplaced`,
    values,
  );
  return row?.customers ?? 0;
}
