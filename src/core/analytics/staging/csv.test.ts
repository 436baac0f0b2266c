import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CsvScanner, type ScannedReject } from './csv.ts';
import type { Delimiter } from './types.ts';

interface Scan {
  readonly rows: string[][];
  readonly rejects: ScannedReject[];
  readonly hopeless: boolean;
}

interface ScanOptions {
  readonly fields: number;
  readonly keep?: readonly boolean[];
  readonly delimiter?: Delimiter;
  readonly maxRecordBytes?: number;
  /** Size of the pieces the bytes are fed in. */
  readonly pieces?: number;
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '\\': '\\' };
const textOf = (field: string): string => field.replace(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? '?');

function scan(input: string | Buffer, options: ScanOptions): Scan {
  const chunks: Buffer[] = [];
  const rejects: ScannedReject[] = [];
  const scanner = new CsvScanner(
    {
      delimiter: options.delimiter ?? ',',
      fieldCount: options.fields,
      keep: options.keep ?? Array.from({ length: options.fields }, () => true),
      maxRecordBytes: options.maxRecordBytes ?? 1_024,
      firstLine: 1,
    },
    { chunk: (tsv) => void chunks.push(Buffer.from(tsv)), reject: (reject) => void rejects.push(reject) },
  );
  const bytes = Buffer.from(input);
  const size = options.pieces ?? Math.max(1, bytes.length);
  for (let at = 0; at < bytes.length; at += size) scanner.feed(bytes.subarray(at, at + size));
  scanner.end();
  const lines = Buffer.concat(chunks).toString('utf8').split('\n').slice(0, -1);
  return { rows: lines.map((line) => line.split('\t').map(textOf)), rejects, hopeless: scanner.hopeless };
}

describe('the scan of a CSV', () => {
  test('numbers records by the line on which they begin', () => {
    expect(scan('a,1\r\n"two\nlines",2\n\nc,3', { fields: 2 }).rows).toEqual([
      ['1', '1', 'a', '1'],
      ['2', '2', 'two\nlines', '2'],
      ['5', '3', 'c', '3'],
    ]);
  });

  test('keeps quotes, tabs, backslashes and lone carriage returns as they are', () => {
    expect(scan('"say ""hi""",5" pipe,a\\N\tb\rc\n', { fields: 3 }).rows).toEqual([
      ['1', '1', 'say "hi"', '5" pipe', 'a\\N\tb\rc'],
    ]);
  });

  test('leaves out columns nobody asked for', () => {
    expect(scan('a,"b,x",c\n', { fields: 3, keep: [true, false, true] }).rows).toEqual([['1', '1', 'a', 'c']]);
  });

  test('a stray quote costs its own line only', () => {
    const { rows, rejects } = scan('a,1\nb,"2\nc,3\nd,"4"\ne,5\n', { fields: 2 });
    expect(rows.map(([line]) => line)).toEqual(['1', '3', '4', '5']);
    expect(rejects).toEqual([{ line: 2, row: 2, rule: 'TEXT_AFTER_QUOTE', value: 'b,"2' }]);
  });

  test('a quote never closed costs its own line only', () => {
    const { rows, rejects } = scan('a,1\nb,"2\nc,3\n', { fields: 2 });
    expect(rows.map(([, , name]) => name)).toEqual(['a', 'c']);
    expect(rejects).toEqual([{ line: 2, row: 2, rule: 'UNCLOSED_QUOTE', value: 'b,"2' }]);
  });

  test('names records with too few and too many columns, whole ones', () => {
    const { rows, rejects } = scan('a\nb,2,3,4\nc,3\n"d\nd"\n', { fields: 2 });
    expect(rows).toEqual([['3', '3', 'c', '3']]);
    expect(rejects).toEqual([
      { line: 1, row: 1, rule: 'TOO_FEW_COLUMNS', value: 'a' },
      { line: 2, row: 2, rule: 'TOO_MANY_COLUMNS', value: 'b,2,3,4' },
      { line: 4, row: 4, rule: 'TOO_FEW_COLUMNS', value: '"d\nd"' },
    ]);
  });

  test('names text that is not UTF-8 and NUL bytes', () => {
    const bytes = Buffer.concat([Buffer.from('a,1\nb,'), Buffer.of(0xe9), Buffer.from('\nc,\0\nd,é\n')]);
    const { rows, rejects } = scan(bytes, { fields: 2 });
    expect(rows.map(([line]) => line)).toEqual(['1', '4']);
    expect(rejects).toEqual([
      { line: 2, row: 2, rule: 'INVALID_ENCODING', value: 'b,\uFFFD' },
      { line: 3, row: 3, rule: 'NUL_BYTE', value: 'c,\uFFFD' },
    ]);
  });

  test('passes over a record too long, and counts its line', () => {
    const long = 'x'.repeat(5_000);
    for (const pieces of [100, 7_000, 50_000]) {
      const { rows, rejects } = scan(`a,1\n${long},2\nc,3\n`, { fields: 2, pieces });
      expect(rows.map(([line]) => line)).toEqual(['1', '3']);
      expect(rejects.map(({ line, row, rule }) => [line, row, rule])).toEqual([[2, 2, 'RECORD_TOO_LONG']]);
      expect(rejects[0]?.value).toBe('x'.repeat(200));
    }
  });

  test('calls a record too long before anything else, however it is cut', () => {
    for (const pieces of [1, 6]) {
      const { rejects } = scan('""\r,,\n', { fields: 2, maxRecordBytes: 4, pieces });
      expect(rejects.map(({ rule }) => rule)).toEqual(['RECORD_TOO_LONG']);
    }
  });

  test('finds its way back from a quote that swallows more than a record may hold', () => {
    const filler = 'word,1\n'.repeat(400);
    const { rows, rejects } = scan(`a,1\nb,"2\n${filler}z,9\n`, { fields: 2, pieces: 64 });
    expect(rows).toHaveLength(402);
    expect(rows.at(-1)).toEqual(['403', '403', 'z', '9']);
    expect(rejects.map(({ line, rule }) => [line, rule])).toEqual([[2, 'UNCLOSED_QUOTE']]);
  });

  test('gives up on a file that is no CSV', () => {
    expect(scan(`a,"open\n${'long line\n'.repeat(4)}`.repeat(1_100), { fields: 2, maxRecordBytes: 32 }).hopeless).toBe(
      true,
    );
  });

  test('reads what a writer wrote, however it is cut', () => {
    const field = fc.string({
      unit: fc.constantFrom('a', 'é', '😀', '"', ',', '\n', '\r', '\t', '\\', ' ', ';'),
      maxLength: 8,
    });
    const quote = (text: string) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(field, field, field), { maxLength: 12 }),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom('\n', '\r\n'),
        (records, pieces, end) => {
          const text = records.map((fields) => fields.map(quote).join(',') + end).join('');
          const { rows, rejects } = scan(text, { fields: 3, pieces });
          expect(rejects).toEqual([]);
          expect(rows.map(([, , ...fields]) => fields)).toEqual(records);
          expect(rows.map(([, row]) => Number(row))).toEqual(records.map((_, at) => at + 1));
        },
      ),
    );
  });

  test('says the same of any bytes, however they are cut, and loses no line', () => {
    const bytes = fc
      .uint8Array({ maxLength: 60 })
      .map((noise) => noise.map((byte) => ',"\n\r\\ab\0é'.charCodeAt(byte % 9)));
    fc.assert(
      fc.property(
        bytes,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 4, max: 64 }),
        (input, pieces, maxRecordBytes) => {
          const whole = scan(Buffer.from(input), { fields: 2, maxRecordBytes });
          const cut = scan(Buffer.from(input), { fields: 2, maxRecordBytes, pieces });
          expect(cut).toEqual(whole);
          const numbers = [...whole.rows.map(([, row]) => Number(row)), ...whole.rejects.map(({ row }) => row)];
          expect(numbers.sort((a, b) => a - b)).toEqual(numbers.map((_, at) => at + 1));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
