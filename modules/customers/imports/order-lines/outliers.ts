import { ruleMessage } from '../domain/messages.ts';
import type { Finding } from '../domain/reports.ts';
import { columnOf, type ImportRun } from '../pipeline.ts';
import { remakeTable, sideTable } from '../tables.ts';
import { partaking, takenOut } from './stages.ts';

/** Where every line has nearly the same value, a double of it is not yet strange. */
const LEAST_SPREAD = 'log(2)';

/**
 * Finds lines whose quantity or price lies beyond the fence of both the file and the product (see the setting OUTLIERS),
 * and writes down what to calculate with instead. One scan for the fence of the file, one for those of the products.
 */
export async function findOutliers(run: ImportRun): Promise<Finding[]> {
  const table = await remakeTable(
    run,
    'caps',
    `row UInt64, line UInt64, product String, quantity Decimal(18, 3), unit_price Decimal(18, 4),
     capped_quantity Nullable(Decimal(18, 3)), capped_unit_price Nullable(Decimal(18, 4))`,
  );
  const { fence, minimumLines } = run.options.outliers;
  const lines = `SELECT row, line, product, assumeNotNull(quantity) AS q, assumeNotNull(unit_price) AS p
    FROM ${run.stage.table} WHERE ${partaking(run)} AND ${takenOut(run)} = 'kept'`;
  const fenceOf = (column: string): string => {
    const quartiles = `quantilesExact(0.25, 0.75)(log(toFloat64(${column})))`;
    return `exp(${quartiles}[2] + {fence:Float64} * greatest(${quartiles}[2] - ${quartiles}[1], ${LEAST_SPREAD}))`;
  };
  const params = { fence, minimumLines };
  const [whole] = await run.analytics.query<{ lines: number; quantity: number; price: number }>(
    `SELECT count() AS lines, ${fenceOf('q')} AS quantity, ${fenceOf('p')} AS price FROM (${lines})`,
    params,
  );
  if (whole !== undefined && whole.lines >= minimumLines) {
    await run.analytics.command(
      `INSERT INTO ${table}
       SELECT l.row, l.line, l.product, l.q, l.p,
         if(toFloat64(l.q) > f.quantity, toDecimal64(round(f.quantity, 3), 3), NULL), if(toFloat64(l.p) > f.price, toDecimal64(round(f.price, 4), 4), NULL)
       FROM (${lines}) AS l
       INNER JOIN (
         SELECT product,
           least(greatest({quantity:Float64}, if(count() >= {minimumLines:UInt32}, ${fenceOf('q')}, 0)), 1e14) AS quantity,
           least(greatest({price:Float64}, if(count() >= {minimumLines:UInt32}, ${fenceOf('p')}, 0)), 1e13) AS price
         FROM (${lines}) GROUP BY product
       ) AS f ON f.product = l.product
       WHERE toFloat64(l.q) > f.quantity OR toFloat64(l.p) > f.price`,
      { ...params, quantity: whole.quantity, price: whole.price },
    );
  }
  return [await outlierFinding(run, 'quantity'), await outlierFinding(run, 'unit_price')];
}

async function outlierFinding(run: ImportRun, column: 'quantity' | 'unit_price'): Promise<Finding> {
  const [found] = await run.analytics.query<{ count: number; examples: [number, string][] }>(
    `SELECT count() AS count, groupArray(5)((line, toString(value))) AS examples
     FROM (SELECT line, ${column} AS value FROM ${sideTable(run, 'caps')} WHERE capped_${column} IS NOT NULL ORDER BY value DESC, line)`,
  );
  const isQuantity = column === 'quantity';
  return {
    rule: isQuantity ? 'QUANTITY_OUTLIER' : 'UNIT_PRICE_OUTLIER',
    category: 'OUTLIERS',
    severity: 'WARNING',
    column: columnOf(run.options, isQuantity ? 'quantity' : 'unitPrice'),
    unit: 'ROWS',
    message: ruleMessage(isQuantity ? 'QUANTITY_OUTLIER' : 'UNIT_PRICE_OUTLIER'),
    count: found?.count ?? 0,
    examples: (found?.examples ?? []).map(([line, value]) => ({ line, value })),
  };
}
