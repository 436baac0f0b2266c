import type { Tx } from '../../../src/core/database/index.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { newEvent } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import { enqueue } from '../../../src/core/jobs.ts';
import { formatMinor } from '../../../src/core/money.ts';
import { linesAmount, linesReturned } from '../domain/order.ts';
import { CurrencyMismatch } from '../errors.ts';
import { orderPlaced, orderReturned } from '../events.ts';
import { orderInput } from '../inputs.ts';
import type { Facts } from './facts.ts';
import type { Convert } from './rates.ts';
import { createStore, type Upserted } from './store.ts';
import { given, kept, type RecordKind } from './upsert.ts';

export type OrderFields = ReturnType<typeof orderInput.parse> & {
  /** What came back in addition to what had come back before: the way of events. 'all' is the whole order. */
  readonly alsoReturned?: number | 'all';
  /** Only an order that is known already is meant. */
  readonly existing?: boolean;
};

export interface OrderRow {
  readonly id: string;
  readonly externalId: string;
  readonly customerId: string;
  readonly placedAt: Date;
  readonly amountMinor: number;
  readonly currency: string;
  readonly reportingAmountMinor: number | null;
  readonly reportingCurrency: string;
  readonly returnedMinor: number;
  readonly reportingReturnedMinor: number | null;
  readonly returnedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const store = createStore<OrderRow>({
  table: 'customer_order',
  key: ['externalId'],
  columns: {
    id: { column: 'id', type: 'uuid' },
    externalId: { column: 'external_id', type: 'text' },
    customerId: { column: 'customer_id', type: 'uuid' },
    placedAt: { column: 'placed_at', type: 'timestamptz' },
    amountMinor: { column: 'amount_minor', type: 'bigint' },
    currency: { column: 'currency', type: 'text' },
    reportingAmountMinor: { column: 'reporting_amount_minor', type: 'bigint' },
    reportingCurrency: { column: 'reporting_currency', type: 'text' },
    returnedMinor: { column: 'returned_minor', type: 'bigint' },
    reportingReturnedMinor: { column: 'reporting_returned_minor', type: 'bigint' },
    returnedAt: { column: 'returned_at', type: 'timestamptz' },
    createdAt: { column: 'created_at', type: 'timestamptz' },
    updatedAt: { column: 'updated_at', type: 'timestamptz' },
  },
});

/** What orders are reckoned with: the rates of their days, and whether they are history. */
export interface OrderTerms {
  readonly reportingCurrency: string;
  readonly convert: Convert;
  readonly quiet: boolean;
  /** Properties that the stream's event of an order carries beside its id, by the order's external id. */
  readonly properties?: ReadonlyMap<string, object>;
}

/** The facts of a return name an order nobody has heard of. */
export class OrderNotKnown extends DomainError {
  constructor(externalId: string, path: readonly string[]) {
    super('CUSTOMERS_ORDER_NOT_KNOWN', `There is no order "${externalId}".`, { path });
  }
}

/** Orders, with or without lines. The first word on an order publishes it; later ones correct it. */
export const orders = (terms: OrderTerms): RecordKind<OrderFields, OrderRow> => ({
  what: 'order',
  origin: 'order',
  schema: orderInput,
  store,
  key: (input) => [input.externalId],
  seenAt: (input) => input.placedAt,
  decide(input, customerId, was, rules) {
    if (was === null && input.existing === true) return new OrderNotKnown(input.externalId, rules.path.map(String));
    const future = rules.future({ placedAt: input.placedAt, returnedAt: input.returnedAt });
    if (future !== null) return future;
    const amountMinor = input.amountMinor ?? (input.lines ? linesAmount(input.lines) : was?.amountMinor);
    const currency = input.currency ?? was?.currency;
    if (amountMinor === null) return rules.invalid('lines', 'their sum', 'is beyond 2^53 minor units');
    if (amountMinor === undefined)
      return rules.invalid('amountMinor', undefined, 'or lines are needed for a new order');
    if (currency === undefined) return rules.invalid('currency', undefined, 'is needed for a new order');
    if (was !== null && currency !== was.currency) {
      return new CurrencyMismatch('order', was.currency, currency, [...rules.path.map(String), 'currency']);
    }
    const returnedMinor = returnedOf(input, amountMinor, was?.returnedMinor ?? 0);
    if (returnedMinor > amountMinor) {
      return rules.invalid('returnedAmountMinor', returnedMinor, `is more than the order's ${amountMinor}`);
    }
    const placedAt = kept(input.placedAt, was?.placedAt, rules.now);
    const returnedAt = returnedMinor === 0 ? null : (given(input.returnedAt, was?.returnedAt, null) ?? rules.now);
    if (returnedAt !== null && returnedAt < placedAt) {
      return rules.invalid('returnedAt', returnedAt, 'lies before placedAt');
    }
    return {
      id: was?.id ?? newId(),
      externalId: input.externalId,
      customerId,
      placedAt,
      amountMinor,
      currency,
      reportingAmountMinor: terms.convert(amountMinor, currency, placedAt),
      reportingCurrency: terms.reportingCurrency,
      returnedMinor,
      reportingReturnedMinor: terms.convert(returnedMinor, currency, placedAt),
      returnedAt,
      createdAt: was?.createdAt ?? rules.now,
      updatedAt: rules.now,
    };
  },
  tell: (facts, upserted) => tell(facts, upserted, terms),
  after: (tx, done) => writeLines(tx, done),
});

function returnedOf(input: OrderFields, amountMinor: number, was: number): number {
  if (input.alsoReturned === 'all') return amountMinor;
  if (input.alsoReturned !== undefined) return was + input.alsoReturned;
  if (typeof input.returnedAmountMinor === 'number') return input.returnedAmountMinor;
  const lines = input.lines ?? [];
  return lines.some((line) => typeof line.returnedQuantity === 'number') ? (linesReturned(lines) ?? was) : was;
}

function tell(facts: Facts, { before, after }: Upserted<OrderRow>, terms: OrderTerms): void {
  const { customerId, externalId, currency, placedAt, returnedAt } = after;
  const { reportingCurrency, quiet } = terms;
  const properties = { ...terms.properties?.get(externalId), orderId: externalId };
  if (before === null) {
    const { id: orderId, amountMinor, reportingAmountMinor } = after;
    const amounts = { amountMinor, currency, reportingAmountMinor, reportingCurrency };
    const payload = { orderId, ...amounts, placedAt: placedAt.toISOString(), quiet };
    facts.events.push(newEvent(orderPlaced, { customerId, payload, at: placedAt }));
    const money = { amountMinor, currency };
    facts.stream.push({ name: 'order.placed', externalId, customerId, at: placedAt, money, properties });
  }
  const amountMinor = after.returnedMinor - (before?.returnedMinor ?? 0);
  if (amountMinor > 0 && returnedAt !== null) {
    const reportingAmountMinor = terms.convert(amountMinor, currency, placedAt);
    const amounts = { amountMinor, currency, reportingAmountMinor, reportingCurrency };
    const payload = { orderId: after.id, ...amounts, returnedAt: returnedAt.toISOString(), quiet };
    facts.events.push(newEvent(orderReturned, { customerId, payload, at: returnedAt }));
    const derived = { externalId, state: after.returnedMinor, customerId, at: returnedAt, properties };
    facts.stream.push({ ...derived, name: 'order.returned', money: { amountMinor, currency } });
  }
}

/** Lines given replace the lines there were. */
async function writeLines(
  tx: Tx,
  done: readonly { readonly input: OrderFields; readonly upserted: Upserted<OrderRow> }[],
): Promise<void> {
  // The last item of an order that names lines has the say.
  const given = new Map(
    done.flatMap(({ input, upserted }) => (input.lines ? [[upserted.after.id, { input, order: upserted.after }]] : [])),
  );
  if (given.size === 0) return;
  // The history keeps lines, too, for whoever reckons by product.
  await enqueue(tx, 'customers.copyOrderLines', { orderIds: [...given.keys()] });
  const rows = [...given.values()].flatMap(({ input, order }) =>
    (input.lines ?? []).map((line, index) => ({ ...line, order, number: index + 1 })),
  );
  await tx.query('delete from customer_order_line where order_id = any($1::uuid[])', [[...given.keys()]], {
    name: 'order_lines_delete',
  });
  await tx.query(
    `insert into customer_order_line (order_id, line, product, description, quantity, unit_price, returned_quantity)
     select * from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::numeric[], $6::numeric[], $7::numeric[])`,
    [
      rows.map(({ order }) => order.id),
      rows.map(({ number }) => number),
      rows.map(({ product }) => product),
      rows.map(({ description }) => description ?? null),
      rows.map(({ quantity }) => quantity),
      rows.map(({ unitPriceMinor, order }) => formatMinor({ amountMinor: unitPriceMinor, currency: order.currency })),
      rows.map(({ returnedQuantity }) => returnedQuantity ?? 0),
    ],
    { name: 'order_lines_insert' },
  );
}
