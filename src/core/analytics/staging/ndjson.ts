import { isUtf8 } from 'node:buffer';
import { excerpt, type ScanSink } from './csv.ts';
import type { ShapeRule } from './types.ts';

const NEWLINE = 10;
const RETURN = 13;
const TAB = 9;
const BACKSLASH = 92;
const CHUNK_BYTES = 8 * 1024 * 1024;

/**
 * Cuts NDJSON into lines and writes them as TSV (line, row, the line itself); whether a line is JSON is asked of ClickHouse.
 * JSON knows no raw newline, so a line is a record.
 */
export class NdjsonScanner {
  readonly #sink: ScanSink;
  readonly #maxRecordBytes: number;
  #out: Buffer = Buffer.allocUnsafe(CHUNK_BYTES + 1024);
  #used = 0;
  #held: Buffer = Buffer.alloc(0);
  #line = 1;
  #row = 0;
  #rows = 0;
  #skipping = false;

  constructor(maxRecordBytes: number, sink: ScanSink) {
    this.#sink = sink;
    this.#maxRecordBytes = maxRecordBytes;
    this.#out = Buffer.allocUnsafe(CHUNK_BYTES + 2 * maxRecordBytes + 64);
  }

  /** Records handed on so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Takes the next bytes, cut anywhere. */
  feed(bytes: Uint8Array): void {
    const window = Buffer.concat([this.#held, bytes]);
    let position = 0;
    if (this.#skipping) {
      const newline = window.indexOf(NEWLINE);
      this.#held = Buffer.alloc(0);
      if (newline === -1) return;
      this.#skipping = false;
      this.#line += 1;
      position = newline + 1;
    }
    const lines = window.subarray(position, window.lastIndexOf(NEWLINE) + 1);
    const clean = isUtf8(lines) && !lines.includes(0);
    for (;;) {
      const newline = window.indexOf(NEWLINE, position);
      if (newline === -1) break;
      this.#record(window.subarray(position, newline), clean);
      this.#line += 1;
      position = newline + 1;
    }
    const rest = window.subarray(position);
    this.#skipping = rest.length > this.#maxRecordBytes;
    if (this.#skipping) this.#reject(rest, 'RECORD_TOO_LONG');
    this.#held = this.#skipping ? Buffer.alloc(0) : rest;
  }

  /** The file has ended: the last line need not end with a newline. */
  end(): void {
    if (this.#held.length > 0 && !this.#skipping) this.#record(this.#held, false);
    this.#flush();
  }

  #record(raw: Buffer, clean: boolean): void {
    const bytes = raw.at(-1) === RETURN ? raw.subarray(0, -1) : raw;
    if (bytes.length === 0) return;
    const rule = this.#ruleBroken(bytes, clean);
    if (rule !== null) {
      this.#reject(bytes, rule);
      return;
    }
    this.#row += 1;
    this.#rows += 1;
    const out = this.#out;
    let o = this.#used + out.write(`${this.#line}\t${this.#row}\t`, this.#used, 'latin1');
    for (let start = 0; start < bytes.length; ) {
      // Whole runs are copied natively; only what TSV must escape is touched.
      const stop = nextSpecial(bytes, start);
      o += bytes.copy(out, o, start, stop);
      if (stop < bytes.length) {
        out[o++] = BACKSLASH;
        out[o++] = bytes[stop] === TAB ? 116 : bytes[stop] === RETURN ? 114 : BACKSLASH;
      }
      start = stop + 1;
    }
    out[o++] = NEWLINE;
    this.#used = o;
    if (o >= CHUNK_BYTES) this.#flush();
  }

  #ruleBroken(bytes: Buffer, clean: boolean): ShapeRule | null {
    if (bytes.length > this.#maxRecordBytes) return 'RECORD_TOO_LONG';
    if (clean) return null;
    if (!isUtf8(bytes)) return 'INVALID_ENCODING';
    return bytes.includes(0) ? 'NUL_BYTE' : null;
  }

  #reject(bytes: Buffer, rule: ShapeRule): void {
    this.#row += 1;
    this.#sink.reject({ line: this.#line, row: this.#row, rule, value: excerpt(bytes) });
  }

  #flush(): void {
    if (this.#used > 0) this.#sink.chunk(this.#out.subarray(0, this.#used));
    this.#used = 0;
  }
}

function nextSpecial(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === BACKSLASH || byte === TAB || byte === RETURN) return at;
  }
  return bytes.length;
}
