import type { Analytics } from '../../../src/core/analytics/types.ts';
import type { Queryable } from '../../../src/core/database/index.ts';
import { derivedId, eventUid, OWN_SOURCE } from '../identity.ts';

/** Changes of what the history engine keeps; each may be done again. */

/** All that lead to a customer, one step each: what a reader of history joins with. */
export async function writeAliases(analytics: Analytics, database: Queryable, survivorId: string): Promise<void> {
  const rows = await database.query<{ customer_id: string; survivor_id: string; merged_at: Date }>(
    `select former_id as customer_id, customer_id as survivor_id, created_at as merged_at
     from customer_alias where customer_id = $1 and former_id is not null`,
    [survivorId],
  );
  // The later merge wins by its time, so all rows of one writing carry the latest.
  const merged_at = new Date(Math.max(...rows.map((row) => row.merged_at.getTime())));
  await analytics.insert(
    'customer_alias',
    rows.map((row) => ({ ...row, merged_at })),
  );
}

/** Waits until all replicas have changed their rows. */
const WAIT = { settings: { mutations_sync: 2 } };

/** Takes what callers wrote about customers out of the history. That it happened, when, and for how much, stays. */
export async function blankHistory(
  analytics: Analytics,
  customerIds: readonly string[],
  names: readonly string[],
): Promise<void> {
  const { cluster } = analytics.layout;
  const on = cluster === undefined ? '' : `on cluster \`${cluster}\``;
  await analytics.command(
    `alter table events ${on} update properties = '{}', source_id = toString(event_uid) where customer_id in {ids:Array(UUID)}`,
    { ids: customerIds },
    WAIT,
  );
  const addresses = names.filter((name) => name.includes('@'));
  const holdsAddress =
    addresses.length === 0 ? '' : 'or multiSearchAnyCaseInsensitive(concat(value, message), {addresses:Array(String)})';
  await analytics.command(
    `alter table import_reject ${on} update value = '(erased)', message = '' where value in {names:Array(String)} ${holdsAddress}`,
    { names, ...(addresses.length === 0 ? {} : { addresses: addresses.slice(0, 255) }) },
    WAIT,
  );
}

interface LineRow {
  readonly orderId: string;
  readonly customerId: string;
  readonly line: number;
  readonly product: string;
  readonly description: string | null;
  readonly quantity: string;
  readonly unitPrice: string;
  readonly returnedQuantity: string;
  readonly currency: string;
  readonly placedAt: Date;
  readonly returnedAt: Date | null;
}

/** No import brought them. */
const NO_IMPORT = '00000000-0000-0000-0000-000000000000';

/**
 * Writes the lines of orders as the history keeps them: what was ordered, and what came back as a return of its own. The
 * identity of a line is that of its order and number, so the lines of an order that changed replace those written before.
 */
export async function copyOrderLines(
  analytics: Analytics,
  database: Queryable,
  orderIds: readonly string[],
  receivedAt: Date,
): Promise<void> {
  const lines = await database.query<LineRow>(
    `select o.external_id as "orderId", o.customer_id as "customerId", l.line, l.product, l.description, l.quantity,
       l.unit_price as "unitPrice", l.returned_quantity as "returnedQuantity", o.currency, o.placed_at as "placedAt",
       o.returned_at as "returnedAt"
     from customer_order o join customer_order_line l on l.order_id = o.id where o.id = any($1::uuid[])`,
    [orderIds],
  );
  const rows = lines.flatMap((line) => {
    const uid = eventUid(OWN_SOURCE, derivedId('order.line', line.orderId, line.line));
    const row = {
      line_uid: uid,
      source: OWN_SOURCE,
      order_id: line.orderId,
      customer_id: line.customerId,
      product: line.product,
      description: line.description ?? '',
      quantity: line.quantity,
      unit_price: line.unitPrice,
      currency: line.currency,
      country: '',
      at: line.placedAt,
      taken_out: Number(line.unitPrice) > 0 ? 'kept' : 'not_positive',
      undoes_line_uid: null,
      received_at: receivedAt,
      import_id: NO_IMPORT,
      import_line: 0,
    };
    if (Number(line.returnedQuantity) === 0) return [row];
    const returned = {
      ...row,
      line_uid: eventUid(OWN_SOURCE, derivedId('order.line_returned', line.orderId, line.line)),
      quantity: `-${line.returnedQuantity}`,
      at: line.returnedAt ?? line.placedAt,
      taken_out: 'return',
      undoes_line_uid: uid,
    };
    return [row, returned];
  });
  await analytics.insert('order_lines', rows);
}
