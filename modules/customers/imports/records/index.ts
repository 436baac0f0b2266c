import { DomainError } from '../../../../src/core/errors.ts';
import { readItem } from '../../inputs.ts';
import { inBatches, resolveCustomers } from '../customers.ts';
import { FIELDS, type RecordType } from '../domain/fields.ts';
import { ruleMessage } from '../domain/messages.ts';
import { type Finding, type FindingExample, type QualityCategory, qualityReport } from '../domain/reports.ts';
import { keepRejects, shapeFindings } from '../findings.ts';
import type { ImportOptions } from '../model.ts';
import {
  columnOf,
  type ImportRun,
  type Pipeline,
  type PipelineResult,
  stageColumnName,
  textOf,
  type Validated,
} from '../pipeline.ts';
import { parseTime } from '../sql.ts';
import { importKinds, isTime, type RecordTexts } from './kinds.ts';

type PlainType = Exclude<RecordType, 'ORDERS' | 'EVENTS'>;

/** Rows per transaction: a batch of the API's own size. */
const ROWS_PER_BATCH = 500;

/** Records that are few beside events: they stream through the services of the API, whose rules hold for them. */
export const recordPipeline = (type: PlainType): Pipeline => ({
  columns: (options) =>
    FIELDS[type].flatMap(({ name, required }) => {
      const from = columnOf(options, name);
      return from === null ? [] : [{ name: stageColumnName(name), from, required }];
    }),
  derived: () => [],
  validate: (run) => validateRecords(run, type),
  clean: () => Promise.resolve(null),
  customers: (run) => customersOf(run, type),
  load: (run) => storeAll(run, type),
  derive: (run) => countStored(run),
});

interface StagedRow {
  row: number;
  line: number;
  [field: string]: string | number | null;
}

/** SQL of all fields of a row by name. Moments come as ISO text; what cannot be read comes as it was written. */
function rowsSql(run: ImportRun, type: PlainType, where: string): string {
  const fields = FIELDS[type].filter(({ name }) => columnOf(run.options, name) !== null);
  const values = fields.map(({ name }) => `${valueSql(run.options, name)} AS \`v_${name}\``);
  const traits = type === 'CUSTOMERS' ? [`extra AS v_traits`] : [];
  return `SELECT row, line, ${[...values, ...traits].join(', ')} FROM ${run.stage.table} ${where} ORDER BY row`;
}

function valueSql(options: ImportOptions, field: string): string {
  const text = textOf(options, field);
  if (!isTime(field)) return text;
  const at = parseTime(text, options.dateFormat, options.timeZone);
  return `ifNull(concat(replaceOne(toString(${at}), ' ', 'T'), 'Z'), ${text})`;
}

const textsOf = (row: StagedRow): RecordTexts =>
  Object.fromEntries(
    Object.entries(row).flatMap(([name, value]) =>
      name.startsWith('v_') && typeof value === 'string' && value !== '' ? [[name.slice(2), value]] : [],
    ),
  );

/** Tries the schema of the API's mutation on every row. What needs a look at other records is found out while storing. */
async function validateRecords(run: ImportRun, type: PlainType): Promise<Validated> {
  const kind = importKinds[type];
  const faults = new Map<
    string,
    { category: QualityCategory; column: string | null; message: string; count: number; examples: FindingExample[] }
  >();
  let errors = 0;
  let done = 0;
  for await (const batch of inBatches(
    run.analytics.queryStream<StagedRow>(rowsSql(run, type, ''), {}, { signal: run.signal }),
  )) {
    const rejects: { line: number; row: number; column: string; rule: string; value: string }[] = [];
    for (const row of batch) {
      const texts = textsOf(row);
      const fault = readItem(kind.schema, kind.input(texts, run.options.currency), []);
      if (fault instanceof DomainError) {
        errors += 1;
        const field = fieldOf(fault.path);
        const column = field === null ? null : columnOf(run.options, field);
        const value = field === null ? '' : (texts[field] ?? '');
        const category: QualityCategory = value === '' ? 'MISSING' : 'SCHEMA';
        const key = `${field} ${category}`;
        const known = faults.get(key) ?? { category, column, message: fault.message, count: 0, examples: [] };
        faults.set(key, known);
        known.count += 1;
        if (known.examples.length < 5) known.examples.push({ line: row.line, value: value.slice(0, 200) });
        rejects.push({
          line: row.line,
          row: row.row,
          column: column ?? '',
          rule: 'RECORD_REFUSED',
          value: fault.message.slice(0, 200),
        });
      }
    }
    await run.analytics.insert(run.stage.rejects, rejects);
    done += batch.length;
    run.progress(done);
  }
  await keepRejects(run);
  const refused = [...faults.values()].map(
    (fault): Finding => ({ ...fault, rule: 'RECORD_REFUSED', severity: 'ERROR', unit: 'ROWS' }),
  );
  const goodRows = `row NOT IN (SELECT row FROM ${run.stage.rejects} WHERE rule = 'RECORD_REFUSED')`;
  const quality = qualityReport(run.stage.rows + run.stage.rejected, errors + run.stage.rejected, [
    ...(await shapeFindings(run)),
    ...refused,
    await repeatedRecords(run, goodRows),
  ]);
  return { quality, goodRows };
}

/** Rows about a record that an earlier row is about as well; states of a record from different times are its history. */
async function repeatedRecords(run: ImportRun, goodRows: string): Promise<Finding> {
  const id = textOf(run.options, 'externalId');
  const record = `if(${id} = '', concat(${textOf(run.options, 'customerExternalId')}, ' ', ${textOf(run.options, 'email')}), ${id})`;
  const key =
    columnOf(run.options, 'changedAt') === null
      ? record
      : `concat(${record}, ' ', ${textOf(run.options, 'changedAt')})`;
  const [found] = await run.analytics.query<{ count: number; examples: [number, string][] }>(
    `SELECT sum(rows - 1) AS count, groupArrayIf(5)((last, key), rows > 1) AS examples
     FROM (SELECT ${key} AS key, count() AS rows, max(line) AS last FROM ${run.stage.table} WHERE ${goodRows} GROUP BY key)`,
  );
  return {
    rule: 'RECORD_SEVERAL_TIMES',
    category: 'DUPLICATES',
    severity: 'WARNING',
    column: columnOf(run.options, 'externalId'),
    unit: 'ROWS',
    message: ruleMessage('RECORD_SEVERAL_TIMES'),
    count: found?.count ?? 0,
    examples: (found?.examples ?? []).map(([line, value]) => ({ line, value })),
  };
}

/** The import's name of the field a failure lies in: amounts and owners have other names in the API's inputs. */
function fieldOf(path: readonly string[]): string | null {
  const [first] = path;
  if (first === undefined) return null;
  return { mrrMinor: 'mrr', amountMinor: 'amount', owner: 'ownerEmail' }[first] ?? first;
}

/** Customers that records name are made before, quietly; a file of customers makes its own. */
function customersOf(run: ImportRun, type: PlainType): Promise<void> {
  if (type === 'CUSTOMERS') return Promise.resolve();
  const times = FIELDS[type]
    .map(({ name }) => name)
    .filter((name) => isTime(name) && columnOf(run.options, name) !== null);
  const [first] = times;
  const parsed =
    first === undefined ? 'NULL' : parseTime(textOf(run.options, first), run.options.dateFormat, run.options.timeZone);
  return resolveCustomers(run, {
    make: `SELECT ${textOf(run.options, 'customerExternalId')} AS externalId, min(ifNull(${parsed}, {now:DateTime64(3, 'UTC')})) AS seenAt
           FROM ${run.stage.table} WHERE ${run.carried.goodRows} GROUP BY externalId`,
    params: { now: run.clock.now() },
  });
}

/** Rows that break no rule, batch by batch through the service; run again, it finds them stored and changes nothing. */
async function storeAll(run: ImportRun, type: PlainType): Promise<void> {
  const kind = importKinds[type];
  let done = 0;
  const rows = run.analytics.queryStream<StagedRow>(
    rowsSql(run, type, `WHERE ${run.carried.goodRows}`),
    {},
    { signal: run.signal },
  );
  for await (const batch of inBatches(rows, ROWS_PER_BATCH)) {
    run.signal.throwIfAborted();
    const inputs = batch.map((row) => kind.schema.parse(kind.input(textsOf(row), run.options.currency)));
    const outcomes = await kind.store(run, inputs);
    const refused = outcomes.flatMap((outcome, at) =>
      outcome instanceof DomainError ? [{ row: batch[at] as StagedRow, error: outcome }] : [],
    );
    await run.analytics.insert(
      'import_reject',
      refused.map(({ row, error }) => ({
        job_id: run.job.id,
        line: row.line,
        column: '',
        rule: error.code,
        value: error.message.slice(0, 200),
      })),
    );
    run.count('recordsRefused', refused.length);
    done += batch.length;
    run.progress(done);
  }
}

async function countStored(run: ImportRun): Promise<PipelineResult> {
  const [good] = await run.analytics.query<{ rows: number }>(
    `SELECT count() AS rows FROM ${run.stage.table} WHERE ${run.carried.goodRows}`,
  );
  const { recordsRefused = 0 } = run.carried.counts ?? {};
  return {
    rowsStored: (good?.rows ?? 0) - recordsRefused,
    customerIds: null,
  };
}
