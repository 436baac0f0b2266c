import { type Call, systemCall } from '../../src/core/call.ts';
import type { Tx } from '../../src/core/database/index.ts';
import { InvalidInput } from '../../src/core/errors.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import { BUSINESS } from '../../src/core/settings/index.ts';
import type { CustomerPort, NewCustomer } from './contract.ts';
import { activityFacts, eventIds, latestEvents } from './queries/activity.ts';
import {
  accountManagers,
  contactsOf,
  countOf,
  customersByIds,
  idsAfter,
  invoicesOf,
  listAccountManagers,
  orderLines,
  ordersOf,
  revenue,
  subscriptionHistoryOf,
  subscriptionsOf,
  ticketsOf,
} from './queries/facts.ts';
import { recordedEvents } from './queries/recorded.ts';
import { contacts } from './service/contacts.ts';
import { upsertCustomers } from './service/customers.ts';
import { eraseCustomer } from './service/erase.ts';
import type { EventInput } from './service/event-input.ts';
import { Facts } from './service/facts.ts';
import { mergeCustomers, renameCustomer } from './service/identity.ts';
import { invoices } from './service/invoices.ts';
import { orders } from './service/orders.ts';
import { converter, datedRates, ratesOn, setExchangeRates } from './service/rates.ts';
import { createEventRecorder } from './service/record-events.ts';
import { ensureCustomers, idsByExternalIds, survivors } from './service/references.ts';
import { subscriptions } from './service/subscriptions.ts';
import { tickets } from './service/tickets.ts';
import { upsertRecords } from './service/upsert.ts';

/** The most items of one batch of upserts. */
export const MAX_ITEMS = 500;
/** The most events of one call. */
export const MAX_EVENTS = 1_000;

export type CustomerService = ReturnType<typeof createCustomerService>;

/** What can be done with customers and their records. Batches answer item by item, in order. */
export function createCustomerService(infra: Infrastructure) {
  const { database, analytics, settings, clock } = infra;
  const record = createEventRecorder(infra, infra.logger);

  const port: CustomerPort = {
    byIds: (ids, within = database) => customersByIds(within, ids),
    idsByExternalIds: (externalIds, within = database) => idsByExternalIds(within, externalIds),
    survivors: (ids, within = database) => survivors(within, ids),
    ensureCustomers: (tx: Tx, call: Call, named: readonly NewCustomer[], options = {}) =>
      ensureCustomers(tx, call, clock, named, { origin: 'import', ...options }),
    contactsOf: (customerIds, within = database) => contactsOf(within, customerIds),
    accountManagers: (ids, within = database) => accountManagers(within, ids),
    orders: (customerIds, period, within = database) => ordersOf(within, customerIds, period),
    invoices: (customerIds, period, within = database) => invoicesOf(within, customerIds, period),
    tickets: (customerIds, period, within = database) => ticketsOf(within, customerIds, period),
    subscriptions: (customerIds, within = database) => subscriptionsOf(within, customerIds),
    subscriptionHistory: (customerIds, within = database) => subscriptionHistoryOf(within, customerIds),
    async converter() {
      const { reportingCurrency } = await settings.get(BUSINESS);
      return { reportingCurrency, convert: await converter(database, reportingCurrency, 'all') };
    },
    revenue: async (period) => revenue(database, period, (await settings.get(BUSINESS)).reportingCurrency),
    datedRates: async () => datedRates(database, (await settings.get(BUSINESS)).reportingCurrency),
    eventIds: (customerIds, within = database) => eventIds(within, customerIds),
    recordedEvents: (batches, names, within = database) =>
      recordedEvents({ database: within, analytics }, batches, names),
    async tellStream(tx, events) {
      const facts = new Facts();
      for (const { recordId, ...event } of events) facts.stream.push({ ...event, externalId: recordId });
      await facts.write(tx, systemCall('customers'), infra);
    },
    idsAfter: (after, limit) => idsAfter(database, after, limit),
    activity: (customerIds, period, names) =>
      activityFacts({ database, analytics }, customerIds, period, names ?? null),
    latestEvents: (customerIds, limit, options) => latestEvents({ database, analytics }, customerIds, limit, options),
    count: () => countOf(database),
  };

  return {
    ...port,
    upsertCustomers: (call: Call, inputs: readonly unknown[]) => upsertCustomers(infra, call, inputs),
    upsertContacts: (call: Call, inputs: readonly unknown[]) => upsertRecords(infra, call, inputs, contacts),
    upsertSubscriptions: (call: Call, inputs: readonly unknown[]) => upsertRecords(infra, call, inputs, subscriptions),
    upsertInvoices: (call: Call, inputs: readonly unknown[]) => upsertRecords(infra, call, inputs, invoices),
    upsertTickets: (call: Call, inputs: readonly unknown[]) => upsertRecords(infra, call, inputs, tickets),
    /** @param options.quiet history: stored and scored, but rewarded and written about by nobody */
    async upsertOrders(
      call: Call,
      inputs: readonly { readonly currency?: unknown }[],
      options: { readonly quiet?: boolean } = {},
    ) {
      const { reportingCurrency } = await settings.get(BUSINESS);
      const currencies = inputs.flatMap(({ currency }) => (typeof currency === 'string' ? [currency] : []));
      const convert = await converter(
        database,
        reportingCurrency,
        currencies.length < inputs.length ? 'all' : currencies,
      );
      return upsertRecords(infra, call, inputs, orders({ reportingCurrency, convert, quiet: options.quiet === true }));
    },
    exchangeRates: (day: string | null) => ratesOn(infra, day),
    setExchangeRates: (call: Call, inputs: readonly unknown[]) => setExchangeRates(infra, call, inputs),
    /**
     * Takes events of the stream; when this resolves they are durable.
     * @param source whose ids the events carry; default: the caller
     * @throws InvalidInput, Overloaded
     */
    async recordEvents(
      call: Call,
      input: { readonly source?: string | null | undefined; readonly events: readonly EventInput[] },
    ) {
      const source = input.source ?? call.actor.id;
      if (!SOURCE_SHAPE.test(source)) {
        throw new InvalidInput(
          `source: ${JSON.stringify(source).slice(0, 100)} must be 1 to 50 letters, digits, ".", "_" or "-", and not "holdfast".`,
          { path: ['input', 'source'] },
        );
      }
      return record(call, source, input.events);
    },
    mergeCustomers: (call: Call, input: { readonly fromId: string; readonly intoId: string }) =>
      mergeCustomers(infra, call, input),
    renameCustomer: (call: Call, input: { readonly id: string; readonly externalId: string }) =>
      renameCustomer(infra, call, input),
    eraseCustomer: (call: Call, input: { readonly id: string }) => eraseCustomer(infra, call, input),
    listAccountManagers: (after: string | null, limit: number) => listAccountManagers(database, after, limit),
    orderLines: (orderIds: readonly string[]) => orderLines(database, orderIds),
  };
}

/** The source `holdfast` is that of events derived from records. */
const SOURCE_SHAPE = /^(?!holdfast$)[a-zA-Z0-9][a-zA-Z0-9._-]{0,49}$/;
