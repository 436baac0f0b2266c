import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import type { Statement } from '../embedded/engine.ts';
import { trailingFormat } from '../embedded/statements.ts';
import { ProtocolError } from './failures.ts';

/** A request as understood. */
export interface ClickHouseRequest {
  readonly statement: Statement;
  readonly queryId: string;
  readonly format: string;
  readonly contentType: string;
  /** Data of an INSERT that come after the statement; null for everything else. */
  readonly insertBody: AsyncIterable<Uint8Array> | null;
  readonly wantsGzip: boolean;
}

/** A statement in a body is held whole; data belong into a body beside `?query=`, which streams. */
const MAX_STATEMENT_BYTES = 64 * 1024 * 1024;

/** URL parameters that are neither settings nor values of placeholders. */
const NOT_SETTINGS = new Set([
  'query',
  'database',
  'user',
  'password',
  'query_id',
  'compress',
  'decompress',
  'quota_key',
]);
const NOT_OFFERED = ['session_id', 'role', 'client_protocol_version'];

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  JSONEachRow: 'application/x-ndjson; charset=UTF-8',
  JSONCompactEachRow: 'application/x-ndjson; charset=UTF-8',
  JSON: 'application/json; charset=UTF-8',
  JSONCompact: 'application/json; charset=UTF-8',
  CSV: 'text/csv; charset=UTF-8; header=absent',
  CSVWithNames: 'text/csv; charset=UTF-8; header=present',
  Parquet: 'application/octet-stream',
  Arrow: 'application/octet-stream',
  ArrowStream: 'application/octet-stream',
};

/** Takes a request apart the way ClickHouse's HTTP handler does. */
export async function readRequest(request: IncomingMessage, url: URL, signal: AbortSignal): Promise<ClickHouseRequest> {
  if (request.method !== 'POST' && request.method !== 'GET') {
    throw new ProtocolError(48, 'NOT_IMPLEMENTED', `The method ${request.method} is not supported`);
  }
  const unsupported = NOT_OFFERED.find((name) => url.searchParams.has(name));
  if (unsupported !== undefined) {
    throw new ProtocolError(
      48,
      'NOT_IMPLEMENTED',
      `The parameter ${unsupported} is not supported by holdfast analytics`,
    );
  }
  const settings = new Map<string, string>();
  const params = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (name.startsWith('param_')) params.set(name.slice('param_'.length), value);
    else if (!NOT_SETTINGS.has(name)) settings.set(name, value);
  }
  // Nothing is written while a request waits in a queue of the engine's own: 200 means durable.
  if (!settings.has('async_insert')) settings.set('async_insert', '0');
  const formatHeader = request.headers['x-clickhouse-format'];
  if (typeof formatHeader === 'string') settings.set('default_format', formatHeader);

  const body = bodyOf(request);
  const inUrl = url.searchParams.get('query');
  const carriesData = inUrl !== null && /^\s*INSERT\b/i.test(inUrl);
  const head = carriesData ? await firstChunk(body) : null;
  const sql = (inUrl === null ? await wholeText(body) : inUrl).trim().replace(/;+$/, '');
  if (sql === '') throw new ProtocolError(62, 'SYNTAX_ERROR', 'Empty query');
  const hasFormat = trailingFormat(sql).format !== '';
  const format = trailingFormat(sql).format || settings.get('default_format') || 'TabSeparated';
  return {
    statement: {
      sql,
      database: url.searchParams.get('database') ?? headerText(request, 'x-clickhouse-database') ?? 'default',
      settings,
      params,
      signal,
    },
    queryId: url.searchParams.get('query_id') ?? randomUUID(),
    format,
    contentType: CONTENT_TYPES[format] ?? 'text/tab-separated-values; charset=UTF-8',
    // `?query=INSERT ... SELECT` has no body, and an INSERT with a format and no data is nothing to do.
    insertBody: head === null || (head.done && !hasFormat) ? null : head.chunks,
    wantsGzip:
      ['1', 'true'].includes(settings.get('enable_http_compression') ?? '') &&
      /\bgzip\b/.test(headerText(request, 'accept-encoding') ?? ''),
  };
}

/** The result as the client asked to have it. */
export function responseBody(
  result: Readable,
  { wantsGzip }: ClickHouseRequest,
): { readonly stream: Readable; readonly encoding: 'gzip' | null } {
  if (!wantsGzip) return { stream: result, encoding: null };
  const gzip = createGzip({ level: 1 });
  result.once('error', (error) => gzip.destroy(error));
  gzip.once('close', () => result.destroy());
  return { stream: result.pipe(gzip), encoding: 'gzip' };
}

function bodyOf(request: IncomingMessage): Readable {
  const encoding = headerText(request, 'content-encoding') ?? 'identity';
  if (encoding === 'identity') return request;
  if (encoding !== 'gzip')
    throw new ProtocolError(48, 'NOT_IMPLEMENTED', `Content-Encoding ${encoding} is not supported`);
  const gunzip = createGunzip();
  request.once('error', (error) => gunzip.destroy(error));
  request.once('close', () => {
    if (!request.complete) gunzip.destroy(new Error('the client closed the connection'));
  });
  return request.pipe(gunzip);
}

/** Looks whether there are any data, and gives them all. */
async function firstChunk(body: Readable): Promise<{ done: boolean; chunks: AsyncIterable<Uint8Array> }> {
  const iterator: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
  const first = await iterator.next();
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let next = first; next.done !== true; next = await iterator.next()) yield next.value;
  }
  return { done: first.done === true, chunks: chunks() };
}

async function wholeText(body: Readable): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += (chunk as Uint8Array).length;
    if (size > MAX_STATEMENT_BYTES) {
      throw new ProtocolError(
        307,
        'TOO_MANY_BYTES',
        'The statement is longer than 64 MiB; send data in the body and the statement in ?query=',
      );
    }
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks, size).toString('utf8');
}

function headerText(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
