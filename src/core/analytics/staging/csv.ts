import { isUtf8 } from 'node:buffer';
import type { Delimiter, ShapeRule } from './types.ts';

/** A record kept out of the table for its shape. */
export interface ScannedReject {
  readonly line: number;
  readonly row: number;
  readonly rule: ShapeRule;
  readonly value: string;
}

/** What becomes of the records of a file. */
export interface ScanSink {
  /** Bytes of whole TSV rows (line, row, then the kept fields); valid only during the call. */
  chunk(tsv: Uint8Array): void;
  reject(reject: ScannedReject): void;
}

export interface CsvScanOptions {
  readonly delimiter: Delimiter;
  readonly fieldCount: number;
  /** By field: whether it goes to the output. */
  readonly keep: readonly boolean[];
  readonly maxRecordBytes: number;
  /** Physical line of the first byte fed. */
  readonly firstLine: number;
}

const NEWLINE = 10;
const RETURN = 13;
const TAB = 9;
const QUOTE = 34;
const BACKSLASH = 92;
/** Output bytes after which a chunk is handed on. */
const CHUNK_BYTES = 8 * 1024 * 1024;
/** How many quotes may be left open: each costs a second look at up to a record's length. */
export const MAX_OPEN_QUOTES = 1_000;

const INCOMPLETE = -1;
const BROKEN = -2;

/**
 * Cuts CSV (RFC 4180) into records in one pass over the bytes and writes the good ones as TSV, which ClickHouse then
 * parses. Memory is bounded by the longest allowed record. A record that is not well-formed costs only its first physical
 * line: reading goes on at the next one, so that a stray quote does not swallow the rest of the file. A quote within an
 * unquoted field is text.
 */
export class CsvScanner {
  readonly #options: CsvScanOptions;
  readonly #sink: ScanSink;
  readonly #delimiter: number;
  readonly #out: Buffer;
  #used = 0;
  #held: Buffer = Buffer.alloc(0);
  #line: number;
  #row = 0;
  #rows = 0;
  #openQuotes = 0;
  /** Within a record too long to hold: everything up to the next newline is passed over. */
  #skipping = false;

  constructor(options: CsvScanOptions, sink: ScanSink) {
    this.#options = options;
    this.#sink = sink;
    this.#delimiter = options.delimiter.charCodeAt(0);
    this.#line = options.firstLine;
    // Every byte may become two, and the two numbers take up to 42.
    this.#out = Buffer.allocUnsafe(CHUNK_BYTES + 2 * options.maxRecordBytes + 64);
  }

  /** Well-formed records so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Whether quotes are left open so often that the file cannot be CSV. */
  get hopeless(): boolean {
    return this.#openQuotes > MAX_OPEN_QUOTES;
  }

  /** Takes the next bytes, cut anywhere. */
  feed(bytes: Uint8Array): void {
    this.#scan(this.#held.length === 0 ? asBuffer(bytes) : Buffer.concat([this.#held, bytes]), false);
  }

  /** The file has ended: the last record need not end with a newline. */
  end(): void {
    const last = this.#held;
    if (last.length > 0 && !this.#skipping) this.#scan(Buffer.concat([last, Buffer.from('\n')]), true);
    this.#flush();
  }

  #scan(window: Buffer, ended: boolean): void {
    const { maxRecordBytes } = this.#options;
    let position = 0;
    if (this.#skipping) {
      const newline = window.indexOf(NEWLINE);
      this.#held = Buffer.alloc(0);
      if (newline === -1) return;
      this.#skipping = false;
      this.#line += 1;
      position = newline + 1;
    }
    const lastNewline = window.lastIndexOf(NEWLINE);
    const lines = window.subarray(position, lastNewline + 1);
    // Both are done natively for all records at once; only if something is wrong each record is looked at.
    const clean = lines.length === 0 || (isUtf8(lines) && !lines.includes(0));
    while (position <= lastNewline && !this.hopeless) {
      const next = this.#record(window, position, clean);
      if (next === INCOMPLETE && !ended && window.length - position <= maxRecordBytes) break;
      if (next >= 0) {
        position = next;
        continue;
      }
      const newline = window.indexOf(NEWLINE, position);
      // Too long goes first: without its end in the window, that is all there would be to say of it.
      let rule: ShapeRule = next === INCOMPLETE ? 'UNCLOSED_QUOTE' : 'TEXT_AFTER_QUOTE';
      if (newline - position > maxRecordBytes) rule = 'RECORD_TOO_LONG';
      if (rule === 'UNCLOSED_QUOTE') this.#openQuotes += 1;
      this.#reject(window, position, newline, rule);
      this.#line += 1;
      position = newline + 1;
    }
    if (window.length - position > maxRecordBytes && position > lastNewline) {
      this.#reject(window, position, window.length, 'RECORD_TOO_LONG');
      this.#skipping = true;
      this.#held = Buffer.alloc(0);
      return;
    }
    // A copy, because the window may be the reader's own memory.
    this.#held = Buffer.from(window.subarray(position));
  }

  /**
   * Reads one record and writes it out, or rejects it whole when its quotes are in order and something else is not. Gives
   * the position behind it; INCOMPLETE when its end is not in the window or too far off, BROKEN when there is text after a closing quote.
   */
  #record(window: Buffer, start: number, clean: boolean): number {
    const first = window[start];
    if (first === NEWLINE || (first === RETURN && window[start + 1] === NEWLINE)) {
      this.#line += 1;
      return start + (first === NEWLINE ? 1 : 2);
    }
    const { fieldCount, keep, maxRecordBytes } = this.#options;
    const delimiter = this.#delimiter;
    const end = window.length;
    const out = this.#out;
    const before = this.#used;
    let o = this.#number(before, this.#line);
    out[o++] = TAB;
    o = this.#number(o, this.#row + 1);
    let p = start;
    let field = 0;
    let newlines = 1;
    for (;;) {
      const fieldStart = o;
      const kept = field < fieldCount && keep[field] === true;
      if (kept) out[o++] = TAB;
      let byte = window[p];
      if (byte === QUOTE) {
        p += 1;
        for (;;) {
          if (p >= end || p - start > maxRecordBytes) return INCOMPLETE;
          byte = window[p++] as number;
          if (byte === QUOTE) {
            if (window[p] !== QUOTE) break;
            p += 1;
          } else if (byte === NEWLINE) {
            newlines += 1;
          }
          if (byte > BACKSLASH || (byte > RETURN && byte !== BACKSLASH)) out[o++] = byte;
          else o = escapeInto(out, o, byte);
        }
        if (p >= end || p - start > maxRecordBytes) return INCOMPLETE;
        byte = window[p] as number;
        if (byte === RETURN && (p + 1 === end || p + 1 - start > maxRecordBytes)) return INCOMPLETE;
        if (byte === RETURN && window[p + 1] === NEWLINE) byte = window[++p] as number;
        if (byte !== delimiter && byte !== NEWLINE) return BROKEN;
      } else {
        for (;;) {
          if (p >= end) return INCOMPLETE;
          byte = window[p] as number;
          if (byte === delimiter || byte === NEWLINE) break;
          p += 1;
          if (byte > BACKSLASH || (byte > RETURN && byte !== BACKSLASH)) out[o++] = byte;
          else if (byte !== RETURN || window[p] !== NEWLINE) o = escapeInto(out, o, byte);
        }
      }
      if (!kept) o = fieldStart;
      field += 1;
      p += 1;
      if (byte === NEWLINE) break;
    }
    if (p - 1 - start > maxRecordBytes) return INCOMPLETE;
    const rule = clean && field === fieldCount ? null : this.#ruleBroken(window.subarray(start, p), field);
    if (rule !== null) {
      this.#reject(window, start, p - 1, rule);
      this.#line += newlines;
      return p;
    }
    out[o++] = NEWLINE;
    this.#used = o;
    this.#line += newlines;
    this.#row += 1;
    this.#rows += 1;
    if (o >= CHUNK_BYTES) this.#flush();
    return p;
  }

  #ruleBroken(record: Uint8Array, fields: number): ShapeRule | null {
    const { fieldCount } = this.#options;
    if (fields !== fieldCount) return fields < fieldCount ? 'TOO_FEW_COLUMNS' : 'TOO_MANY_COLUMNS';
    if (!isUtf8(record)) return 'INVALID_ENCODING';
    return record.includes(0) ? 'NUL_BYTE' : null;
  }

  #reject(window: Buffer, start: number, end: number, rule: ShapeRule): void {
    this.#row += 1;
    // Not more than a record may hold, so that it is the same wherever the window ends.
    const bytes = window.subarray(start, Math.min(end, start + this.#options.maxRecordBytes));
    this.#sink.reject({ line: this.#line, row: this.#row, rule, value: excerpt(bytes) });
  }

  #flush(): void {
    if (this.#used > 0) this.#sink.chunk(this.#out.subarray(0, this.#used));
    this.#used = 0;
  }

  /** Writes a whole number in decimal digits. */
  #number(at: number, value: number): number {
    const out = this.#out;
    let digits = 1;
    for (let bound = 10; value >= bound; bound *= 10) digits += 1;
    let rest = value;
    for (let place = at + digits - 1; place >= at; place -= 1) {
      const tenth = Math.floor(rest / 10);
      out[place] = 48 + rest - tenth * 10;
      rest = tenth;
    }
    return at + digits;
  }
}

/** The four bytes that mean something in TSV; any other passes. */
function escapeInto(out: Buffer, at: number, byte: number): number {
  const letter =
    byte === TAB ? 116 : byte === NEWLINE ? 110 : byte === RETURN ? 114 : byte === BACKSLASH ? BACKSLASH : 0;
  if (letter === 0) {
    out[at] = byte;
    return at + 1;
  }
  out[at] = BACKSLASH;
  out[at + 1] = letter;
  return at + 2;
}

/** The beginning of a record for people to recognise it by; bytes that are no text become U+FFFD. */
export function excerpt(bytes: Uint8Array): string {
  const text = asBuffer(bytes.subarray(0, 800)).toString('utf8').replaceAll('\0', '\uFFFD');
  return [...text].slice(0, 200).join('').replace(/\r$/, '');
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
