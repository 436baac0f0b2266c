import { DomainError, InvalidInput } from '../../../../src/core/errors.ts';
import { inBatches, resolveCustomers } from '../customers.ts';
import { FIELDS, type RecordType } from '../domain/fields.ts';
import { ruleMessage } from '../domain/messages.ts';
import { type Finding, type FindingExample, type QualityCategory, qualityReport } from '../domain/reports.ts';
import { keepRejects, shapeFindings } from '../findings.ts';
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
import { type ImportKind, importKinds, isTime, type RecordTexts } from './kinds.ts';

type PlainType = Exclude<RecordType, 'ORDERS' | 'EVENTS'>;

/** The rule that rows break which the schema of the API's mutation, or its service, refuses. */
const REFUSED = 'RECORD_REFUSED';
const EXAMPLES = 5;
/** Characters of a value that are shown. */
const MAX_VALUE = 200;

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

/** SQL of all fields of a row by name, as they are written (`v_`); moments also as ISO text, NULL when they are none (`t_`). */
function rowsSql(run: ImportRun, type: PlainType, where: string): string {
  const { options } = run;
  const fields = FIELDS[type].map(({ name }) => name).filter((name) => columnOf(options, name) !== null);
  const texts = fields.map((name) => `${textOf(options, name)} AS \`v_${name}\``);
  const moments = fields.filter(isTime).map((name) => {
    const at = parseTime(textOf(options, name), options.dateFormat, options.timeZone);
    return `concat(replaceOne(toString(${at}), ' ', 'T'), 'Z') AS \`t_${name}\``;
  });
  const traits = type === 'CUSTOMERS' ? [`extra AS v_traits`] : [];
  return `SELECT row, line, ${[...texts, ...moments, ...traits].join(', ')} FROM ${run.stage.table} ${where} ORDER BY row`;
}

/** Texts of a row whose column names begin with `prefix`, by what follows it. */
const columnsOf = (row: StagedRow, prefix: 'v_' | 't_'): RecordTexts =>
  Object.fromEntries(
    Object.entries(row).flatMap(([name, value]) =>
      name.startsWith(prefix) && typeof value === 'string' && value !== '' ? [[name.slice(prefix.length), value]] : [],
    ),
  );

/** What the API's own mutation would be given. A text that is no moment stays a text, which the schema refuses. */
function inputOf(kind: ImportKind, row: StagedRow, texts: RecordTexts, currency: string): Record<string, unknown> {
  const moments = Object.entries(columnsOf(row, 't_')).map(([name, iso]) => [name, new Date(iso)] as const);
  return { ...kind.input(texts, currency), ...Object.fromEntries(moments) };
}

/** A row that breaks a rule: where, what stands there, and what would be right. */
interface Fault {
  readonly column: string | null;
  readonly value: string;
  readonly message: string;
}

const AMOUNT_RULE = 'must be an amount such as 49.90, with no more decimals than its currency has';

const MOMENT_RULE = 'does not exist or is not written in the date format of the import';

function faultOf(run: ImportRun, kind: ImportKind, row: StagedRow): Fault | null {
  const texts = columnsOf(row, 'v_');
  const input = inputOf(kind, row, texts, run.options.currency);
  const [issue] = kind.schema.safeParse(input).error?.issues ?? [];
  if (issue === undefined) return null;
  const path = issue.path.map(String);
  const field = fieldOf(path);
  const value = field === null ? '' : (texts[field] ?? '');
  // Files hold amounts in major units, and the schema speaks of minor ones.
  const isNoAmount = path[0]?.endsWith('Minor') === true && typeof input[path[0]] === 'string';
  const isNoMoment = field !== null && isTime(field) && typeof input[field] === 'string';
  const rule = value === '' ? 'is needed' : isNoAmount ? AMOUNT_RULE : isNoMoment ? MOMENT_RULE : issue.message;
  return {
    column: field === null ? null : columnOf(run.options, field),
    value: value.slice(0, MAX_VALUE),
    message: `${field ?? 'The row'} ${rule}.`,
  };
}

/** Tries the schema of the API's mutation on every row. What needs a look at other records is found out while storing. */
async function validateRecords(run: ImportRun, type: PlainType): Promise<Validated> {
  const kind = importKinds[type];
  const faults = new Map<string, Fault & { count: number; examples: FindingExample[] }>();
  let errors = 0;
  let done = 0;
  for await (const batch of inBatches(
    run.analytics.queryStream<StagedRow>(rowsSql(run, type, ''), {}, { signal: run.signal }),
  )) {
    const rejects: (Omit<Fault, 'column'> & { line: number; row: number; column: string; rule: string })[] = [];
    for (const row of batch) {
      const fault = faultOf(run, kind, row);
      if (fault === null) continue;
      const { column, value, message } = fault;
      errors += 1;
      const known = faults.get(message) ?? { ...fault, count: 0, examples: [] };
      faults.set(message, known);
      known.count += 1;
      if (known.examples.length < EXAMPLES) known.examples.push({ line: row.line, value });
      rejects.push({ line: row.line, row: row.row, column: column ?? '', rule: REFUSED, value, message });
    }
    await run.analytics.insert(run.stage.rejects, rejects);
    done += batch.length;
    run.progress(done);
  }
  await keepRejects(run);
  const refused = [...faults.values()].map(({ value, ...fault }): Finding => {
    const category: QualityCategory = value === '' ? 'MISSING' : 'SCHEMA';
    return { ...fault, category, rule: REFUSED, severity: 'ERROR', unit: 'ROWS' };
  });
  const goodRows = `row NOT IN (SELECT row FROM ${run.stage.rejects} WHERE rule = '${REFUSED}')`;
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
    const inputs = batch.map((row) =>
      kind.schema.parse(inputOf(kind, row, columnsOf(row, 'v_'), run.options.currency)),
    );
    const outcomes = await kind.store(run, inputs);
    const refused = outcomes.flatMap((outcome, at) =>
      outcome instanceof DomainError ? [{ row: batch[at] as StagedRow, error: outcome }] : [],
    );
    await run.analytics.insert(
      'import_reject',
      refused.map(({ row, error }) => {
        const field = fieldOf(error.path.slice(-1));
        return {
          job_id: run.job.id,
          line: row.line,
          column: (field === null ? null : columnOf(run.options, field)) ?? '',
          rule: error instanceof InvalidInput ? REFUSED : error.code,
          value: (field === null ? '' : (columnsOf(row, 'v_')[field] ?? '')).slice(0, MAX_VALUE),
          message: error.message,
        };
      }),
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
