import DataLoader from 'dataloader';
import { type Builder, encodeGlobalId, perOperation } from '../../../src/core/builder/index.ts';
import type { ContactShape, InvoiceShape, OrderShape, SubscriptionShape, TicketShape } from '../queries/parts.ts';
import type { CustomerService } from '../service.ts';

export type RecordTypes = ReturnType<typeof recordTypes>;

/** The records of a customer as types of the API. */
export function recordTypes(builder: Builder, service: CustomerService) {
  const Status = builder.enumType('CustomerStatus', {
    description: 'How far a customer has come.',
    values: {
      TRIAL: { description: 'Tries the product.' },
      ACTIVE: { description: 'Is a customer.' },
      PAUSED: { description: 'Has paused and means to come back.' },
      CHURNED: { description: 'Has left.' },
    } as const,
  });
  const Priority = builder.enumType('TicketPriority', {
    description: 'How urgent a ticket is.',
    values: {
      LOW: { description: 'Can wait.' },
      NORMAL: { description: 'As usual.' },
      HIGH: { description: 'Before others.' },
      URGENT: { description: 'At once.' },
    } as const,
  });

  const Consent = builder
    .objectRef<{ readonly topic: string; readonly granted: boolean; readonly at: string }>('Consent')
    .implement({
      description: 'What a person said about messages on a topic.',
      fields: (t) => ({
        topic: t.exposeString('topic', { description: 'The topic, e.g. "newsletter".' }),
        granted: t.exposeBoolean('granted', { description: 'Whether the person agreed.' }),
        at: t.field({ type: 'DateTime', description: 'When it was said.', resolve: (c) => c.at }),
      }),
    });

  const Contact = builder.objectRef<ContactShape>('Contact').implement({
    description: 'A person at a customer.',
    fields: (t) => ({
      id: t.id({ description: 'The global id.', resolve: (c) => encodeGlobalId('Contact', c.id) }),
      externalId: t.exposeString('externalId', {
        description: 'Your own id of the person, or else the e-mail address.',
      }),
      email: t.exposeString('email', { description: 'The e-mail address, in lower case.' }),
      name: t.exposeString('name', { nullable: true, description: 'What the person is called.' }),
      timeZone: t.exposeString('timeZone', { nullable: true, description: 'IANA name, e.g. Europe/London.' }),
      locale: t.exposeString('locale', { nullable: true, description: 'Language tag, e.g. en-GB.' }),
      consent: t.field({
        type: [Consent],
        description: 'What the person said about messages; a topic not listed was never asked for.',
        resolve: (c) => Object.entries(c.consent).map(([topic, said]) => ({ topic, ...said })),
      }),
      createdAt: t.field({
        type: 'DateTime',
        description: 'When Holdfast first heard of the person.',
        resolve: (c) => c.createdAt,
      }),
    }),
  });

  const Subscription = builder.objectRef<SubscriptionShape>('CustomerSubscription').implement({
    description: 'What a customer pays regularly.',
    fields: (t) => ({
      id: t.id({ description: 'The global id.', resolve: (s) => encodeGlobalId('CustomerSubscription', s.id) }),
      externalId: t.exposeString('externalId', { description: 'Your own id of the subscription.' }),
      plan: t.exposeString('plan', { description: 'What is subscribed to.' }),
      mrr: t.field({
        type: 'Money',
        description: 'Monthly recurring revenue.',
        resolve: (s) => ({ amountMinor: s.mrrMinor, currency: s.currency }),
      }),
      startedAt: t.field({ type: 'DateTime', description: 'When it began.', resolve: (s) => s.startedAt }),
      cancelledAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When it ended; null while it runs.',
        resolve: (s) => s.cancelledAt,
      }),
      cancelReason: t.exposeString('cancelReason', {
        nullable: true,
        description: 'Why it ended, when that was told.',
      }),
    }),
  });

  const Invoice = builder.objectRef<InvoiceShape>('Invoice').implement({
    description: 'What a customer owes or has paid.',
    fields: (t) => ({
      id: t.id({ description: 'The global id.', resolve: (i) => encodeGlobalId('Invoice', i.id) }),
      externalId: t.exposeString('externalId', { description: 'Your own id of the invoice.' }),
      amount: t.field({
        type: 'Money',
        description: 'What is to be paid.',
        resolve: (i) => ({ amountMinor: i.amountMinor, currency: i.currency }),
      }),
      issuedAt: t.field({ type: 'DateTime', description: 'When it was issued.', resolve: (i) => i.issuedAt }),
      dueAt: t.field({ type: 'DateTime', description: 'When it is to be paid.', resolve: (i) => i.dueAt }),
      paidAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When it was paid; null while it is not.',
        resolve: (i) => i.paidAt,
      }),
    }),
  });

  const Ticket = builder.objectRef<TicketShape>('Ticket').implement({
    description: 'A request for help.',
    fields: (t) => ({
      id: t.id({ description: 'The global id.', resolve: (x) => encodeGlobalId('Ticket', x.id) }),
      externalId: t.exposeString('externalId', { description: 'Your own id of the ticket.' }),
      priority: t.field({ type: Priority, description: 'How urgent it is.', resolve: (x) => x.priority }),
      openedAt: t.field({ type: 'DateTime', description: 'When it was opened.', resolve: (x) => x.openedAt }),
      firstResponseAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When it was first answered.',
        resolve: (x) => x.firstResponseAt,
      }),
      solvedAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When it was solved; null while it is open.',
        resolve: (x) => x.solvedAt,
      }),
      satisfaction: t.exposeInt('satisfaction', { nullable: true, description: 'How it was rated, 1 to 5.' }),
    }),
  });

  const OrderLine = builder
    .objectRef<Awaited<ReturnType<CustomerService['orderLines']>>[number]>('OrderLine')
    .implement({
      description: 'A line of an order.',
      fields: (t) => ({
        line: t.exposeInt('line', { description: 'Its number, from 1.' }),
        product: t.exposeString('product', { description: 'Your id of the product.' }),
        description: t.exposeString('description', { nullable: true, description: 'What the product is called.' }),
        quantity: t.exposeFloat('quantity', { description: 'How much was ordered.' }),
        unitPrice: t.field({
          type: 'Money',
          description: 'The price of one.',
          resolve: (l) => ({ amountMinor: l.unitPriceMinor, currency: l.currency }),
        }),
        returnedQuantity: t.exposeFloat('returnedQuantity', { description: 'How much of it came back.' }),
      }),
    });
  const lines = perOperation(
    () =>
      new DataLoader(async (orderIds: readonly string[]) => {
        const found = Map.groupBy(await service.orderLines(orderIds), (line) => line.orderId);
        return orderIds.map((id) => found.get(id) ?? []);
      }),
  );
  const Order = builder.objectRef<OrderShape>('Order').implement({
    description: 'An order.',
    fields: (t) => ({
      id: t.id({ description: 'The global id.', resolve: (o) => encodeGlobalId('Order', o.id) }),
      externalId: t.exposeString('externalId', { description: 'Your own id of the order.' }),
      placedAt: t.field({ type: 'DateTime', description: 'When it was placed.', resolve: (o) => o.placedAt }),
      amount: t.field({
        type: 'Money',
        description: 'What it came to.',
        resolve: (o) => ({ amountMinor: o.amountMinor, currency: o.currency }),
      }),
      reportingAmount: t.field({
        type: 'Money',
        nullable: true,
        description: 'The same in the reporting currency, by the rate of its day; null while there is no rate.',
        resolve: (o) =>
          o.reportingAmountMinor === null
            ? null
            : { amountMinor: o.reportingAmountMinor, currency: o.reportingCurrency },
      }),
      returned: t.field({
        type: 'Money',
        description: 'What of it came back.',
        resolve: (o) => ({ amountMinor: o.returnedMinor, currency: o.currency }),
      }),
      returnedAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When it came back; null when nothing did.',
        resolve: (o) => o.returnedAt,
      }),
      lines: t.field({
        type: [OrderLine],
        description: 'What was ordered, line by line; empty when only the amount was told.',
        complexity: { field: 1, multiplier: 5 },
        resolve: (o, _args, context) => lines(context).load(o.id),
      }),
    }),
  });
  return { Status, Priority, Contact, Subscription, Invoice, Ticket, Order };
}
