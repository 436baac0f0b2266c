import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemCall } from '../../src/core/call.ts';
import { adminKey, post, startTestServer, type TestServer } from './server.ts';

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const page = '{ customers(first: 2) { totalCount edges { node { externalId numbers } } } }';

let server: TestServer;
let engineIsWell = true;

beforeAll(async () => {
  server = await startTestServer(
    { costPerMinute: 100_000, corsOrigins: ['https://partner.example'], maxUploadBytes: 1_000_000 },
    {
      checks: [
        { name: 'database', run: () => Promise.resolve({ ok: true, backlog: 0 }) },
        {
          name: 'analytics',
          run: () => (engineIsWell ? Promise.resolve({ ok: true }) : Promise.reject(new Error('host db7 is down'))),
        },
      ],
      examples: [{ query: '{ customers { totalCount } }' }],
    },
  );
});

afterAll(() => server.close());

describe('an answer', () => {
  it('holds data, what it cost and what is left', async () => {
    const { status, headers, body } = await post(server, { query: page }, { 'x-correlation-id': 'order-7:1' });
    expect(status).toBe(200);
    expect(headers.get('x-correlation-id')).toBe('order-7:1');
    expect(body.data).toEqual({
      customers: {
        totalCount: 60,
        edges: [{ node: { externalId: 'c0', numbers: [] } }, { node: { externalId: 'c1', numbers: [1] } }],
      },
    });
    const again = await post(server, { query: page });
    const [first, second] = [body.extensions?.cost, again.body.extensions?.cost];
    expect(first?.asked).toBeGreaterThan(2);
    expect(second).toEqual({
      asked: first?.asked,
      spent: (first?.spent ?? 0) + (first?.asked ?? 0),
      left: (first?.left ?? 0) - (first?.asked ?? 0),
      resetsAt: '2026-06-01T12:01:00.000Z',
    });
  });

  it('is the same interpreted and compiled, with aliases, fragments and directives', async () => {
    const query = `query ($n: Int!, $with: Boolean!) { customers(first: 3) { edges { cursor node { ...f a: numbers(first: $n) b: numbers(first: 1) } } pageInfo { hasNextPage } } }
      fragment f on Customer { __typename id mood account @include(if: $with) { openedAt entries(first: $n) { edges { node { n } } } } }`;
    const run = async (variables: object) => (await post(server, { query, variables })).body.data;
    const one = { n: 2, with: true };
    const other = { n: 1, with: false };
    const interpreted = [await run(one), await run(other)];
    expect(JSON.stringify(interpreted[1])).not.toContain('openedAt');
    for (let round = 0; round < 4; round += 1) expect([await run(one), await run(other)]).toEqual(interpreted);
  });

  it('costs as much as its page asks for', async () => {
    const cost = async (first: number) =>
      (
        await post(server, {
          query: 'query ($first: Int!) { customers(first: $first) { edges { node { account { available } } } } }',
          variables: { first },
        })
      ).body.extensions?.cost?.asked ?? 0;
    const [one, fifty] = [await cost(1), await cost(50)];
    expect(fifty - 2).toBe((one - 2) * 50);
  });

  it('tells the statements to those who may know: one for a page', async () => {
    const asked = { 'x-holdfast-statements': '1' };
    expect((await post(server, { query: page }, asked)).body.extensions?.statements).toBe(1);
    const reader = await server.key(['customers:read', 'accounts:read']);
    expect(
      (await post(server, { query: page }, { ...asked, ...bearer(reader) })).body.extensions?.statements,
    ).toBeUndefined();
  });

  it('comes one by one for a batch, each by its own merit', async () => {
    const answers = (
      await post(server, [{ query: page }, { query: '{ nothing }' }, { query: 'subscription { ticks }' }])
    ).body as unknown as {
      data?: object;
      errors?: { extensions: { code: string } }[];
    }[];
    expect(answers.map((answer) => answer.errors?.[0]?.extensions.code ?? 'fine')).toEqual([
      'fine',
      'REQUEST_INVALID',
      'REQUEST_NEEDS_STREAM',
    ]);
  });

  it('is a stream for a subscription, and for a query of a client that wants streams', async () => {
    const ask = async (query: string) => {
      const response = await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...bearer(adminKey) },
        body: JSON.stringify({ query }),
      });
      return { type: response.headers.get('content-type'), text: await response.text() };
    };
    expect(await ask('subscription { ticks }')).toEqual({
      type: 'text/event-stream',
      text: 'event: next\ndata: {"data":{"ticks":1}}\n\n',
    });
    const query = await ask('{ customers { totalCount } }');
    expect(query.text).toMatch(
      /^event: next\ndata: {"data":{"customers":{"totalCount":60}},.*}\n\nevent: complete\ndata:\n\n$/,
    );
  });
});

it('uses up the budget of a minute, says when to come back, and has a new one in the next', async () => {
  const small = await startTestServer({ costPerMinute: 30 });
  const first = await post(small, { query: page });
  const cost = first.body.extensions?.cost?.asked ?? 0;
  for (let spent = cost; spent + cost <= 30; spent += cost) await post(small, { query: page });
  const refused = await post(small, { query: page });
  expect({
    status: refused.status,
    retryAfter: refused.headers.get('retry-after'),
    code: refused.body.errors?.[0]?.extensions.code,
  }).toEqual({
    status: 429,
    retryAfter: '50',
    code: 'REQUEST_BUDGET_EXHAUSTED',
  });
  small.clock.advance(50_000);
  expect((await post(small, { query: page })).status).toBe(200);
  await small.close();
});

it('refuses what is too much at once with "try later"', async () => {
  const small = await startTestServer({ maxConcurrent: 1 });
  const client = await small.database.pool.connect();
  await client.query('begin');
  await client.query('lock table planted_customer in access exclusive mode');
  const waiting = post(small, { query: page });
  let refused = await post(small, { query: page });
  // Whichever of the two came first waits for the lock; the other one was sent away.
  if (refused.status === 200) throw new Error('the lock did not hold');
  expect({
    status: refused.status,
    retryAfter: refused.headers.get('retry-after'),
    code: refused.body.errors?.[0]?.extensions.code,
  }).toEqual({
    status: 503,
    retryAfter: '1',
    code: 'CORE_OVERLOADED',
  });
  await client.query('rollback');
  client.release();
  expect((await waiting).status).toBe(200);
  refused = await post(small, { query: page });
  expect(refused.status).toBe(200);
  await small.close();
});

describe('introspection', () => {
  it.each([
    ['keys', 200, 200],
    ['admin', 403, 200],
    ['off', 403, 403],
  ] as const)('set to %s', async (introspection, forReader, forAdmin) => {
    const small = await startTestServer({ introspection });
    const query = getIntrospectionQuery({ descriptions: true, inputValueDeprecation: true });
    const reader = await small.key(['customers:read']);
    expect((await post(small, { query }, bearer(reader))).status).toBe(forReader);
    expect((await post(small, { query })).status).toBe(forAdmin);
    expect((await post(small, { query }, { authorization: '' })).status).toBe(401);
    await small.close();
  });
});

describe('API keys', () => {
  const create =
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { __typename ... on CreateApiKeySuccess { secret key { id name scopes prefix } } ... on DomainError { code message path } } }';
  const revoke =
    'mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { __typename ... on RevokeApiKeySuccess { key { revokedAt } } ... on DomainError { code } } }';

  it('are made, used, listed without their text, and revoked at once', async () => {
    const made = await post(server, {
      query: create,
      variables: { input: { name: ' partner ', scopes: ['customers:read', 'accounts:read'] } },
    });
    const { secret, key } = (
      made.body.data as {
        createApiKey: { secret: string; key: { id: string; name: string; scopes: string[]; prefix: string } };
      }
    ).createApiKey;
    expect(key).toMatchObject({ name: 'partner', scopes: ['accounts:read', 'customers:read'] });
    expect(secret.startsWith(`${key.prefix}_`)).toBe(true);
    expect((await post(server, { query: page }, bearer(secret))).status).toBe(200);

    const listed = await post(server, {
      query: '{ apiKeys { edges { node { id name prefix scopes createdBy revokedAt } } } }',
    });
    expect(JSON.stringify(listed.body)).toContain(key.prefix);
    expect(JSON.stringify(listed.body)).not.toContain(secret);
    const [row] = await server.database.query<{ text: string }>(
      'select row_to_json(k)::text as text from api_key k where id = $1',
      [key.id],
    );
    expect(row?.text).not.toContain(secret.slice(-20));

    await post(server, { query: revoke, variables: { id: key.id } });
    await expect
      .poll(async () => (await post(server, { query: page }, bearer(secret))).body.errors?.[0]?.extensions.code)
      .toBe('ACCESS_KEY_REVOKED');
    const audited = await server.database.query<{ action: string }>(
      'select action from audit_entry where subject = $1 order by at, action',
      [key.id],
    );
    expect(audited.map((entry) => entry.action)).toEqual(['keys.create', 'keys.revoke']);
  });

  it.each([
    ['no scope', { name: 'x', scopes: [] }, 'CORE_INVALID_INPUT'],
    ['a scope nobody declared', { name: 'x', scopes: ['everything:do'] }, 'CORE_INVALID_INPUT'],
    ['no name', { name: ' ', scopes: ['customers:read'] }, 'CORE_INVALID_INPUT'],
    ['a name of 101 characters', { name: 'x'.repeat(101), scopes: ['customers:read'] }, 'CORE_INVALID_INPUT'],
    [
      'an expiry in the past',
      { name: 'x', scopes: ['customers:read'], expiresAt: '2020-01-01T00:00:00Z' },
      'CORE_INVALID_INPUT',
    ],
  ])('are not made with %s', async (_name, input, code) => {
    const { body } = await post(server, { query: create, variables: { input } });
    expect((body.data as { createApiKey: { code: string } }).createApiKey.code).toBe(code);
  });

  it('cannot give what they do not have', async () => {
    const manager = await server.key(['keys:manage']);
    const { body } = await post(
      server,
      { query: create, variables: { input: { name: 'x', scopes: ['admin'] } } },
      bearer(manager),
    );
    expect((body.data as { createApiKey: { code: string } }).createApiKey.code).toBe('ACCESS_SCOPE_MISSING');
  });

  it('keep the last admin in', async () => {
    const own = await startTestServer();
    const [admin] = await own.keys.list(1, null);
    const ask = async (id: string | undefined) =>
      ((await post(own, { query: revoke, variables: { id } })).body.data as { revokeApiKey: { code?: string } })
        .revokeApiKey.code;
    expect(await ask(admin?.id)).toBe('ACCESS_LAST_ADMIN_KEY');
    expect(await ask('nobody')).toBe('ACCESS_KEY_NOT_FOUND');
    expect(await own.keys.ensureAdmin(systemCall('test'), null)).toBeNull();
    await own.close();
  });

  it('are made at the first start alone, by one of many processes', async () => {
    const own = await startTestServer();
    await own.database.query('delete from api_key');
    const made = await Promise.all(Array.from({ length: 8 }, () => own.keys.ensureAdmin(systemCall('test'), null)));
    expect(made.filter((secret) => secret !== null)).toHaveLength(1);
    await own.close();
  });
});

describe('beside the API', () => {
  it('health, readiness with its reasons, and metrics are told', async () => {
    expect(await (await fetch(`${server.url}/health`)).json()).toEqual({ status: 'alive' });
    const ready = await fetch(`${server.url}/ready`);
    expect({ status: ready.status, body: await ready.json() }).toEqual({
      status: 200,
      body: { status: 'ready', checks: { database: { ok: true, backlog: 0 }, analytics: { ok: true } } },
    });
    engineIsWell = false;
    server.clock.advance(1_000);
    const broken = await fetch(`${server.url}/ready`);
    expect({ status: broken.status, body: await broken.json() }).toEqual({
      status: 503,
      body: {
        status: 'not ready',
        checks: { database: { ok: true, backlog: 0 }, analytics: { ok: false, error: 'failed' } },
      },
    });
    engineIsWell = true;
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/holdfast_graphql_duration_seconds_count\{kind="query",outcome="ok"\} \d+/);
    expect(metrics).toMatch(/holdfast_graphql_statements_bucket\{le="1",kind="query"\} \d+/);
  });

  it('GraphiQL is a page that fetches nothing from elsewhere', async () => {
    const response = await fetch(`${server.url}/graphql`, { headers: { accept: 'text/html' } });
    expect(response.headers.get('content-type')).toMatch('text/html');
    expect(response.headers.get('content-security-policy')).toContain("connect-src 'self'");
    const html = await response.text();
    expect(html).toContain('customers { totalCount }');
    expect(html).not.toMatch(/<(?:script|link)[^>]+(?:src|href)="https?:/);
  });

  it('pages of the named origins may call, others not', async () => {
    const preflight = (origin: string) =>
      fetch(`${server.url}/graphql`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    const partner = await preflight('https://partner.example');
    expect({ status: partner.status, allowed: partner.headers.get('access-control-allow-origin') }).toEqual({
      status: 204,
      allowed: 'https://partner.example',
    });
    expect((await preflight('https://other.example')).headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('uploads', () => {
  const folder = () => path.join(server.config.dataFolder, 'uploads');
  const send = (body: BodyInit, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/uploads`, { method: 'POST', headers: { ...bearer(adminKey), ...headers }, body });

  it('are kept whole under an id, with their hash', async () => {
    const content = randomBytes(300_000);
    const response = await send(content);
    const answer = (await response.json()) as { uploadId: string; sha256: string; bytes: number };
    expect(response.status).toBe(201);
    expect(answer).toEqual({
      uploadId: answer.uploadId,
      sha256: createHash('sha256').update(content).digest('hex'),
      bytes: 300_000,
    });
    expect(readFileSync(path.join(folder(), answer.uploadId)).equals(content)).toBe(true);
  });

  it.each([
    ['without a key', '', 401, 'ACCESS_KEY_MISSING'],
    ['without the scope', 'reader', 403, 'ACCESS_SCOPE_MISSING'],
  ])('are refused %s', async (_name, who, status, code) => {
    const authorization = who === '' ? '' : `Bearer ${await server.key(['customers:read'])}`;
    const response = await send('x', { authorization });
    const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] };
    expect({ status: response.status, code: errors[0]?.extensions.code }).toEqual({ status, code });
  });

  it('leave nothing when empty, too large or broken off', async () => {
    const before = readdirSync(folder());
    expect((await send('')).status).toBe(400);
    expect((await send(randomBytes(1_000_001)).catch(() => ({ status: 413 }))).status).toBe(413);
    await new Promise<void>((resolve) => {
      const req = request(`${server.url}/uploads`, {
        method: 'POST',
        headers: { ...bearer(adminKey), 'content-length': '900000' },
      });
      req.on('error', () => resolve());
      req.write(randomBytes(100_000), () => req.destroy(new Error('the cable was pulled')));
    });
    await expect.poll(() => readdirSync(folder())).toEqual(before);
  });
});

it('lets running requests finish when it stops, and takes no more', async () => {
  const own = await startTestServer();
  const client = await own.database.pool.connect();
  await client.query('begin');
  await client.query('lock table planted_customer in access exclusive mode');
  const running = post(own, { query: page });
  await expect.poll(() => own.server.gate.running).toBe(1);
  const closed = own.server.close(5_000);
  await expect(fetch(`${own.url}/health`)).rejects.toThrow();
  await client.query('rollback');
  client.release();
  expect((await running).status).toBe(200);
  await closed;
  await own.close();
});

it('cuts off a caller that drips its headers', async () => {
  const started = Date.now();
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write('POST /graphql HTTP/1.1\r\nhost: x\r\n'));
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
  expect(answer).toMatch(/^HTTP\/1.1 408/);
  expect(Date.now() - started).toBeLessThan(20_000);
});
