import {
  type DimensionSql,
  defineCustomerPart,
  defineFilter,
  defineListPart,
  defineOrder,
  type ListArgs,
} from '../../../src/core/graph/index.ts';
import type { AccountManagerFacts } from '../contract.ts';
import type { Status } from '../domain/status.ts';
import type { Consent } from '../service/contacts.ts';
import type { TicketPriority } from '../service/tickets.ts';

/** Records as the graph shows them; times are texts when they come out of JSON built in SQL. */
type Time = Date | string;

export interface ContactShape {
  readonly id: string;
  readonly externalId: string;
  readonly email: string;
  readonly name: string | null;
  readonly timeZone: string | null;
  readonly locale: string | null;
  readonly consent: Consent;
  readonly createdAt: Time;
}

export interface SubscriptionShape {
  readonly id: string;
  readonly externalId: string;
  readonly plan: string;
  readonly mrrMinor: number;
  readonly currency: string;
  readonly startedAt: Time;
  readonly cancelledAt: Time | null;
  readonly cancelReason: string | null;
}

export interface InvoiceShape {
  readonly id: string;
  readonly externalId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly issuedAt: Time;
  readonly dueAt: Time;
  readonly paidAt: Time | null;
}

export interface TicketShape {
  readonly id: string;
  readonly externalId: string;
  readonly priority: TicketPriority;
  readonly openedAt: Time;
  readonly firstResponseAt: Time | null;
  readonly solvedAt: Time | null;
  readonly satisfaction: number | null;
}

export interface OrderShape {
  readonly id: string;
  readonly externalId: string;
  readonly placedAt: Time;
  readonly amountMinor: number;
  readonly currency: string;
  readonly reportingAmountMinor: number | null;
  readonly reportingCurrency: string;
  readonly returnedMinor: number;
  readonly returnedAt: Time | null;
}

export const ownerPart = defineCustomerPart<AccountManagerFacts>({
  name: 'owner',
  sql: (customer) => `(
    select json_build_object('id', am.id, 'email', am.email, 'name', am.name)
    from account_manager am where am.id = ${customer}.owner_id)`,
});

export const contactsPart = defineListPart<ContactShape>({
  name: 'contacts',
  keyLength: 1,
  cursorOf: (row) => [row.id],
  select: (customer, { limit, after }, _args, bind) => `
    select id, external_id as "externalId", email, name, time_zone as "timeZone", locale, consent, created_at as "createdAt"
    from contact where customer_id = ${customer}.id${after === null ? '' : ` and id > ${bind(after[0])}::uuid`}
    order by id limit ${limit}`,
});

const millis = (time: Time): string => new Date(time).toISOString();

/** Newest first, by a business time and the id: a backward index scan, n = page size. */
function newestFirst(column: string, after: readonly unknown[] | null, bind: (value: unknown) => string): string {
  return after === null ? '' : ` and (${column}, id) < (${bind(after[0])}::timestamptz, ${bind(after[1])}::uuid)`;
}

export const subscriptionsPart = defineListPart<SubscriptionShape, ListArgs & { readonly running?: boolean | null }>({
  name: 'subscriptions',
  keyLength: 2,
  cursorOf: (row) => [millis(row.startedAt), row.id],
  select: (customer, { limit, after }, { running }, bind) => `
    select id, external_id as "externalId", plan, mrr_minor as "mrrMinor", currency, started_at as "startedAt",
      cancelled_at as "cancelledAt", cancel_reason as "cancelReason"
    from subscription where customer_id = ${customer}.id${
      typeof running === 'boolean' ? ` and cancelled_at is ${running ? '' : 'not '}null` : ''
    }${newestFirst('started_at', after, bind)}
    order by started_at desc, id desc limit ${limit}`,
});

export const invoicesPart = defineListPart<InvoiceShape, ListArgs & { readonly paid?: boolean | null }>({
  name: 'invoices',
  keyLength: 2,
  cursorOf: (row) => [millis(row.issuedAt), row.id],
  select: (customer, { limit, after }, { paid }, bind) => `
    select id, external_id as "externalId", amount_minor as "amountMinor", currency, issued_at as "issuedAt",
      due_at as "dueAt", paid_at as "paidAt"
    from invoice where customer_id = ${customer}.id${
      typeof paid === 'boolean' ? ` and paid_at is ${paid ? 'not ' : ''}null` : ''
    }${newestFirst('issued_at', after, bind)}
    order by issued_at desc, id desc limit ${limit}`,
});

export const ticketsPart = defineListPart<TicketShape, ListArgs & { readonly open?: boolean | null }>({
  name: 'tickets',
  keyLength: 2,
  cursorOf: (row) => [millis(row.openedAt), row.id],
  select: (customer, { limit, after }, { open }, bind) => `
    select id, external_id as "externalId", priority, opened_at as "openedAt", first_response_at as "firstResponseAt",
      solved_at as "solvedAt", satisfaction
    from ticket where customer_id = ${customer}.id${
      typeof open === 'boolean' ? ` and solved_at is ${open ? '' : 'not '}null` : ''
    }${newestFirst('opened_at', after, bind)}
    order by opened_at desc, id desc limit ${limit}`,
});

export const ordersPart = defineListPart<OrderShape>({
  name: 'orders',
  keyLength: 2,
  cursorOf: (row) => [millis(row.placedAt), row.id],
  select: (customer, { limit, after }, _args, bind) => `
    select id, external_id as "externalId", placed_at as "placedAt", amount_minor as "amountMinor", currency,
      reporting_amount_minor as "reportingAmountMinor", reporting_currency as "reportingCurrency",
      returned_minor as "returnedMinor", returned_at as "returnedAt"
    from customer_order where customer_id = ${customer}.id${newestFirst('placed_at', after, bind)}
    order by placed_at desc, id desc limit ${limit}`,
});

export const segmentFilter = defineFilter<readonly string[]>(
  (customer, segments, bind) => `${customer}.business_segment = any(${bind(segments)}::text[])`,
);

export const statusFilter = defineFilter<readonly Status[]>(
  (customer, statuses, bind) => `${customer}.status = any(${bind(statuses)}::text[])`,
);

export const planFilter = defineFilter<readonly string[]>(
  (customer, plans, bind) => `exists (
    select from subscription s where s.customer_id = ${customer}.id and s.cancelled_at is null
      and s.plan = any(${bind(plans)}::text[]))`,
);

/** The plan of the running subscription begun last, else of the one that ended last: index scan by customer. */
const lastPlan = (customer: string): string => `(
    select s.plan from subscription s where s.customer_id = ${customer}.id
    order by s.cancelled_at desc nulls first, s.started_at desc, s.id limit 1)`;

/** Of the past: who is gone had a plan, too. */
export const lastPlanFilter = defineFilter<readonly string[]>(
  (customer, plans, bind) => `${lastPlan(customer)} = any(${bind(plans)}::text[])`,
);

export interface TraitCondition {
  readonly key: string;
  readonly values: readonly string[];
}

export const traitFilter = defineFilter<readonly TraitCondition[]>((customer, traits, bind) =>
  traits.length === 0
    ? 'true'
    : traits
        .map(({ key, values }) => `${customer}.traits ->> ${bind(key)}::text = any(${bind(values)}::text[])`)
        .join(' and '),
);

const signup = (customer: string, bind: (value: unknown) => string, timeZone: string, format: string): string =>
  `to_char(${customer}.signup_at at time zone ${bind(timeZone)}::text, '${format}')`;

/** What customers can be grouped by, as far as this module knows. */
export const dimensions: Readonly<
  Record<'segment' | 'plan' | 'owner' | 'trait' | 'month' | 'quarter' | 'year', DimensionSql>
> = {
  segment: (customer) => `${customer}.business_segment`,
  plan: lastPlan,
  owner: (customer) => `(select am.email from account_manager am where am.id = ${customer}.owner_id)`,
  trait: (customer, bind, { trait }) => `left(${customer}.traits ->> ${bind(trait)}::text, 200)`,
  month: (customer, bind, { timeZone }) => signup(customer, bind, timeZone, 'YYYY-MM'),
  quarter: (customer, bind, { timeZone }) => signup(customer, bind, timeZone, 'YYYY-"Q"Q'),
  year: (customer, bind, { timeZone }) => signup(customer, bind, timeZone, 'YYYY'),
};

export const ownerFilter = defineFilter<readonly string[]>(
  (customer, emails, bind) => `${customer}.owner_id in (
    select id from account_manager where email = any(${bind(emails.map((email) => email.toLowerCase()))}::text[]))`,
);

const pattern = (text: string): string => `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;

/** Trigram indexes over names and addresses; without the extension it reads every row. */
export const searchFilter = defineFilter<string>((customer, text, bind) => {
  const like = bind(pattern(text));
  return `${customer}.id in (
    select id from customer where name ilike ${like} union select customer_id from contact where email ilike ${like})`;
});

export const nameOrder = defineOrder({ key: (customer) => `${customer}.name`, type: 'text' });

export const signupOrder = defineOrder({ key: (customer) => `${customer}.signup_at`, type: 'timestamptz' });

/** Who never did anything counts as before everybody else. */
export const lastActivityOrder = defineOrder({
  key: (customer) => `coalesce(${customer}.last_activity_at, '-infinity'::timestamptz)`,
  type: 'timestamptz',
});
