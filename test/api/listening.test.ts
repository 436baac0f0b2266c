import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { createApplication } from '../../src/app/application.ts';
import { callRunningServer } from '../../src/app/commands/client.ts';
import type { Config } from '../../src/config.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

const fileOf = (name: string): string => fileURLToPath(new URL(`../support/tls/${name}`, import.meta.url));
const CERTIFICATE = fileOf('certificate.pem');
const KEY = fileOf('key.pem');
/** Trusts this certificate alone, by the name it is made out to. */
const trust = { ca: readFileSync(CERTIFICATE), servername: 'holdfast.example' };

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({
    worker: false,
    environment: { HOLDFAST_TLS_CERTIFICATE: CERTIFICATE, HOLDFAST_TLS_KEY: KEY },
  });
});
afterAll(() => app.close());

const HEADERS = () => ({ 'content-type': 'application/json', authorization: `Bearer ${app.adminKey}` });

/** Sends an operation; resolves with the answer's headers, its body still to come. */
function send(query: string, accept = 'application/json') {
  const body = JSON.stringify({ query });
  return new Promise<IncomingMessage>((resolve, reject) => {
    const call = request(`${app.server.url}/graphql`, {
      method: 'POST',
      ...trust,
      headers: { ...HEADERS(), accept, 'content-length': Buffer.byteLength(body) },
    });
    call.on('response', resolve).on('error', reject).end(body);
  });
}

/** The protocol agreed upon. @throws Error when none is */
const agree = (maxVersion: 'TLSv1.2' | 'TLSv1.3') =>
  new Promise<string | null>((resolve, reject) => {
    const socket: TLSSocket = connect({ port: app.server.port, host: '127.0.0.1', ...trust, maxVersion }, () => {
      resolve(socket.getProtocol());
      socket.destroy();
    });
    socket.on('error', reject);
  });

describe('with a certificate and its key', () => {
  test('the server answers over TLS 1.3, and no older one', async () => {
    expect(app.server.url).toMatch(/^https:/);
    expect(await agree('TLSv1.3')).toBe('TLSv1.3');
    await expect(agree('TLSv1.2')).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
    const response = await send('{ __typename }');
    expect(JSON.parse(await text(response))).toMatchObject({ data: { __typename: 'Query' } });
  });

  test('nothing is answered in the clear', async () => {
    await expect(fetch(`http://127.0.0.1:${app.server.port}/health`)).rejects.toThrow('fetch failed');
  });

  test('subscriptions run over SSE and WebSocket', async () => {
    const query = 'subscription { events(types: [CUSTOMERS_CUSTOMER_CREATED]) { name } }';
    const stream = await send(query, 'text/event-stream');
    const ws = new WebSocket(`${app.server.url.replace('https', 'wss')}/graphql`, 'graphql-transport-ws', trust);
    const messages: { type: string; payload?: { data: unknown } }[] = [];
    const told = new Promise<void>((resolve, reject) => {
      ws.on('open', () => ws.send(JSON.stringify({ type: 'connection_init', payload: HEADERS() })));
      ws.on('error', reject);
      ws.on('message', (data) => {
        const message = JSON.parse(String(data));
        messages.push(message);
        if (message.type === 'connection_ack') {
          ws.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
          ws.send(JSON.stringify({ type: 'ping' }));
        }
        // Messages are heard in their order, so by now the subscription is there.
        if (message.type === 'pong')
          send('mutation { upsertCustomers(input: [{ externalId: "ada" }]) { __typename } }').catch(reject);
        if (message.type === 'next') resolve();
      });
    });
    await told;
    expect(messages.at(-1)?.payload?.data).toEqual({ events: { name: 'customers.customerCreated' } });
    let received = '';
    for await (const chunk of stream.setEncoding('utf8')) {
      received += chunk;
      if (received.includes('event: next')) break;
    }
    expect(received).toContain('"data":{"events":{"name":"customers.customerCreated"}}');
    ws.close();
  });

  test('the command line of the machine talks to it, though the certificate is for another name', async () => {
    const run = { pid: process.pid, host: '127.0.0.1', port: app.server.port, tls: true, adminKey: app.adminKey };
    expect(await callRunningServer('{ __typename }', {}, run)).toEqual({ __typename: 'Query' });
    await expect(callRunningServer('{ nothing }', {}, run)).rejects.toMatchObject({ code: 'APP_REQUEST_FAILED' });
  });
});

test.each([
  ['a certificate without its key', { tlsKey: null }, 'HOLDFAST_TLS_KEY'],
  ['a key without its certificate', { tlsCertificate: null }, 'HOLDFAST_TLS_CERTIFICATE'],
  ['a file that is not there', { tlsKey: '/nowhere/key.pem' }, '/nowhere/key.pem'],
  ['a certificate in place of the key', { tlsKey: CERTIFICATE }, 'cannot be used'],
  ['a port that is taken', 'port' as const, 'Name another in PORT'],
])('%s is told at the start, and nothing stays behind', async (_, wrong, says) => {
  const change: Partial<Config> = wrong === 'port' ? { port: app.server.port } : wrong;
  const { database, analytics, logger } = app.app.infra;
  const config = { ...app.config, ...change };
  const other = await createApplication({ config, engines: { database, analytics }, logger });
  await expect(other.startHttp()).rejects.toMatchObject({
    code: 'CORE_CONFIGURATION',
    message: expect.stringContaining(says),
  });
  await other.stop();
});
