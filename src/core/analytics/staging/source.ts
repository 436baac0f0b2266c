import { open } from 'node:fs/promises';
import { Readable, type Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { FileRefused } from '../errors.ts';
import type { ByteSource } from '../types.ts';

/** A file's text as UTF-8 bytes without a byte order mark, unpacked when it was gzipped, and what was seen on the way. */
export interface TextSource {
  /** A chunk holds until the next one is asked for. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Bytes of the file as stored, read so far. */
  readonly bytes: () => number;
}

const READ_BYTES = 1024 * 1024;

/**
 * Opens a file or takes a stream of its bytes.
 * @throws FileRefused (while reading) for text in UTF-16 and for files that are no text at all
 */
export function openTextSource(file: string | ByteSource, encoding: 'utf-8' | 'windows-1252'): TextSource {
  let bytes = 0;
  async function* stored(): AsyncGenerator<Uint8Array> {
    const input = typeof file === 'string' ? fileChunks(file) : file;
    for await (const chunk of input) {
      const piece = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Uint8Array);
      bytes += piece.length;
      yield piece;
    }
  }
  return { chunks: decode(unpack(stored()), encoding), bytes: () => bytes };
}

/** Every chunk in the same memory: taking it anew for each makes the garbage collector a tenth of the work of staging. */
async function* fileChunks(file: string): AsyncGenerator<Uint8Array> {
  const handle = await open(file);
  try {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (;;) {
      const { bytesRead } = await handle.read(buffer);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** Holds the first bytes back until there are enough to tell what they are. */
async function* withHead(
  chunks: AsyncGenerator<Uint8Array>,
  length: number,
): AsyncGenerator<Uint8Array, undefined, undefined> {
  let head: Uint8Array = new Uint8Array();
  for await (const chunk of chunks) {
    if (head.length >= length) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length >= length) yield head;
  }
  if (head.length < length && head.length > 0) yield head;
  return undefined;
}

async function* unpack(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = withHead(chunks, 2);
  try {
    const first = await source.next();
    if (first.done === true) return;
    const isPacked = first.value[0] === 0x1f && first.value[1] === 0x8b;
    if (isPacked) return yield* gunzip(first.value, source);
    yield first.value;
    yield* source;
  } finally {
    // Who stops early lets the file go.
    await source.return(undefined);
  }
}

async function* gunzip(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const unpacked: Transform = createGunzip({ chunkSize: READ_BYTES });
  // A stream reads ahead, so its chunks need memory of their own.
  const packed = Readable.from(
    (async function* () {
      yield Buffer.from(first);
      for await (const chunk of rest) yield Buffer.from(chunk);
    })(),
  );
  packed.on('error', (error) => unpacked.destroy(error));
  packed.pipe(unpacked);
  try {
    for await (const chunk of unpacked) yield chunk as Uint8Array;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_') !== true) throw error;
    throw new FileRefused('NOT_TEXT', 'The gzip file is damaged. Pack it anew and send it again.');
  } finally {
    packed.destroy();
  }
}

async function* decode(chunks: AsyncGenerator<Uint8Array>, encoding: string): AsyncGenerator<Uint8Array> {
  const decoder = encoding === 'utf-8' ? null : new TextDecoder(encoding);
  let first = true;
  for await (const chunk of withHead(chunks, 4)) {
    const start = first ? textStart(chunk) : 0;
    first = false;
    const bytes = start === 0 ? chunk : chunk.subarray(start);
    yield decoder === null ? bytes : Buffer.from(decoder.decode(bytes, { stream: true }));
  }
}

/** Length of the byte order mark; refuses what cannot be a CSV or NDJSON in one byte per ASCII letter. */
function textStart(head: Uint8Array): number {
  const [a, b, c, d] = head;
  if (a === 0xef && b === 0xbb && c === 0xbf) return 3;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) || a === 0 || (b === 0 && a !== undefined)) {
    throw new FileRefused('NOT_UTF8', 'The file is in UTF-16 or UTF-32. Save it as UTF-8 and send it again.');
  }
  if (a === 0x50 && b === 0x4b && c === 3 && d === 4) {
    throw new FileRefused(
      'NOT_TEXT',
      'The file is a ZIP archive or a spreadsheet. Export the table as CSV and send that.',
    );
  }
  return 0;
}
