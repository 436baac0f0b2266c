import { plantedId } from './planted.ts';
import { adminKey } from './server.ts';

/** Keys that cases need and a test makes. */
export interface Keys {
  readonly reader: string;
  readonly expired: string;
  readonly revoked: string;
}

/** What is sent, and what must come back: the status and the code of the first error. */
export type Case = readonly [
  name: string,
  send: (keys: Keys) => { body: unknown; headers?: Record<string, string> },
  status: number,
  code: string,
  says?: RegExp,
];

export const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
export const customer = Buffer.from(`Customer:${plantedId(1)}`).toString('base64url');
export const page = '{ customers { totalCount } }';
export const award =
  'mutation ($input: AwardInput!) { award(input: $input) { __typename ... on AwardSuccess { points } ... on DomainError { code message path } } }';

/** Who is at the door. */
export const badKeys: readonly Case[] = [
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
    ({ reader }) => ({
      body: { query: page },
      headers: bearer(reader.slice(0, -1) + (reader.endsWith('A') ? 'B' : 'A')),
    }),
    401,
    'ACCESS_KEY_UNKNOWN',
  ],
  [
    'an expired key',
    ({ expired }) => ({ body: { query: page }, headers: bearer(expired) }),
    401,
    'ACCESS_KEY_EXPIRED',
    /2026-06-01T12:00:11/,
  ],
  ['a revoked key', ({ revoked }) => ({ body: { query: page }, headers: bearer(revoked) }), 401, 'ACCESS_KEY_REVOKED'],
  [
    'a scope of a field that the key lacks',
    ({ reader }) => ({
      body: { query: '{ customers { edges { node { name account { available } } } } }' },
      headers: bearer(reader),
    }),
    403,
    'ACCESS_SCOPE_MISSING',
    /accounts:read/,
  ],
  [
    'a scope of a mutation that the key lacks',
    ({ reader }) => ({
      body: { query: award, variables: { input: { customerId: customer, points: 1 } } },
      headers: bearer(reader),
    }),
    403,
    'ACCESS_SCOPE_MISSING',
    /accounts:write/,
  ],
  [
    'a scope hidden in a fragment of a node',
    ({ reader }) => ({
      body: { query: `{ node(id: "${customer}") { ...f } } fragment f on Customer { account { available } }` },
      headers: bearer(reader),
    }),
    403,
    'ACCESS_SCOPE_MISSING',
    /accounts:read/,
  ],
  [
    'making keys without the scope for it',
    ({ reader }) => ({
      body: { query: 'mutation { createApiKey(input: { name: "x", scopes: ["admin"] }) { __typename } }' },
      headers: bearer(reader),
    }),
    403,
    'ACCESS_SCOPE_MISSING',
    /keys:manage/,
  ],
];

/** What surrounds the operation. */
export const badEnvelopes: readonly Case[] = [
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
];
