import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { type Readable, Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { FileSummary } from './manifest.ts';

const NEWLINE = 0x0a;
/** Fast: a backup is bound by reading the engines, and level 9 would make it bound by one core. */
const GZIP_LEVEL = 3;

/** Counts what flows through. In both engines' text formats a newline within a value is escaped, so lines are rows. */
class Meter extends Transform {
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #lines = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, chunk: Buffer) => void): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) this.#lines += 1;
    done(null, chunk);
  }

  summary(headerLines: number): FileSummary {
    return { rows: Math.max(0, this.#lines - headerLines), bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }
}

/** Writes a stream to a compressed file; it is on the disk when this resolves. */
export async function writeCompressed(source: Readable, file: string, headerLines = 0): Promise<FileSummary> {
  const meter = new Meter();
  const target = createWriteStream(file, { mode: 0o600, flush: true });
  await pipeline(source, meter, createGzip({ level: GZIP_LEVEL }), target);
  return meter.summary(headerLines);
}

/** Reads a compressed file into a stream; the caller compares the summary with what the manifest promises. */
export async function readCompressed(file: string, target: Writable, headerLines = 0): Promise<FileSummary> {
  const meter = new Meter();
  await pipeline(createReadStream(file), createGunzip(), meter, target);
  return meter.summary(headerLines);
}
