import { appendEvents, newEvent } from '../../../../src/core/events/index.ts';
import { newId } from '../../../../src/core/ids.ts';
import { parseMoney } from '../../../../src/core/money.ts';
import { orderPlaced } from '../../events.ts';
import { OWN_SOURCE } from '../../identity.ts';
import { noteActivity } from '../../service/facts.ts';
import { type Convert, converter } from '../../service/rates.ts';
import { inBatches } from '../customers.ts';
import { type ImportRun, NAMED_CUSTOMERS, type PipelineResult } from '../pipeline.ts';
import { quote, uid } from '../sql.ts';
import { sideTable } from '../tables.ts';
import { AMOUNT, partaking, takenOut } from './stages.ts';

/** What follows from the lines: orders, activity of customers, events of the stream. */
export async function deriveOrders(run: ImportRun): Promise<PipelineResult> {
  await writeOrders(run);
  const customerIds = await writeActivity(run);
  await writeStream(run);
  const [stored] = await run.analytics.query<{ rows: number }>(
    `SELECT count() AS rows FROM ${run.stage.table} WHERE ${partaking(run)}`,
  );
  return {
    rowsStored: stored?.rows ?? 0,
    customerIds,
  };
}

/**
 * Orders are added up from all their lines, those of earlier files included. The customers of this file are few parts of
 * the table's key, so that reading for the others is skipped.
 */
const ordersSql = (run: ImportRun): string =>
  `SELECT l.order_id AS order_id, any(l.customer_id) AS customer_id, l.currency AS currency, min(l.at) AS at,
     sum(l.amount) AS amount, count() AS lines
   FROM order_lines AS l FINAL
   WHERE l.taken_out = 'kept'
     AND l.customer_id IN (SELECT customer_id FROM ${sideTable(run, 'customers')})
     AND l.order_id IN (SELECT order_id FROM ${run.stage.table} WHERE readable)
   GROUP BY order_id, currency`;

interface OrderRow {
  orderId: string;
  customerId: string;
  currency: string;
  placedAt: string;
  amount: string;
  undone: string;
}

async function writeOrders(run: ImportRun): Promise<void> {
  const convert = await converter(run.database, run.reportingCurrency, 'all');
  // What returns took off each order: only counted when the business nets them.
  const undone = `SELECT p.order_id AS order_id, sum(toDecimal128(u.quantity, 3) * assumeNotNull(p.unit_price)) AS amount
    FROM ${sideTable(run, 'undone')} AS u INNER JOIN ${run.stage.table} AS p ON p.row = u.purchase_row GROUP BY order_id`;
  const orders = run.analytics.queryStream<OrderRow>(
    `SELECT o.order_id AS orderId, o.customer_id AS customerId, o.currency AS currency, o.at AS placedAt,
       toString(o.amount) AS amount, toString(${run.options.returns.netting ? 'u.amount' : 'toDecimal128(0, 7)'}) AS undone
     FROM (${ordersSql(run)}) AS o LEFT JOIN (${undone}) AS u ON u.order_id = o.order_id
     ORDER BY orderId`,
    {},
    { signal: run.signal },
  );
  let done = 0;
  for await (const batch of inBatches(orders, 4_000)) {
    await writeBatch(run, batch, convert);
    done += batch.length;
    run.progress(done);
  }
}

/** One transaction: the orders, and when the import is live a fact for each new one. An order of the API has the say. */
async function writeBatch(run: ImportRun, batch: readonly OrderRow[], convert: Convert): Promise<void> {
  const orders = batch.map((row) => {
    const placedAt = new Date(row.placedAt);
    const { amountMinor } = parseMoney(row.amount, row.currency);
    const returnedMinor = Math.min(parseMoney(row.undone, row.currency).amountMinor, amountMinor);
    const reportingAmountMinor = convert(amountMinor, row.currency, placedAt);
    const reportingReturnedMinor = convert(returnedMinor, row.currency, placedAt);
    return { ...row, id: newId(), placedAt, amountMinor, returnedMinor, reportingAmountMinor, reportingReturnedMinor };
  });
  await run.database.transaction(async (tx) => {
    const written = await tx.query<{ id: string; externalId: string; isNew: boolean }>(
      `insert into customer_order as o (id, external_id, customer_id, placed_at, amount_minor, currency, reporting_amount_minor,
         reporting_currency, returned_minor, reporting_returned_minor, returned_at, import_id, created_at, updated_at)
       select id, external_id, customer_id, placed_at, amount, currency, reporting_amount, $10, returned, reporting_returned,
         case when returned > 0 then placed_at end, $11, $12, $12
       from unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[], $5::bigint[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[])
         as t(id, external_id, customer_id, placed_at, amount, currency, reporting_amount, returned, reporting_returned)
       on conflict (external_id) do update set placed_at = excluded.placed_at, amount_minor = excluded.amount_minor,
         reporting_amount_minor = excluded.reporting_amount_minor, returned_minor = excluded.returned_minor,
         reporting_returned_minor = excluded.reporting_returned_minor, returned_at = excluded.returned_at,
         updated_at = excluded.updated_at
       where o.import_id is not null and o.customer_id = excluded.customer_id and o.currency = excluded.currency
         and (o.placed_at, o.amount_minor, o.returned_minor) is distinct from
             (excluded.placed_at, excluded.amount_minor, excluded.returned_minor)
       returning o.id, o.external_id as "externalId", xmax = 0 as "isNew"`,
      [
        orders.map((order) => order.id),
        orders.map((order) => order.orderId),
        orders.map((order) => order.customerId),
        orders.map((order) => order.placedAt.toISOString()),
        orders.map((order) => order.amountMinor),
        orders.map((order) => order.currency),
        orders.map((order) => order.reportingAmountMinor),
        orders.map((order) => order.returnedMinor),
        orders.map((order) => order.reportingReturnedMinor),
        run.reportingCurrency,
        run.job.id,
        run.systemClock.now(),
      ],
      { name: 'import_orders' },
    );
    const fresh = new Map(written.filter((row) => row.isNew).map((row) => [row.externalId, row.id]));
    if (run.job.live) {
      const facts = orders.flatMap((order) => {
        const orderId = fresh.get(order.orderId);
        if (orderId === undefined) return [];
        const { customerId, amountMinor, currency, reportingAmountMinor, placedAt } = order;
        const amounts = { amountMinor, currency, reportingAmountMinor, reportingCurrency: run.reportingCurrency };
        const payload = { orderId, ...amounts, placedAt: placedAt.toISOString(), quiet: false };
        return [newEvent(orderPlaced, { customerId, payload, at: placedAt })];
      });
      await appendEvents(tx, run.call, run.clock, facts);
    }
    await run.counted(tx, { ordersCreated: fresh.size, ordersChanged: written.length - fresh.size });
  });
}

/** First order and last activity of each customer. @returns their ids when they are few */
async function writeActivity(run: ImportRun): Promise<string[] | null> {
  const seen = run.analytics.queryStream<{ id: string; last: number; first: number; country: string }>(
    `SELECT c.customer_id AS id, toUnixTimestamp64Milli(max(assumeNotNull(l.at))) AS last,
       toUnixTimestamp64Milli(minIf(assumeNotNull(l.at), l.taken = 'kept')) AS first, argMax(l.country, l.row) AS country
     FROM (SELECT row, customer, at, country, ${takenOut(run)} AS taken FROM ${run.stage.table}
           WHERE ${partaking(run)} AND customer != '') AS l
     INNER JOIN ${sideTable(run, 'customers')} AS c ON c.external_id = l.customer
     WHERE l.taken IN ('kept', 'return')
     GROUP BY id ORDER BY id`,
    {},
    { signal: run.signal },
  );
  let named: string[] | null = [];
  for await (const batch of inBatches(seen)) {
    await run.database.transaction(async (tx) => {
      await noteActivity(
        tx,
        batch.map(({ id, last, first }) => ({
          customerId: id,
          lastMs: last,
          firstOrderMs: first === 0 ? null : first,
        })),
      );
      // Where the customer lives is a trait to group by; what somebody said of it before has the say.
      await tx.query(
        `update customer c set traits = c.traits || jsonb_build_object('country', n.country)
         from unnest($1::uuid[], $2::text[]) as n(id, country)
         where c.id = n.id and n.country <> '' and not c.traits ? 'country' and c.erased_at is null`,
        [batch.map(({ id }) => id), batch.map(({ country }) => country)],
        { name: 'import_country' },
      );
    });
    if (named !== null)
      named = named.length + batch.length > NAMED_CUSTOMERS ? null : [...named, ...batch.map(({ id }) => id)];
  }
  return named;
}

/** One event for each order and for each return, under the ids that orders of the API have as well. */
async function writeStream(run: ImportRun): Promise<void> {
  const { job, stage } = run;
  const params = { job: job.id, receivedAt: job.createdAt };
  const columns =
    'event_uid, source, source_id, customer_id, name, at, value, currency, properties, received_at, import_id';
  const rest = `{receivedAt:DateTime64(3, 'UTC')}, {job:UUID}`;
  await run.analytics.command(
    `INSERT INTO events (${columns})
     SELECT ${uid(quote(OWN_SOURCE), `concat('order.placed:', order_id)`)}, ${quote(OWN_SOURCE)}, concat('order.placed:', order_id),
       customer_id, 'order.placed', at, toDecimal128(amount, 6), currency,
       concat('{"orderId":', toJSONString(order_id), ',"lines":', toString(lines), '}'), ${rest}
     FROM (${ordersSql(run)})`,
    params,
    { signal: run.signal },
  );
  await run.analytics.command(
    `INSERT INTO events (${columns})
     SELECT ${uid(quote(OWN_SOURCE), `concat('order.returned:', order_id)`)}, ${quote(OWN_SOURCE)}, concat('order.returned:', order_id),
       customer_id, 'order.returned', at, toDecimal128(abs(amount), 6), currency,
       concat('{"orderId":', toJSONString(order_id), ',"lines":', toString(lines), '}'), ${rest}
     FROM (
       SELECT l.order_id AS order_id, c.customer_id AS customer_id, l.currency AS currency, min(assumeNotNull(l.at)) AS at,
         sum(${AMOUNT}) AS amount, count() AS lines
       FROM (SELECT order_id, customer, currency, at, quantity, unit_price FROM ${stage.table}
             WHERE ${partaking(run)} AND ${takenOut(run)} = 'return') AS l
       INNER JOIN ${sideTable(run, 'customers')} AS c ON c.external_id = l.customer
       GROUP BY order_id, customer_id, currency
     )`,
    params,
    { signal: run.signal },
  );
}
