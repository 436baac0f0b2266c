import { newId } from '../../ids.ts';
import { FileRefused } from '../errors.ts';
import { expand } from '../migrate.ts';
import { quoteName, quoteText } from '../sql.ts';
import type { Analytics, ByteSource } from '../types.ts';
import { CsvScanner, MAX_OPEN_QUOTES, type ScanSink } from './csv.ts';
import { type CsvHeader, readHeader } from './header.ts';
import { NdjsonScanner } from './ndjson.ts';
import { openTextSource, type TextSource } from './source.ts';
import type { DerivedColumn, FindingCount, StageColumn, StagedFile, StageOptions } from './types.ts';
import { createChunkWriter, createRejectWriter, type RejectWriter } from './writers.ts';

const DEFAULT_MAX_RECORD_BYTES = 1024 * 1024;
const RESERVED = new Set(['line', 'row', 'extra', 'raw']);

/**
 * Puts a CSV or NDJSON file (plain or gzipped) into ClickHouse as text, record by record with line numbers, so that rules
 * can be said in SQL. Records whose shape is broken become rejects and do not stop the rest. Memory stays bounded by
 * `maxRecordBytes` and a few chunks of 8 MiB, whatever the file holds. Take the tables away with `drop()`.
 * @param file a path, or the bytes of the file
 * @throws FileRefused when the file as a whole cannot be read; nothing is left behind
 */
export async function stageFile(
  analytics: Analytics,
  file: string | ByteSource,
  options: StageOptions,
): Promise<StagedFile> {
  assertColumns(options.columns);
  const id = newId().replaceAll('-', '');
  const tables = { table: `stage_${id}`, rejects: `stage_${id}_rejects` };
  const drop = async (): Promise<void> => {
    await Promise.all([tables.table, tables.rejects, `${tables.table}_raw`].map((name) => dropTable(analytics, name)));
  };
  try {
    await analytics.command(
      definition(analytics, tables.rejects, [
        'line UInt64',
        'row UInt64',
        'column LowCardinality(String)',
        'rule LowCardinality(String)',
        'value String',
        "message String DEFAULT ''",
      ]),
    );
    const rejects = createRejectWriter(analytics, tables.rejects);
    const source = openTextSource(file, options.encoding ?? 'utf-8');
    const stage = options.format === 'csv' ? stageCsv : stageNdjson;
    const { header, absent, rows, inEngine } = await stage(analytics, tables, source, rejects, options);
    await rejects.finish();
    const findings: FindingCount[] = [
      ...[...rejects.counts].map(([rule, count]) => ({ rule, column: null, count })),
      ...inEngine,
    ];
    const rejected = findings.reduce((sum, { count }) => sum + count, 0);
    return { ...tables, header, absent, rows: rows - sumOf(inEngine), rejected, findings, bytes: source.bytes(), drop };
  } catch (error) {
    await drop().catch(() => undefined);
    throw error;
  }
}

interface Staged {
  readonly header: readonly string[];
  readonly absent: readonly string[];
  readonly rows: number;
  /** Rejects found by ClickHouse itself rather than by the scan. */
  readonly inEngine: readonly FindingCount[];
}

type Tables = Pick<StagedFile, 'table' | 'rejects'>;

async function stageCsv(
  analytics: Analytics,
  { table }: Tables,
  source: TextSource,
  rejects: RejectWriter,
  options: StageOptions,
): Promise<Staged> {
  const maxRecordBytes = options.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES;
  const iterator = source.chunks[Symbol.asyncIterator]();
  try {
    const { header, rest } = await takeHeader(iterator, options, maxRecordBytes);
    const plan = planColumns(header, options);
    await analytics.command(definition(analytics, table, plan.definitions));
    const writer = createChunkWriter(analytics, table, ['line', 'row', ...plan.written], options.signal);
    const sink: ScanSink = { chunk: writer.push, reject: rejects.push };
    const scanner = new CsvScanner(
      {
        delimiter: header.delimiter,
        fieldCount: header.names.length,
        keep: plan.keep,
        maxRecordBytes,
        firstLine: 1 + header.lines,
      },
      sink,
    );
    try {
      for (let next: IteratorResult<Uint8Array> = { done: false, value: rest }; ; next = await iterator.next()) {
        if (next.done === true) scanner.end();
        else scanner.feed(next.value);
        if (scanner.hopeless) throw tooDamaged();
        await writer.room();
        await rejects.room();
        options.signal?.throwIfAborted();
        options.onProgress?.({ bytes: source.bytes(), rows: scanner.rows, rejected: rejects.total() });
        if (next.done === true) break;
      }
    } finally {
      await writer.settled();
    }
    await writer.finish();
    return { header: header.names, absent: plan.absent, rows: scanner.rows, inEngine: [] };
  } finally {
    await iterator.return?.();
  }
}

/** Reads until the header is whole; `rest` is what was read beyond it. */
async function takeHeader(
  iterator: AsyncIterator<Uint8Array>,
  options: StageOptions,
  maxBytes: number,
): Promise<{ header: CsvHeader; rest: Buffer }> {
  let bytes: Buffer = Buffer.alloc(0);
  for (;;) {
    const next = await iterator.next();
    const ended = next.done === true;
    if (!ended) bytes = Buffer.concat([bytes, next.value]);
    if (bytes.length === 0 && ended)
      throw new FileRefused('EMPTY_FILE', 'The file is empty. Its first line must name the columns.');
    if (bytes.length === 0) continue;
    const header = readHeader(bytes, options.columns, options.delimiter, ended);
    if (header !== null) return { header, rest: bytes.subarray(header.length) };
    if (bytes.length > maxBytes) {
      throw new FileRefused(
        'HEADER_BROKEN',
        `The first line has no end within ${maxBytes} bytes. Is this a CSV file?`,
        { line: 1 },
      );
    }
  }
}

/** Which field of the file becomes which column of the table. */
function planColumns(header: CsvHeader, options: StageOptions) {
  const written: string[] = [];
  const definitions = ['line UInt64 CODEC(Delta, LZ4)', 'row UInt64 CODEC(Delta, LZ4)'];
  const extras: string[] = [];
  const keep = header.names.map((name, field) => {
    const column = options.columns.find(({ from }) => from === name);
    if (column === undefined && (options.extra === 'ignore' || name === '')) return false;
    const target = column?.name ?? `extra_${field + 1}`;
    if (column === undefined) extras.push(`${quoteText(name)}, ${target}`);
    written.push(target);
    definitions.push(`${target} String`);
    return true;
  });
  const absent = options.columns.filter(({ from }) => !header.names.includes(from));
  for (const { name } of absent) definitions.push(`${name} String ALIAS ''`);
  definitions.push(...(options.derived ?? []).map(derivedDefinition));
  const extra =
    extras.length === 0 ? `'{}'` : `toJSONString(mapFilter((name, value) -> value != '', map(${extras.join(', ')})))`;
  definitions.push(`extra String ALIAS ${extra}`);
  return { keep, written, definitions, absent: absent.map(({ from }) => from) };
}

async function stageNdjson(
  analytics: Analytics,
  { table, rejects: rejectTable }: Tables,
  source: TextSource,
  rejects: RejectWriter,
  options: StageOptions,
): Promise<Staged> {
  const raw = `${table}_raw`;
  const numbers = ['line UInt64 CODEC(Delta, LZ4)', 'row UInt64 CODEC(Delta, LZ4)'];
  await analytics.command(definition(analytics, raw, [...numbers, 'raw String']));
  const writer = createChunkWriter(analytics, raw, ['line', 'row', 'raw'], options.signal);
  const sink: ScanSink = { chunk: writer.push, reject: rejects.push };
  const scanner = new NdjsonScanner(options.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES, sink);
  try {
    for await (const chunk of source.chunks) {
      scanner.feed(chunk);
      await writer.room();
      await rejects.room();
      options.signal?.throwIfAborted();
      options.onProgress?.({ bytes: source.bytes(), rows: scanner.rows, rejected: rejects.total() });
    }
    scanner.end();
  } finally {
    await writer.settled();
  }
  await writer.finish();
  if (source.bytes() === 0) throw new FileRefused('EMPTY_FILE', 'The file is empty.');

  const keys = [...new Set(options.columns.map(({ from }) => from))];
  const tuple = quoteText(`Tuple(${keys.map((key) => `${quoteName(key)} Nullable(String)`).join(', ')})`);
  const isGood = [
    `JSONType(raw) = 'Object'`,
    ...options.columns.filter(({ required }) => required).map(({ from }) => `JSONHas(raw, ${quoteText(from)})`),
  ].join(' AND ');
  const missing = options.columns
    .filter(({ required }) => required)
    .map(({ from }) => `if(JSONHas(raw, ${quoteText(from)}), '', ${quoteText(from)})`);
  await analytics.command(`
    INSERT INTO ${rejectTable} (line, row, column, rule, value)
    SELECT line, row, if(rule = 'COLUMN_MISSING', arrayFirst(name -> name != '', [${["''", ...missing].join(', ')}]), ''),
      multiIf(NOT isValidJSON(raw), 'INVALID_JSON', JSONType(raw) != 'Object', 'NOT_AN_OBJECT', 'COLUMN_MISSING') AS rule,
      substringUTF8(raw, 1, 200)
    FROM ${raw} WHERE NOT (${isGood})`);
  const extra =
    options.extra === 'ignore'
      ? `'{}'`
      : `concat('{', arrayStringConcat(arrayMap(pair -> concat(toJSONString(pair.1), ':', pair.2),
          arrayFilter(pair -> pair.1 NOT IN (${keys.map(quoteText).join(', ')}), JSONExtractKeysAndValuesRaw(raw))), ','), '}')`;
  const columns = options.columns.map(({ name }) => name);
  await analytics.command(
    definition(analytics, table, [
      ...numbers,
      ...columns.map((name) => `${name} String`),
      ...(options.derived ?? []).map(derivedDefinition),
      'extra String',
    ]),
  );
  await analytics.command(`
    INSERT INTO ${table} (${['line', 'row', ...columns, 'extra'].join(', ')})
    SELECT ${[
      'line',
      'row',
      ...options.columns.map(({ from }) => `ifNull(tupleElement(doc, ${keys.indexOf(from) + 1}), '')`),
      extra,
    ].join(', ')}
    FROM (SELECT line, row, raw, JSONExtract(raw, ${tuple}) AS doc FROM ${raw} WHERE ${isGood})`);
  const inEngine = await analytics.query<{ rule: string; column: string | null; count: number }>(
    `SELECT rule, nullIf(toString(column), '') AS column, count() AS count FROM ${rejectTable}
     WHERE rule IN ('INVALID_JSON', 'NOT_AN_OBJECT', 'COLUMN_MISSING') GROUP BY rule, column ORDER BY rule, column`,
  );
  await dropTable(analytics, raw);
  return { header: keys, absent: [], rows: scanner.rows, inEngine };
}

/** Removes staging tables that no living import owns any more: those made before `before`, except the named ones. */
export async function dropAbandonedStages(
  analytics: Analytics,
  before: Date,
  except: readonly string[],
): Promise<string[]> {
  const old = await analytics.query<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = {database:String} AND match(name, '^stage_[0-9a-f]{32}')
     AND metadata_modification_time < {before:DateTime('UTC')}
     AND substring(name, 1, 38) NOT IN {except:Array(String)}`,
    { database: analytics.database, before: before.toISOString().slice(0, 19).replace('T', ' '), except },
  );
  for (const { name } of old) await dropTable(analytics, name);
  return old.map(({ name }) => name);
}

function assertColumns(columns: readonly StageColumn[]): void {
  for (const [at, { name }] of columns.entries()) {
    const isTaken = columns.findIndex((other) => other.name === name) !== at;
    if (!/^[a-z][a-z0-9_]*$/.test(name) || RESERVED.has(name) || /^extra_/.test(name) || isTaken) {
      throw new Error(`"${name}" cannot be the name of a staging column`);
    }
  }
  if (columns.length === 0) throw new Error('a staged file needs at least one column');
}

const derivedDefinition = ({ name, type, sql, kept = true }: DerivedColumn): string =>
  `${name} ${type} ${kept ? 'MATERIALIZED' : 'ALIAS'} ${sql}`;

/** A staging table lives for minutes: merging its parts would only take the time of those who read them. */
const UNMERGED =
  'max_bytes_to_merge_at_max_space_in_pool = 1, max_bytes_to_merge_at_min_space_in_pool = 1, ' +
  'parts_to_delay_insert = 100000, parts_to_throw_insert = 100000';

const definition = (analytics: Analytics, name: string, columns: readonly string[]): string =>
  expand(
    `CREATE TABLE ${name} {{on_cluster}} (${columns.join(', ')}) ENGINE = {{engine:MergeTree}} ORDER BY tuple() SETTINGS ${UNMERGED}`,
    analytics.layout,
  );

const dropTable = (analytics: Analytics, name: string): Promise<void> =>
  analytics.command(expand(`DROP TABLE IF EXISTS ${name} {{on_cluster}} SYNC`, analytics.layout));

const tooDamaged = (): FileRefused =>
  new FileRefused(
    'TOO_DAMAGED',
    `More than ${MAX_OPEN_QUOTES} quotes are never closed: the file is not CSV, or its delimiter is not the one given.`,
  );

const sumOf = (findings: readonly FindingCount[]): number => findings.reduce((sum, { count }) => sum + count, 0);
