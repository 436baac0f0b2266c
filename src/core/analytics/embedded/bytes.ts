import type { Readable } from 'node:stream';

/** Bytes from anywhere, whole or in chunks cut anywhere. */
export type ByteInput = string | Uint8Array | Readable | AsyncIterable<Uint8Array | string>;

/** Any input as chunks of bytes. */
export async function* chunksOf(body: ByteInput): AsyncGenerator<Uint8Array> {
  if (typeof body === 'string') yield Buffer.from(body);
  else if (body instanceof Uint8Array) yield body;
  else for await (const chunk of body) yield typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Uint8Array);
}

/** Reads until more than `limit` bytes have come or the source ends; `rest` tells whether there may be more. */
export async function upTo(
  iterator: AsyncIterator<Uint8Array>,
  limit: number,
): Promise<{ readonly bytes: Uint8Array; readonly rest: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (size <= limit) {
    const next = await iterator.next();
    if (next.done === true) return { bytes: joined(chunks, size), rest: false };
    chunks.push(next.value);
    size += next.value.length;
  }
  return { bytes: joined(chunks, size), rest: true };
}

/** Most bodies come in one piece, which need not be copied. */
const joined = (chunks: readonly Uint8Array[], size: number): Uint8Array =>
  chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, size);

/** What was read from an iterator, then what it still has. */
export async function* prepend(head: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
}

/** Cuts at line ends, which in line formats are row ends, about every `size` bytes; a longer row makes a longer piece. */
export async function* lineChunks(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  let held: Uint8Array = new Uint8Array();
  for (;;) {
    const { bytes, rest } = await upTo(iterator, size);
    const all = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    const end = rest ? all.lastIndexOf(10) + 1 : all.length;
    if (end > 0) yield all.subarray(0, end);
    held = all.subarray(end);
    if (!rest) return;
  }
}
