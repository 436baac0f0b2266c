import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { WebSocketServer } from 'ws';
import type { Principal } from '../../core/access/index.ts';
import type { Queryable } from '../../core/database/index.ts';
import { decodeCursor, type EventRegistry, type Tail } from '../../core/events/index.ts';
import type { Logger } from '../../core/logger.ts';
import type { Metrics } from '../../core/metrics.ts';
import { createHub } from './hub.ts';
import { createStreamReader } from './operation.ts';
import { openSse, type SseStream } from './sse.ts';
import type { Client, Sink, Subscription } from './subscription.ts';
import { DEFAULT_LIMITS, type OperationRequest, type SubscriptionHost, type SubscriptionLimits } from './types.ts';
import { type Connection, openConnection } from './websocket.ts';

export interface SubscriptionServerOptions {
  readonly host: SubscriptionHost;
  readonly database: Queryable;
  readonly registry: EventRegistry;
  /** Must have been started. */
  readonly tail: Tail;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits?: Partial<SubscriptionLimits>;
}

/** Serves subscriptions over SSE and WebSocket, from one tail, executed once for all who ask alike. */
export interface SubscriptionServer {
  /**
   * Answers a request that accepts `text/event-stream` (GraphQL over SSE, distinct connections mode). Refusals are told
   * in the stream, as the protocol wants it; who is at the door was checked before.
   */
  handleSse(
    request: IncomingMessage,
    response: ServerResponse,
    principal: Principal,
    operation: OperationRequest,
  ): Promise<void>;
  /** Takes over an HTTP upgrade to a WebSocket that speaks `graphql-transport-ws`. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Subscriptions open in this process. */
  readonly size: number;
  /** Tells every subscriber its cursor and to come back, and closes. New ones are refused. */
  stop(): Promise<void>;
}

/** Proxies and clients give up on silent lines, often after 30 or 60 s. */
const HEARTBEAT_MS = 12_000;
/** How soon the stream of a key ends that was revoked or has expired. */
const KEY_CHECK_MS = 1_000;
/** A subscription is a document and its variables. */
const MAX_MESSAGE_BYTES = 256 * 1_024;
const STOP_MS = 3_000;

export function createSubscriptionServer(options: SubscriptionServerOptions): SubscriptionServer {
  const { host, logger } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const hub = createHub({ ...options, limits });
  const readStream = createStreamReader(host.schema);
  const streams = new Set<SseStream>();
  const connections = new Set<Connection>();
  const sockets = new Set<Duplex>();
  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: (protocols) =>
      protocols.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) ? GRAPHQL_TRANSPORT_WS_PROTOCOL : false,
  });

  const heartbeat = setInterval(() => {
    for (const stream of streams) stream.heartbeat();
    for (const connection of connections) connection.heartbeat();
  }, HEARTBEAT_MS);
  let checking = false;
  const keyCheck = setInterval(() => {
    if (checking) return;
    checking = true;
    hub
      .checkKeys()
      .catch((error) => logger.warn({ err: error }, 'keys could not be checked'))
      .finally(() => {
        checking = false;
      });
  }, KEY_CHECK_MS);
  heartbeat.unref();
  keyCheck.unref();

  const track = (socket: Duplex) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };

  const run = async (
    client: Client,
    operation: OperationRequest,
    sink: Sink,
    resumeAt?: string,
  ): Promise<Subscription | { readonly result: object }> => {
    const admitted = await host.admit(client.principal, operation);
    if (admitted.kind !== 'subscription') return { result: await host.execute(client.principal, operation) };
    const stream = readStream(admitted);
    const after = stream.after ?? (resumeAt === undefined ? null : decodeCursor(resumeAt));
    return hub.subscribe({ ...stream, after }, client, sink);
  };

  return {
    async handleSse(request, response, principal, operation) {
      const stream = openSse(response, host.showErrors);
      streams.add(stream);
      if (request.socket !== null) track(request.socket);
      let subscription: Subscription | undefined;
      let gone = false;
      response.once('close', () => {
        gone = true;
        streams.delete(stream);
        subscription?.end(null);
      });
      try {
        const client = { principal, authorization: request.headers.authorization };
        const resumeAt = request.headers['last-event-id'];
        const started = await run(client, operation, stream.sink, typeof resumeAt === 'string' ? resumeAt : undefined);
        if ('result' in started) stream.finish(started.result);
        else {
          subscription = started;
          if (gone) subscription.end(null);
        }
      } catch (error) {
        stream.finish({ errors: host.showErrors(error) });
      }
    },
    handleUpgrade(request, socket, head) {
      const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
      if (!offered.includes(GRAPHQL_TRANSPORT_WS_PROTOCOL)) {
        const body = `Speak the subprotocol ${GRAPHQL_TRANSPORT_WS_PROTOCOL}.`;
        socket.end(
          `HTTP/1.1 400 ${STATUS_CODES[400]}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
        return;
      }
      track(socket);
      webSockets.handleUpgrade(request, socket, head, (ws) => {
        const connection = openConnection(ws, socket, request, {
          authenticate: host.authenticate,
          run,
          showErrors: host.showErrors,
          maxSubscriptions: limits.perConnection,
        });
        connections.add(connection);
        ws.once('close', () => connections.delete(connection));
      });
    },
    get size() {
      return hub.size;
    },
    async stop() {
      clearInterval(heartbeat);
      clearInterval(keyCheck);
      hub.stop();
      for (const connection of connections) connection.goAway();
      await Promise.race([closed(sockets), new Promise((resolve) => setTimeout(resolve, STOP_MS).unref())]);
      for (const socket of sockets) socket.destroy();
      webSockets.close();
    },
  };
}

const closed = (sockets: ReadonlySet<Duplex>): Promise<unknown> =>
  Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
