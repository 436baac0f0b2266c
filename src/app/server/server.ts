import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { GraphQLSchema } from 'graphql';
import type { Config } from '../../config.ts';
import type { Authenticator } from '../../core/access/index.ts';
import type { Clock } from '../../core/clock.ts';
import { ConfigurationError, messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { Metrics } from '../../core/metrics.ts';
import { createBudget } from './budget.ts';
import { createDocuments } from './documents.ts';
import { createGate, type Gate } from './gate.ts';
import { createGraphiql, type ExampleQuery } from './graphiql.ts';
import { createGraphqlHandler, sendNotFound } from './graphql.ts';
import { healthRoutes, type ReadinessCheck } from './health.ts';
import { correlationOf, type Exchange, type Route, sendJson } from './http.ts';
import { createServerMetrics } from './metrics.ts';
import type { MakeSubscriptionServer } from './subscription-server.ts';
import { uploadRoute } from './uploads.ts';

export interface ServerOptions {
  readonly config: Config;
  readonly schema: GraphQLSchema;
  readonly authenticator: Authenticator;
  readonly subscriptions: MakeSubscriptionServer;
  readonly checks: readonly ReadinessCheck[];
  /** Pages and endpoints beside the API. */
  readonly routes?: (gate: Gate) => readonly Route[];
  readonly examples?: readonly ExampleQuery[];
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/** The API as it listens. */
export interface RunningServer {
  readonly url: string;
  readonly port: number;
  readonly gate: Gate;
  /** Takes no more requests, lets those that run finish, and cuts off what is left after `graceMs`. */
  close(graceMs?: number): Promise<void>;
}

/** Headers must arrive within this: a caller that drips them is cut off (slow loris). */
const headersTimeoutMs = 5_000;
/** Longer than the usual 60 s of load balancers, so that they close idle connections and not we in the middle of a request. */
const keepAliveTimeoutMs = 65_000;
const checkingIntervalMs = 1_000;
const defaultGraceMs = 8_000;
const slowMs = 1_000;
const idleSweepMs = 50;

const httpOptions = {
  headersTimeout: headersTimeoutMs,
  // Bodies have their own bounds: 30 s where they are read whole, silence where they are streamed.
  requestTimeout: 0,
  keepAliveTimeout: keepAliveTimeoutMs,
  connectionsCheckingInterval: checkingIntervalMs,
  maxHeaderSize: 16_384,
};

function createServer(config: Config): { readonly server: Server; readonly protocol: 'http' | 'https' } {
  const { tlsCertificate, tlsKey } = config;
  if (tlsCertificate === null && tlsKey === null) return { server: createHttpServer(httpOptions), protocol: 'http' };
  if (tlsCertificate === null || tlsKey === null) {
    throw new ConfigurationError('HOLDFAST_TLS_CERTIFICATE and HOLDFAST_TLS_KEY go together; one of them is missing.');
  }
  try {
    const tls = { cert: readFileSync(tlsCertificate), key: readFileSync(tlsKey), minVersion: 'TLSv1.3' as const };
    return { server: createHttpsServer({ ...httpOptions, ...tls }), protocol: 'https' };
  } catch (error) {
    throw new ConfigurationError(`The TLS certificate or key cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

/** @throws ConfigurationError when the port cannot be had */
function listen(server: Server, { port, host }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error) =>
      reject(
        new ConfigurationError(
          `Port ${port} of ${host} cannot be listened on (${messageOf(error)}). Name another in PORT or HOLDFAST_HOST.`,
          { cause: error },
        ),
      );
    server.once('error', onError);
    server.listen(port, host, () => {
      server.off('error', onError);
      resolve();
    });
  });
}

/** Headers that let pages of the given origins call the API; null when the origin is none of them. */
function corsHeaders(origins: readonly string[], req: IncomingMessage): Record<string, string> | null {
  const { origin } = req.headers;
  if (origin === undefined || !(origins.includes(origin) || origins.includes('*'))) return null;
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers':
      'authorization, content-type, accept, x-correlation-id, x-holdfast-statements, last-event-id',
    'access-control-expose-headers': 'x-correlation-id, retry-after',
    'access-control-max-age': '600',
    vary: 'origin',
  };
}

const acceptsHtml = (req: IncomingMessage): boolean => req.headers.accept?.includes('text/html') ?? false;

/** Starts the API. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, schema, logger, clock } = options;
  const nowMs = () => clock.now().getTime();
  const { server, protocol } = createServer(config);
  const metrics = createServerMetrics(options.metrics, () => gate.running);
  const gate: Gate = createGate({
    schema,
    documents: createDocuments(schema, config),
    authenticator: options.authenticator,
    budget: createBudget(config.costPerMinute, nowMs),
    maxCost: config.maxCost,
    maxConcurrent: config.maxConcurrent,
    introspection: config.introspection,
    logger,
    metrics,
  });
  const subscriptions = options.subscriptions(gate);
  const graphql = createGraphqlHandler({
    gate,
    subscriptions,
    metrics,
    maxRequestBytes: config.maxRequestBytes,
    maxBatch: config.maxBatch,
  });
  const graphiql = createGraphiql(options.examples ?? []);
  let stopping = false;
  const routes: readonly Route[] = [
    ...healthRoutes({ checks: options.checks, metrics: options.metrics, stopping: () => stopping, nowMs }),
    await uploadRoute({ gate, dataFolder: config.dataFolder, maxBytes: config.maxUploadBytes }),
    ...(options.routes?.(gate) ?? []),
  ];

  const find = (method: string | undefined, path: string): Route | undefined =>
    routes.find(
      (route) =>
        route.method === method &&
        (route.path.endsWith('/*') ? path.startsWith(route.path.slice(0, -1)) : route.path === path),
    );

  const handle = (exchange: Exchange): void | Promise<void> => {
    const { req, url } = exchange;
    if (url.pathname === '/graphql') {
      return req.method === 'GET' && acceptsHtml(req) ? graphiql(exchange) : graphql(exchange);
    }
    const route = find(req.method, url.pathname);
    return route === undefined ? sendNotFound(exchange) : route.handle(exchange);
  };

  const onRequest = (req: IncomingMessage, res: ServerResponse): void => {
    const correlationId = correlationOf(req);
    const startedAt = performance.now();
    const cors = corsHeaders(config.corsOrigins, req);
    if (cors !== null) for (const [name, content] of Object.entries(cors)) res.setHeader(name, content);
    if (req.method === 'OPTIONS' && cors !== null) {
      res.writeHead(204).end();
      return;
    }
    if (stopping) res.setHeader('connection', 'close');
    const raw = req.url ?? '/';
    // A request line may hold anything; what is no path is not found.
    const url = URL.parse(raw, 'http://localhost') ?? new URL('http://localhost/');
    const exchange: Exchange = { req, res, url, correlationId };
    res.on('close', () => {
      const durationMs = Math.round(performance.now() - startedAt);
      const streamed = res.getHeader('content-type')?.toString().startsWith('text/event-stream') ?? false;
      const level = durationMs >= slowMs && !streamed ? 'info' : 'debug';
      logger[level](
        { method: req.method, path: url.pathname, status: res.statusCode, durationMs, correlationId },
        'request',
      );
    });
    Promise.resolve()
      .then(() => handle(exchange))
      .catch((error: unknown) => {
        logger.error({ err: error, correlationId }, 'a request failed unexpectedly');
        if (!res.headersSent) sendJson(exchange, 500, gate.refuse(error, correlationId, null));
        else res.destroy();
      });
  };

  // Clients open connections ahead of need, and Node does not count those as idle.
  const unasked = new Set<Duplex>();
  server.on(protocol === 'https' ? 'secureConnection' : 'connection', (socket: Duplex) => {
    unasked.add(socket);
    socket.once('close', () => unasked.delete(socket));
  });
  server.on('request', (req: IncomingMessage, res: ServerResponse) => {
    unasked.delete(req.socket);
    onRequest(req, res);
  });
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    unasked.delete(req.socket);
    if (stopping || URL.parse(req.url ?? '/', 'http://localhost')?.pathname !== '/graphql') {
      socket.end(`HTTP/1.1 ${stopping ? '503 Service Unavailable' : '404 Not Found'}\r\nconnection: close\r\n\r\n`);
      return;
    }
    subscriptions.handleUpgrade(req, socket, head);
  });
  try {
    await listen(server, config);
  } catch (error) {
    await subscriptions.close();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;

  return {
    url: `${protocol}://${host}:${port}`,
    port,
    gate,
    async close(graceMs = defaultGraceMs) {
      if (stopping) return;
      stopping = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // A kept-alive connection is idle only once its last answer is out, hence more than one look.
      const sweep = setInterval(() => {
        server.closeIdleConnections();
        for (const socket of unasked) socket.destroy();
      }, idleSweepMs);
      const cut = setTimeout(() => server.closeAllConnections(), graceMs);
      await subscriptions.close();
      await closed;
      clearInterval(sweep);
      clearTimeout(cut);
    },
  };
}
