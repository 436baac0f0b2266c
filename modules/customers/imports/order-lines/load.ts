import type { ImportRun } from '../pipeline.ts';
import { quote, uid, ZERO_UUID } from '../sql.ts';
import { sideTable } from '../tables.ts';
import { partaking, takenOut } from './stages.ts';

/** One block in memory at a time, of this many rows. */
const BLOCK_ROWS = 200_000;

/**
 * Stores all lines that can be read, those that cleaning takes out included and marked. A line is (source, order, line id)
 * or, without line ids, (hash of the file, row): stored again, it replaces itself.
 */
export async function loadLines(run: ImportRun): Promise<void> {
  const { stage, job } = run;
  const lineUid = (alias: string): string =>
    `if(${alias}.line_id = '', ${uid(quote('file'), `concat(${quote(`${job.fileSha256}:`)}, toString(${alias}.row))`)},
        ${uid(quote(job.source), `concat(${alias}.order_id, ':', ${alias}.line_id)`)})`;
  await run.analytics.command(
    `INSERT INTO order_lines (line_uid, source, order_id, customer_id, product, description, quantity, unit_price, currency,
       country, at, taken_out, capped_quantity, capped_unit_price, undoes_line_uid, received_at, import_id, import_line)
     SELECT ${lineUid('l')}, {source:String}, l.order_id, ifNull(c.customer_id, toUUID('${ZERO_UUID}')), l.product, l.description,
       assumeNotNull(l.quantity), assumeNotNull(l.unit_price), l.currency, l.country, assumeNotNull(l.at),
       if(l.taken IN ('kept', 'duplicate') AND c.customer_id IS NULL, 'no_customer', l.taken),
       o.capped_quantity, o.capped_unit_price, u.purchase_uid, {receivedAt:DateTime64(3, 'UTC')}, {job:UUID}, l.line
     FROM (SELECT row, line, order_id, line_id, customer, product, description, quantity, unit_price, currency, country, at,
             ${takenOut(run)} AS taken
           FROM ${stage.table} WHERE ${partaking(run)}) AS l
     LEFT JOIN ${sideTable(run, 'customers')} AS c ON c.external_id = l.customer
     LEFT JOIN ${sideTable(run, 'caps')} AS o ON o.row = l.row
     LEFT JOIN (
       SELECT m.return_row AS return_row, ${lineUid('p')} AS purchase_uid
       FROM (SELECT return_row, argMax(purchase_row, quantity) AS purchase_row FROM ${sideTable(run, 'undone')} GROUP BY return_row) AS m
       INNER JOIN ${stage.table} AS p ON p.row = m.purchase_row
     ) AS u ON u.return_row = l.row`,
    { source: job.source, receivedAt: job.createdAt, job: job.id },
    {
      signal: run.signal,
      settings: {
        join_use_nulls: 1,
        max_block_size: BLOCK_ROWS,
        min_insert_block_size_rows: BLOCK_ROWS,
        max_insert_threads: 1,
      },
    },
  );
  run.progress(stage.rows);
}
