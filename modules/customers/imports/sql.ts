import type { DateFormat } from './model.ts';

/** A text literal of ClickHouse's SQL. */
export const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** A list literal of texts; never empty, because ClickHouse cannot tell the type of an empty one. */
export const quoteList = (texts: readonly string[]): string =>
  `[${(texts.length === 0 ? [''] : texts).map(quote).join(', ')}]`;

// A quoted regular expression: the engine's string literal takes one level of backslashes away.
const pattern = (expression: RegExp): string => quote(expression.source);

/**
 * The shape of ISO 8601 as far as the engine's own reading is too lenient: it takes other orders of day and month for
 * dates, and 25:00 for one o'clock of the next day. A regular expression would cost three times as much.
 */
const isIso = (text: string): string => {
  const at = (place: number, length = 1): string => `substring(${text}, ${place}, ${length})`;
  const isClock = `(${at(14)} = ':' AND ${at(12, 2)} < '24' AND ${at(15)} < '6' AND ${at(18)} < '6')`;
  return `(${at(5)} = '-' AND ${at(8)} = '-' AND (length(${text}) = 10 OR ${isClock}))`;
};
const NUMBERED_DATE = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?: (\d{1,2}:\d{2}(?::\d{2})?))?$/;

/**
 * SQL that reads a text as a moment; NULL for what is not written in the format or does not exist (30 February). Times
 * without an offset are of the given zone, which must be a checked IANA name.
 */
export function parseTime(text: string, format: DateFormat, timeZone: string): string {
  const utc = (sql: string): string => `toTimeZone(${sql}, 'UTC')`;
  const bestEffort = (sql: string): string => utc(`parseDateTime64BestEffortOrNull(${sql}, 3, ${quote(timeZone)})`);
  switch (format) {
    case 'ISO':
      return `if(${isIso(text)}, ${bestEffort(text)}, NULL)`;
    case 'UNIX_SECONDS':
      return `if(match(${text}, ${pattern(/^\d{1,10}$/)}), fromUnixTimestamp64Milli(toInt64OrZero(${text}) * 1000, 'UTC'), NULL)`;
    case 'UNIX_MILLISECONDS':
      return `if(match(${text}, ${pattern(/^\d{1,13}$/)}), fromUnixTimestamp64Milli(toInt64OrZero(${text}), 'UTC'), NULL)`;
    default: {
      const [day, month] = format === 'DAY_MONTH_YEAR' ? [1, 2] : [2, 1];
      const parts = `extractGroups(${text}, ${pattern(NUMBERED_DATE)})`;
      const iso = `concat(${parts}[3], '-', leftPad(${parts}[${month}], 2, '0'), '-', leftPad(${parts}[${day}], 2, '0'), ' ', if(${parts}[4] = '', '00:00', leftPad(${parts}[4], 5, '0')))`;
      return `if(match(${text}, ${pattern(NUMBERED_DATE)}), ${bestEffort(iso)}, NULL)`;
    }
  }
}

/**
 * SQL that reads a text as an exact decimal with at most `scale` places; NULL for anything else, so that no digit is lost
 * without notice. (ClickHouse alone would cut further places and take "1e3".)
 */
export function parseDecimal(text: string, precision: number, scale: number): string {
  const shape = new RegExp(`^[+-]?\\d{1,${precision - scale}}(\\.\\d{0,${scale}}0*)?$`);
  return `if(match(${text}, ${pattern(shape)}), toDecimal${precision > 18 ? 128 : 64}OrNull(${text}, ${scale}), NULL)`;
}

/** SQL of the identity that `eventUid` gives to (source, id of the source), as a UUID. */
export function uid(source: string, sourceId: string): string {
  // The engine keeps a UUID as two little-endian halves.
  const hash = `SHA256(concat(${source}, '\\0', ${sourceId}))`;
  return `reinterpretAsUUID(concat(reverse(substring(${hash}, 1, 8)), reverse(substring(${hash}, 9, 8))))`;
}

export const ZERO_UUID = '00000000-0000-0000-0000-000000000000';

/** SQL of a moment. */
export const moment = (iso: string): string =>
  `toDateTime64(${quote(iso.replace('T', ' ').replace('Z', ''))}, 3, 'UTC')`;
