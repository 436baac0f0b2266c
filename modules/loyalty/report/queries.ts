import type { Database, Queryable } from '../../../src/core/database/index.ts';
import type { CountedCell } from './domain/cohorts.ts';
import type { Flows } from './domain/flows.ts';

/** Memory of one statement that puts a whole ledger together: without it sums of a million entries go by way of the disk. */
const WORK_MEM = '96MB';

/** Reads by a statement that is allowed more memory than others; it writes nothing. */
export function inMemory<Row extends object>(
  database: Pick<Database, 'transaction'>,
  text: string,
  values: readonly unknown[],
  name: string,
): Promise<Row[]> {
  return database.transaction(async (tx) => {
    await tx.query(`select set_config('work_mem', $1, true)`, [WORK_MEM], { name: 'loyalty_report_memory' });
    return tx.query<Row>(text, values, { name });
  });
}

/** Sums of one stretch between bounds; all exact texts, as sums of int8 are numeric. */
interface FlowRow {
  /** 0 for the first stretch; as many as there are stretches for what was recorded behind the last bound. */
  readonly stretch: number;
  readonly issued: string;
  readonly returned: string;
  readonly redeemed: string;
  readonly expired: string;
  readonly reversed: string;
  readonly adjusted: string;
  readonly points: string;
  readonly debt: string;
}

/** Accounts by the stretches in which they were opened and closed; -1 before the first, null for those not closed. */
interface AccountRow {
  readonly joined: number;
  readonly closed: number | null;
  readonly accounts: number;
  readonly balance: string;
  readonly debt: string;
}

/** What a stretch brought. */
export interface StretchFlows extends Flows {
  readonly stretch: number;
  /** What it added to balances, and to debts. */
  readonly points: number;
  readonly debt: number;
}

/** Accounts that were opened and closed in the same stretches. */
export interface AccountSums {
  readonly joined: number;
  readonly closed: number | null;
  readonly accounts: number;
  readonly balance: number;
  readonly debt: number;
}

/**
 * Everything the sums of a report are made of, in one statement, so that it is one moment's: entries from the first bound
 * on, and all accounts. A block-range scan of the entries since the first bound and one scan of the accounts; rows out =
 * stretches.
 * @param bounds where stretches begin, in order, and where the last one ends
 */
export async function ledgerSums(
  database: Queryable,
  bounds: readonly Date[],
): Promise<{ readonly flows: StretchFlows[]; readonly accounts: AccountSums[] }> {
  const [row] = await database.query<{ flows: FlowRow[] | null; accounts: AccountRow[] | null }>(
    `with flow as (
       select width_bucket(recorded_at, $1::timestamptz[]) - 1 as stretch,
         coalesce(sum(points - debt) filter (where kind = 'EARN'), 0)::text as issued,
         coalesce(sum(points - debt) filter (where kind = 'REVERSE' and points - debt > 0), 0)::text as returned,
         coalesce(-sum(points - debt) filter (where kind = 'REDEEM'), 0)::text as redeemed,
         coalesce(-sum(points - debt) filter (where kind = 'EXPIRE'), 0)::text as expired,
         coalesce(-sum(points - debt) filter (where kind = 'REVERSE' and points - debt < 0), 0)::text as reversed,
         coalesce(sum(points - debt) filter (where kind = 'ADJUST'), 0)::text as adjusted,
         sum(points)::text as points, sum(debt)::text as debt
       from loyalty_entry where recorded_at >= ($1::timestamptz[])[1] group by 1
     ), account as (
       select width_bucket(joined_at, $1::timestamptz[]) - 1 as joined, width_bucket(closed_at, $1::timestamptz[]) - 1 as closed,
         count(*)::int as accounts, sum(balance)::text as balance, sum(debt)::text as debt
       from loyalty_account group by 1, 2
     )
     select (select json_agg(f) from flow f) as flows, (select json_agg(a) from account a) as accounts`,
    [bounds],
    { name: 'loyalty_report_sums' },
  );
  return {
    flows: (row?.flows ?? []).map((flow) => ({
      stretch: flow.stretch,
      issued: Number(flow.issued),
      returned: Number(flow.returned),
      redeemed: Number(flow.redeemed),
      expired: Number(flow.expired),
      reversed: Number(flow.reversed),
      adjusted: Number(flow.adjusted),
      points: Number(flow.points),
      debt: Number(flow.debt),
    })),
    accounts: (row?.accounts ?? []).map((account) => ({
      ...account,
      balance: Number(account.balance),
      debt: Number(account.debt),
    })),
  };
}

/** Who earned most. */
export interface Earner {
  readonly customerId: string;
  readonly earned: number;
}

/**
 * Members who earned or redeemed in a period, and the ten who earned most: one block-range scan of its entries,
 * aggregated by account.
 */
export async function activeMembers(
  database: Queryable,
  period: { readonly from: Date; readonly to: Date },
  top: number,
): Promise<{ readonly participants: number; readonly earners: Earner[] }> {
  const [row] = await database.query<{ participants: number; earners: Earner[] | null }>(
    `with own as materialized (
       select e.account_id, sum(e.qualifying) filter (where e.source <> 'MERGE') as earned, bool_or(e.kind in ('EARN', 'REDEEM')) as active
       from loyalty_entry e where e.recorded_at >= $1 and e.recorded_at < $2 group by e.account_id)
     select (select count(*)::int from own o join loyalty_account a on a.id = o.account_id
             where o.active and (a.closed_at is null or a.closed_at >= $2)) as participants,
       (select json_agg(t) from (
          select a.customer_id as "customerId", o.earned from own o join loyalty_account a on a.id = o.account_id
          where o.earned > 0 and a.closed_at is null order by o.earned desc, a.customer_id limit $3) t) as earners`,
    [period.from, period.to, top],
    { name: 'loyalty_report_members' },
  );
  return { participants: row?.participants ?? 0, earners: row?.earners ?? [] };
}

/**
 * Members by the month in which they joined, and what they did by age: one block-range scan of the entries since the first
 * month, aggregated by member and month and then by cohort.
 * @param bounds where months begin, in order, and where the last one ends
 * @returns months by their place within the bounds
 */
export async function cohortCells(
  database: Pick<Database, 'transaction'>,
  bounds: readonly Date[],
): Promise<{
  readonly members: { readonly place: number; readonly members: number }[];
  readonly cells: CountedCell[];
}> {
  interface CellRow {
    readonly place: number;
    readonly age: number;
    readonly active: number;
    readonly earned: string;
    readonly redeemed: string;
  }
  const [row] = await inMemory<{
    members: { place: number; members: number }[] | null;
    cells: CellRow[] | null;
  }>(
    database,
    `with span as (select ($1::timestamptz[])[1] as "from", ($1::timestamptz[])[array_length($1::timestamptz[], 1)] as until
     ), member as materialized (
       select id, width_bucket(joined_at, $1::timestamptz[]) - 1 as place from loyalty_account, span
       where joined_at >= span."from" and joined_at < span.until
     ), did as (
       select m.place, greatest(0, width_bucket(e.recorded_at, $1::timestamptz[]) - 1 - m.place) as age, e.account_id,
         coalesce(sum(e.points - e.debt) filter (where e.kind = 'EARN'), 0) as earned,
         coalesce(-sum(e.points - e.debt) filter (where e.kind = 'REDEEM'), 0) as redeemed
       from span, loyalty_entry e join member m on m.id = e.account_id
       where e.recorded_at >= span."from" and e.recorded_at < span.until and e.kind in ('EARN', 'REDEEM') group by 1, 2, 3
     ), cell as (
       select place, age, count(*)::int as active, sum(earned)::text as earned, sum(redeemed)::text as redeemed
       from did group by 1, 2
     )
     select (select json_agg(c) from cell c) as cells,
       (select json_agg(t) from (select place, count(*)::int as members from member group by 1) t) as members`,
    [bounds],
    'loyalty_report_cohorts',
  );
  return {
    members: row?.members ?? [],
    cells: (row?.cells ?? []).map((cell) => ({
      ...cell,
      earned: Number(cell.earned),
      redeemed: Number(cell.redeemed),
    })),
  };
}
