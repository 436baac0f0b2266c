import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseError } from '@clickhouse/client';
import type { RawInsertFormat } from 'chdb';
import { messageOf } from '../../errors.ts';
import { quoteText } from '../sql.ts';
import { type ByteInput, chunksOf, lineChunks, prepend, upTo } from './bytes.ts';
import { type Lease, openSessions, type Purpose, type SessionPool } from './sessions.ts';
import { type InsertStatement, isStreamable, parseInsert, startsSelect, trailingFormat } from './statements.ts';

/** One statement with all that ClickHouse's HTTP interface would know of it. */
export interface Statement {
  readonly sql: string;
  readonly database: string;
  readonly settings: ReadonlyMap<string, string>;
  /** Values of `{name:Type}` placeholders, written as in `param_name` of a URL. */
  readonly params: ReadonlyMap<string, string>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * ClickHouse in this process, with the manners of its HTTP interface. chdb ships a connection for `@clickhouse/client`
 * (`chdb/connection`), which this replaces because there, on chdb 3.4: settings of one query stay in force for the next;
 * parametrised queries run one at a time in the whole process; results and inserts are held in memory whole; bytes that
 * are not UTF-8 are altered; dates in parameters lose their milliseconds.
 *
 * Errors are `ClickHouseError`s. An abort rejects at once, while the engine runs the statement to its end.
 */
export interface EmbeddedEngine {
  readonly folder: string;
  /**
   * A result as bytes. With the setting `wait_end_of_query` = 1 it is complete, and its errors come before the first byte;
   * without, row formats stream at the reader's pace, and the others go through a file.
   */
  select(statement: Statement): Promise<Readable>;
  /** Writes the body of an INSERT; durable when resolved. Up to 16 MiB are one atomic block. */
  insert(statement: Statement, body: ByteInput): Promise<void>;
  /** Runs to the end and gives the result whole. */
  execute(statement: Statement): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Bodies up to this size are one atomic insert; longer ones of line formats are written in pieces of this size. */
const INSERT_CHUNK_BYTES = 16 * 1024 * 1024;

/**
 * Data up to this size go into the engine with the statement. More go through a file, because the engine scans a statement
 * several times with all that follows it: 108 MB in 8 MB pieces took 1.9 s of processor time that way, 0.5 s from files.
 */
const INLINE_BYTES = 256 * 1024;

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

/**
 * Opens the engine on a folder, which it makes if need be.
 * @param concurrency how many statements run at once
 * @throws EmbeddedEngineMissing, AnalyticsFolderInUse
 */
export async function openEmbeddedEngine(folder: string, concurrency: number): Promise<EmbeddedEngine> {
  const absolute = path.resolve(folder);
  const pool = await openSessions(absolute, concurrency);
  // What a crash left in it is of no use to anyone.
  const scratch = path.join(absolute, 'holdfast-scratch');
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  return createEngine(absolute, pool, scratch);
}

function createEngine(folder: string, pool: SessionPool, scratch: string): EmbeddedEngine {
  const acquire = (purpose: Purpose, statement: Statement): Promise<Lease> =>
    pool.acquire(purpose, forSession(statement), statement.sql, statement.signal).catch(rethrow);

  /** Runs `work` on a session held until the engine is done, but rejects at once when the caller gives up. */
  const withSession = async <T>(statement: Statement, work: (lease: Lease) => Promise<T>): Promise<T> => {
    const lease = await acquire('statement', statement);
    const changesSession = /^\s*(SET|USE)\b/i.test(statement.sql);
    const done = work(lease).finally(() => lease.release(changesSession));
    return withAbort(done.catch(rethrow), statement.signal);
  };

  const execute = (statement: Statement): Promise<Uint8Array> =>
    withSession(statement, async ({ session }) => {
      const format = statement.settings.get('default_format') ?? 'TabSeparated';
      return (await session.queryAsync(statement.sql, { format })).bytes();
    });

  /** Formats that are one document (Parquet, Arrow, JSON ...) go through a file, so that memory stays bounded. */
  const throughFile = async (statement: Statement, format: string): Promise<Readable> => {
    const file = path.join(scratch, randomUUID());
    const { body } = trailingFormat(statement.sql);
    await execute({ ...statement, sql: `${body} INTO OUTFILE ${quoteText(file)} FORMAT ${format}` });
    const stream = createReadStream(file);
    // An opened file can lose its name at once: it is gone when the reader is done, also after a crash.
    await new Promise((resolve, reject) => stream.once('open', resolve).once('error', reject));
    await rm(file, { force: true });
    return stream;
  };

  const streaming = async (statement: Statement, format: string): Promise<Readable> => {
    const lease = await acquire('stream', statement);
    const chunks = chunksFrom(lease, statement.sql, format);
    const first = chunks.next();
    try {
      const head = await withAbort(first, statement.signal);
      return Readable.from(withHead(head, chunks), { objectMode: false });
    } catch (error) {
      void first.catch(() => undefined).then(() => chunks.return(undefined));
      throw error;
    }
  };

  const insertInline = (statement: Statement, insert: InsertStatement, bytes: Uint8Array): Promise<void> =>
    withSession(statement, async ({ session }) => {
      const columns = insert.columns.length > 0 ? { columns: insert.columns } : {};
      await session.insert({
        table: insert.table,
        format: insert.format as RawInsertFormat,
        values: bytes,
        ...columns,
      });
    });

  /** Any format and any form of INSERT: the data go to a file that the engine reads with its own parser. */
  const insertFromFile = async (
    statement: Statement,
    body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> => {
    const file = path.join(scratch, randomUUID());
    try {
      await pipeline(body, createWriteStream(file));
      const found = trailingFormat(statement.sql);
      const target = found.body.replace(/\bVALUES\s*$/i, '');
      const format = found.format === '' ? 'Values' : found.format;
      await execute({ ...statement, sql: `${target} FROM INFILE ${quoteText(file)} FORMAT ${format}` });
    } finally {
      await rm(file, { force: true });
    }
  };

  return {
    folder,
    execute,
    async select(statement) {
      const format = trailingFormat(statement.sql).format || statement.settings.get('default_format') || 'TabSeparated';
      if (statement.settings.get('wait_end_of_query') === '1' || !startsSelect(statement.sql)) {
        return readableOf(await execute(statement));
      }
      return isStreamable(format) ? streaming(statement, format) : throughFile(statement, format);
    },
    async insert(statement, body) {
      const iterator = chunksOf(body)[Symbol.asyncIterator]();
      const { bytes, rest } = await upTo(iterator, INSERT_CHUNK_BYTES);
      if (bytes.length === 0) return;
      const insert = parseInsert(statement.sql);
      if (!rest) {
        if (insert !== null && bytes.length <= INLINE_BYTES) return insertInline(statement, insert, bytes);
        return insertFromFile(statement, [bytes]);
      }
      if (insert?.lineDelimited !== true) return insertFromFile(statement, prepend(bytes, iterator));
      const token = statement.settings.get('insert_deduplication_token');
      let piece = 0;
      for await (const lines of lineChunks(prepend(bytes, iterator), INSERT_CHUNK_BYTES)) {
        const settings = new Map(statement.settings);
        if (token !== undefined) settings.set('insert_deduplication_token', `${token}-${piece}`);
        await insertFromFile({ ...statement, settings }, [lines]);
        piece += 1;
      }
    },
    close: () => pool.close(),
  };
}

/** The blocks of a streaming result; the session goes back when the engine is done with it, however the reader ends. */
async function* chunksFrom(
  lease: Lease,
  sql: string,
  format: string,
): AsyncGenerator<Uint8Array, undefined, undefined> {
  let finished = false;
  try {
    for await (const chunk of lease.session.queryStream(sql, { format })) yield chunk.raw();
    finished = true;
    return undefined;
  } catch (error) {
    throw toClickHouseError(error);
  } finally {
    lease.release(!finished);
  }
}

async function* withHead(
  head: IteratorResult<Uint8Array, undefined>,
  rest: AsyncGenerator<Uint8Array, undefined, undefined>,
): AsyncGenerator<Uint8Array> {
  try {
    for (let next = head; next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return(undefined);
  }
}

/** Where `clickhouse local`, from which chdb is made, differs from a server. */
const AS_ON_A_SERVER: readonly (readonly [string, string])[] = [['implicit_select', '0']];

function forSession({ database, settings, params }: Statement): Pick<Statement, 'database' | 'settings' | 'params'> {
  const known = [...settings].filter(([name]) => !HTTP_SETTINGS.has(name));
  return { database, params, settings: new Map([...AS_ON_A_SERVER, ...known]) };
}

function readableOf(bytes: Uint8Array): Readable {
  const chunks = bytes.length === 0 ? [] : [Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)];
  return Readable.from(chunks, { objectMode: false });
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

/** chdb's errors in the client's form: the same code, type and message as over HTTP. */
export function toClickHouseError(error: unknown): Error {
  const message = messageOf(error);
  if (message.startsWith('Code: ')) return parseError(message);
  return error instanceof Error ? error : new Error(message);
}
