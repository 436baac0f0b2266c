import { type Builder, decodeGlobalId } from '../../../src/core/builder/index.ts';
import type { RecordTypes } from './records.ts';

/** The id within a global id of a customer; anything else stays as it is and is refused with the item it stands in. */
export function customerIdOf(globalId: string | null | undefined): string | null {
  if (globalId === null || globalId === undefined) return null;
  try {
    const { typename, id } = decodeGlobalId(globalId);
    return typename === 'Customer' ? id : globalId;
  } catch {
    return globalId;
  }
}

/** An item whose reference to a customer is taken apart. */
export const withCustomerId = <T extends { readonly customerId?: string | null | undefined }>(item: T): T => ({
  ...item,
  customerId: customerIdOf(item.customerId),
});

const CUSTOMER_ID = 'The customer by its global id; or else `customerExternalId`.';
const CUSTOMER_EXTERNAL_ID =
  'The customer by your own id; one nobody has heard of is created, unless the setting customers.unknownCustomer says otherwise.';

/** The inputs of the upserts. A field left out stays as it is; null clears what can be absent. */
export function recordInputs(builder: Builder, types: RecordTypes) {
  const Owner = builder.inputType('AccountManagerInput', {
    description: 'Who looks after a customer; made known when new.',
    fields: (t) => ({
      email: t.string({ required: true, description: 'The e-mail address, by which the person is known.' }),
      name: t.string({ description: 'What the person is called.' }),
    }),
  });
  const Customer = builder.inputType('CustomerInput', {
    description: 'A customer. A field left out stays as it is; null clears what can be absent.',
    fields: (t) => ({
      externalId: t.string({
        required: true,
        description: 'Your own id, at most 200 characters; former ones lead to the same customer.',
      }),
      name: t.string({ description: 'What it is called; the external id when nothing is known.' }),
      businessSegment: t.string({ description: 'Your segment, e.g. "Enterprise".' }),
      owner: t.field({ type: Owner, description: 'The account manager; null for nobody.' }),
      status: t.field({ type: types.Status, description: 'How far it has come; ACTIVE when new.' }),
      signupAt: t.field({ type: 'DateTime', description: 'When it became a customer; now when new.' }),
      churnedAt: t.field({
        type: 'DateTime',
        description: 'When it left; only with the status CHURNED, then now when left out.',
      }),
      churnReason: t.string({ description: 'Why it left; only with the status CHURNED.' }),
      traits: t.field({
        type: 'JSONObject',
        description: 'What else there is to tell: members given replace, null removes.',
      }),
    }),
  });
  const Consent = builder.inputType('ConsentInput', {
    description: 'What a person said about messages on a topic. The later word holds.',
    fields: (t) => ({
      topic: t.string({ required: true, description: 'The topic, e.g. "newsletter".' }),
      granted: t.boolean({ required: true, description: 'Whether the person agreed.' }),
      at: t.field({ type: 'DateTime', description: 'When it was said; now when left out.' }),
    }),
  });
  const Contact = builder.inputType('ContactInput', {
    description: 'A person at a customer. A field left out stays as it is; null clears what can be absent.',
    fields: (t) => ({
      customerId: t.id({ description: CUSTOMER_ID }),
      customerExternalId: t.string({ description: CUSTOMER_EXTERNAL_ID }),
      externalId: t.string({
        description: 'Your own id of the person within the customer; the e-mail address when left out.',
      }),
      email: t.string({ required: true, description: 'The e-mail address.' }),
      name: t.string({ description: 'What the person is called.' }),
      timeZone: t.string({ description: 'IANA name, e.g. Europe/London.' }),
      locale: t.string({ description: 'Language tag, e.g. en-GB.' }),
      consent: t.field({ type: [Consent], description: 'What the person said about messages, topic by topic.' }),
    }),
  });
  const Subscription = builder.inputType('SubscriptionInput', {
    description: 'What a customer pays regularly. A field left out stays as it is.',
    fields: (t) => ({
      customerId: t.id({ description: CUSTOMER_ID }),
      customerExternalId: t.string({ description: CUSTOMER_EXTERNAL_ID }),
      externalId: t.string({ required: true, description: 'Your own id of the subscription.' }),
      plan: t.string({ description: 'What is subscribed to; needed for a new one.' }),
      mrrMinor: t.field({
        type: 'SafeInt',
        description: 'Monthly recurring revenue in minor units; needed for a new one.',
      }),
      currency: t.string({ description: 'ISO 4217; needed for a new one.' }),
      startedAt: t.field({ type: 'DateTime', description: 'When it began; now when new.' }),
      cancelledAt: t.field({ type: 'DateTime', description: 'When it ended; null lets it run again.' }),
      cancelReason: t.string({ description: 'Why it ended.' }),
      changedAt: t.field({ type: 'DateTime', description: 'From when a new plan or amount holds; now when left out.' }),
    }),
  });
  const Invoice = builder.inputType('InvoiceInput', {
    description: 'What a customer owes. A field left out stays as it is.',
    fields: (t) => ({
      customerId: t.id({ description: CUSTOMER_ID }),
      customerExternalId: t.string({ description: CUSTOMER_EXTERNAL_ID }),
      externalId: t.string({ required: true, description: 'Your own id of the invoice.' }),
      amountMinor: t.field({ type: 'SafeInt', description: 'Minor units, e.g. 1250 for 12.50; needed for a new one.' }),
      currency: t.string({ description: 'ISO 4217; needed for a new one, and never changed.' }),
      issuedAt: t.field({ type: 'DateTime', description: 'When it was issued; now when new.' }),
      dueAt: t.field({ type: 'DateTime', description: 'When it is to be paid; needed for a new one.' }),
      paidAt: t.field({ type: 'DateTime', description: 'When it was paid.' }),
    }),
  });
  const Ticket = builder.inputType('TicketInput', {
    description: 'A request for help. A field left out stays as it is.',
    fields: (t) => ({
      customerId: t.id({ description: CUSTOMER_ID }),
      customerExternalId: t.string({ description: CUSTOMER_EXTERNAL_ID }),
      externalId: t.string({ required: true, description: 'Your own id of the ticket.' }),
      priority: t.field({ type: types.Priority, description: 'How urgent it is; NORMAL when new.' }),
      openedAt: t.field({ type: 'DateTime', description: 'When it was opened; now when new.' }),
      firstResponseAt: t.field({ type: 'DateTime', description: 'When it was first answered.' }),
      solvedAt: t.field({ type: 'DateTime', description: 'When it was solved; null opens it again.' }),
      satisfaction: t.int({ description: 'How it was rated, 1 to 5.' }),
    }),
  });
  const OrderLine = builder.inputType('OrderLineInput', {
    description: 'A line of an order.',
    fields: (t) => ({
      product: t.string({ required: true, description: 'Your id of the product.' }),
      description: t.string({ description: 'What the product is called.' }),
      quantity: t.float({ required: true, description: 'How much, above zero, with at most three decimals.' }),
      unitPriceMinor: t.field({ type: 'SafeInt', required: true, description: 'The price of one, in minor units.' }),
      returnedQuantity: t.float({ description: 'How much of it came back; none when left out.' }),
    }),
  });
  const Order = builder.inputType('OrderInput', {
    description: 'An order. A field left out stays as it is; lines given replace the lines there were.',
    fields: (t) => ({
      customerId: t.id({ description: CUSTOMER_ID }),
      customerExternalId: t.string({ description: CUSTOMER_EXTERNAL_ID }),
      externalId: t.string({ required: true, description: 'Your own id of the order.' }),
      placedAt: t.field({ type: 'DateTime', description: 'When it was placed; now when new.' }),
      amountMinor: t.field({ type: 'SafeInt', description: 'Minor units; the sum of the lines when left out.' }),
      currency: t.string({ description: 'ISO 4217; needed for a new one, and never changed.' }),
      lines: t.field({ type: [OrderLine], description: 'What was ordered, at most 1,000 lines.' }),
      returnedAmountMinor: t.field({
        type: 'SafeInt',
        description: 'What of it came back in all; reckoned from the lines when left out.',
      }),
      returnedAt: t.field({ type: 'DateTime', description: 'When it came back; now when left out.' }),
    }),
  });
  const ExchangeRate = builder.inputType('ExchangeRateInput', {
    description: 'What one unit of a currency is worth from a day on, until the next rate.',
    fields: (t) => ({
      currency: t.string({ required: true, description: 'ISO 4217.' }),
      reportingCurrency: t.string({
        description: 'In what it is expressed; the reporting currency of the business when left out.',
      }),
      validFrom: t.field({ type: 'LocalDate', required: true, description: 'The first day it holds, UTC.' }),
      rate: t.string({ required: true, description: 'Decimal text, e.g. "0.8571"; at most ten decimals.' }),
    }),
  });
  return { Customer, Contact, Subscription, Invoice, Ticket, Order, ExchangeRate };
}
