/** `INSERT INTO t (a, b) FORMAT X` in its parts. */
export interface InsertStatement {
  readonly table: string;
  readonly columns: readonly string[];
  readonly format: string;
  /** A raw newline always ends a row, so a body may be cut there. */
  readonly lineDelimited: boolean;
}

/** Formats whose bytes chdb takes without copying them into SQL; true where a newline always ends a row. */
const RAW_INSERT_FORMATS = new Map([
  ['JSONEachRow', true],
  ['JSONCompactEachRow', true],
  ['TSV', true],
  ['TabSeparated', true],
  ['TSVWithNames', false],
  ['TabSeparatedWithNames', false],
  ['CSV', false],
  ['CSVWithNames', false],
]);

/** Formats without head or tail, so that the blocks of a result can follow one another. */
const STREAMABLE = new Set([
  'JSONEachRow',
  'JSONCompactEachRow',
  'JSONStringsEachRow',
  'JSONCompactStringsEachRow',
  'TSV',
  'TabSeparated',
  'TabSeparatedRaw',
  'CSV',
  'RowBinary',
  'LineAsString',
]);

const NAME = '(?:[A-Za-z_]\\w*|`[A-Za-z_]\\w*`)';
const INSERT = new RegExp(
  `^\\s*INSERT\\s+INTO\\s+(?:TABLE\\s+)?(${NAME}(?:\\.${NAME})?)\\s*(?:\\(([^()]*)\\))?\\s*FORMAT\\s+(\\w+)\\s*$`,
  'i',
);

/** Null for an insert that needs the engine's own parser (SELECT, settings, other formats). */
export function parseInsert(sql: string): InsertStatement | null {
  const match = INSERT.exec(sql);
  if (match === null) return null;
  const [, table = '', columnList = '', format = ''] = match;
  const lineDelimited = RAW_INSERT_FORMATS.get(format);
  if (lineDelimited === undefined) return null;
  const columns = columnList
    .split(',')
    .map(unquote)
    .filter((name) => name !== '');
  if (!columns.every((name) => /^[A-Za-z_]\w*$/.test(name))) return null;
  return { table: table.split('.').map(unquote).join('.'), columns, format, lineDelimited };
}

/** The statement without its closing FORMAT clause, and that format ('' when there is none). */
export function trailingFormat(sql: string): { body: string; format: string } {
  const match = /^([\s\S]*?)\s+FORMAT\s+(\w+)[\s;]*$/i.exec(sql);
  return match === null
    ? { body: sql.replace(/[\s;]+$/, ''), format: '' }
    : { body: match[1] ?? '', format: match[2] ?? '' };
}

export const isStreamable = (format: string): boolean => STREAMABLE.has(format);

export const startsSelect = (sql: string): boolean => /^[\s(]*(SELECT|WITH)\b/i.test(sql);

const unquote = (name: string): string => name.trim().replaceAll('`', '');
