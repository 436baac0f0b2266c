import { ruleMessage } from '../domain/messages.ts';
import { type Finding, qualityReport } from '../domain/reports.ts';
import { type GroupRule, keepRejects, shapeFindings, tryGroupRule, tryRules } from '../findings.ts';
import { columnOf, type ImportRun, type Validated } from '../pipeline.ts';
import { quote } from '../sql.ts';
import { remakeTable } from '../tables.ts';
import { findOutliers } from './outliers.ts';
import { readingRules, valueRules } from './rules.ts';

/** Looks at all lines in the eight ways, and writes down what is refused. Nothing is stored yet. */
export async function validateLines(run: ImportRun): Promise<Validated> {
  const { findings, goodRows, rowsWithErrors } = await tryRules(run, [
    ...readingRules(run.options),
    ...valueRules(run.options).map((rule) => ({ ...rule, broken: `readable AND (${rule.broken})` })),
  ]);
  const misfits = await findMisfits(run);
  const duplicates = await findDuplicates(run);
  const outliers = await findOutliers(run);
  const groups: Finding[] = [];
  for (const rule of groupRules(run)) groups.push(await tryGroupRule(run, rule));
  await keepRejects(run);
  const shapes = await shapeFindings(run);
  const quality = qualityReport(
    run.stage.rows + run.stage.rejected,
    rowsWithErrors + misfits.rowsWithErrors + run.stage.rejected,
    [...shapes, ...findings, ...misfits.findings, duplicates, ...outliers, ...groups],
  );
  return { quality, goodRows };
}

/** Lines whose order has another customer or currency by its first line: an order has one of each. */
async function findMisfits(run: ImportRun): Promise<{ findings: Finding[]; rowsWithErrors: number }> {
  const table = await remakeTable(
    run,
    'misfits',
    'row UInt64, line UInt64, rule String, value String, is_counted Bool',
  );
  const { stage, analytics } = run;
  const findings: Finding[] = [];
  const misfits = [
    {
      column: 'customer',
      rule: 'ORDER_OF_OTHER_CUSTOMER',
      category: 'IDENTITY',
      field: 'customerExternalId',
    },
    {
      column: 'currency',
      rule: 'ORDER_OF_OTHER_CURRENCY',
      category: 'SCHEMA',
      field: 'currency',
    },
  ] as const;
  for (const { column, rule, category, field } of misfits) {
    await analytics.command(
      `INSERT INTO ${table} (row, line, rule, value, is_counted)
       SELECT l.row, l.line, ${quote(rule)}, l.${column}, l.quantity > 0 AND l.unit_price > 0
       FROM ${stage.table} AS l
       INNER JOIN (
         SELECT order_id, argMin(${column}, row) AS first FROM ${stage.table}
         WHERE readable AND customer != '' GROUP BY order_id HAVING uniqExact(${column}) > 1
       ) AS o ON o.order_id = l.order_id
       WHERE l.readable AND l.customer != '' AND l.${column} != o.first
         AND l.row NOT IN (SELECT row FROM ${table})`,
    );
    const [found] = await analytics.query<{ count: number; examples: [number, string][] }>(
      `SELECT count() AS count, groupArray(5)((line, value)) AS examples
       FROM (SELECT line, value FROM ${table} WHERE rule = {rule:String} ORDER BY line)`,
      { rule },
    );
    findings.push({
      rule,
      category,
      severity: 'ERROR',
      column: columnOf(run.options, field),
      unit: 'ROWS',
      message: ruleMessage(rule),
      count: found?.count ?? 0,
      examples: (found?.examples ?? []).map(([line, value]) => ({ line, value })),
    });
  }
  await analytics.command(
    `INSERT INTO ${stage.rejects} (line, row, column, rule, value)
     SELECT line, row, '', rule, value FROM ${table}`,
  );
  // Those that break another rule as well were counted there.
  const [errors] = await analytics.query<{ count: number }>(`SELECT countIf(is_counted) AS count FROM ${table}`);
  return { findings, rowsWithErrors: errors?.count ?? 0 };
}

/** Rows equal to an earlier row in every column. */
async function findDuplicates(run: ImportRun): Promise<Finding> {
  const table = await remakeTable(run, 'duplicates', 'row UInt64, line UInt64, first_line UInt64');
  const { stage, analytics } = run;
  await analytics.command(
    `INSERT INTO ${table}
     SELECT l.row, l.line, d.first_line FROM ${stage.table} AS l
     INNER JOIN (
       SELECT row_hash, min(row) AS first_row, min(line) AS first_line FROM ${stage.table}
       WHERE readable GROUP BY row_hash HAVING count() > 1
     ) AS d ON d.row_hash = l.row_hash
     WHERE l.readable AND l.row != d.first_row`,
  );
  await analytics.command(
    `INSERT INTO ${stage.rejects} (line, row, column, rule, value)
     SELECT line, row, '', 'DUPLICATE_ROW', concat('the same as line ', toString(d.first_line))
     FROM ${stage.table} AS l INNER JOIN ${table} AS d ON d.row = l.row
     WHERE l.customer != '' AND NOT l.is_return AND l.quantity > 0 AND l.unit_price > 0`,
  );
  const [found] = await analytics.query<{ count: number; examples: [number, string][] }>(
    `SELECT count() AS count,
       groupArray(5)((line, concat('the same as line ', toString(first_line)))) AS examples
     FROM (SELECT line, first_line FROM ${table} ORDER BY line)`,
  );
  return {
    rule: 'DUPLICATE_ROW',
    category: 'DUPLICATES',
    severity: 'WARNING',
    column: null,
    unit: 'ROWS',
    message: ruleMessage('DUPLICATE_ROW'),
    count: found?.count ?? 0,
    examples: (found?.examples ?? []).map(([line, value]) => ({ line, value })),
  };
}

function groupRules(run: ImportRun): GroupRule[] {
  const { stage, options } = run;
  const rules: GroupRule[] = [
    {
      rule: 'OUT_OF_ORDER',
      category: 'TIME',
      unit: 'ROWS',
      field: 'placedAt',
      sql: `SELECT line, toString(at) AS value FROM (
              SELECT line, at, lagInFrame(at, 1, at) OVER (ORDER BY row ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
              FROM ${stage.table} WHERE readable
            ) WHERE at < before`,
    },
    {
      rule: 'ORDER_OF_SEVERAL_DAYS',
      category: 'TIME',
      unit: 'ORDERS',
      field: 'orderId',
      sql: `SELECT min(l.line) AS line, l.order_id AS value FROM ${stage.table} AS l WHERE readable
            GROUP BY l.order_id HAVING max(at) > min(at) + INTERVAL 1 DAY`,
    },
    {
      rule: 'PRODUCT_OF_SEVERAL_NAMES',
      category: 'OUTLIERS',
      unit: 'PRODUCTS',
      field: 'description',
      sql: `SELECT min(l.line) AS line, concat(product, ': ', arrayStringConcat(arraySort(groupUniqArray(3)(description)), ' / ')) AS value
            FROM ${stage.table} AS l WHERE readable AND description != '' GROUP BY product HAVING uniqExact(description) > 1`,
    },
  ];
  if (columnOf(options, 'country') !== null) {
    rules.push({
      rule: 'CUSTOMER_OF_SEVERAL_COUNTRIES',
      category: 'IDENTITY',
      unit: 'CUSTOMERS',
      field: 'customerExternalId',
      sql: `SELECT min(l.line) AS line, concat(customer, ': ', arrayStringConcat(arraySort(groupUniqArray(5)(country)), ' / ')) AS value
            FROM ${stage.table} AS l WHERE readable AND customer != '' AND country != '' GROUP BY customer HAVING uniqExact(country) > 1`,
    });
  }
  return rules;
}
