import type { Call } from '../../src/core/call.ts';
import type { Queryable, Tx } from '../../src/core/database/index.ts';

export { passiveEventNames } from './catalogue.ts';
export { CustomerNotFound } from './errors.ts';
export * from './events.ts';

/** How far a customer has come. */
export type CustomerStatus = 'TRIAL' | 'ACTIVE' | 'PAUSED' | 'CHURNED';

/** What other modules may know of a customer. Holds no personal data but the name. */
export interface CustomerFacts {
  readonly id: string;
  readonly externalId: string;
  readonly name: string;
  readonly businessSegment: string | null;
  readonly ownerId: string | null;
  readonly status: CustomerStatus;
  readonly signupAt: Date;
  readonly churnedAt: Date | null;
  readonly churnReason: string | null;
  /** Latest business time of anything the customer did. */
  readonly lastActivityAt: Date | null;
  readonly firstOrderAt: Date | null;
}

/** A person at a customer, as messages need to know them. */
export interface ContactFacts {
  readonly id: string;
  readonly customerId: string;
  readonly email: string;
  readonly name: string | null;
  /** IANA name; null when not known. */
  readonly timeZone: string | null;
  /** BCP 47 tag; null when not known. */
  readonly locale: string | null;
  /** What the person said, by topic; a topic not named was never asked for. */
  readonly consent: Readonly<Record<string, { readonly granted: boolean; readonly at: string }>>;
}

/** Who looks after a customer. */
export interface AccountManagerFacts {
  readonly id: string;
  readonly email: string;
  readonly name: string;
}

/** An order as others reckon with it. */
export interface OrderFacts {
  readonly id: string;
  readonly customerId: string;
  readonly placedAt: Date;
  readonly amountMinor: number;
  readonly currency: string;
  /** In the reporting currency by the rate of the day; null while there is none. */
  readonly reportingAmountMinor: number | null;
  readonly returnedMinor: number;
}

/** What a customer owes and how late it was: payment history is reckoned from these. */
export interface InvoiceFacts {
  readonly id: string;
  readonly customerId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly issuedAt: Date;
  readonly dueAt: Date;
  readonly paidAt: Date | null;
}

export interface TicketFacts {
  readonly id: string;
  readonly customerId: string;
  readonly priority: string;
  readonly openedAt: Date;
  readonly firstResponseAt: Date | null;
  readonly solvedAt: Date | null;
  /** 1 to 5. */
  readonly satisfaction: number | null;
}

/** A subscription as it stands. */
export interface SubscriptionFacts {
  readonly id: string;
  readonly customerId: string;
  readonly plan: string;
  readonly mrrMinor: number;
  readonly currency: string;
  readonly startedAt: Date;
  readonly cancelledAt: Date | null;
}

/** A state a subscription was in, from `at` until its next one. */
export interface SubscriptionState {
  readonly subscriptionId: string;
  readonly customerId: string;
  readonly at: Date;
  /** False from the cancellation on. */
  readonly running: boolean;
  /** Monthly recurring revenue; 0 when it does not run. */
  readonly mrrMinor: number;
  readonly currency: string;
  /** Why it was cancelled last, in the words it was told with; null for every other state. */
  readonly cancelReason: string | null;
}

/** Converts an amount into the reporting currency by the rate of a day; null where there is none. */
export type ConvertMoney = (amountMinor: number, currency: string, at: Date) => number | null;

/** What was ordered in a half-open period. */
export interface RevenueFacts {
  /** Placed in the period, in the reporting currency, returns taken off. */
  readonly reportingAmountMinor: number;
  readonly reportingCurrency: string;
  readonly orders: number;
  readonly customers: number;
  /** Amounts for which there is no rate, by currency: shown apart, never added. */
  readonly unconverted: readonly { readonly currency: string; readonly amountMinor: number; readonly orders: number }[];
}

/** What one unit of a currency is worth in the reporting currency from a day (UTC) on, until its next rate. */
export interface DatedRate {
  readonly currency: string;
  /** `YYYY-MM-DD`. */
  readonly validFrom: string;
  /** Decimal text. */
  readonly rate: string;
}

/** Events per name of one customer in a half-open period, from the event stream. */
export interface ActivityFacts {
  readonly customerId: string;
  readonly name: string;
  readonly count: number;
  /** Days (UTC) with at least one such event. */
  readonly days: number;
  readonly lastAt: Date;
}

/** Events of the stream that came in by one call, as `customers.eventsRecorded` tells of them. */
export interface RecordedBatch {
  readonly batchId: string;
  readonly customerIds: readonly string[];
  readonly byName: Readonly<Record<string, number>>;
}

/** One event of the stream, as it was recorded. */
export interface RecordedEvent {
  readonly uid: string;
  readonly batchId: string;
  /** The customer it was recorded for; merged away since, perhaps. */
  readonly customerId: string;
  readonly name: string;
  readonly at: Date;
  /** Decimal text. */
  readonly value: string | null;
  /** ISO 4217 when `value` is money. */
  readonly currency: string | null;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** What a module has to tell the event stream: something a customer did that follows from its own records. */
export interface OwnEvent {
  /** A name of the catalogue. */
  readonly name: string;
  /** Id of the record it follows from: told twice, it counts once. */
  readonly recordId: string;
  readonly customerId: string;
  readonly at: Date;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** An event of a customer's timeline. */
export interface ActivityEvent {
  readonly uid: string;
  readonly customerId: string;
  readonly name: string;
  readonly at: Date;
  /** Decimal text. */
  readonly value: string | null;
  readonly currency: string | null;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly source: string;
  readonly sourceId: string;
}

/** Where a timeline goes on: behind this event. */
export interface ActivityPlace {
  readonly at: Date;
  readonly uid: string;
}

/** Half-open: `from` belongs to it, `to` does not. */
export interface Period {
  readonly from: Date;
  readonly to: Date;
}

/**
 * What `customers` answers to other modules now. Ids of customers merged into others are followed everywhere: what is
 * asked for a former id is answered for the customer who lives on.
 */
export interface CustomerPort {
  /** Customers by id, in any order; unknown and erased ones are left out. */
  byIds(ids: readonly string[], within?: Queryable): Promise<CustomerFacts[]>;
  /** Id of each known external id, former names included. */
  idsByExternalIds(externalIds: readonly string[], within?: Queryable): Promise<Map<string, string>>;
  /** Former id → id of the customer who lives on, for those of `ids` that were merged away. */
  survivors(ids: readonly string[], within?: Queryable): Promise<Map<string, string>>;
  /**
   * Id of each external id, making customers for those not known (the same for callers that race). Publishes
   * customerCreated, unless `quiet`. @param seenAt first business time of each new customer: its signup
   */
  ensureCustomers(
    tx: Tx,
    call: Call,
    customers: readonly NewCustomer[],
    options?: { quiet?: boolean },
  ): Promise<Map<string, string>>;
  contactsOf(customerIds: readonly string[], within?: Queryable): Promise<ContactFacts[]>;
  accountManagers(ids: readonly string[], within?: Queryable): Promise<AccountManagerFacts[]>;
  orders(customerIds: readonly string[], period: Period, within?: Queryable): Promise<OrderFacts[]>;
  invoices(customerIds: readonly string[], period: Period, within?: Queryable): Promise<InvoiceFacts[]>;
  tickets(customerIds: readonly string[], period: Period, within?: Queryable): Promise<TicketFacts[]>;
  subscriptions(customerIds: readonly string[], within?: Queryable): Promise<SubscriptionFacts[]>;
  /** Every state of the customers' subscriptions, each subscription's in order of time. */
  subscriptionHistory(customerIds: readonly string[], within?: Queryable): Promise<SubscriptionState[]>;
  /** The dated rates of the reporting currency, read by one statement. */
  converter(): Promise<{ readonly reportingCurrency: string; readonly convert: ConvertMoney }>;
  revenue(period: Period): Promise<RevenueFacts>;
  /** All rates of the reporting currency, for whoever converts in the history engine. */
  datedRates(): Promise<DatedRate[]>;
  /** What the customers did, by name of event, accepted events not yet in the history engine included. */
  activity(customerIds: readonly string[], period: Period, names?: readonly string[]): Promise<ActivityFacts[]>;
  /**
   * The events of batches that bear one of the names (null: any), in no order, wherever they are by now: waiting or in
   * the history engine. @throws AnalyticsUnavailable when some are in an engine that does not answer
   */
  recordedEvents(
    batches: readonly RecordedBatch[],
    names: readonly string[] | null,
    within?: Queryable,
  ): Promise<RecordedEvent[]>;
  /** Puts events into the stream in the caller's transaction, and moves the customers' last activity. */
  tellStream(tx: Tx, events: readonly OwnEvent[]): Promise<void>;
  /** The latest events of customers, at most `limit` of each, latest first; accepted ones at once. */
  latestEvents(
    customerIds: readonly string[],
    limit: number,
    options: { readonly after?: ActivityPlace | null; readonly names?: readonly string[] | null },
  ): Promise<Map<string, ActivityEvent[]>>;
  /** Every id under which events of these customers stand, former ones included → the customer. */
  eventIds(customerIds: readonly string[], within?: Queryable): Promise<Map<string, string>>;
  /** Ids of living customers in their order, behind `after`: for work on everybody. */
  idsAfter(after: string | null, limit: number): Promise<string[]>;
  /** How many customers there are: the kept counter. */
  count(): Promise<number>;
}

/** A customer named by an event, an order or a file before anybody described it. */
export interface NewCustomer {
  readonly externalId: string;
  /** First business time: the signup, until somebody says otherwise. */
  readonly seenAt: Date;
  /** What is known of their activity already, so that it need not be written after them. */
  readonly lastActivityAt?: Date | null;
  readonly firstOrderAt?: Date | null;
}
