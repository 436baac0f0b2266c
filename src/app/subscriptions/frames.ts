import { encodeCursor, type Position } from '../../core/events/index.ts';

/** An event as a group of subscribers gets it: the answer's JSON, serialised once. */
export interface Rendered {
  readonly position: Position;
  readonly json: string;
  /** The stream is complete with it. */
  readonly isLast: boolean;
}

/** Events of one turn for one group, with their bytes per transport made at first use and then shared. */
export interface RenderedBatch {
  readonly events: readonly Rendered[];
  readonly last: Position;
  /** The stream is complete with this batch. */
  readonly completes: boolean;
  /** All of them as SSE, framed as one chunk of HTTP/1.1. */
  sse(): Buffer;
  /** All of them as WebSocket messages of the subscription whose head is given. */
  websocket(head: Buffer): Buffer;
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
  /** By length of the head: ids of one client library are equally long. */
  const templates = new Map<number, Template>();
  return {
    events,
    last: (events.at(-1) as Rendered).position,
    completes: events.some(({ isLast }) => isLast),
    sse() {
      sse ??= chunk(Buffer.from(events.map(({ json, position }) => sseNext(json, encodeCursor(position))).join('')));
      return sse;
    },
    websocket(head) {
      let template = templates.get(head.length);
      if (template === undefined) {
        template = websocketTemplate(head, events);
        templates.set(head.length, template);
      }
      const bytes = allocate(template.bytes.length);
      bytes.set(template.bytes);
      for (const place of template.heads) bytes.set(head, place);
      return bytes;
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

/** The start of every `next` message of one subscription. */
export const websocketHead = (id: string): Buffer =>
  Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`);

/** Messages of a batch, complete but for the heads, which differ by subscription. */
interface Template {
  readonly bytes: Buffer;
  /** Where the heads go. */
  readonly heads: readonly number[];
}

function websocketTemplate(head: Buffer, events: readonly Rendered[]): Template {
  const parts: Buffer[] = [];
  const heads: number[] = [];
  let at = 0;
  for (const { json } of events) {
    const rest = Buffer.from(`${json}}`);
    const frame = frameHeader(head.length + rest.length);
    heads.push(at + frame.length);
    parts.push(frame, head, rest);
    at += frame.length + head.length + rest.length;
  }
  return { bytes: Buffer.concat(parts), heads };
}

/** Header of a text frame from a server (RFC 6455): final, not masked. */
function frameHeader(length: number): Buffer {
  if (length < 126) return Buffer.from([0x81, length]);
  const header = Buffer.alloc(length < 65_536 ? 4 : 10);
  header[0] = 0x81;
  header[1] = length < 65_536 ? 126 : 127;
  if (length < 65_536) header.writeUInt16BE(length, 2);
  else header.writeBigUInt64BE(BigInt(length), 2);
  return header;
}

/** Small enough that a slow reader of a few bytes does not keep much alive, large enough to be allocated rarely. */
const SLAB_BYTES = 65_536;
let slab = Buffer.alloc(0);
let used = 0;

/** Memory for many short-lived messages, cut from larger pieces: Node's own pool ends at 4 KiB. */
function allocate(size: number): Buffer {
  if (size > SLAB_BYTES / 4) return Buffer.allocUnsafeSlow(size);
  if (used + size > slab.length) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    used = 0;
  }
  used += size;
  return slab.subarray(used - size, used);
}
