import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { GraphQLFormattedError } from 'graphql';
import { CloseCode, MessageType, parseMessage, type SubscribeMessage, stringifyMessage } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { type Principal, Unauthenticated } from '../../core/access/index.ts';
import type { DomainError } from '../../core/errors.ts';
import { TooManySubscriptions } from './errors.ts';
import { renderedBatch, websocketHead } from './frames.ts';
import { whenDrained } from './sockets.ts';
import type { Client, Sink, Subscription } from './subscription.ts';
import type { OperationRequest } from './types.ts';

/** What a connection asks of the server. */
export interface ConnectionHost {
  authenticate(authorization: string | undefined): Principal | Promise<Principal>;
  /** Starts a subscription, or answers a query or mutation. */
  run(client: Client, request: OperationRequest, sink: Sink): Promise<Subscription | { readonly result: object }>;
  showErrors(error: unknown): readonly GraphQLFormattedError[];
  readonly maxSubscriptions: number;
}

/** A WebSocket that speaks `graphql-transport-ws`. */
export interface Connection {
  /** Sends a ping; closes the connection if several were not answered. */
  heartbeat(): void;
  /** The server goes: the client should come back. */
  goAway(): void;
}

const INIT_TIMEOUT_MS = 10_000;
/** A busy machine may be late with one. */
const MAX_UNANSWERED_PINGS = 2;
const GOING_AWAY = 1001;
const TRY_AGAIN_LATER = 1013;
const MAX_CLOSE_REASON_BYTES = 123;

/** Why the last subscription of a connection ended decides what happens to the connection. */
const CLOSES: Readonly<Record<string, number>> = {
  SUBSCRIBER_TOO_SLOW: TRY_AGAIN_LATER,
  ACCESS_KEY_EXPIRED: CloseCode.Unauthorized,
  ACCESS_KEY_REVOKED: CloseCode.Unauthorized,
  SERVER_STOPPING: GOING_AWAY,
};

export function openConnection(
  ws: WebSocket,
  socket: Duplex,
  request: IncomingMessage,
  host: ConnectionHost,
): Connection {
  /** Operations by their id; null while one is being started. */
  const operations = new Map<string, Subscription | null>();
  let client: Client | undefined;
  let initialising = false;
  let unanswered = 0;

  const close = (code: number, reason: string) =>
    ws.close(code, Buffer.from(reason).subarray(0, MAX_CLOSE_REASON_BYTES).toString());
  const send = (message: Parameters<typeof stringifyMessage>[0]) => {
    if (ws.readyState === ws.OPEN) ws.send(stringifyMessage(message));
  };
  const sendErrors = (id: string, errors: readonly GraphQLFormattedError[]) =>
    send({ id, type: MessageType.Error, payload: errors });

  const initTimer = setTimeout(() => {
    if (client === undefined) close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout');
  }, INIT_TIMEOUT_MS);

  const initialise = async (payload: Readonly<Record<string, unknown>> | undefined) => {
    if (initialising) {
      close(CloseCode.TooManyInitialisationRequests, 'Too many initialisation requests');
      return;
    }
    initialising = true;
    const named = payload?.authorization ?? payload?.Authorization ?? request.headers.authorization;
    const authorization = typeof named === 'string' ? named : undefined;
    try {
      client = { principal: await host.authenticate(authorization), authorization };
    } catch (error) {
      const [shown] = host.showErrors(error);
      close(
        error instanceof Unauthenticated ? CloseCode.Unauthorized : CloseCode.InternalServerError,
        `Unauthorized: ${shown?.message}`,
      );
      return;
    } finally {
      clearTimeout(initTimer);
    }
    send({ type: MessageType.ConnectionAck });
  };

  const sinkOf = (id: string): Sink => {
    const head = websocketHead(id);
    return {
      transport: 'websocket',
      bufferedBytes: () => socket.writableLength,
      // Straight to the socket: the frames share their payload with other subscribers. Nothing else of ours can stand
      // in between, since messages are neither compressed nor fragmented.
      write: (batch, from) => {
        if (ws.readyState !== ws.OPEN) return;
        socket.write((from === 0 ? batch : renderedBatch(batch.events.slice(from))).websocket(head));
      },
      drained: () => whenDrained(socket),
      end: (reason: DomainError | null) => {
        operations.delete(id);
        if (reason === null) {
          send({ id, type: MessageType.Complete });
          return;
        }
        sendErrors(id, host.showErrors(reason));
        const code = CLOSES[reason.code];
        if (code !== undefined && operations.size === 0) close(code, reason.code);
      },
    };
  };

  const subscribe = async (who: Client, { id, payload }: SubscribeMessage) => {
    if (operations.has(id)) {
      close(CloseCode.SubscriberAlreadyExists, `Subscriber for ${id} already exists`);
      return;
    }
    if (operations.size >= host.maxSubscriptions) {
      sendErrors(id, host.showErrors(new TooManySubscriptions('connection', host.maxSubscriptions)));
      return;
    }
    operations.set(id, null);
    try {
      const started = await host.run(who, payload, sinkOf(id));
      if ('sink' in started) {
        // The client may have completed it, or gone, while it was being started.
        if (operations.has(id) && ws.readyState === ws.OPEN) {
          if (!started.ended) operations.set(id, started);
        } else started.end(null);
        return;
      }
      if (!operations.delete(id)) return;
      send({ id, type: MessageType.Next, payload: started.result });
      send({ id, type: MessageType.Complete });
    } catch (error) {
      if (operations.delete(id)) sendErrors(id, host.showErrors(error));
    }
  };

  ws.on('message', (data, isBinary) => {
    let message: ReturnType<typeof parseMessage>;
    try {
      if (isBinary) throw new Error('binary');
      message = parseMessage(String(data));
    } catch {
      close(CloseCode.BadRequest, 'Invalid message received');
      return;
    }
    if (message.type === MessageType.ConnectionInit) void initialise(message.payload);
    else if (message.type === MessageType.Ping) send({ type: MessageType.Pong });
    else if (message.type === MessageType.Complete) {
      operations.get(message.id)?.end(null);
      operations.delete(message.id);
    } else if (message.type === MessageType.Subscribe) {
      if (client === undefined) close(CloseCode.Unauthorized, 'Unauthorized');
      else void subscribe(client, message);
    }
  });
  ws.on('pong', () => {
    unanswered = 0;
  });
  ws.on('error', () => ws.terminate());
  ws.on('close', () => {
    clearTimeout(initTimer);
    for (const operation of operations.values()) operation?.end(null);
    operations.clear();
  });

  return {
    heartbeat() {
      if (unanswered >= MAX_UNANSWERED_PINGS) {
        ws.terminate();
        return;
      }
      unanswered += 1;
      ws.ping();
    },
    goAway: () => close(GOING_AWAY, 'SERVER_STOPPING'),
  };
}
