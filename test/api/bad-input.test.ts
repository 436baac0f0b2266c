import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plantedId } from './planted.ts';
import { adminKey, post, startTestServer, type TestServer } from './server.ts';

let server: TestServer;
let reader: string;
let expired: string;
let revoked: string;
let expiring: string;

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const customer = Buffer.from(`Customer:${plantedId(1)}`).toString('base64url');
const deep = `{ customers { edges { node { account { entries { ${'edges { node { '.repeat(20)}n${' } }'.repeat(20)} } } } } } }`;
const page = '{ customers { totalCount } }';
const award =
  'mutation ($input: AwardInput!) { award(input: $input) { __typename ... on AwardSuccess { points } ... on DomainError { code message path } } }';
const awards =
  'mutation ($input: [AwardInput!]!) { awards(input: $input) { __typename ... on DomainError { code path } } }';
const bomb = `query { ...f0 } ${Array.from({ length: 30 }, (_, n) => `fragment f${n} on Query { ${n === 29 ? 'customers { totalCount }' : `...f${n + 1} ...f${n + 1}`} }`).join(' ')}`;

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

/** What was sent, and what must come back: the status and the code of the first error. */
type Case = readonly [
  name: string,
  send: () => { body: unknown; headers?: Record<string, string> },
  status: number,
  code: string,
  says?: RegExp,
];

const cases: readonly Case[] = [
  // Who is at the door
  [
    'no key',
    () => ({ body: { query: page }, headers: { authorization: '' } }),
    401,
    'ACCESS_KEY_MISSING',
    /Authorization/,
  ],
  [
    'another scheme',
    () => ({ body: { query: page }, headers: { authorization: `Basic ${adminKey}` } }),
    401,
    'ACCESS_KEY_MALFORMED',
  ],
  ['a key too short', () => ({ body: { query: page }, headers: bearer('hf_x') }), 401, 'ACCESS_KEY_MALFORMED'],
  [
    'a key of 5,000 characters',
    () => ({ body: { query: page }, headers: bearer('x'.repeat(5_000)) }),
    401,
    'ACCESS_KEY_MALFORMED',
  ],
  [
    'a key nobody has',
    () => ({ body: { query: page }, headers: bearer(`hf_0123456789ab_${'A'.repeat(43)}`) }),
    401,
    'ACCESS_KEY_UNKNOWN',
  ],
  [
    'the right prefix with another secret',
    () => ({ body: { query: page }, headers: bearer(reader.slice(0, -1) + (reader.endsWith('A') ? 'B' : 'A')) }),
    401,
    'ACCESS_KEY_UNKNOWN',
  ],
  [
    'an expired key',
    () => ({ body: { query: page }, headers: bearer(expired) }),
    401,
    'ACCESS_KEY_EXPIRED',
    /2026-06-01T12:00:11/,
  ],
  ['a revoked key', () => ({ body: { query: page }, headers: bearer(revoked) }), 401, 'ACCESS_KEY_REVOKED'],
  [
    'a scope of a field that the key lacks',
    () => ({
      body: { query: '{ customers { edges { node { name account { available } } } } }' },
      headers: bearer(reader),
    }),
    403,
    'ACCESS_SCOPE_MISSING',
    /accounts:read/,
  ],
  [
    'a scope of a mutation that the key lacks',
    () => ({
      body: { query: award, variables: { input: { customerId: customer, points: 1 } } },
      headers: bearer(reader),
    }),
    403,
    'ACCESS_SCOPE_MISSING',
    /accounts:write/,
  ],
  [
    'a scope hidden in a fragment of a node',
    () => ({
      body: { query: `{ node(id: "${customer}") { ...f } } fragment f on Customer { account { available } }` },
      headers: bearer(reader),
    }),
    403,
    'ACCESS_SCOPE_MISSING',
    /accounts:read/,
  ],
  [
    'making keys without the scope for it',
    () => ({
      body: { query: 'mutation { createApiKey(input: { name: "x", scopes: ["admin"] }) { __typename } }' },
      headers: bearer(reader),
    }),
    403,
    'ACCESS_SCOPE_MISSING',
    /keys:manage/,
  ],
  // The envelope
  ['a body that is no JSON', () => ({ body: '{ customers' }), 400, 'REQUEST_MALFORMED'],
  ['an empty body', () => ({ body: '' }), 400, 'REQUEST_MALFORMED'],
  ['a body that is a number', () => ({ body: '7' }), 400, 'REQUEST_MALFORMED'],
  ['a body of null', () => ({ body: 'null' }), 400, 'REQUEST_MALFORMED'],
  [
    'a body that is not UTF-8',
    () => ({ body: new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]) }),
    400,
    'REQUEST_MALFORMED',
    /UTF-8/,
  ],
  [
    'a body of plain text',
    () => ({ body: page, headers: { 'content-type': 'text/plain' } }),
    415,
    'REQUEST_CONTENT_TYPE',
  ],
  [
    'a form',
    () => ({ body: 'query=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    415,
    'REQUEST_CONTENT_TYPE',
  ],
  [
    'a compressed body',
    () => ({ body: { query: page }, headers: { 'content-encoding': 'gzip' } }),
    415,
    'REQUEST_CONTENT_ENCODING',
  ],
  [
    'a body beyond the limit',
    () => ({ body: { query: page, variables: { x: 'x'.repeat(100_000) } } }),
    413,
    'REQUEST_TOO_LARGE',
  ],
  ['no query', () => ({ body: { variables: {} } }), 400, 'REQUEST_MALFORMED', /query/],
  ['a query that is a number', () => ({ body: { query: 7 } }), 400, 'REQUEST_MALFORMED', /query/],
  [
    'variables that are a list',
    () => ({ body: { query: page, variables: [1] } }),
    400,
    'REQUEST_MALFORMED',
    /variables/,
  ],
  [
    'an operation name that is an object',
    () => ({ body: { query: page, operationName: {} } }),
    400,
    'REQUEST_MALFORMED',
    /operationName/,
  ],
  [
    'an operation name nobody has',
    () => ({ body: { query: 'query A { customers { totalCount } }', operationName: 'B' } }),
    400,
    'REQUEST_OPERATION_UNKNOWN',
    /A/,
  ],
  [
    'two operations and no name',
    () => ({ body: { query: 'query A { customers { totalCount } } query B { customers { totalCount } }' } }),
    400,
    'REQUEST_OPERATION_UNKNOWN',
    /A, B/,
  ],
  ['only a fragment', () => ({ body: { query: 'fragment f on Customer { id }' } }), 400, 'REQUEST_INVALID'],
  ['a batch of none', () => ({ body: [] }), 400, 'REQUEST_BATCH_SIZE'],
  [
    'a batch of eleven',
    () => ({ body: Array.from({ length: 11 }, () => ({ query: page })) }),
    400,
    'REQUEST_BATCH_SIZE',
    /1 to 10/,
  ],
  [
    'a subscription without a stream',
    () => ({ body: { query: 'subscription { ticks }' } }),
    406,
    'REQUEST_NEEDS_STREAM',
    /event-stream/,
  ],
  // The document
  ['a syntax error', () => ({ body: { query: '{ customers {' } }), 400, 'REQUEST_SYNTAX'],
  [
    'an unknown field',
    () => ({ body: { query: '{ customers { edges { node { nickname } } } }' } }),
    400,
    'REQUEST_INVALID',
    /nickname/,
  ],
  [
    'an unknown argument',
    () => ({ body: { query: '{ customers(limit: 5) { totalCount } }' } }),
    400,
    'REQUEST_INVALID',
    /limit/,
  ],
  [
    'a missing argument',
    () => ({ body: { query: 'mutation { award { __typename } }' } }),
    400,
    'REQUEST_INVALID',
    /input/,
  ],
  [
    'a fragment that spreads itself',
    () => ({ body: { query: '{ ...f } fragment f on Query { customers { totalCount } ...f }' } }),
    400,
    'REQUEST_INVALID',
    /f/,
  ],
  ['a document too deep', () => ({ body: { query: deep } }), 400, 'REQUEST_TOO_DEEP', /limit is 12/],
  [
    '31 aliases',
    () => ({
      body: { query: `{ ${Array.from({ length: 31 }, (_, n) => `a${n}: customers { totalCount }`).join(' ')} }` },
    }),
    400,
    'REQUEST_TOO_MANY_ALIASES',
    /limit is 30/,
  ],
  ['fragments that double thirty times', () => ({ body: { query: bomb } }), 400, 'REQUEST_TOO_WIDE'],
  [
    'one field named 1,500 times',
    () => ({ body: { query: `{ customers { ${'totalCount '.repeat(1_500)} } }` } }),
    400,
    'REQUEST_TOO_WIDE',
  ],
  [
    'too many tokens',
    () => ({ body: { query: `{ ${'customers { totalCount } '.repeat(600)} }` } }),
    400,
    'REQUEST_TOO_LONG',
    /2000/,
  ],
  [
    'a cost beyond the limit',
    () => ({
      body: {
        query:
          '{ customers(first: 100) { edges { node { account { entries(first: 100) { edges { node { n } } } } } } } }',
      },
    }),
    400,
    'REQUEST_TOO_COSTLY',
    /limit is 5000/,
  ],
  [
    'the same cost through variables',
    () => ({
      body: {
        query:
          'query ($n: Int!) { customers(first: $n) { edges { node { account { entries(first: $n) { edges { node { n } } } } } } } }',
        variables: { n: 100 },
      },
    }),
    400,
    'REQUEST_TOO_COSTLY',
  ],
  // Values
  [
    'a page of none',
    () => ({ body: { query: '{ customers(first: 0) { totalCount } }' } }),
    400,
    'CORE_INVALID_INPUT',
    /between 1 and 100/,
  ],
  [
    'a page of minus one',
    () => ({ body: { query: 'query ($n: Int!) { customers(first: $n) { totalCount } }', variables: { n: -1 } } }),
    400,
    'CORE_INVALID_INPUT',
  ],
  ['a page of 101', () => ({ body: { query: '{ customers(first: 101) { totalCount } }' } }), 400, 'CORE_INVALID_INPUT'],
  [
    'a page size that is a text',
    () => ({ body: { query: 'query ($n: Int!) { customers(first: $n) { totalCount } }', variables: { n: 'ten' } } }),
    400,
    'REQUEST_INVALID',
    /Int/,
  ],
  [
    'a page size beyond 32 bits',
    () => ({
      body: { query: 'query ($n: Int!) { customers(first: $n) { totalCount } }', variables: { n: 4_294_967_297 } },
    }),
    400,
    'CORE_INVALID_INPUT',
  ],
  [
    'a cursor of nothing',
    () => ({ body: { query: '{ customers(after: "nonsense") { totalCount } }' } }),
    200,
    'CORE_INVALID_INPUT',
    /cursor/,
  ],
  [
    'a cursor with SQL in it',
    () => ({
      body: {
        query: 'query ($after: String) { customers(after: $after) { totalCount } }',
        variables: { after: Buffer.from('["\'; drop table planted_customer; --"]').toString('base64url') },
      },
    }),
    200,
    'CORE_INVALID_INPUT',
  ],
  ['an id of nothing', () => ({ body: { query: '{ node(id: "x") { id } }' } }), 200, 'CORE_INVALID_INPUT', /id/],
  [
    'an id of another type',
    () => ({
      body: { query: `{ customer(id: "${Buffer.from(`Alert:${plantedId(1)}`).toString('base64url')}") { id } }` },
    }),
    200,
    'CORE_INVALID_INPUT',
    /Customer/,
  ],
  [
    'an order nobody offers',
    () => ({ body: { query: '{ customers(orderBy: { by: SHOE_SIZE }) { totalCount } }' } }),
    400,
    'REQUEST_INVALID',
    /SHOE_SIZE/,
  ],
  [
    'a filter nobody offers',
    () => ({
      body: {
        query: 'query ($f: CustomerFilter) { customers(filter: $f) { totalCount } }',
        variables: { f: { shoeSize: 9 } },
      },
    }),
    400,
    'REQUEST_INVALID',
    /shoeSize/,
  ],
  ['a missing variable', () => ({ body: { query: award, variables: {} } }), 400, 'REQUEST_INVALID', /input/],
  [
    'negative points',
    () => ({ body: { query: award, variables: { input: { customerId: customer, points: -5 } } } }),
    400,
    'REQUEST_INVALID',
    /points/,
  ],
  [
    'points that are no number',
    () => ({ body: { query: award, variables: { input: { customerId: customer, points: '1e3' } } } }),
    400,
    'REQUEST_INVALID',
    /points/,
  ],
  [
    'an unknown input field',
    () => ({ body: { query: award, variables: { input: { customerId: customer, points: 1, bonus: true } } } }),
    400,
    'REQUEST_INVALID',
    /bonus/,
  ],
  [
    'a batch of four where three are allowed',
    () => ({
      body: {
        query: awards,
        variables: { input: Array.from({ length: 4 }, () => ({ customerId: customer, points: 1 })) },
      },
    }),
    200,
    'CORE_INVALID_INPUT',
    /at most 3/,
  ],
  [
    'a null character in a variable',
    () => ({ body: { query: award, variables: { input: { customerId: customer, points: 1, reason: 'a\u0000b' } } } }),
    400,
    'REQUEST_NULL_CHARACTER',
  ],
  [
    'a null character in the document',
    () => ({ body: { query: '{ customer(externalId: "a\\u0000b") { id } }' } }),
    400,
    'REQUEST_NULL_CHARACTER',
  ],
  [
    'a prototype key',
    () => ({ body: '{"query":"{ customers { totalCount } }","variables":{"f":{"__proto__":{"admin":true}}}}' }),
    400,
    'REQUEST_KEY_NOT_ALLOWED',
  ],
  [
    'a constructor key',
    () => ({ body: '{"query":"{ customers { totalCount } }","variables":{"constructor":{"prototype":{}}}}' }),
    400,
    'REQUEST_KEY_NOT_ALLOWED',
  ],
  [
    'an exception of ours',
    () => ({ body: { query: award, variables: { input: { customerId: customer, points: 666 } } } }),
    200,
    'INTERNAL',
    /logged under [0-9a-f-]{36}/,
  ],
];

describe('every bad request has its typed answer', () => {
  it.each(cases.map(([name, send, status, code, says]) => ({ name, send, status, code, says: says ?? /\w/ })))(
    '$name',
    async ({ send, status, code, says }) => {
      const { body, headers } = send();
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
