import { forgetEvents, rememberEvents, storeEvents } from '../../../src/core/analytics/index.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { BUSINESS } from '../../../src/core/settings/index.ts';
import type { PreparedEvent } from './event-input.ts';
import { Facts } from './facts.ts';
import { type OrderFields, OrderNotKnown, orders } from './orders.ts';
import type { PreparedCall } from './prepared.ts';
import { converter } from './rates.ts';
import { applyRecords, type Ground } from './upsert.ts';

/** What became of an event: taken, sent before, or refused by a rule of orders. */
export type OrderEventResult = 'fresh' | 'known' | DomainError;

function orderOf(event: PreparedEvent): OrderFields {
  const { orderId, customerId, amountMinor, currency, at, name } = event;
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
  placed: readonly PreparedEvent[],
  acceptedAt: Date,
): Promise<OrderEventResult[]> {
  const first = new Map(placed.toReversed().map((event) => [event.uid, event]));
  const known = await rememberEvents(tx, [...first.keys()], acceptedAt);
  const fresh = placed.filter((event) => !known.has(event.uid) && first.get(event.uid) === event);
  const { reportingCurrency } = await ground.settings.get(BUSINESS);
  const currencies = fresh.flatMap((event) => (event.currency === null ? [] : [event.currency]));
  const kind = orders({
    reportingCurrency,
    convert: await converter(tx, reportingCurrency, currencies.length < fresh.length ? 'all' : currencies),
    quiet: false,
    properties: new Map(fresh.map((event) => [event.orderId as string, JSON.parse(event.properties)])),
  });
  const items = fresh.map((event) => ({ input: orderOf(event), path: ['input', 'events', event.index] }));
  const facts = new Facts();
  const results = await applyRecords(tx, ground, call.call, items, kind, call.terms, facts);
  await facts.write(tx, call.call, ground);

  const asTheyCame = fresh.filter((_, position) => results[position] instanceof OrderNotKnown);
  await storeEvents(tx, asTheyCame, acceptedAt);
  const outcomes = new Map<PreparedEvent, OrderEventResult>();
  for (const [position, event] of fresh.entries()) {
    const result = results[position];
    outcomes.set(event, result instanceof DomainError && !(result instanceof OrderNotKnown) ? result : 'fresh');
  }
  const refused = [...outcomes].flatMap(([event, result]) => (result instanceof DomainError ? [event.uid] : []));
  await forgetEvents(tx, refused);
  return placed.map((event) => outcomes.get(event) ?? 'known');
}
