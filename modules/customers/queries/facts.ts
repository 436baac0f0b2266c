import type { Queryable } from '../../../src/core/database/index.ts';
import { parseMoney } from '../../../src/core/money.ts';
import type {
  AccountManagerFacts,
  ContactFacts,
  CustomerFacts,
  InvoiceFacts,
  OrderFacts,
  Period,
  RevenueFacts,
  SubscriptionFacts,
  SubscriptionState,
  TicketFacts,
} from '../contract.ts';
import { survivors } from '../service/references.ts';

/** Reads for other modules: index scans by customer, one statement each. */

/** The ids to look under: what was merged away is looked for under whoever lives on. */
async function living(db: Queryable, ids: readonly string[]): Promise<string[]> {
  const led = await survivors(db, ids);
  return led.size === 0 ? [...ids] : [...new Set(ids.map((id) => led.get(id) ?? id))];
}

export async function customersByIds(db: Queryable, ids: readonly string[]): Promise<CustomerFacts[]> {
  if (ids.length === 0) return [];
  return db.query<CustomerFacts>(
    `select id, external_id as "externalId", name, business_segment as "businessSegment", owner_id as "ownerId", status,
       signup_at as "signupAt", churned_at as "churnedAt", churn_reason as "churnReason",
       last_activity_at as "lastActivityAt", first_order_at as "firstOrderAt"
     from customer where id = any($1::uuid[]) and erased_at is null`,
    [await living(db, ids)],
    { name: 'customers_by_ids' },
  );
}

export async function contactsOf(db: Queryable, customerIds: readonly string[]): Promise<ContactFacts[]> {
  if (customerIds.length === 0) return [];
  return db.query<ContactFacts>(
    `select id, customer_id as "customerId", email, name, time_zone as "timeZone", locale, consent
     from contact where customer_id = any($1::uuid[]) order by customer_id, id`,
    [await living(db, customerIds)],
    { name: 'contacts_of' },
  );
}

export async function accountManagers(db: Queryable, ids: readonly string[]): Promise<AccountManagerFacts[]> {
  if (ids.length === 0) return [];
  return db.query<AccountManagerFacts>(
    'select id, email, name from account_manager where id = any($1::uuid[])',
    [ids],
    { name: 'account_managers' },
  );
}

/** Account managers by e-mail address, behind `after`: an index scan, n = page size. */
export async function listAccountManagers(
  db: Queryable,
  after: string | null,
  limit: number,
): Promise<AccountManagerFacts[]> {
  return db.query<AccountManagerFacts>(
    `select id, email, name from account_manager where $1::text is null or email > $1 order by email limit $2`,
    [after, limit],
    { name: 'account_manager_page' },
  );
}

export async function ordersOf(db: Queryable, customerIds: readonly string[], period: Period): Promise<OrderFacts[]> {
  if (customerIds.length === 0) return [];
  return db.query<OrderFacts>(
    `select id, customer_id as "customerId", placed_at as "placedAt", amount_minor as "amountMinor", currency,
       reporting_amount_minor as "reportingAmountMinor", returned_minor as "returnedMinor"
     from customer_order where customer_id = any($1::uuid[]) and placed_at >= $2 and placed_at < $3
     order by customer_id, placed_at, id`,
    [await living(db, customerIds), period.from, period.to],
    { name: 'orders_of' },
  );
}

export async function invoicesOf(
  db: Queryable,
  customerIds: readonly string[],
  period: Period,
): Promise<InvoiceFacts[]> {
  if (customerIds.length === 0) return [];
  return db.query<InvoiceFacts>(
    `select id, customer_id as "customerId", amount_minor as "amountMinor", currency, issued_at as "issuedAt",
       due_at as "dueAt", paid_at as "paidAt"
     from invoice where customer_id = any($1::uuid[]) and issued_at >= $2 and issued_at < $3
     order by customer_id, issued_at, id`,
    [await living(db, customerIds), period.from, period.to],
    { name: 'invoices_of' },
  );
}

export async function ticketsOf(db: Queryable, customerIds: readonly string[], period: Period): Promise<TicketFacts[]> {
  if (customerIds.length === 0) return [];
  return db.query<TicketFacts>(
    `select id, customer_id as "customerId", priority, opened_at as "openedAt", first_response_at as "firstResponseAt",
       solved_at as "solvedAt", satisfaction
     from ticket where customer_id = any($1::uuid[]) and opened_at >= $2 and opened_at < $3
     order by customer_id, opened_at, id`,
    [await living(db, customerIds), period.from, period.to],
    { name: 'tickets_of' },
  );
}

export async function subscriptionsOf(db: Queryable, customerIds: readonly string[]): Promise<SubscriptionFacts[]> {
  if (customerIds.length === 0) return [];
  return db.query<SubscriptionFacts>(
    `select id, customer_id as "customerId", plan, mrr_minor as "mrrMinor", currency, started_at as "startedAt",
       cancelled_at as "cancelledAt"
     from subscription where customer_id = any($1::uuid[]) order by customer_id, started_at, id`,
    [await living(db, customerIds)],
    { name: 'subscriptions_of' },
  );
}

/** Of its first start and its last end the subscription itself has the say: it is what gets corrected. */
export async function subscriptionHistoryOf(
  db: Queryable,
  customerIds: readonly string[],
): Promise<SubscriptionState[]> {
  if (customerIds.length === 0) return [];
  return db.query<SubscriptionState>(
    `select s.id as "subscriptionId", s.customer_id as "customerId", h.kind <> 'CANCELLED' as running,
       h.mrr_minor as "mrrMinor", h.currency,
       case when h.previous is null and h.kind = 'STARTED' then s.started_at
            when h.next is null and h.kind = 'CANCELLED' then coalesce(s.cancelled_at, h.at) else h.at end as at,
       case when h.next is null and h.kind = 'CANCELLED' then s.cancel_reason end as "cancelReason"
     from subscription s join (
       select *, lag(at) over w as previous, lead(at) over w as next
       from subscription_change where customer_id = any($1::uuid[]) window w as (partition by subscription_id order by at)
     ) h on h.subscription_id = s.id
     where s.customer_id = any($1::uuid[]) order by s.customer_id, s.id, 6`,
    [await living(db, customerIds)],
    { name: 'subscription_history_of' },
  );
}

interface RevenueRow {
  readonly currency: string;
  readonly converted: number | null;
  readonly unconverted: string | null;
  readonly unconvertedOrders: number;
  readonly orders: number;
}

/** Index scan of the period's orders; amounts converted to a reporting currency of former days count as not converted. */
export async function revenue(db: Queryable, period: Period, reportingCurrency: string): Promise<RevenueFacts> {
  const rows = await db.query<RevenueRow>(
    `select currency, count(*) as orders,
       sum(reporting_amount_minor - reporting_returned_minor) filter (where known)::int8 as converted,
       (sum(amount_minor - returned_minor) filter (where not known))::text as unconverted,
       count(*) filter (where not known) as "unconvertedOrders"
     from (select *, reporting_currency = $3 and reporting_amount_minor is not null as known
           from customer_order where placed_at >= $1 and placed_at < $2) o
     group by currency order by currency`,
    [period.from, period.to, reportingCurrency],
    { name: 'revenue_by_currency' },
  );
  const [buyers] = await db.query<{ customers: number }>(
    'select count(distinct customer_id) as customers from customer_order where placed_at >= $1 and placed_at < $2',
    [period.from, period.to],
    { name: 'revenue_customers' },
  );
  return {
    reportingAmountMinor: rows.reduce((sum, row) => sum + (row.converted ?? 0), 0),
    reportingCurrency,
    orders: rows.reduce((sum, row) => sum + row.orders, 0),
    customers: buyers?.customers ?? 0,
    unconverted: rows.flatMap((row) =>
      row.unconverted === null
        ? []
        : [{ currency: row.currency, amountMinor: Number(row.unconverted), orders: row.unconvertedOrders }],
    ),
  };
}

/** The kept number of customers. */
export const COUNT_SQL = 'select coalesce(sum(customers), 0)::int8 from customer_counter';

/** Where names lead that customers had before they were merged or renamed. */
export const FORMER_NAMES = {
  ids: (ids: string) =>
    `select former_id as asked, customer_id as id from customer_alias where former_id = any(${ids}::uuid[])`,
  columns: {
    external_id: (externalId: string) => `select customer_id from customer_alias where external_id = ${externalId}`,
  },
};

/** A page of the living by id: index scan of the primary key, n = limit. */
export async function idsAfter(db: Queryable, after: string | null, limit: number): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `select id from customer where erased_at is null and id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
     order by id limit $2`,
    [after, limit],
    { name: 'customer_ids_after' },
  );
  return rows.map((row) => row.id);
}

export async function countOf(db: Queryable): Promise<number> {
  const [row] = await db.query<{ count: number }>(`select (${COUNT_SQL}) as count`, [], { name: 'customer_total' });
  return row?.count ?? 0;
}

/** A line of an order, exact to the minor unit. */
export interface OrderLineFacts {
  readonly orderId: string;
  readonly line: number;
  readonly product: string;
  readonly description: string | null;
  readonly quantity: number;
  readonly unitPriceMinor: number;
  readonly currency: string;
  readonly returnedQuantity: number;
}

export async function orderLines(db: Queryable, orderIds: readonly string[]): Promise<OrderLineFacts[]> {
  if (orderIds.length === 0) return [];
  const rows = await db.query<Omit<OrderLineFacts, 'unitPriceMinor'> & { readonly unitPrice: string }>(
    `select l.order_id as "orderId", l.line, l.product, l.description, l.quantity::float8 as quantity,
       l.unit_price as "unitPrice", o.currency, l.returned_quantity::float8 as "returnedQuantity"
     from customer_order_line l join customer_order o on o.id = l.order_id
     where l.order_id = any($1::uuid[]) order by l.order_id, l.line`,
    [orderIds],
    { name: 'order_lines' },
  );
  return rows.map(({ unitPrice, ...row }) => ({
    ...row,
    unitPriceMinor: parseMoney(unitPrice, row.currency).amountMinor,
  }));
}
