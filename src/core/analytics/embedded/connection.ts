import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, type ReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ClickHouseClientConfigOptions, parseError } from '@clickhouse/client';
import { formatQueryParams } from '@clickhouse/client/dist/common/index.js';
import type { RawInsertFormat } from 'chdb';
import { messageOf } from '../../errors.ts';
import { type Lease, quoteText, type SessionPool, type SessionState } from './sessions.ts';
import { type InsertStatement, isStreamable, parseInsert, startsSelect, trailingFormat } from './statements.ts';

/** The hook through which `@clickhouse/client` takes another transport than HTTP. It is marked experimental there. */
export type ClientConnection = NonNullable<ClickHouseClientConfigOptions['connection']>;

type QueryRequest = Parameters<ClientConnection['query']>[0];
type InsertRequest = Parameters<ClientConnection['insert']>[0];
type ExecRequest = Parameters<ClientConnection['exec']>[0];
type Bytes = string | Uint8Array | Readable | AsyncIterable<Uint8Array | string>;

export interface EmbeddedOptions {
  readonly database: string;
  /** A folder for bodies that cannot be cut at a line end; emptied when the engine opens. */
  readonly scratch: string;
}

/** Bodies up to this size are one atomic insert; longer ones of line formats are written in pieces of this size. */
const INSERT_CHUNK_BYTES = 8 * 1024 * 1024;

/** Settings that belong to ClickHouse's HTTP server and that the engine itself does not know. */
const HTTP_SETTINGS = new Set([
  'wait_end_of_query',
  'buffer_size',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'http_response_buffer_size',
  'enable_http_compression',
  'http_zlib_compression_level',
  'default_format',
]);

const SUMMARY = {
  read_rows: '0',
  read_bytes: '0',
  written_rows: '0',
  written_bytes: '0',
  result_rows: '0',
  result_bytes: '0',
  total_rows_to_read: '0',
  elapsed_ns: '0',
};

/**
 * The embedded engine as a connection of `@clickhouse/client`.
 *
 * chdb ships one (`chdb/connection`), which this replaces because there, on chdb 3.4: settings of one query stay in
 * force for the next; parametrised queries run one at a time in the whole process; results and inserts are held in
 * memory whole; bytes that are not UTF-8 are altered; dates in parameters lose their milliseconds.
 *
 * As over HTTP, `wait_end_of_query` = 1 gives a result whole and its errors before the first byte; without it, results
 * in a row format stream while the reader reads.
 */
export function createEmbeddedConnection(pool: SessionPool, options: EmbeddedOptions): ClientConnection {
  const stateOf = (request: QueryRequest, database = options.database): SessionState => {
    const settings = new Map<string, string>();
    for (const [name, value] of Object.entries(request.clickhouse_settings ?? {})) {
      if (value === undefined || HTTP_SETTINGS.has(name)) continue;
      settings.set(name, value === true ? '1' : value === false ? '0' : String(value));
    }
    const params = new Map<string, string>();
    for (const [name, value] of Object.entries(request.query_params ?? {})) {
      params.set(name, formatQueryParams({ value }));
    }
    return { database, settings, params };
  };

  /** Runs `work` on a session held until the engine is done, but rejects at once when the caller gives up. */
  const withSession = async <T>(request: QueryRequest, work: (lease: Lease) => Promise<T>): Promise<T> => {
    const lease = await pool.acquire(stateOf(request), request.query, request.abort_signal).catch(rethrow);
    const changesSession = /^\s*(SET|USE)\b/i.test(request.query);
    const done = work(lease).finally(() => lease.release(changesSession));
    return withAbort(done.catch(rethrow), request.abort_signal);
  };

  const buffered = (request: QueryRequest): Promise<Uint8Array> =>
    withSession(request, async ({ session }) => {
      const format = String(request.clickhouse_settings?.default_format ?? 'TabSeparated');
      return (await session.queryAsync(request.query, { format })).bytes();
    });

  /** Formats that are one document (Parquet, Arrow, JSON ...) go through a file, so that memory stays bounded. */
  const throughFile = async (request: QueryRequest): Promise<Readable> => {
    const file = path.join(options.scratch, randomUUID());
    const found = trailingFormat(request.query);
    const query = `${found.body} INTO OUTFILE ${quoteText(file)} FORMAT ${found.format}`;
    await withSession({ ...request, query }, async ({ session }) => void (await session.queryAsync(query)));
    const stream: ReadStream = createReadStream(file);
    // An opened file can lose its name at once: it is gone when the reader is done, also after a crash.
    await new Promise((resolve, reject) => stream.once('open', resolve).once('error', reject));
    await rm(file, { force: true });
    return stream;
  };

  const streaming = async (request: QueryRequest): Promise<Readable> => {
    const lease = await pool.acquire(stateOf(request), request.query, request.abort_signal).catch(rethrow);
    const chunks = lease.session.queryStream(request.query, { format: trailingFormat(request.query).format });
    const iterator = chunks[Symbol.asyncIterator]();
    const first = iterator.next();
    // The session is free when the engine has answered the fetch in flight, whatever the reader does meanwhile.
    const finish = async (): Promise<void> => {
      await iterator.return?.().catch(() => undefined);
      lease.release(true);
    };
    try {
      const head = await withAbort(first, request.abort_signal);
      return Readable.from(
        drain(iterator, head, () => lease.release(), finish),
        { objectMode: false },
      );
    } catch (error) {
      void first.catch(() => undefined).then(finish);
      throw toClickHouseError(error);
    }
  };

  const select = async (request: QueryRequest): Promise<Readable> => {
    const { format } = trailingFormat(request.query);
    const waits = Number(request.clickhouse_settings?.wait_end_of_query ?? 0) === 1;
    if (!waits && startsSelect(request.query) && format !== '') {
      return isStreamable(format) ? streaming(request) : throughFile(request);
    }
    return readableOf(await buffered(request));
  };

  const insertChunk = async (request: QueryRequest, insert: InsertStatement, bytes: Uint8Array): Promise<void> => {
    await withSession(request, async ({ session }) => {
      const columns = insert.columns.length > 0 ? { columns: insert.columns } : {};
      await session.insert({
        table: insert.table,
        format: insert.format as RawInsertFormat,
        values: bytes,
        ...columns,
      });
    });
  };

  const insertBody = async (request: QueryRequest, body: Bytes): Promise<void> => {
    const insert = parseInsert(request.query);
    if (insert === null) return insertFromFile(request, body);
    if (typeof body === 'string') body = Buffer.from(body);
    if (body instanceof Uint8Array) {
      if (body.length > 0) await insertChunk(request, insert, body);
      return;
    }
    const iterator = chunksOf(body)[Symbol.asyncIterator]();
    if (!insert.lineDelimited) {
      const { bytes, rest } = await upTo(iterator, INSERT_CHUNK_BYTES);
      if (rest) return insertFromFile(request, prepend(bytes, iterator));
      if (bytes.length > 0) await insertChunk(request, insert, bytes);
      return;
    }
    let piece = 0;
    const token = request.clickhouse_settings?.insert_deduplication_token;
    for await (const bytes of lineChunks(iterator)) {
      const settings =
        token === undefined || piece === 0
          ? request.clickhouse_settings
          : { ...request.clickhouse_settings, insert_deduplication_token: `${token}-${piece}` };
      await insertChunk(
        { ...request, ...(settings === undefined ? {} : { clickhouse_settings: settings }) },
        insert,
        bytes,
      );
      piece += 1;
    }
  };

  /** Any statement with data after it: the data go to a file that the engine reads with its own parser. */
  const insertFromFile = async (request: QueryRequest, body: Bytes): Promise<void> => {
    const file = path.join(options.scratch, randomUUID());
    try {
      await pipeline(typeof body === 'string' || body instanceof Uint8Array ? [body] : body, createWriteStream(file));
      const found = trailingFormat(request.query);
      const target = found.body.replace(/\bVALUES\s*$/i, '');
      const format = found.format === '' ? 'Values' : found.format;
      const query = `${target} FROM INFILE ${quoteText(file)} FORMAT ${format}`;
      await withSession({ ...request, query }, async ({ session }) => void (await session.queryAsync(query)));
    } finally {
      await rm(file, { force: true });
    }
  };

  return {
    async query(request) {
      return { ...answer(request), stream: await select(request) };
    },
    async exec(request: ExecRequest) {
      if (request.values === undefined) return { ...answer(request), stream: await select(request), summary: SUMMARY };
      await insertBody(request, request.values);
      return { ...answer(request), stream: Readable.from([]), summary: SUMMARY };
    },
    async command(request) {
      await buffered(request);
      return { ...answer(request), summary: SUMMARY };
    },
    async insert(request: InsertRequest) {
      await insertBody(request, request.values);
      return { ...answer(request), summary: SUMMARY };
    },
    async ping() {
      try {
        await buffered({ query: 'SELECT 1' });
        return { success: true };
      } catch (error) {
        return { success: false, error: toClickHouseError(error) };
      }
    },
    close: () => pool.close(),
  };
}

/** Makes the scratch folder anew: what a crash left in it is of no use. */
export async function emptyScratch(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
}

function answer(request: QueryRequest): {
  query_id: string;
  response_headers: Record<string, string>;
  http_status_code: number;
} {
  return { query_id: request.query_id ?? randomUUID(), response_headers: {}, http_status_code: 200 };
}

async function* drain(
  iterator: AsyncIterator<{ raw(): Uint8Array }>,
  head: IteratorResult<{ raw(): Uint8Array }>,
  release: () => void,
  abandon: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  let finished = false;
  try {
    for (let next = head; ; next = await iterator.next()) {
      if (next.done === true) break;
      yield next.value.raw();
    }
    finished = true;
  } catch (error) {
    throw toClickHouseError(error);
  } finally {
    if (finished) release();
    else await abandon();
  }
}

function readableOf(bytes: Uint8Array): Readable {
  return Readable.from(bytes.length === 0 ? [] : [Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)], {
    objectMode: false,
  });
}

async function* chunksOf(body: Readable | AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) yield typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Uint8Array);
}

/** Reads until more than `limit` bytes have come or the source ends. */
async function upTo(iterator: AsyncIterator<Uint8Array>, limit: number): Promise<{ bytes: Buffer; rest: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (size <= limit) {
    const next = await iterator.next();
    if (next.done === true) return { bytes: Buffer.concat(chunks, size), rest: false };
    chunks.push(next.value);
    size += next.value.length;
  }
  return { bytes: Buffer.concat(chunks, size), rest: true };
}

async function* prepend(head: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
}

/** Cuts at line ends, which in line formats are row ends; a longer row makes a longer piece. */
async function* lineChunks(iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array = new Uint8Array();
  for (;;) {
    const { bytes, rest } = await upTo(iterator, INSERT_CHUNK_BYTES);
    const all = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    const end = rest ? all.lastIndexOf(10) + 1 : all.length;
    if (end > 0) yield all.subarray(0, end);
    held = all.subarray(end);
    if (!rest) return;
  }
}

/** The engine cannot be interrupted, so giving up means not waiting any longer. */
function withAbort<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

const rethrow = (error: unknown): never => {
  throw toClickHouseError(error);
};

function toClickHouseError(error: unknown): Error {
  const message = messageOf(error);
  return message.startsWith('Code: ') ? parseError(message) : error instanceof Error ? error : new Error(message);
}
