import type { Column, TextColumn } from './column.ts';
import { columnOf, findColumn, type Table } from './table.ts';

/** A column that is not learnt from, and why. */
export interface IgnoredColumn {
  readonly column: string;
  readonly reason: string;
}

/** A matrix for the trees, row after row. */
export interface FeatureMatrix {
  readonly names: readonly string[];
  readonly values: Float64Array;
  readonly rows: number;
  readonly columns: number;
  /** Columns that hold categories. */
  readonly categorical: readonly number[];
  readonly ignored: readonly IgnoredColumn[];
}

const TRUTHS: ReadonlyMap<string, number> = new Map([
  ['true', 1],
  ['false', 0],
  ['yes', 1],
  ['no', 0],
  ['t', 1],
  ['f', 0],
  ['y', 1],
  ['n', 0],
]);
/** 1 for a text that says yes, 0 for one that says no, undefined for any other. */
export const truthOf = (text: string): number | undefined => TRUTHS.get(text.toLowerCase());

const DATE = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/;
const DAY_MS = 86_400_000;

/** Days since 1970 of an ISO date or time, taken as UTC where it names no offset; NaN for any other text. */
function dayOf(text: string): number {
  if (!DATE.test(text)) return Number.NaN;
  const zoned = text.length <= 10 || /(Z|[+-]\d\d:?\d\d)$/.test(text.slice(10)) ? text : `${text}Z`;
  return Date.parse(zoned.replace(' ', 'T')) / DAY_MS;
}

/** A text column of which more than this share of the values are different tells rows apart, not kinds of rows. */
const DIFFERENT_SHARE_MAX = 0.5;
/** In a very short file even a real category may be different in most rows. */
const DIFFERENT_MIN = 20;
/**
 * A category of fewer rows than both say is taken for missing: from so few nothing is learnt but their own labels (LightGBM keeps
 * categories of few rows apart for the same reason).
 */
const CATEGORY_ROWS = 20;
const CATEGORY_SHARE = 500;
const IDENTIFIER = /(^|[\s_.-])(id|uuid|guid|index|row_?(number|id)?)$|[a-z](Id|ID)$|^column 1$|^unnamed/i;

/** Whether a numeric column numbers the rows: named like an identifier, whole and different in every row. */
function isIdentifier({ kind, name, values }: Column): boolean {
  if (kind !== 'numeric' || !IDENTIFIER.test(name)) return false;
  return values.every((value) => Number.isInteger(value)) && new Set(values).size === values.length;
}

type Reading = { readonly values: Float64Array; readonly categorical: boolean } | { readonly ignored: string };

function readTexts({ texts, values }: TextColumn): Reading {
  const mapped = (numbers: readonly number[]) =>
    values.map((place) => (Number.isNaN(place) ? place : (numbers[place] ?? Number.NaN)));
  const truths = texts.map(truthOf);
  if (truths.every((truth) => truth !== undefined)) return { values: mapped(truths), categorical: false };
  const days = texts.map(dayOf);
  if (days.every((day) => !Number.isNaN(day))) return { values: mapped(days), categorical: false };
  const known = values.reduce((count, place) => count + (Number.isNaN(place) ? 0 : 1), 0);
  if (texts.length > DIFFERENT_MIN && texts.length > DIFFERENT_SHARE_MAX * known) {
    return { ignored: `text with ${texts.length} different values in ${known} rows` };
  }
  const least = Math.min(CATEGORY_ROWS, values.length / CATEGORY_SHARE);
  const rows = new Float64Array(texts.length);
  for (const place of values) if (!Number.isNaN(place)) rows[place]! += 1;
  if (rows.every((count) => count < least)) {
    return { ignored: `text with ${texts.length} different values, none of them in ${Math.ceil(least)} rows` };
  }
  return { values: values.map((place) => (rows[place]! >= least ? place : Number.NaN)), categorical: true };
}

function read(column: Column): Reading {
  if (column.kind === 'text') return readTexts(column);
  if (isIdentifier(column)) return { ignored: 'a different whole number in every row: an identifier' };
  return { values: withinFinite(column.values), categorical: false };
}

/** Infinite values, which trees cannot take, as one beyond the largest (or smallest) finite one. */
function withinFinite(values: Float64Array): Float64Array {
  if (!values.some((value) => Math.abs(value) === Infinity)) return values;
  let low = 0;
  let high = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return values.map((value) => (value === Infinity ? 2 * high + 1 : value === -Infinity ? 2 * low - 1 : value));
}

/**
 * Every column but the label and the dropped ones as numbers: yes and no become 1 and 0, ISO dates days, other texts categories, rare ones missing.
 * Identifiers are left out and named in `ignored`.
 * @param drop names of columns, or several with commas between them
 * @throws UnusableData for a name in `drop` that is no column
 */
export function featuresOf(table: Table, label: Column, drop: readonly string[]): FeatureMatrix {
  const names = drop.flatMap((name) => (findColumn(table, name) === null ? name.split(',') : [name]));
  const dropped = new Set(names.map((name) => columnOf(table, name.trim(), '--drop')));
  const ignored: IgnoredColumn[] = [];
  const used: { readonly name: string; readonly values: Float64Array; readonly categorical: boolean }[] = [];
  for (const column of table.columns) {
    if (column === label || dropped.has(column)) continue;
    const reading = read(column);
    if ('ignored' in reading) ignored.push({ column: column.name, reason: reading.ignored });
    else used.push({ name: column.name, ...reading });
  }
  const values = new Float64Array(table.rows * used.length);
  for (const [at, column] of used.entries()) {
    for (let row = 0; row < table.rows; row++) values[row * used.length + at] = column.values[row]!;
  }
  return {
    names: used.map(({ name }) => name),
    values,
    rows: table.rows,
    columns: used.length,
    categorical: used.flatMap(({ categorical }, at) => (categorical ? [at] : [])),
    ignored,
  };
}
