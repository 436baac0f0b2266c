import type { Delimiter } from '../../../src/core/analytics/index.ts';
import { FileRefused } from '../../../src/core/analytics/index.ts';
import { readHeader } from '../../../src/core/analytics/staging/header.ts';
import { openTextSource } from '../../../src/core/analytics/staging/source.ts';
import type { ImportEncoding, ImportFormat } from './model.ts';

/** What the first lines of a file tell. */
export interface FilePeek {
  readonly format: ImportFormat;
  /** Names of a CSV's columns, or the keys of the first object of an NDJSON. */
  readonly columns: readonly string[];
  /** Null for NDJSON. */
  readonly delimiter: Delimiter | null;
}

/** Enough for any header; a longer one is none. */
const PEEK_BYTES = 1024 * 1024;

/**
 * Looks at the beginning of a file: CSV or NDJSON, its columns, its delimiter.
 * @throws FileRefused when it is empty, no text, or not in the encoding
 */
export async function peekFile(
  file: string,
  given: {
    readonly format?: ImportFormat | null | undefined;
    readonly encoding: ImportEncoding;
    readonly delimiter?: Delimiter | null | undefined;
  },
): Promise<FilePeek> {
  const { head, ended } = await readHead(file, given.encoding);
  const first = head.findIndex((byte) => byte > 0x20);
  if (first === -1) throw new FileRefused('EMPTY_FILE', 'The file is empty.');
  const format = given.format ?? (head[first] === 0x7b ? 'NDJSON' : 'CSV');
  if (format === 'NDJSON') return { format, columns: firstKeys(head, ended), delimiter: null };
  const header = readHeader(head, [], given.delimiter ?? undefined, ended);
  if (header === null) {
    throw new FileRefused(
      'HEADER_BROKEN',
      `The first line has no end within ${PEEK_BYTES} bytes. Is this a CSV file?`,
      { line: 1 },
    );
  }
  return { format, columns: header.names, delimiter: header.delimiter };
}

async function readHead(file: string, encoding: ImportEncoding): Promise<{ head: Buffer; ended: boolean }> {
  const source = openTextSource(file, encoding === 'UTF_8' ? 'utf-8' : 'windows-1252');
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of source.chunks) {
    pieces.push(Buffer.from(piece));
    bytes += piece.length;
    if (bytes >= PEEK_BYTES) return { head: Buffer.concat(pieces), ended: false };
  }
  return { head: Buffer.concat(pieces), ended: true };
}

/** Keys of the first line that is an object; none when there is no such line, which staging then reports line by line. */
function firstKeys(head: Buffer, ended: boolean): string[] {
  const lines = head.toString('utf8').split('\n');
  for (const line of ended ? lines : lines.slice(0, -1)) {
    try {
      const value: unknown = JSON.parse(line);
      if (value !== null && typeof value === 'object' && !Array.isArray(value)) return Object.keys(value);
    } catch {
      // A broken line is a reject of its own; the next one may tell.
    }
  }
  return [];
}
