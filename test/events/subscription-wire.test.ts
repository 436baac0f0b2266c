import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { systemClock } from '../../src/core/clock.ts';
import { appendEvents, encodeCursor } from '../../src/core/events/index.ts';
import { startSubscriptionServer } from './subscription-harness.ts';
import { call, count, type EventsDatabase, eventually, openTestDatabase, settledPosition } from './support.ts';

let db: EventsDatabase;
let open: (() => unknown)[] = [];
beforeAll(async () => {
  db = await openTestDatabase();
});
afterEach(async () => {
  for (const close of open.reverse()) await close();
  open = [];
});
afterAll(() => db.drop());

async function start(): ReturnType<typeof startSubscriptionServer> {
  const server = await startSubscriptionServer(db.database, {});
  open.push(() => server.stop());
  return server;
}

describe('the wire', () => {
  it('lets an EventSource resume by its last event id, and beats while nothing happens', async () => {
    const server = await start();
    const after = encodeCursor(await settledPosition(db.database));
    await db.database.transaction((tx) => appendEvents(tx, call, systemClock, [count(7)]));
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    open.push(() => socket.destroy());
    const body = JSON.stringify({ query: 'subscription { counted { n } }' });
    socket.write(
      `POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nLast-Event-ID: ${after}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    let text = '';
    socket.on('data', (bytes) => {
      text += String(bytes);
    });
    await eventually(() => text).toContain('"counted":{"n":7}');
    expect(text).toMatch(
      /^HTTP\/1.1 200 OK\r\ncontent-type: text\/event-stream; charset=utf-8\r\ncache-control: no-cache, no-transform\r\n/i,
    );
    expect(text).toContain('\r\n:\n\n\r\n');
    expect(text).toMatch(
      /event: next\nid: [\w-]+\ndata: \{"data":\{"counted":\{"n":7\}\},"extensions":\{"cursor":"[\w-]+"\}\}\n\n/,
    );
  });

  it('closes WebSockets that break the protocol, each with its code', async () => {
    const server = await start();
    const closeCode = async (messages: readonly string[], protocol = 'graphql-transport-ws') => {
      const ws = new WebSocket(server.wsUrl, protocol);
      open.push(() => ws.terminate());
      return new Promise((resolve) => {
        ws.on('open', () => {
          for (const message of messages) ws.send(message);
        });
        ws.on('error', (error) => resolve(error.message));
        ws.on('close', (code) => resolve(code));
      });
    };
    const init = '{"type":"connection_init","payload":{"authorization":"Bearer k"}}';
    const subscribe = '{"id":"1","type":"subscribe","payload":{"query":"subscription { counted { n } }"}}';
    expect(await closeCode(['nonsense'])).toBe(4400);
    expect(await closeCode(['{"type":"unheard-of"}'])).toBe(4400);
    expect(await closeCode([subscribe])).toBe(4401);
    expect(await closeCode(['{"type":"connection_init"}'])).toBe(4401);
    expect(await closeCode([init, init])).toBe(4429);
    expect(await closeCode([init], 'graphql-ws')).toMatch('400');
    const ws = new WebSocket(server.wsUrl, 'graphql-transport-ws');
    open.push(() => ws.terminate());
    const code = new Promise((resolve) => ws.on('close', resolve));
    ws.on('open', () => ws.send(init));
    ws.once('message', () => {
      ws.send(subscribe);
      ws.send(subscribe);
    });
    expect(await code).toBe(4409);
    await eventually(() => server.subscriptions.size).toBe(0);
  });
});
