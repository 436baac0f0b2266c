import type { IncomingMessage, ServerResponse } from 'node:http';
import { newId } from '../../core/ids.ts';
import { RequestRefused } from './errors.ts';

/** What a handler of a path gets beside request and response. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly url: URL;
  readonly correlationId: string;
}

/** A path of the server beside /graphql. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** The whole path, or with `/*` at its end all paths below. */
  readonly path: string;
  handle(exchange: Exchange): void | Promise<void>;
}

/** How long a caller may take to send a body that is read whole. */
const bodyTimeoutMs = 30_000;
const correlation = /^[\w.:-]{1,100}$/;

/** The caller's own correlation id when it is a sane one, else a new one. */
export function correlationOf(req: IncomingMessage): string {
  const given = req.headers['x-correlation-id'];
  return typeof given === 'string' && correlation.test(given) ? given : newId();
}

/** Sends JSON. */
export function sendJson(
  { res, correlationId }: Pick<Exchange, 'res' | 'correlationId'>,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendText({ res, correlationId }, status, JSON.stringify(body), {
    'content-type': 'application/json; charset=utf-8',
    ...headers,
  });
}

/** Sends a text whole, with its length. */
export function sendText(
  { res, correlationId }: Pick<Exchange, 'res' | 'correlationId'>,
  status: number,
  text: string | Buffer,
  headers: Readonly<Record<string, string>>,
): void {
  if (res.headersSent || res.destroyed) return;
  const length = Buffer.byteLength(text);
  res.writeHead(status, {
    'content-length': length,
    'x-correlation-id': correlationId,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    ...headers,
  });
  // A text goes out in one write together with the headers; a buffer would need two. As UTF-8 Node takes three times the
  // memory before it writes, so a text of ASCII alone, as most answers are, is said to be one.
  if (typeof text === 'string' && length === text.length) res.end(text, 'latin1');
  else res.end(text);
}

/** The refusal of a body beyond its limit. */
export const tooLarge = (maxBytes: number) =>
  new RequestRefused(413, 'REQUEST_TOO_LARGE', `The body is larger than ${maxBytes} bytes. Send less at once.`, {
    maxBytes,
  });

/** Refuses a request whose announced length is beyond the limit, before a byte of it is read. */
export function checkLength(req: IncomingMessage, maxBytes: number): void {
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

/** What is still to come of a refused body is read and dropped up to here, so that the sender gets to hear why. */
const maxDroppedBytes = 64 * 1024 * 1024;

/** Before answering a request whose body was not read: closes the connection when too much of it is still to come. */
export function leaveUnread({ req, res }: Pick<Exchange, 'req' | 'res'>): void {
  if (!(Number(req.headers['content-length'] ?? Number.NaN) <= maxDroppedBytes)) res.setHeader('connection', 'close');
}

/** Reads a body whole, bounded in size and time. */
export function readBody(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  checkLength(req, maxBytes);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const timer = setTimeout(() => {
      fail(new RequestRefused(408, 'REQUEST_TOO_SLOW', `The body did not arrive within ${bodyTimeoutMs / 1000} s.`));
    }, bodyTimeoutMs);
    const done = () => {
      clearTimeout(timer);
      req.off('data', onData).off('end', onEnd).off('error', fail).off('aborted', onAborted);
    };
    const fail = (error: Error) => {
      done();
      reject(error);
    };
    const onAborted = () => fail(new RequestRefused(400, 'REQUEST_ABORTED', 'The caller went away.'));
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) fail(tooLarge(maxBytes));
      else chunks.push(chunk);
    };
    const onEnd = () => {
      done();
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes));
    };
    req.on('data', onData).on('end', onEnd).on('error', fail).on('aborted', onAborted);
  });
}
