import type { ServerResponse } from 'node:http';
import type { GraphQLFormattedError } from 'graphql';
import type { DomainError } from '../../core/errors.ts';
import { chunk, LAST_CHUNK, renderedBatch, SSE_HEARTBEAT, sseEnd } from './frames.ts';
import { closeWhenFlushed, whenDrained } from './sockets.ts';
import type { Sink } from './subscription.ts';

/** One SSE response: GraphQL over SSE in distinct connections mode, one subscription each. */
export interface SseStream {
  readonly sink: Sink;
  heartbeat(): void;
  /** Sends answers and ends: for what is over before it began. */
  finish(result: object): void;
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // Tells nginx to pass on what it gets.
  'x-accel-buffering': 'no',
  'transfer-encoding': 'chunked',
};

/**
 * Begins the response. From here on the bytes go to the socket itself: they are framed as chunks once and shared by all
 * subscribers, which `response.write` would do anew for each.
 */
export function openSse(
  response: ServerResponse,
  showErrors: (error: DomainError) => readonly GraphQLFormattedError[],
): SseStream {
  response.writeHead(200, HEADERS);
  response.flushHeaders();
  let open = true;
  const send = (framed: Buffer) => {
    if (open) response.socket?.write(framed);
  };
  const finish = (result: object | null) => {
    if (!open) return;
    send(sseEnd(result));
    send(LAST_CHUNK);
    open = false;
    closeWhenFlushed(response.socket);
  };
  response.once('close', () => {
    open = false;
  });
  send(chunk(Buffer.from(':\n\n')));
  return {
    heartbeat: () => send(SSE_HEARTBEAT),
    finish,
    sink: {
      transport: 'sse',
      bufferedBytes: () => response.socket?.writableLength ?? 0,
      write: (batch, from) => send((from === 0 ? batch : renderedBatch(batch.events.slice(from))).sse()),
      drained: () => whenDrained(response.socket),
      end: (reason) => finish(reason === null ? null : { errors: showErrors(reason) }),
    },
  };
}
