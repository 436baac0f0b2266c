import { forgetEvents, rememberEvents, storeEvents } from '../../../../src/core/analytics/index.ts';
import { DomainError } from '../../../../src/core/errors.ts';
import { parseMoney } from '../../../../src/core/money.ts';
import { eventUid } from '../../identity.ts';
import { Facts } from '../../service/facts.ts';
import { type OrderFields, OrderNotKnown, orders } from '../../service/orders.ts';
import { converter } from '../../service/rates.ts';
import { applyRecords } from '../../service/upsert.ts';
import { inBatches } from '../customers.ts';
import type { ImportRun } from '../pipeline.ts';
import { sideTable } from '../tables.ts';
import { IS_OF_ORDER } from './columns.ts';

interface OrderEvent {
  row: number;
  line: number;
  sourceId: string;
  name: string;
  at: string;
  value: string | null;
  currency: string;
  properties: string;
  orderId: string;
  customerId: string;
}

const ORDERS_PER_TRANSACTION = 1_000;
/** Times were checked while staging; the clock has moved on since, never back by more. */
const MAX_TOLERANCE_SECONDS = 86_400;

/**
 * Events that name an order go through the orders, as those of recordEvents do: the order is the record, and the stream
 * gets the event that follows from it. A return of an order nobody has heard of is kept as it came.
 * @returns how many rows are stored
 */
export async function deriveOrderEvents(run: ImportRun): Promise<number> {
  const rows = run.analytics.queryStream<OrderEvent>(
    `SELECT e.row AS row, e.line AS line, e.source_id AS sourceId, toString(e.name) AS name, e.at AS at, toString(e.value) AS value,
       e.currency AS currency, e.properties AS properties, JSONExtractString(e.properties, 'orderId') AS orderId, c.customer_id AS customerId
     FROM (SELECT row, line, source_id, name, at, value, currency, properties, customer
           FROM ${run.stage.table} WHERE ${run.carried.goodRows} AND ${IS_OF_ORDER}) AS e
     INNER JOIN ${sideTable(run, 'customers')} AS c ON c.external_id = e.customer
     ORDER BY name, row`,
    {},
    { signal: run.signal },
  );
  const convert = await converter(run.database, run.reportingCurrency, 'all');
  let stored = 0;
  for await (const batch of inBatches(rows, ORDERS_PER_TRANSACTION)) {
    stored += batch.length - (await applyBatch(run, batch, convert));
    run.progress(stored);
  }
  return stored;
}

/** @returns how many rows were refused */
async function applyBatch(
  run: ImportRun,
  batch: readonly OrderEvent[],
  convert: Awaited<ReturnType<typeof converter>>,
): Promise<number> {
  const quiet = !run.job.live;
  const kind = orders({
    reportingCurrency: run.reportingCurrency,
    convert,
    quiet,
    properties: new Map(batch.map((event) => [event.orderId, JSON.parse(event.properties)])),
  });
  const terms = { now: run.clock.now(), toleranceSeconds: MAX_TOLERANCE_SECONDS, createCustomers: false };
  const acceptedAt = run.systemClock.now();
  const refusedRows = await run.database.transaction(async (tx) => {
    // What came before, by this run or by another way, has no effect twice: returns add up.
    const uids = batch.map((event) => inboxRowOf(run, event).uid);
    const known = await rememberEvents(tx, [...new Set(uids)], acceptedAt);
    const fresh = batch.filter((_, at) => !known.has(uids[at] as string) && uids.indexOf(uids[at] as string) === at);
    const facts = new Facts();
    const items = fresh.map((event) => ({ input: orderOf(event), path: ['line', event.line] }));
    const results = await applyRecords(tx, run, run.call, items, kind, terms, facts);
    if (quiet) facts.events.length = 0;
    await facts.write(tx, run.call, run);
    const asTheyCame = fresh.filter((_, at) => results[at] instanceof OrderNotKnown);
    await storeEvents(
      tx,
      asTheyCame.map((event) => inboxRowOf(run, event)),
      acceptedAt,
    );
    const refused: { event: OrderEvent; error: DomainError }[] = [];
    let created = 0;
    let changed = 0;
    for (const [at, result] of results.entries()) {
      if (result instanceof OrderNotKnown) continue;
      if (result instanceof DomainError) refused.push({ event: fresh[at] as OrderEvent, error: result });
      else if (result.before === null) created += 1;
      else if (result.before !== result.after) changed += 1;
    }
    await forgetEvents(
      tx,
      refused.map(({ event }) => inboxRowOf(run, event).uid),
    );
    await run.counted(tx, { ordersCreated: created, ordersChanged: changed });
    return refused;
  });
  await run.analytics.insert(
    'import_reject',
    refusedRows.map(({ event, error }) => ({
      job_id: run.job.id,
      line: event.line,
      column: '',
      rule: error.code,
      value: event.orderId.slice(0, 200),
      message: error.message,
    })),
  );
  return refusedRows.length;
}

function orderOf({ name, orderId, customerId, at, value, currency }: OrderEvent): OrderFields {
  const order = { externalId: orderId, customerId, currency: currency === '' ? null : currency };
  const amountMinor = value === null || currency === '' ? null : parseMoney(value, currency).amountMinor;
  return name === 'order.returned'
    ? { ...order, existing: true, alsoReturned: amountMinor ?? ('all' as const), returnedAt: new Date(at) }
    : { ...order, amountMinor, placedAt: new Date(at) };
}

function inboxRowOf(run: ImportRun, event: OrderEvent) {
  const { job } = run;
  const fileRow = `${job.fileSha256}:${event.row}`;
  return {
    uid: event.sourceId === '' ? eventUid('file', fileRow) : eventUid(job.source, event.sourceId),
    source: job.source,
    sourceId: event.sourceId === '' ? fileRow : event.sourceId,
    customerId: event.customerId,
    name: event.name,
    at: new Date(event.at),
    value: event.value,
    currency: event.currency === '' ? null : event.currency,
    properties: event.properties,
    batchId: job.id,
  };
}
