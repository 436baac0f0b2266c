import type { InputRef, ObjectRef } from '@pothos/core';
import {
  type Builder,
  type BuilderTypes,
  batchMutationField,
  type Context,
  type DomainErrorClass,
  domainError,
  mutationField,
} from '../../../src/core/builder/index.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { customerResolver } from '../../../src/core/graph/index.ts';
import {
  CurrencyMismatch,
  CustomerErased,
  CustomerNotFound,
  ExternalIdTaken,
  RecordOfOtherCustomer,
} from '../errors.ts';
import { type CustomerService, MAX_ITEMS } from '../service.ts';
import { recordInputs, withCustomerId } from './inputs.ts';
import type { RecordTypes } from './records.ts';

const SCOPE = 'customers:write';

/** The failures of this module as types of the API. */
export function declareErrors(builder: Builder): void {
  domainError(builder, CustomerNotFound, 'No customer has this id or external id, nor ever had.');
  domainError(builder, CustomerErased, "The customer's personal data was removed; it takes no more data.");
  domainError(builder, ExternalIdTaken, 'The external id belongs to another customer.');
  domainError(builder, RecordOfOtherCustomer, 'A record with this external id belongs to another customer.');
  domainError(builder, CurrencyMismatch, 'The record is kept in another currency, which cannot change.');
}

interface Upserted<Row> {
  readonly row: Row;
  readonly created: boolean;
}

type Upsert<Input, Row> = (
  inputs: readonly Input[],
  context: Context,
) => Promise<readonly (Upserted<Row> | DomainError)[]>;

/** Declares an upsert twice: of one, and of many with an answer per item. */
function upsertFields<Input, Row extends object>(
  builder: Builder,
  options: {
    readonly name: string;
    readonly what: string;
    readonly input: InputRef<Input>;
    readonly payload: ObjectRef<BuilderTypes, Upserted<Row>>;
    readonly errors: readonly DomainErrorClass[];
    readonly upsert: Upsert<Input, Row>;
  },
): void {
  const { name, what, input, payload, errors, upsert } = options;
  mutationField<Input, Upserted<Row>>(builder, name, {
    description: `Creates or changes ${what}, found by its external id. Sent twice, it changes nothing the second time.`,
    scope: SCOPE,
    input,
    payload,
    errors,
    async resolve(item, context) {
      const [answer] = await upsert([item], context);
      if (answer === undefined) throw new Error(`${name}: no answer`);
      if (answer instanceof DomainError) throw withoutIndex(answer);
      return answer;
    },
  });
  batchMutationField<Input, Upserted<Row>>(builder, `${name}s`, {
    description: `Creates or changes ${what} for each item, found by its external id.`,
    scope: SCOPE,
    input,
    payload,
    errors,
    maxItems: MAX_ITEMS,
    resolve: upsert,
  });
}

/** Where a failure lies when the input is one item: without the place in a batch. */
function withoutIndex(error: DomainError): DomainError {
  return Object.defineProperty(error, 'path', { value: error.path.filter((_, step) => step !== 1) });
}

/** All upserts. */
export function upsertMutations(builder: Builder, service: CustomerService, types: RecordTypes): void {
  const inputs = recordInputs(builder, types);
  const CustomerSuccess = builder.objectRef<Upserted<{ readonly id: string }>>('UpsertCustomerSuccess').implement({
    description: 'The customer as it stands now.',
    fields: (t) => ({
      customer: t.field({
        type: 'Customer',
        nullable: true,
        description: 'The customer; null when it was erased or merged away meanwhile.',
        resolve: customerResolver(builder, (answer: Upserted<{ readonly id: string }>) => answer.row.id),
      }),
      created: t.exposeBoolean('created', { description: 'Whether it was not known before.' }),
    }),
  });
  upsertFields(builder, {
    name: 'upsertCustomer',
    what: 'a customer',
    input: inputs.Customer,
    payload: CustomerSuccess,
    errors: [CustomerErased],
    upsert: (items, context) => service.upsertCustomers(context.call, items),
  });

  const success = <Row extends object>(name: string, field: string, type: ObjectRef<BuilderTypes, Row>) =>
    builder.objectRef<Upserted<Row>>(name).implement({
      description: `The ${field} as it stands now.`,
      fields: (t) => ({
        [field]: t.field({
          type,
          description: `The ${field}.`,
          resolve: (answer: Upserted<Row>) => answer.row,
        } as never),
        created: t.boolean({ description: 'Whether it was not known before.', resolve: (answer) => answer.created }),
      }),
    });
  const errors = [CustomerNotFound, CustomerErased, RecordOfOtherCustomer];
  upsertFields(builder, {
    name: 'upsertContact',
    what: 'a contact of a customer',
    input: inputs.Contact,
    payload: success('UpsertContactSuccess', 'contact', types.Contact),
    errors: [CustomerNotFound, CustomerErased],
    upsert: (items, context) => service.upsertContacts(context.call, items.map(withCustomerId)),
  });
  upsertFields(builder, {
    name: 'upsertSubscription',
    what: 'a subscription of a customer',
    input: inputs.Subscription,
    payload: success('UpsertSubscriptionSuccess', 'subscription', types.Subscription),
    errors,
    upsert: (items, context) => service.upsertSubscriptions(context.call, items.map(withCustomerId)),
  });
  upsertFields(builder, {
    name: 'upsertInvoice',
    what: 'an invoice of a customer',
    input: inputs.Invoice,
    payload: success('UpsertInvoiceSuccess', 'invoice', types.Invoice),
    errors: [...errors, CurrencyMismatch],
    upsert: (items, context) => service.upsertInvoices(context.call, items.map(withCustomerId)),
  });
  upsertFields(builder, {
    name: 'upsertTicket',
    what: 'a ticket of a customer',
    input: inputs.Ticket,
    payload: success('UpsertTicketSuccess', 'ticket', types.Ticket),
    errors,
    upsert: (items, context) => service.upsertTickets(context.call, items.map(withCustomerId)),
  });
  upsertFields(builder, {
    name: 'upsertOrder',
    what: 'an order of a customer',
    input: inputs.Order,
    payload: success('UpsertOrderSuccess', 'order', types.Order),
    errors: [...errors, CurrencyMismatch],
    upsert: (items, context) => service.upsertOrders(context.call, items.map(withCustomerId)),
  });

  const Rate = builder
    .objectRef<{
      readonly currency: string;
      readonly reportingCurrency: string;
      readonly validFrom: string;
      readonly rate: string;
    }>('ExchangeRate')
    .implement({
      description: 'What one unit of a currency is worth from a day on, until the next rate.',
      fields: (t) => ({
        currency: t.field({ type: 'Currency', description: 'The currency.', resolve: (r) => r.currency }),
        reportingCurrency: t.field({
          type: 'Currency',
          description: 'In what it is expressed.',
          resolve: (r) => r.reportingCurrency,
        }),
        validFrom: t.field({
          type: 'LocalDate',
          description: 'The first day it holds, UTC.',
          resolve: (r) => r.validFrom,
        }),
        rate: t.exposeString('rate', { description: 'Decimal text.' }),
      }),
    });
  batchMutationField(builder, 'setExchangeRates', {
    description:
      'Sets dated exchange rates; a rate of the same day is replaced. Amounts converted already keep theirs.',
    scope: SCOPE,
    input: inputs.ExchangeRate,
    payload: Rate,
    maxItems: MAX_ITEMS,
    resolve: (items, context) => service.setExchangeRates(context.call, items),
  });
  builder.queryField('exchangeRates', (t) =>
    t.field({
      type: [Rate],
      description: 'The rates in force on a day, one for each currency that has any.',
      authScopes: { scope: 'customers:read' },
      args: { on: t.arg({ type: 'LocalDate', description: 'The day, UTC; today when left out.' }) },
      complexity: { field: 5, multiplier: 20 },
      resolve: (_root, { on }) => service.exchangeRates(on ?? null),
    }),
  );
}
