import type { Queryable } from '../../../src/core/database/index.ts';
import { type Bind, type CustomerGroup, memberSql, type Population } from '../../../src/core/graph/index.ts';
import type { ChurnCause } from '../domain/lifecycle.ts';
import type { MovementKind } from '../domain/movements.ts';

/** Which rows a report reads: consecutive stretches of time, and whose. */
export interface ReportScope {
  /** Where stretches begin, in order, and where the last one ends: one more than there are stretches. */
  readonly bounds: readonly Date[];
  readonly population: Population;
  readonly timeZone: string;
}

/** A row of one group and stretch; stretch -1 is all time before the first. */
export interface Grouped extends CustomerGroup {
  readonly stretch: number;
}

/** Binds the scope; `$1` are the bounds. */
function scopeSql({ bounds, population, timeZone }: ReportScope) {
  const values: unknown[] = [bounds];
  const bind: Bind = (value) => `$${values.push(value)}`;
  const member = memberSql(population, bind, timeZone);
  const end = bind(bounds.at(-1));
  return { values, member, end };
}

export interface MoveRow extends Grouped {
  /** Whether they came for the first time. */
  readonly isNew: boolean;
  /** Comings less goings. */
  readonly net: number;
  readonly customers: number;
}

/**
 * Customers by their comings and goings within each stretch, and how many were active before the first (stretch -1, net
 * 1). Index scan of the changes of the stretches, aggregated by customer without a sort; those before are only counted.
 */
export function moves(database: Queryable, scope: ReportScope): Promise<MoveRow[]> {
  const { values, member, end } = scopeSql(scope);
  const net = "sum(case x.kind when 'CHURNED' then -1 else 1 end)::int";
  return database.query<MoveRow>(
    `with ${member.ctes} move as (
       select width_bucket(x.at, $1::timestamptz[]) - 1 as stretch, ${member.kind} as kind, ${member.key} as key,
         x.customer_id, bool_or(x.kind = 'NEW') as is_new, ${net} as net
       from churn_change x ${member.join('x.customer_id')}
       where x.at >= ($1::timestamptz[])[1] and x.at < ${end} group by 1, 2, 3, 4)
     select stretch, kind, key, is_new as "isNew", net, count(*)::int as customers from move group by 1, 2, 3, 4, 5
     union all
     select -1, kind, key, false, 1, net from (
       select ${member.kind} as kind, ${member.key} as key, ${net} as net
       from churn_change x ${member.join('x.customer_id')} where x.at < ($1::timestamptz[])[1] group by 1, 2) before`,
    values,
  );
}

export interface CauseRow {
  readonly cause: ChurnCause;
  readonly customers: number;
}

/** Goings of the whole scope by cause. */
export function churnedByCause(database: Queryable, scope: ReportScope): Promise<CauseRow[]> {
  const { values, member, end } = scopeSql(scope);
  return database.query<CauseRow>(
    `with ${member.ctes} bound as (select ($1::timestamptz[])[1] as begin)
     select x.cause, count(distinct x.customer_id)::int as customers
     from churn_change x cross join bound ${member.join('x.customer_id')}
     where x.kind = 'CHURNED' and x.at >= bound.begin and x.at < ${end} group by 1 order by 2 desc, 1`,
    values,
  );
}

/** Reasons that are shown one by one; those named less often are put together. */
const REASONS_MAX = 50;

export interface ReasonRow extends Grouped {
  readonly known: 'KNOWN' | 'UNKNOWN' | 'OTHER';
  /** As most often written; null unless known. */
  readonly reason: string | null;
  readonly customers: number;
}

/** Customers who went in a stretch and were gone at its end, by the reason. Index scan of the changes of the stretches. */
export function reasons(database: Queryable, scope: ReportScope): Promise<ReasonRow[]> {
  const { values, member, end } = scopeSql(scope);
  return database.query<ReasonRow>(
    `with ${member.ctes} change as (
       select nullif(btrim(x.reason), '') as words, x.until, ${member.kind} as kind, ${member.key} as key,
         width_bucket(x.at, $1::timestamptz[]) - 1 as stretch
       from churn_change x ${member.join('x.customer_id')}
       where x.kind = 'CHURNED' and x.at >= ($1::timestamptz[])[1] and x.at < ${end}),
     going as (
       select stretch, kind, key, words, lower(words) as folded from change
       where until is null or until >= ($1::timestamptz[])[stretch + 2]),
     frequent as (
       select folded, mode() within group (order by words) as words from going where folded is not null
       group by folded order by count(*) desc, folded limit ${REASONS_MAX})
     select g.stretch, g.kind, g.key, f.words as reason, count(*)::int as customers,
       case when g.folded is null then 'UNKNOWN' when f.folded is null then 'OTHER' else 'KNOWN' end as known
     from going g left join frequent f on f.folded = g.folded group by 1, 2, 3, 4, 6`,
    values,
  );
}

export interface MovementRow extends Grouped {
  readonly currency: string;
  readonly movement: MovementKind;
  readonly deltaMinor: number;
  readonly movements: number;
  readonly retainedMinor: number;
}

/** MRR movements by kind and currency, those before the first stretch summed as stretch -1. One pass, up to the end. */
export function movementSums(database: Queryable, scope: ReportScope): Promise<MovementRow[]> {
  const { values, member, end } = scopeSql(scope);
  return database.query<MovementRow>(
    `with ${member.ctes} movement as (
       select x.currency, x.kind as movement, x.delta_minor, x.paying_since, ${member.kind} as kind, ${member.key} as key,
         width_bucket(x.at, $1::timestamptz[]) - 1 as stretch
       from churn_mrr_movement x ${member.join('x.customer_id')} where x.at < ${end})
     select stretch, kind, key, currency, movement, sum(delta_minor)::int8 as "deltaMinor", count(*)::int as movements,
       coalesce(sum(delta_minor) filter (
         where stretch >= 0 and paying_since < ($1::timestamptz[])[stretch + 1]), 0)::int8 as "retainedMinor"
     from movement group by 1, 2, 3, 4, 5`,
    values,
  );
}
