import { DomainError } from '../../../src/core/errors.ts';
import { newEvent } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import { CurrencyMismatch } from '../errors.ts';
import { invoiceIssued, invoicePaid } from '../events.ts';
import { invoiceInput } from '../inputs.ts';
import type { DerivedEvent } from './facts.ts';
import { createStore } from './store.ts';
import { given, kept, type RecordKind } from './upsert.ts';

export interface InvoiceRow {
  readonly id: string;
  readonly externalId: string;
  readonly customerId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly issuedAt: Date;
  readonly dueAt: Date;
  readonly paidAt: Date | null;
  readonly overdueAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const store = createStore<InvoiceRow>({
  table: 'invoice',
  key: ['externalId'],
  columns: {
    id: { column: 'id', type: 'uuid' },
    externalId: { column: 'external_id', type: 'text' },
    customerId: { column: 'customer_id', type: 'uuid' },
    amountMinor: { column: 'amount_minor', type: 'bigint' },
    currency: { column: 'currency', type: 'text' },
    issuedAt: { column: 'issued_at', type: 'timestamptz' },
    dueAt: { column: 'due_at', type: 'timestamptz' },
    paidAt: { column: 'paid_at', type: 'timestamptz' },
    overdueAt: { column: 'overdue_at', type: 'timestamptz' },
    createdAt: { column: 'created_at', type: 'timestamptz' },
    updatedAt: { column: 'updated_at', type: 'timestamptz' },
  },
});

/** The numbers of an invoice that its facts carry. */
export const invoicePayload = (invoice: InvoiceRow) => ({
  invoiceId: invoice.id,
  amountMinor: invoice.amountMinor,
  currency: invoice.currency,
  issuedAt: invoice.issuedAt.toISOString(),
  dueAt: invoice.dueAt.toISOString(),
});

/** What customers owe. An invoice may be issued ahead of time and is due later; paid it is when it was paid. */
export const invoices: RecordKind<ReturnType<typeof invoiceInput.parse>, InvoiceRow> = {
  what: 'invoice',
  origin: 'upsert',
  schema: invoiceInput,
  store,
  key: (input) => [input.externalId],
  seenAt: (input) => input.issuedAt,
  decide(input, customerId, was, rules) {
    const amountMinor = input.amountMinor ?? was?.amountMinor;
    const currency = input.currency ?? was?.currency;
    const dueAt = input.dueAt ?? was?.dueAt;
    if (amountMinor === undefined) return rules.invalid('amountMinor', undefined, 'is needed for a new invoice');
    if (currency === undefined) return rules.invalid('currency', undefined, 'is needed for a new invoice');
    if (dueAt === undefined) return rules.invalid('dueAt', undefined, 'is needed for a new invoice');
    if (was !== null && currency !== was.currency) {
      return new CurrencyMismatch('invoice', was.currency, currency, [...rules.path.map(String), 'currency']);
    }
    const issuedAt = kept(input.issuedAt, was?.issuedAt, rules.now);
    const paidAt = given(input.paidAt, was?.paidAt, null);
    const future = rules.future({ issuedAt: input.issuedAt, paidAt: input.paidAt });
    if (future !== null) return future;
    if (dueAt < issuedAt) return rules.invalid('dueAt', dueAt, 'lies before issuedAt');
    return {
      id: was?.id ?? newId(),
      externalId: input.externalId,
      customerId,
      amountMinor,
      currency,
      issuedAt,
      dueAt,
      paidAt,
      // A later due date makes it no longer overdue; the job publishes anew when that day has come.
      overdueAt: was !== null && dueAt > was.dueAt ? null : (was?.overdueAt ?? null),
      createdAt: was?.createdAt ?? rules.now,
      updatedAt: rules.now,
    };
  },
  tell(facts, { before, after }) {
    const { customerId, externalId } = after;
    const money = { amountMinor: after.amountMinor, currency: after.currency };
    const properties = { invoiceId: externalId, dueAt: after.dueAt.toISOString() };
    if (before === null) {
      facts.events.push(newEvent(invoiceIssued, { customerId, payload: invoicePayload(after), at: after.issuedAt }));
      facts.stream.push({ name: 'invoice.issued', externalId, customerId, at: after.issuedAt, money, properties });
    }
    if (after.paidAt !== null && (before?.paidAt ?? null) === null) {
      const payload = { ...invoicePayload(after), paidAt: after.paidAt.toISOString() };
      facts.events.push(newEvent(invoicePaid, { customerId, payload, at: after.paidAt }));
      facts.stream.push({ name: 'invoice.paid', externalId, customerId, at: after.paidAt, money, properties });
    }
  },
};

/** What the stream says of an invoice that was not paid when it was due. */
export const overdueEvent = (row: InvoiceRow): DerivedEvent => ({
  name: 'invoice.overdue',
  externalId: row.externalId,
  state: row.dueAt.toISOString(),
  customerId: row.customerId,
  at: row.dueAt,
  money: { amountMinor: row.amountMinor, currency: row.currency },
  properties: { invoiceId: row.externalId, dueAt: row.dueAt.toISOString() },
});

/** Invoices of the past: what became overdue before they were told of is history, and is not published any more. */
export const pastInvoices: typeof invoices = {
  ...invoices,
  decide(input, customerId, was, rules) {
    const row = invoices.decide(input, customerId, was, rules);
    const isOverdue = !(row instanceof DomainError) && row.paidAt === null && row.dueAt < rules.now;
    return isOverdue && row.overdueAt === null ? { ...row, overdueAt: row.dueAt } : row;
  },
  tell(facts, upserted, input) {
    invoices.tell(facts, upserted, input);
    const { before, after } = upserted;
    if (after.overdueAt !== null && (before?.overdueAt ?? null) === null) facts.stream.push(overdueEvent(after));
  },
};
