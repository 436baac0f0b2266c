import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { Logger } from '../../logger.ts';
import type { EmbeddedEngine } from '../embedded/engine.ts';
import { failureOf, type HttpFailure, ProtocolError } from './failures.ts';
import { type ClickHouseRequest, readRequest, responseBody } from './request.ts';

export interface AnalyticsServerOptions {
  readonly engine: EmbeddedEngine;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly logger: Logger;
}

export interface AnalyticsServer {
  readonly port: number;
  /** Requests being answered. */
  readonly active: number;
  /** Takes no more requests, answers those that run, then resolves. The engine stays open. */
  close(): Promise<void>;
}

/** Beyond these the answer is ClickHouse's own "too many simultaneous queries". */
const MAX_ACTIVE_REQUESTS = 500;

/**
 * Serves the embedded engine through ClickHouse's HTTP interface, as far as clients use it: `POST /` and `GET /` with the
 * statement in the body or in `?query=`, settings and `param_*` in the URL, `/ping`, gzip both ways, formats, errors. Not
 * there: sessions, roles, external tables, the native protocol.
 */
export async function serveAnalytics(options: AnalyticsServerOptions): Promise<AnalyticsServer> {
  let active = 0;
  const server: Server = createServer((request, response) => {
    active += 1;
    response.once('close', () => {
      active -= 1;
    });
    void answer(options, request, response, active).catch((error: unknown) => {
      options.logger.error({ err: error }, 'an analytics request could not be answered');
      response.destroy();
    });
  });
  // An import of gigabytes may take long; a client that sends nothing at all may not.
  server.requestTimeout = 0;
  server.headersTimeout = 30_000;
  server.keepAliveTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    get active() {
      return active;
    },
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeIdleConnections();
      }),
  };
}

async function answer(
  options: AnalyticsServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  active: number,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname === '/ping') {
    response.setHeader('content-type', 'text/plain; charset=utf-8').end('Ok.\n');
    return;
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the client closed the connection')));
  // What the client of a late error recognises it by; see ClickHouse 25.11.
  const tag = randomBytes(8).toString('hex');
  response.setHeader('x-clickhouse-server-display-name', 'holdfast');
  response.setHeader('x-clickhouse-exception-tag', tag);
  try {
    authorize(request, url, options);
    if (active > MAX_ACTIVE_REQUESTS)
      throw new ProtocolError(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', 'Too many simultaneous queries');
    if (url.pathname !== '/') throw new ProtocolError(404, 'NOT_FOUND', `There is no ${url.pathname}`);
    const asked = await readRequest(request, url, gone.signal);
    await run(options.engine, asked, response);
  } catch (error) {
    if (response.destroyed) return;
    const failure = failureOf(error);
    if (response.headersSent) fail(response, failure, tag);
    else refuse(request, response, failure);
  }
}

async function run(engine: EmbeddedEngine, asked: ClickHouseRequest, response: ServerResponse): Promise<void> {
  response.setHeader('x-clickhouse-query-id', asked.queryId);
  response.setHeader('x-clickhouse-timezone', 'UTC');
  if (asked.insertBody !== null) {
    await engine.insert(asked.statement, asked.insertBody);
    response.setHeader('x-clickhouse-summary', '{"read_rows":"0","written_rows":"0"}').end();
    return;
  }
  const result = await engine.select(asked.statement);
  response.setHeader('x-clickhouse-format', asked.format);
  response.setHeader('content-type', asked.contentType);
  const { stream, encoding } = responseBody(result, asked);
  if (encoding !== null) response.setHeader('content-encoding', encoding);
  await pipeline(stream, response, { end: false });
  response.end();
}

/** A late error: the block that ClickHouse writes at the end of a broken stream, then the connection is cut. */
function fail(response: ServerResponse, failure: HttpFailure, tag: string): void {
  const message = `${failure.text}\n`;
  const block = `\r\n__exception__\r\n${tag}\r\n${message}${Buffer.byteLength(message)} ${tag}\r\n__exception__\r\n`;
  if (response.hasHeader('content-encoding')) response.destroy();
  else response.end(block);
}

function refuse(request: IncomingMessage, response: ServerResponse, failure: HttpFailure): void {
  response.statusCode = failure.status;
  response.setHeader('x-clickhouse-exception-code', String(failure.code));
  response.setHeader('content-type', 'text/plain; charset=UTF-8');
  // The rest of a refused body is not wanted, and reading it all would only cost.
  if (!request.complete) response.setHeader('connection', 'close');
  response.end(`${failure.text}\n`);
}

/** User and password as ClickHouse takes them: basic, its own headers, or the URL. */
function authorize(request: IncomingMessage, url: URL, { user, password }: AnalyticsServerOptions): void {
  const [scheme, encoded = ''] = (request.headers.authorization ?? '').split(' ');
  const basic = scheme?.toLowerCase() === 'basic' ? Buffer.from(encoded, 'base64').toString('utf8') : null;
  const given =
    basic ??
    (request.headers['x-clickhouse-user'] === undefined
      ? `${url.searchParams.get('user') ?? ''}:${url.searchParams.get('password') ?? ''}`
      : `${request.headers['x-clickhouse-user']}:${request.headers['x-clickhouse-key'] ?? ''}`);
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  if (timingSafeEqual(digest(given), digest(`${user}:${password}`))) return;
  throw new ProtocolError(
    516,
    'AUTHENTICATION_FAILED',
    'Authentication failed: password is incorrect, or there is no user with such name',
  );
}
