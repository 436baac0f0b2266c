import { forgetEvents, rememberEvents, storeEvents } from '../../../src/core/analytics/index.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { BUSINESS } from '../../../src/core/settings/index.ts';
import { Facts } from './facts.ts';
import { type OrderFields, OrderNotKnown, orders } from './orders.ts';
import { inboxRow, type PlacedEvent, type PreparedCall } from './prepared.ts';
import { converter } from './rates.ts';
import { applyRecords, type Ground } from './upsert.ts';

/** What became of an event: taken, sent before, or refused by a rule of orders. */
export type OrderEventResult = 'fresh' | 'known' | DomainError;

function orderOf({ event, customerId }: PlacedEvent): OrderFields {
  const { orderId, amountMinor, currency, at, name } = event;
  const order = { externalId: orderId as string, customerId, currency };
  return name === 'order.returned'
    ? { ...order, existing: true, alsoReturned: amountMinor ?? 'all', returnedAt: at }
    : { ...order, amountMinor, placedAt: at };
}

/**
 * Events that name an order go through the orders: the order is the record, and the stream gets the event that follows
 * from it, so an order counts once whether a shop sends it as a record, as an event, or both. A return of an order nobody
 * has heard of (yet) is kept as it came.
 */
export async function recordOrderEvents(
  tx: Tx,
  ground: Ground,
  call: PreparedCall,
  placed: readonly PlacedEvent[],
  acceptedAt: Date,
): Promise<OrderEventResult[]> {
  const known = await rememberEvents(
    tx,
    placed.map(({ event }) => event.uid),
    acceptedAt,
  );
  const fresh = placed.filter(({ event }) => !known.has(event.uid));
  const { reportingCurrency } = await ground.settings.get(BUSINESS);
  const currencies = fresh.flatMap(({ event }) => (event.currency === null ? [] : [event.currency]));
  const kind = orders({
    reportingCurrency,
    convert: await converter(tx, reportingCurrency, currencies.length < fresh.length ? 'all' : currencies),
    quiet: false,
    properties: new Map(fresh.map(({ event }) => [event.orderId as string, JSON.parse(event.properties)])),
  });
  const items = fresh.map((one) => ({ input: orderOf(one), path: ['input', 'events', one.event.index] }));
  const facts = new Facts();
  const results = await applyRecords(tx, ground, call.call, items, kind, call.terms, facts);
  await facts.write(tx, call.call, ground);

  const asTheyCame = fresh.filter((_, position) => results[position] instanceof OrderNotKnown);
  await storeEvents(
    tx,
    asTheyCame.map((one) => inboxRow(one, call)),
    acceptedAt,
  );
  const outcomes = new Map<string, OrderEventResult>();
  for (const [position, { event }] of fresh.entries()) {
    const result = results[position];
    outcomes.set(event.uid, result instanceof DomainError && !(result instanceof OrderNotKnown) ? result : 'fresh');
  }
  const refused = [...outcomes].flatMap(([uid, result]) => (result instanceof DomainError ? [uid] : []));
  await forgetEvents(tx, refused);
  return placed.map(({ event }) => outcomes.get(event.uid) ?? 'known');
}
