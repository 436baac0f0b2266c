import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { allows, type Principal } from '../../core/access/index.ts';
import { RequestRefused, retryAfterOf, statusOf } from './errors.ts';
import type { Admitted, Answer, Gate } from './gate.ts';
import { type Exchange, leaveUnread, readBody, sendJson, sendText } from './http.ts';
import type { ServerMetrics } from './metrics.ts';
import type { SubscriptionServer } from './subscription-server.ts';

export interface GraphqlHandlerOptions {
  readonly gate: Gate;
  readonly subscriptions: SubscriptionServer;
  readonly metrics: ServerMetrics;
  readonly maxRequestBytes: number;
  readonly maxBatch: number;
}

const eventStream = 'text/event-stream';

const accepts = (req: IncomingMessage, type: string): boolean => req.headers.accept?.includes(type) ?? false;

/** Null characters and prototype keys are rare, so only a text in which they could be is looked at closely. */
const mayBeUnclean = (text: string): boolean =>
  text.includes('\\u0') ||
  text.includes('\\u{') ||
  text.includes('__proto__') ||
  text.includes('"constructor"') ||
  text.includes('"prototype"');

function readJson(req: IncomingMessage, body: Buffer): { readonly params: unknown; readonly unclean: boolean } {
  const type = req.headers['content-type'] ?? '';
  if (!/^application\/json\s*(?:;|$)/i.test(type)) {
    throw new RequestRefused(415, 'REQUEST_CONTENT_TYPE', 'Send the request as "content-type: application/json".');
  }
  if (req.headers['content-encoding'] !== undefined) {
    throw new RequestRefused(415, 'REQUEST_CONTENT_ENCODING', 'Send the body as it is, without a content encoding.');
  }
  if (!isUtf8(body)) throw new RequestRefused(400, 'REQUEST_MALFORMED', 'The body is not UTF-8.');
  const text = body.toString('utf8');
  try {
    return { params: JSON.parse(text), unclean: mayBeUnclean(text) };
  } catch (error) {
    throw new RequestRefused(400, 'REQUEST_MALFORMED', `The body is not JSON: ${(error as Error).message}`);
  }
}

/** An EventSource can only GET: its request stands in the URL. */
function readUrl(url: URL): { readonly params: unknown; readonly unclean: boolean } {
  const variables = url.searchParams.get('variables');
  try {
    const params = {
      query: url.searchParams.get('query'),
      operationName: url.searchParams.get('operationName'),
      variables: variables === null ? {} : JSON.parse(variables),
    };
    return { params, unclean: true };
  } catch {
    throw new RequestRefused(400, 'REQUEST_MALFORMED', '"variables" is not JSON.');
  }
}

/** Answers /graphql: queries and mutations as JSON, alone or in a batch; subscriptions through the subscription server. */
export function createGraphqlHandler(options: GraphqlHandlerOptions) {
  const { gate, subscriptions, metrics, maxRequestBytes, maxBatch } = options;

  const send = (exchange: Exchange, status: number, answer: Answer | Answer[], retryAfter: number | null) => {
    const type = accepts(exchange.req, 'application/graphql-response+json')
      ? 'application/graphql-response+json'
      : 'application/json';
    sendText(exchange, status, JSON.stringify(answer), {
      'content-type': `${type}; charset=utf-8`,
      ...(retryAfter === null ? {} : { 'retry-after': String(retryAfter) }),
    });
  };

  const refuse = (exchange: Exchange, error: unknown, principal: Principal | null): void => {
    const status = statusOf(error);
    const answer = gate.refuse(error, exchange.correlationId, principal);
    metrics.refused.inc({ reason: String(answer.errors?.[0]?.extensions.code ?? 'unknown') });
    if (!exchange.req.complete) leaveUnread(exchange);
    if (status === 408) exchange.res.setHeader('connection', 'close');
    if (status === 401) exchange.res.setHeader('www-authenticate', 'Bearer');
    send(exchange, status, answer, retryAfterOf(error));
  };

  const statusOfAnswer = (answer: Answer): number => {
    if (answer.data !== undefined || answer.errors === undefined) return 200;
    const code = answer.errors[0]?.extensions.code;
    return code === 'CORE_OVERLOADED' ? 503 : code === 'INTERNAL' ? 500 : 400;
  };

  const stream = (exchange: Exchange, admitted: Admitted): void | Promise<void> => {
    if (!accepts(exchange.req, eventStream)) {
      throw new RequestRefused(
        406,
        'REQUEST_NEEDS_STREAM',
        `A subscription is answered as a stream: send "accept: ${eventStream}" or use a WebSocket.`,
      );
    }
    exchange.res.setHeader('x-correlation-id', exchange.correlationId);
    return subscriptions.handleSse(exchange.req, exchange.res, admitted);
  };

  const batch = async (
    exchange: Exchange,
    all: readonly unknown[],
    principal: Principal,
    unclean: boolean,
    tell: boolean,
  ) => {
    if (all.length === 0 || all.length > maxBatch) {
      throw new RequestRefused(
        400,
        'REQUEST_BATCH_SIZE',
        `A batch holds 1 to ${maxBatch} operations; this one holds ${all.length}.`,
        { max: maxBatch },
      );
    }
    const answers = await Promise.all(
      all.map(async (one) => {
        try {
          const admitted = gate.admit(one, principal, exchange.correlationId, unclean);
          if (admitted.operation.kind === 'subscription') {
            throw new RequestRefused(400, 'REQUEST_NEEDS_STREAM', 'A subscription cannot be part of a batch.');
          }
          return await gate.run(admitted, { tellStatements: tell });
        } catch (error) {
          return gate.refuse(error, exchange.correlationId, principal);
        }
      }),
    );
    send(exchange, 200, answers, null);
  };

  return async (exchange: Exchange): Promise<void> => {
    const { req, url, correlationId } = exchange;
    let principal: Principal | null = null;
    try {
      const streamed = req.method === 'GET' && accepts(req, eventStream);
      if (req.method !== 'POST' && !streamed) {
        exchange.res.setHeader('allow', 'POST');
        throw new RequestRefused(405, 'REQUEST_METHOD', 'Send operations by POST.');
      }
      const authenticated = gate.authenticate(req.headers.authorization);
      principal = authenticated instanceof Promise ? await authenticated : authenticated;
      const { params, unclean } = streamed ? readUrl(url) : readJson(req, await readBody(req, maxRequestBytes));
      const tell = req.headers['x-holdfast-statements'] !== undefined && allows(principal, 'operations:read');
      if (Array.isArray(params)) return await batch(exchange, params, principal, unclean, tell);
      const admitted = gate.admit(params, principal, correlationId, unclean);
      if (admitted.operation.kind === 'subscription') return await stream(exchange, admitted);
      const answer = await gate.run(admitted, { tellStatements: tell });
      if (accepts(req, eventStream) && !accepts(req, 'application/json')) return sendAsStream(exchange, answer);
      const status = statusOfAnswer(answer);
      send(exchange, status, answer, status === 503 ? 1 : null);
    } catch (error) {
      refuse(exchange, error, principal);
    }
  };
}

/** A client that speaks SSE for everything gets a query's one answer as a stream of one. */
function sendAsStream(exchange: Exchange, answer: Answer): void {
  const body = `event: next\ndata: ${JSON.stringify(answer)}\n\nevent: complete\ndata:\n\n`;
  sendText(exchange, 200, body, { 'content-type': `${eventStream}; charset=utf-8` });
}

/** The answer to a path or method that does not exist. */
export function sendNotFound(exchange: Exchange): void {
  sendJson(exchange, 404, {
    errors: [
      {
        message: `There is nothing at ${exchange.req.method} ${exchange.url.pathname}. The API is at POST /graphql.`,
        extensions: { code: 'REQUEST_NOT_FOUND' },
      },
    ],
  });
}
