import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/**
 * A kept-alive HTTP connection that sends one POST after another. Written on the bare socket, so that the load costs
 * little beside the server it shares two cores with.
 */
export interface Connection {
  /** @returns status and body of the answer */
  post(body: string): Promise<{ readonly status: number; readonly body: string }>;
  close(): void;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** @param url of the resource every request goes to */
export async function openConnection(url: string, key: string): Promise<Connection> {
  const { hostname, port, pathname, host } = new URL(url);
  const socket: Socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  const head = `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\nauthorization: Bearer ${key}\r\ncontent-length: `;
  let received: Buffer = Buffer.alloc(0);
  let waiting: { resolve(answer: { status: number; body: string }): void; reject(error: unknown): void } | undefined;

  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const headEnd = received.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const headers = received.toString('latin1', 0, headEnd);
    const length = /\r\ncontent-length: (\d+)/i.exec(headers)?.[1];
    if (length === undefined) {
      waiting?.reject(new Error(`an answer without a length: ${headers}`));
      return;
    }
    const end = headEnd + HEAD_END.length + Number(length);
    if (received.length < end) return;
    const body = received.toString('utf8', headEnd + HEAD_END.length, end);
    received = received.subarray(end);
    const { resolve } = waiting ?? { resolve: () => {} };
    waiting = undefined;
    resolve({ status: Number(headers.slice(9, 12)), body });
  });
  const fail = (error?: Error) => waiting?.reject(error ?? new Error('the server closed the connection'));
  socket.on('error', fail);
  socket.on('close', () => fail());

  return {
    post: (body) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(`${head}${Buffer.byteLength(body)}\r\n\r\n${body}`);
      }),
    close: () => socket.destroy(),
  };
}
