import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { badDocuments, badValues } from './bad-operations.ts';
import { award, badEnvelopes, badKeys, bearer, type Case, customer, page } from './bad-requests.ts';
import { plantedId } from './planted.ts';
import { adminKey, post, startTestServer, type TestServer } from './server.ts';

let server: TestServer;
let reader: string;
let expired: string;
let revoked: string;
let expiring: string;

beforeAll(async () => {
  server = await startTestServer({ maxRequestBytes: 100_000, maxCost: 5_000, maxTokens: 2_000 });
  reader = await server.key(['customers:read']);
  expiring = await server.key(['customers:read'], new Date('2026-06-01T12:00:20Z'));
  expired = await server.key(['customers:read'], new Date('2026-06-01T12:00:11Z'));
  revoked = await server.key(['customers:read']);
  const [last] = await server.keys.list(1, null);
  await server.keys.revoke(
    { actor: { kind: 'system', id: 't', name: 't' }, correlationId: 'c', causationId: null },
    last?.id ?? '',
  );
  server.clock.advance(2_000);
});

afterAll(() => server.close());

const cases: readonly Case[] = [...badKeys, ...badEnvelopes, ...badDocuments, ...badValues];

describe('every bad request has its typed answer', () => {
  it.each(cases.map(([name, send, status, code, says]) => ({ name, send, status, code, says: says ?? /\w/ })))(
    '$name',
    async ({ send, status, code, says }) => {
      const { body, headers } = send({ reader, expired, revoked });
      const reply = await post(server, body, headers);
      expect({ status: reply.status, code: reply.body.errors?.[0]?.extensions.code }).toEqual({ status, code });
      expect(reply.body.errors?.[0]?.message).toMatch(says);
      expect(JSON.stringify(reply.body)).not.toMatch(/node_modules|\.ts:|\/etc\/plan/);
      // A field that may be absent is null beside its error; nothing else is given.
      expect(Object.values(reply.body.data ?? {}).filter((field) => field !== null)).toEqual([]);
      expect(reply.headers.get('x-correlation-id')).toMatch(/^[\w.:-]+$/);
    },
  );
});

it('answers the same once a document is compiled', async () => {
  const codes = async () => {
    const found: unknown[] = [];
    for (const [, send] of badValues) {
      const { body, headers } = send({ reader, expired, revoked });
      const reply = await post(server, body, headers);
      found.push([reply.status, reply.body.data, reply.body.errors?.map((error) => error.extensions.code)]);
    }
    return found;
  };
  const first = await codes();
  // The third run of a document compiles it.
  for (let round = 0; round < 3; round += 1) expect(await codes()).toEqual(first);
});

describe('a mutation answers with a type of its own', () => {
  it.each([
    ['an id of another type', { customerId: Buffer.from(`Alert:${plantedId(1)}`).toString('base64url'), points: 1 }],
    ['an id of nothing', { customerId: 'nonsense', points: 1 }],
  ])('for %s', async (_name, input) => {
    const { body } = await post(server, { query: award, variables: { input } });
    const { code } = (body.data as { award: { code: string } } | null)?.award ?? {
      code: body.errors?.[0]?.extensions.code,
    };
    expect(code).toBe('CORE_INVALID_INPUT');
  });

  it('for a rule of the domain, with the path of the input', async () => {
    const { body } = await post(server, {
      query: award,
      variables: { input: { customerId: customer, points: 5_000 } },
    });
    expect(body.data).toEqual({
      award: {
        __typename: 'TooMuch',
        code: 'PLANTED_TOO_MUCH',
        message: 'That is too much.',
        path: ['input', 'points'],
      },
    });
  });
});

it('logs an exception under the id it gives out, and never a key', async () => {
  const { body } = await post(server, { query: award, variables: { input: { customerId: customer, points: 666 } } });
  const errorId = body.errors?.[0]?.extensions.errorId;
  const line = server.logged.find((entry) => entry.errorId === errorId);
  expect(String(line?.err)).toContain('/etc/plan');
  const everything = JSON.stringify(server.logged);
  for (const key of [adminKey, reader, expired, revoked]) expect(everything).not.toContain(key);
});

it('sees a key expire at its moment, though it was cached', async () => {
  expect((await post(server, { query: page }, bearer(expiring))).status).toBe(200);
  server.clock.set(new Date('2026-06-01T12:00:20Z'));
  const late = await post(server, { query: page }, bearer(expiring));
  expect(late.body.errors?.[0]?.extensions.code).toBe('ACCESS_KEY_EXPIRED');
  server.clock.set(new Date('2026-06-01T12:00:12Z'));
});

it('answers other methods and paths in JSON', async () => {
  const got = await fetch(`${server.url}/graphql`, { headers: bearer(adminKey) });
  expect({ status: got.status, allow: got.headers.get('allow') }).toEqual({ status: 405, allow: 'POST' });
  const lost = await fetch(`${server.url}/nowhere`);
  expect(lost.status).toBe(404);
  expect(((await lost.json()) as { errors: { extensions: object }[] }).errors[0]?.extensions).toEqual({
    code: 'REQUEST_NOT_FOUND',
  });
});

it('survives raw nonsense on the wire', async () => {
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write('NONSENSE \0\0\0\r\n\r\n'));
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
  expect(answer).toMatch(/^HTTP\/1.1 400/);
  expect((await post(server, { query: page })).status).toBe(200);
});
