import { isUtf8 } from 'node:buffer';
import { FileRefused } from '../errors.ts';
import type { Delimiter, StageColumn } from './types.ts';

export interface CsvHeader {
  readonly names: readonly string[];
  readonly delimiter: Delimiter;
  /** Bytes and physical lines that the header takes. */
  readonly length: number;
  readonly lines: number;
}

const DELIMITERS: readonly Delimiter[] = [',', ';', '\t', '|'];

/**
 * Reads the first record. Null when more bytes are needed to see its end.
 * @throws FileRefused when it is no header or lacks required columns
 */
export function readHeader(
  bytes: Buffer,
  wanted: readonly StageColumn[],
  delimiter: Delimiter | undefined,
  ended: boolean,
): CsvHeader | null {
  const end = recordEnd(bytes);
  if (end === null && !ended) return null;
  const record = bytes.subarray(0, end ?? bytes.length);
  if (!isUtf8(record)) {
    throw new FileRefused('NOT_UTF8', 'The header is not UTF-8. Save the file as UTF-8 or give its encoding.', {
      line: 1,
    });
  }
  if (record.includes(0))
    throw new FileRefused('NOT_TEXT', 'The header contains NUL bytes: the file is no text.', { line: 1 });
  const text = record.toString('utf8').replace(/\r?\n?$/, '');
  const candidates = delimiter === undefined ? DELIMITERS : [delimiter];
  const readings = candidates.map((candidate) => ({ delimiter: candidate, names: splitRecord(text, candidate) }));
  const score = ({ names }: { names: readonly string[] }): number =>
    wanted.filter(({ from }) => names.includes(from)).length * 10_000 + names.length;
  const best = readings.reduce((a, b) => (score(b) > score(a) ? b : a));
  refuseUnfit(best.names, wanted);
  const lines = record.toString('latin1').split('\n').length - (end === null ? 0 : 1);
  return { ...best, length: record.length, lines };
}

function refuseUnfit(names: readonly string[], wanted: readonly StageColumn[]): void {
  const twice = names.find((name, at) => name !== '' && names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new FileRefused('HEADER_DUPLICATE', `The header names column "${twice}" twice. Rename one of them.`, {
      line: 1,
      column: twice,
    });
  }
  const missing = wanted.filter(({ from, required }) => required && !names.includes(from)).map(({ from }) => from);
  if (missing.length > 0) {
    const found = names.slice(0, 50).map((name) => `"${name.slice(0, 60)}"`);
    throw new FileRefused(
      'MISSING_COLUMN',
      `The file has no column ${missing.map((name) => `"${name}"`).join(', ')}; its header is ${found.join(', ')}. ` +
        'Rename the columns or give a mapping.',
      { line: 1, missing, header: names.slice(0, 50) },
    );
  }
}

/** Length of the first record with its newline; null when its end is not there. */
function recordEnd(bytes: Buffer): number | null {
  let quoted = false;
  for (let at = 0; at < bytes.length; at += 1) {
    if (bytes[at] === 34) quoted = !quoted;
    else if (bytes[at] === 10 && !quoted) return at + 1;
  }
  return null;
}

function splitRecord(text: string, delimiter: string): string[] {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] as string;
    if (quoted) {
      if (letter !== '"') field += letter;
      else if (text[at + 1] === '"') field += text[++at];
      else quoted = false;
    } else if (letter === '"' && field.trim() === '') {
      quoted = true;
      field = '';
    } else if (letter === delimiter) {
      fields.push(field.trim());
      field = '';
    } else field += letter;
  }
  if (quoted)
    throw new FileRefused('HEADER_BROKEN', 'A quote in the header is not closed. Mend the first line.', { line: 1 });
  fields.push(field.trim());
  return fields;
}
