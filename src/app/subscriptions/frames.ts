import { encodeCursor, type Position } from '../../core/events/index.ts';

/** An event as a group of subscribers gets it: the answer's JSON, serialised once. */
export interface Rendered {
  readonly position: Position;
  readonly json: string;
}

/** Events of one turn for one group, with their bytes per transport made at first use and then shared. */
export interface RenderedBatch {
  readonly events: readonly Rendered[];
  readonly last: Position;
  /** All of them as SSE, framed as one chunk of HTTP/1.1. */
  sse(): Buffer;
  /** The payload of each, for WebSocket messages. */
  payloads(): readonly Buffer[];
}

const CRLF = Buffer.from('\r\n');

/** Bytes as a chunk of `Transfer-Encoding: chunked`. */
export const chunk = (body: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`, 'latin1'), body, CRLF]);

/** A message of the protocol GraphQL over SSE; the id lets an EventSource resume by itself. */
const sseNext = (json: string, cursor: string | null): string =>
  `event: next\n${cursor === null ? '' : `id: ${cursor}\n`}data: ${json}\n\n`;

export function renderedBatch(events: readonly Rendered[]): RenderedBatch {
  let sse: Buffer | undefined;
  let payloads: readonly Buffer[] | undefined;
  return {
    events,
    last: (events.at(-1) as Rendered).position,
    sse() {
      sse ??= chunk(Buffer.from(events.map(({ json, position }) => sseNext(json, encodeCursor(position))).join('')));
      return sse;
    },
    payloads() {
      payloads ??= events.map(({ json }) => Buffer.from(json));
      return payloads;
    },
  };
}

/** Keeps the line alive; readers of SSE ignore comments. */
export const SSE_HEARTBEAT = chunk(Buffer.from(':\n\n'));

/** The last messages of a stream: an answer with errors if there is one to give, and the end. */
export const sseEnd = (result: object | null): Buffer =>
  chunk(Buffer.from(`${result === null ? '' : sseNext(JSON.stringify(result), null)}event: complete\ndata: \n\n`));

/** The end of a chunked body. */
export const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/** A WebSocket text frame from the server (RFC 6455: final, unmasked) around parts of a message. */
function frame(head: Buffer, body: Buffer, tail: Buffer, into: Buffer, at: number): number {
  const length = head.length + body.length + tail.length;
  into[at] = 0x81;
  let next: number;
  if (length < 126) {
    into[at + 1] = length;
    next = at + 2;
  } else if (length < 65_536) {
    into[at + 1] = 126;
    next = into.writeUInt16BE(length, at + 2);
  } else {
    into[at + 1] = 127;
    next = into.writeBigUInt64BE(BigInt(length), at + 2);
  }
  for (const part of [head, body, tail]) next += part.copy(into, next);
  return next;
}

const MAX_FRAME_HEADER = 10;
const CLOSING_BRACE = Buffer.from('}');

/** The start of every `next` message of one subscription. */
export const websocketHead = (id: string): Buffer =>
  Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`);

/** `next` messages of one subscription around payloads that many share. */
export function websocketFrames(head: Buffer, payloads: readonly Buffer[]): Buffer {
  let size = 0;
  for (const payload of payloads) size += MAX_FRAME_HEADER + head.length + payload.length + CLOSING_BRACE.length;
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const payload of payloads) at = frame(head, payload, CLOSING_BRACE, bytes, at);
  return bytes.subarray(0, at);
}
