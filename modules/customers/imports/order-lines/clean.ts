import type { CapExample, CleaningReport, CleaningStage, ReturnExample, ReturnsReport } from '../domain/reports.ts';
import { matchReturns, type ReturnableLine, type Undoing } from '../domain/returns.ts';
import type { ImportRun } from '../pipeline.ts';
import { remakeTable, sideTable } from '../tables.ts';
import { AMOUNT, partaking, takenOut } from './stages.ts';

/** The five stages of cleaning, reckoned without storing anything: which rows each takes out, and what is left. */
export async function cleanLines(run: ImportRun): Promise<CleaningReport> {
  const taken = new Map<string, number>();
  const counted = await run.analytics.query<{ stage: string; rows: number }>(
    `SELECT ${takenOut(run)} AS stage, count() AS rows FROM ${run.stage.table} WHERE ${partaking(run)} GROUP BY stage`,
  );
  for (const { stage, rows } of counted) taken.set(stage, rows);
  const returns = await undoPurchases(run);
  const capping = await describeCaps(run);
  const [kept] = await run.analytics.query<{ customers: number; orders: number }>(
    `SELECT uniqExact(customer) AS customers, uniqExact(order_id) AS orders
     FROM ${run.stage.table} WHERE ${partaking(run)} AND ${takenOut(run)} = 'kept'`,
  );
  return {
    stages: stagesOf(taken, capping.rows),
    customers: kept?.customers ?? 0,
    orders: kept?.orders ?? 0,
    revenue: await revenueOf(run),
    returns,
    capping,
  };
}

function stagesOf(taken: ReadonlyMap<string, number>, capped: number): CleaningStage[] {
  const stages: CleaningStage[] = [];
  let rows = [...taken.values()].reduce((sum, each) => sum + each, 0);
  const drop = (name: string, key: string, note: string): void => {
    const rowsIn = rows;
    rows -= taken.get(key) ?? 0;
    stages.push({ stage: stages.length + 1, name, rowsIn, rowsOut: rows, note });
  };
  drop('Rows without a customer', 'no_customer', 'dropped');
  drop('Cancellations and returns', 'return', 'kept apart as returns, out of the revenue');
  drop('Prices and quantities not above zero', 'not_positive', 'dropped');
  drop('Exact duplicates', 'duplicate', 'dropped, the first of each stays');
  stages.push({ stage: 5, name: 'Outliers', rowsIn: rows, rowsOut: rows, note: `${capped} capped, none dropped` });
  return stages;
}

function revenueOf(run: ImportRun): Promise<CleaningReport['revenue']> {
  return run.analytics.query<{ currency: string; before: string; after: string }>(
    `SELECT l.currency AS currency, toString(sum(${AMOUNT})) AS before,
       toString(sum(toDecimal128(coalesce(c.capped_quantity, assumeNotNull(l.quantity)), 3)
         * coalesce(c.capped_unit_price, assumeNotNull(l.unit_price)))) AS after
     FROM (SELECT row, currency, quantity, unit_price FROM ${run.stage.table}
           WHERE ${partaking(run)} AND ${takenOut(run)} = 'kept') AS l
     LEFT JOIN ${sideTable(run, 'caps')} AS c ON c.row = l.row
     GROUP BY currency ORDER BY currency`,
    {},
    { settings: { join_use_nulls: 1 } },
  );
}

interface CandidateRow {
  row: number;
  isReturn: boolean;
  pieces: string;
  price: string;
  customer: string;
  product: string;
}

/** Rows per INSERT of what was found; bounds the memory. */
const INSERT_ROWS = 20_000;

/** Finds for every return the purchases it undoes, one customer and product after the other, as they stream by. */
async function undoPurchases(run: ImportRun): Promise<ReturnsReport> {
  const table = await remakeTable(run, 'undone', 'return_row UInt64, purchase_row UInt64, quantity Decimal(18, 3)');
  const { stage, analytics } = run;
  const isCandidate = `${partaking(run)} AND ${takenOut(run)} IN ('return', 'kept')`;
  const candidates = analytics.queryStream<CandidateRow>(
    `SELECT row, is_return AS isReturn, toString(abs(quantity)) AS pieces, toString(unit_price) AS price, customer, product
     FROM ${stage.table}
     WHERE ${isCandidate} AND quantity != 0
       AND (customer, product) IN (SELECT customer, product FROM ${stage.table} WHERE readable AND is_return AND customer != '')
     ORDER BY customer, product, at, is_return, row`,
    {},
    { signal: run.signal },
  );
  let found: Undoing[] = [];
  const flush = async (): Promise<void> => {
    const rows = found.map(({ returnRow, purchaseRow, quantityMilli }) => ({
      return_row: returnRow,
      purchase_row: purchaseRow,
      quantity: (quantityMilli / 1_000).toFixed(3),
    }));
    found = [];
    await analytics.insert(table, rows);
  };
  let group: ReturnableLine[] = [];
  let key = '';
  for await (const rows of candidates) {
    for (const { row, isReturn, pieces, price, customer, product } of rows) {
      const next = `${customer}\0${product}`;
      if (next !== key) {
        found.push(...matchReturns(group));
        group = [];
        key = next;
      }
      const quantityMilli = Math.round(Number(pieces) * 1_000);
      group.push({ row, kind: isReturn ? 'return' : 'purchase', quantityMilli, price });
    }
    if (found.length >= INSERT_ROWS) await flush();
  }
  found.push(...matchReturns(group));
  await flush();
  return describeReturns(run, table);
}

async function describeReturns(run: ImportRun, table: string): Promise<ReturnsReport> {
  const { stage, analytics, options } = run;
  const returned = `SELECT row, currency, assumeNotNull(abs(quantity)) AS pieces, assumeNotNull(unit_price) AS price FROM ${stage.table}
    WHERE ${partaking(run)} AND ${takenOut(run)} = 'return'`;
  const [counts] = await analytics.query<{ rows: number; matched: number; partly: number }>(
    `SELECT count() AS rows, countIf(u.quantity >= r.pieces AND u.quantity > 0) AS matched,
       countIf(u.quantity > 0 AND u.quantity < r.pieces) AS partly
     FROM (${returned}) AS r
     LEFT JOIN (SELECT return_row, sum(quantity) AS quantity FROM ${table} GROUP BY return_row) AS u ON u.return_row = r.row`,
  );
  const amounts = await analytics.query<{ currency: string; amount: string; matched: string }>(
    `SELECT r.currency AS currency, toString(sum(toDecimal128(r.pieces, 3) * r.price)) AS amount,
       toString(sum(toDecimal128(u.quantity, 3) * r.price)) AS matched
     FROM (${returned}) AS r
     LEFT JOIN (SELECT return_row, sum(quantity) AS quantity FROM ${table} GROUP BY return_row) AS u ON u.return_row = r.row
     GROUP BY currency ORDER BY currency`,
  );
  const examples = await analytics.query<ReturnExample>(
    `SELECT r.line AS line, r.order_id AS orderId, r.product AS product, toString(u.quantity) AS quantity,
       p.line AS undoesLine, p.order_id AS undoesOrderId
     FROM (SELECT * FROM ${table} ORDER BY return_row, purchase_row LIMIT 5) AS u
     INNER JOIN ${stage.table} AS r ON r.row = u.return_row
     INNER JOIN ${stage.table} AS p ON p.row = u.purchase_row
     ORDER BY line, undoesLine`,
  );
  const { rows = 0, matched = 0, partly = 0 } = counts ?? {};
  return {
    rows,
    matched,
    partly,
    unmatched: rows - matched - partly,
    amounts,
    netted: options.returns.netting,
    examples,
  };
}

async function describeCaps(run: ImportRun): Promise<CleaningReport['capping']> {
  const { cap, fence, minimumLines } = run.options.outliers;
  const rule =
    `above exp(Q3 + ${fence} × IQR) of the logarithms, for the file and for the product (from ${minimumLines} lines on)` +
    (cap ? '' : '; capping is switched off');
  const caps = sideTable(run, 'caps');
  if (!cap) await run.analytics.command(`TRUNCATE TABLE ${caps}`);
  const [counts] = await run.analytics.query<{ rows: number; quantities: number; prices: number }>(
    `SELECT count() AS rows, countIf(capped_quantity IS NOT NULL) AS quantities,
       countIf(capped_unit_price IS NOT NULL) AS prices FROM ${caps}`,
  );
  const examples = await run.analytics.query<CapExample>(
    `SELECT line, product, cap.1 AS column, toString(cap.2) AS from, toString(cap.3) AS to
     FROM ${caps}
     ARRAY JOIN [('quantity', toFloat64(quantity), toFloat64(capped_quantity)), ('unitPrice', toFloat64(unit_price), toFloat64(capped_unit_price))] AS cap
     WHERE cap.3 IS NOT NULL
     ORDER BY cap.2 / cap.3 DESC, line LIMIT 6`,
  );
  const { rows = 0, quantities = 0, prices = 0 } = counts ?? {};
  return { rule, rows, quantities, prices, examples };
}
