/**
 * The load generator: many subscribers in one process. It looks at the bytes only as much as it takes to tell that each
 * subscriber got each event once and in order, so that it does not slow down what it measures.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

export interface Plan {
  readonly port: number;
  readonly transport: 'sse' | 'websocket';
  readonly key: string;
  readonly query: string;
  readonly subscribers: number;
}

/** Events are numbered from `first` on; `count` of them are expected by every subscriber. */
export interface Round {
  readonly first: number;
  readonly count: number;
}

export interface RoundResult {
  readonly delivered: number;
  readonly lost: number;
  readonly twice: number;
  readonly lastAtMs: number;
  /** Quantiles of the time from commit to delivery. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

type Message = { readonly plan: Plan } | { readonly round: Round } | { readonly committedAtMs: readonly number[] };

const MARK = Buffer.from('"points":');
/** Longer than the mark and any number behind it. */
const OVERLAP = 32;
const ROUND_TIMEOUT_MS = 120_000;

/** Milliseconds of the clock that all processes of a machine share. */
const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

let sockets: Socket[] = [];
let round: Round | undefined;
let last: Int32Array;
let arrivals: Float64Array;
let delivered = 0;
let twice = 0;
let skipped = 0;
let lastAtMs = 0;
let finished: (() => void) | undefined;

function note(subscriber: number, n: number, atMs: number): void {
  if (round === undefined || n < round.first || n >= round.first + round.count) return;
  const before = last[subscriber] as number;
  if (n <= before) {
    twice += 1;
    return;
  }
  skipped += n - before - 1;
  last[subscriber] = n;
  arrivals[subscriber * round.count + (n - round.first)] = atMs;
  delivered += 1;
  lastAtMs = atMs;
  if (delivered + skipped >= round.count * sockets.length) finished?.();
}

/** Finds the numbers in what comes in; a number may be cut by the end of a read. */
function follow(socket: Socket, subscriber: number): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    const atMs = nowMs();
    const data = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    let from = 0;
    for (;;) {
      const at = data.indexOf(MARK, from);
      if (at === -1) break;
      let end = at + MARK.length;
      let n = 0;
      for (let digit = (data[end] ?? 0) - 48; digit >= 0 && digit <= 9; digit = (data[end] ?? 0) - 48) {
        n = n * 10 + digit;
        end += 1;
      }
      if (end >= data.length) break;
      note(subscriber, n, atMs);
      from = end;
    }
    rest = data.subarray(Math.max(from, data.length - OVERLAP));
  });
}

/** A masked text frame, as clients have to send them. */
function clientFrame(opcode: number, text: string): Buffer {
  const body = Buffer.from(text);
  const mask = randomBytes(4);
  const head =
    body.length < 126
      ? Buffer.from([0x80 | opcode, 0x80 | body.length])
      : Buffer.from([0x80 | opcode, 0xfe, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([head, mask, body.map((byte, i) => byte ^ (mask[i % 4] as number))]);
}

const nextBytes = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('data', resolve));

async function open(plan: Plan, subscriber: number): Promise<Socket> {
  const socket = connect(plan.port, '127.0.0.1');
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  socket.on('error', () => {});
  const common = `Host: 127.0.0.1\r\nAuthorization: Bearer ${plan.key}\r\n`;
  if (plan.transport === 'sse') {
    const body = JSON.stringify({ query: plan.query });
    socket.write(
      `POST /graphql HTTP/1.1\r\n${common}Accept: text/event-stream\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    await nextBytes(socket);
  } else {
    socket.write(
      `GET /graphql HTTP/1.1\r\n${common}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
    await nextBytes(socket);
    socket.write(clientFrame(1, '{"type":"connection_init"}'));
    await nextBytes(socket);
    socket.write(
      clientFrame(1, JSON.stringify({ id: `s${subscriber}`, type: 'subscribe', payload: { query: plan.query } })),
    );
    // An unasked pong also says that this end is alive.
    const alive = setInterval(() => socket.write(clientFrame(0xa, '')), 5_000);
    socket.once('close', () => clearInterval(alive));
  }
  follow(socket, subscriber);
  return socket;
}

function begin(next: Round): void {
  round = next;
  delivered = twice = skipped = lastAtMs = 0;
  last = new Int32Array(sockets.length).fill(next.first - 1);
  arrivals = new Float64Array(sockets.length * next.count);
}

async function finish(committedAtMs: readonly number[]): Promise<RoundResult> {
  const { count } = round as Round;
  const expected = count * sockets.length;
  if (delivered + skipped < expected) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ROUND_TIMEOUT_MS);
      finished = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
  const latencies = arrivals
    .filter((at) => at > 0)
    .map((_at, i) => (arrivals[i] as number) - (committedAtMs[i % count] as number));
  latencies.sort();
  const quantile = (q: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * q))] ?? 0;
  return { delivered, lost: expected - delivered, twice, lastAtMs, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}

process.on('message', async (message: Message) => {
  if ('plan' in message) {
    for (const socket of sockets) socket.destroy();
    sockets = [];
    for (let i = 0; i < message.plan.subscribers; i += 50) {
      const some = Array.from({ length: Math.min(50, message.plan.subscribers - i) }, (_, j) =>
        open(message.plan, i + j),
      );
      sockets.push(...(await Promise.all(some)));
    }
    process.send?.({ opened: sockets.length });
  } else if ('round' in message) {
    begin(message.round);
    process.send?.({ ready: true });
  } else process.send?.(await finish(message.committedAtMs));
});
process.on('disconnect', () => process.exit());
