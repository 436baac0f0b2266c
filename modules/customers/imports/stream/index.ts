import { catalogueNames, countsAsActivity } from '../../catalogue.ts';
import { noteActivity } from '../../service/facts.ts';
import { CUSTOMER_UNKNOWN, forEachAtOnce, inBatches, resolveCustomers } from '../customers.ts';
import { ruleMessage } from '../domain/messages.ts';
import { type Finding, qualityReport } from '../domain/reports.ts';
import { keepRejects, shapeFindings, tryRules } from '../findings.ts';
import {
  columnOf,
  type ImportRun,
  NAMED_CUSTOMERS,
  type Pipeline,
  type PipelineResult,
  type Validated,
} from '../pipeline.ts';
import { quote, uid } from '../sql.ts';
import { remakeTable, sideTable } from '../tables.ts';
import { eventColumns, eventValues, IS_OF_ORDER } from './columns.ts';
import { deriveOrderEvents } from './orders.ts';
import { eventRules } from './rules.ts';

/** Events of the stream: checked by the rules of recordEvents and stored by the history engine, as there may be millions. */
export const eventStream: Pipeline = {
  columns: eventColumns,
  derived: eventValues,
  validate: validateEvents,
  clean: () => Promise.resolve(null),
  customers: eventCustomers,
  load: loadEvents,
  derive: deriveFromEvents,
};

async function validateEvents(run: ImportRun): Promise<Validated> {
  const { findings, goodRows, rowsWithErrors } = await tryRules(run, [
    ...eventRules(run.options),
    {
      rule: 'NAME_NOT_IN_CATALOGUE',
      category: 'OUTLIERS',
      severity: 'INFO',
      field: 'name',
      broken: `name NOT IN (${catalogueNames.map(quote).join(', ')})`,
      value: 'name',
    },
  ]);
  const [repeated, disorder] = await Promise.all([repeatedIds(run, goodRows), outOfOrder(run, goodRows)]);
  await keepRejects(run);
  const quality = qualityReport(run.stage.rows + run.stage.rejected, rowsWithErrors + run.stage.rejected, [
    ...(await shapeFindings(run)),
    ...findings,
    ...repeated,
    disorder,
  ]);
  return { quality, goodRows: `${goodRows} AND row NOT IN (SELECT row FROM ${sideTable(run, 'duplicates')})` };
}

/** Ids that stand in the file more than once: the first one counts, as the first one sent does. */
async function repeatedIds(run: ImportRun, goodRows: string): Promise<Finding[]> {
  const table = await remakeTable(run, 'duplicates', 'row UInt64, line UInt64, source_id String');
  if (columnOf(run.options, 'id') === null) return [];
  const rows = `FROM ${run.stage.table} WHERE ${goodRows} AND source_id != ''`;
  // Hashes may meet by chance in a huge file: then the exact search finds less, or nothing.
  const [ids] = await run.analytics.query<{ rows: number; distinct: number }>(
    `SELECT count() AS rows, uniqExact(sipHash64(source_id)) AS distinct ${rows}`,
  );
  let count = 0;
  if (ids !== undefined && ids.distinct < ids.rows) {
    await run.analytics.command(
      `INSERT INTO ${table}
       SELECT row, line, source_id ${rows} AND source_id IN (SELECT source_id ${rows} GROUP BY source_id HAVING count() > 1)
         AND (source_id, row) NOT IN (SELECT source_id, min(row) ${rows} GROUP BY source_id HAVING count() > 1)`,
    );
    await run.analytics.command(
      `INSERT INTO ${run.stage.rejects} (line, row, column, rule, value)
       SELECT line, row, {column:String}, 'ID_SEVERAL_TIMES', source_id FROM ${table}`,
      { column: columnOf(run.options, 'id') },
    );
    const [repeated] = await run.analytics.query<{ rows: number }>(`SELECT count() AS rows FROM ${table}`);
    count = repeated?.rows ?? 0;
  }
  const examples = await run.analytics.query<{ line: number; value: string }>(
    `SELECT line, source_id AS value FROM ${table} ORDER BY line LIMIT 5`,
  );
  return [
    {
      rule: 'ID_SEVERAL_TIMES',
      category: 'DUPLICATES',
      severity: 'WARNING',
      column: columnOf(run.options, 'id'),
      unit: 'ROWS',
      message: ruleMessage('ID_SEVERAL_TIMES'),
      count,
      examples,
    },
  ];
}

async function outOfOrder(run: ImportRun, goodRows: string): Promise<Finding> {
  const [found] = await run.analytics.query<{ count: number; examples: [number, string][] }>(
    `SELECT countIf(at < before) AS count, groupArrayIf(5)((line, toString(at)), at < before) AS examples
     FROM (SELECT line, at, lagInFrame(at, 1, at) OVER (ORDER BY row ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
           FROM ${run.stage.table} WHERE ${goodRows})`,
  );
  return {
    rule: 'OUT_OF_ORDER',
    category: 'TIME',
    severity: 'INFO',
    column: columnOf(run.options, 'at'),
    unit: 'ROWS',
    message: ruleMessage('OUT_OF_ORDER'),
    count: found?.count ?? 0,
    examples: (found?.examples ?? []).map(([line, value]) => ({ line, value })),
  };
}

/** What is to be known of each customer is added up once, and kept beside the id for the phases after. */
async function eventCustomers(run: ImportRun): Promise<void> {
  const rows = `FROM ${run.stage.table} WHERE ${run.carried.goodRows}`;
  const quietNames = catalogueNames.filter((name) => !countsAsActivity(name));
  await resolveCustomers(run, {
    make: `SELECT customer AS externalId, min(assumeNotNull(at)) AS seenAt,
             toUnixTimestamp64Milli(maxIf(assumeNotNull(at), name NOT IN (${quietNames.map(quote).join(', ')}))) AS last_ms,
             toUnixTimestamp64Milli(minIf(assumeNotNull(at), name = 'order.placed')) AS first_order_ms,
             countIf(NOT ${IS_OF_ORDER}) AS events
           ${rows} GROUP BY customer`,
    withActivity: true,
  });
  if (run.options.unknownCustomer === 'reject') {
    await run.analytics.command(
      `INSERT INTO import_reject (job_id, line, column, rule, value)
       SELECT {job:UUID}, line, {column:String}, ${quote(CUSTOMER_UNKNOWN)}, customer ${rows}
         AND customer NOT IN (SELECT external_id FROM ${sideTable(run, 'customers')})`,
      { job: run.job.id, column: columnOf(run.options, 'customerExternalId') ?? '' },
    );
  }
}

/** Statements that write at once, each its share of the rows on one thread: sorting and packing is most of the work. */
const WRITERS = 2;
/** One block in memory at a time for each of them, of this many rows. */
const BLOCK_ROWS = 250_000;

/** An event is (source, id of the source), or (hash of the file, row): stored again, it replaces itself. */
async function loadEvents(run: ImportRun): Promise<void> {
  const { stage, job } = run;
  const fileRow = `concat(${quote(`${job.fileSha256}:`)}, toString(e.row))`;
  const hasIds = columnOf(run.options, 'id') !== null;
  const ofFile = uid(quote('file'), fileRow);
  const writeShare = (share: number) =>
    run.analytics.command(
      `INSERT INTO events (event_uid, source, source_id, customer_id, name, at, value, currency, properties, received_at, import_id)
       SELECT ${hasIds ? `if(e.source_id = '', ${ofFile}, ${uid(quote(job.source), 'e.source_id')})` : ofFile},
         {source:String}, ${hasIds ? `if(e.source_id = '', ${fileRow}, e.source_id)` : fileRow},
         c.customer_id, e.name, assumeNotNull(e.at), e.value, e.currency, e.properties,
         {receivedAt:DateTime64(3, 'UTC')}, {job:UUID}
       FROM (SELECT row, source_id, customer, name, at, value, currency, properties FROM ${stage.table}
             WHERE row % ${WRITERS} = ${share} AND ${run.carried.goodRows} AND NOT ${IS_OF_ORDER}) AS e
       INNER JOIN ${sideTable(run, 'customers')} AS c ON c.external_id = e.customer`,
      { source: job.source, receivedAt: job.createdAt, job: job.id },
      {
        signal: run.signal,
        settings: { max_threads: 1, max_block_size: BLOCK_ROWS, min_insert_block_size_rows: BLOCK_ROWS },
      },
    );
  const written = await Promise.allSettled(Array.from({ length: WRITERS }, (_, share) => writeShare(share)));
  for (const one of written) if (one.status === 'rejected') throw one.reason;
  run.progress(stage.rows);
}

/** Transactions at once: the database works on one while the next is read. */
const TRANSACTIONS_AT_ONCE = 2;

/** Orders that events tell of, and when customers were last seen. */
async function deriveFromEvents(run: ImportRun): Promise<PipelineResult> {
  const rowsOfOrders = await deriveOrderEvents(run);
  const customers = sideTable(run, 'customers');
  const seen = run.analytics.queryStream<{ id: string; last: number; first: number }>(
    `SELECT customer_id AS id, max(last_ms) AS last, minIf(first_order_ms, first_order_ms > 0) AS first
     FROM ${customers} WHERE moved AND last_ms > 0 GROUP BY customer_id ORDER BY customer_id`,
    {},
    { signal: run.signal },
  );
  await forEachAtOnce(inBatches(seen), TRANSACTIONS_AT_ONCE, (batch) =>
    run.database.transaction((tx) =>
      noteActivity(
        tx,
        batch.map(({ id, last, first }) => ({
          customerId: id,
          lastMs: last,
          firstOrderMs: first > 0 ? first : null,
        })),
      ),
    ),
  );
  const [stored] = await run.analytics.query<{ rows: number }>(`SELECT sum(events) AS rows FROM ${customers}`);
  const named = await run.analytics.query<{ id: string }>(
    `SELECT DISTINCT customer_id AS id FROM ${customers} LIMIT ${NAMED_CUSTOMERS + 1}`,
  );
  return {
    rowsStored: rowsOfOrders + (stored?.rows ?? 0),
    customerIds: named.length > NAMED_CUSTOMERS ? null : named.map(({ id }) => id).sort(),
  };
}
