import { existsSync, statSync } from 'node:fs';
import { FileRefused } from '../../core/analytics/errors.ts';
import { CsvScanner, type ScannedReject } from '../../core/analytics/staging/csv.ts';
import { readHeader } from '../../core/analytics/staging/header.ts';
import { openTextSource } from '../../core/analytics/staging/source.ts';
import { type Column, ColumnBuilder, shownValue } from './column.ts';
import { UnusableData } from './errors.ts';

/** A CSV file in memory, column by column. */
export interface Table {
  readonly file: string;
  readonly rows: number;
  readonly columns: readonly Column[];
  /** Physical line on which a row begins. */
  readonly lines: Uint32Array;
}

/** A longer record is refused: a quote was left open, most likely. */
const RECORD_BYTES_MAX = 1024 * 1024;

const RULES: Readonly<Record<string, string>> = {
  TOO_FEW_COLUMNS: 'has fewer fields than the header.',
  TOO_MANY_COLUMNS: 'has more fields than the header.',
  UNCLOSED_QUOTE: 'opens a quote that is not closed.',
  TEXT_AFTER_QUOTE: 'has text after a closing quote.',
  INVALID_ENCODING: 'is not UTF-8.',
  NUL_BYTE: 'contains a NUL byte.',
  RECORD_TOO_LONG: 'is longer than 1 MiB.',
};

/** Takes the scanner's tab-separated rows (line, row, fields) apart into columns. */
class TableSink {
  readonly builders: readonly ColumnBuilder[];
  readonly lines: number[] = [];
  rejected: ScannedReject | null = null;

  constructor(names: readonly string[]) {
    this.builders = names.map((name) => new ColumnBuilder(name));
  }

  chunk(tsv: Uint8Array): void {
    const text = Buffer.from(tsv.buffer, tsv.byteOffset, tsv.byteLength).toString('utf8');
    for (let from = 0; from < text.length; ) {
      const end = text.indexOf('\n', from);
      const fields = text.slice(from, end).split('\t');
      this.lines.push(Number(fields[0]));
      for (const [at, builder] of this.builders.entries()) builder.push(unescaped(fields[at + 2] ?? ''));
      from = end + 1;
    }
  }

  reject(reject: ScannedReject): void {
    this.rejected ??= reject;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '\\': '\\' };
const unescaped = (field: string): string =>
  field.includes('\\') ? field.replace(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter) : field;

/**
 * Reads a CSV file with a header, gzipped or not: comma, semicolon, tab or bar between fields, quoted ones, any line ends. A column
 * without a name gets that of its place.
 * @throws UnusableData naming file and line
 */
export async function readTable(file: string): Promise<Table> {
  if (!existsSync(file) || !statSync(file).isFile()) {
    throw new UnusableData({ file }, 'there is no such file.', 'Give the path of a CSV file.');
  }
  try {
    return await scan(file);
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error;
    throw new UnusableData({ file }, error.message, '');
  }
}

async function scan(file: string): Promise<Table> {
  let head: Buffer = Buffer.alloc(0);
  let open: { readonly scanner: CsvScanner; readonly sink: TableSink } | null = null;
  const begin = (ended: boolean): void => {
    const header = readHeader(head, [], undefined, ended);
    if (header === null) {
      if (head.length <= RECORD_BYTES_MAX) return;
      throw new UnusableData({ file, line: 1 }, 'the header does not end.', 'Close the quote in it.');
    }
    if (header.names.every((name) => name === '')) {
      throw new UnusableData(
        { file, line: 1 },
        'there is no header.',
        'Put the names of the columns into the first line.',
      );
    }
    const sink = new TableSink(header.names.map((name, at) => (name === '' ? `column ${at + 1}` : name)));
    const { delimiter, names, lines } = header;
    const scanner = new CsvScanner(
      {
        delimiter,
        fieldCount: names.length,
        keep: names.map(() => true),
        maxRecordBytes: RECORD_BYTES_MAX,
        firstLine: lines + 1,
      },
      sink,
    );
    scanner.feed(head.subarray(header.length));
    open = { scanner, sink };
  };
  const opened = () => open as { readonly scanner: CsvScanner; readonly sink: TableSink } | null;
  for await (const chunk of openTextSource(file, 'utf-8').chunks) {
    const now = opened();
    if (now !== null) now.scanner.feed(chunk);
    else {
      head = Buffer.concat([head, chunk]);
      begin(false);
    }
    refuse(file, opened()?.sink.rejected ?? null);
  }
  if (opened() === null) begin(true);
  const ended = opened();
  ended?.scanner.end();
  refuse(file, ended?.sink.rejected ?? null);
  if (ended === null || ended.sink.lines.length === 0) {
    throw new UnusableData({ file }, 'there are no rows below the header.', 'Give a file with data.');
  }
  return {
    file,
    rows: ended.sink.lines.length,
    columns: ended.sink.builders.map((builder) => builder.build()),
    lines: Uint32Array.from(ended.sink.lines),
  };
}

function refuse(file: string, reject: ScannedReject | null): void {
  if (reject === null) return;
  const { line, value, rule } = reject;
  throw new UnusableData({ file, line, value }, RULES[rule] ?? `breaks the rule ${rule}.`, 'Mend the line.');
}

/**
 * The column of that name, as written or else in any case.
 * @throws UnusableData listing the names there are
 */
export function columnOf(table: Table, name: string, option: string): Column {
  const found = findColumn(table, name);
  if (found !== null) return found;
  const names = table.columns.slice(0, 60).map((column) => `"${column.name}"`);
  throw new UnusableData(
    { file: table.file, column: name },
    `there is no such column (${option}).`,
    `The file has ${names.join(', ')}${table.columns.length > names.length ? ' and more' : ''}; name one of them.`,
  );
}

export function findColumn({ columns }: Table, name: string): Column | null {
  const exact = columns.find((column) => column.name === name);
  if (exact !== undefined) return exact;
  const alike = columns.filter((column) => column.name.toLowerCase() === name.toLowerCase());
  return alike.length === 1 ? (alike[0] ?? null) : null;
}

/** A place in the table for an error. */
export const placeOf = (table: Table, column: Column, row: number) => ({
  file: table.file,
  column: column.name,
  line: table.lines[row] ?? 0,
  value: shownValue(column, row),
});

/**
 * The finite numbers of a column.
 * @param blank what a missing value is taken for; without it a missing value is refused
 * @throws UnusableData naming the first row that has none
 */
export function numbersOf(table: Table, name: string, option: string, blank?: number): Float64Array {
  const column = columnOf(table, name, option);
  if (column.kind === 'text') {
    const texts = column.texts;
    const row = column.values.findIndex((place) => !Number.isNaN(place) && !Number.isFinite(Number(texts[place])));
    throw new UnusableData(placeOf(table, column, Math.max(row, 0)), 'is no number.', 'Mend it, or leave the row out.');
  }
  return column.values.map((value, row) => {
    if (Number.isFinite(value)) return value;
    if (Number.isNaN(value) && blank !== undefined) return blank;
    const problem = Number.isNaN(value) ? 'is missing, and a number is needed here.' : 'is not a finite number.';
    throw new UnusableData(placeOf(table, column, row), problem, 'Fill it in, or leave the row out.');
  });
}
