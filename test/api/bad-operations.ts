import { award, type Case, customer } from './bad-requests.ts';
import { plantedId } from './planted.ts';

const deep = `{ customers { edges { node { account { entries { ${'edges { node { '.repeat(20)}n${' } }'.repeat(20)} } } } } } }`;
const awards =
  'mutation ($input: [AwardInput!]!) { awards(input: $input) { __typename ... on DomainError { code path } } }';
const bomb = `query { ...f0 } ${Array.from({ length: 30 }, (_, n) => `fragment f${n} on Query { ${n === 29 ? 'customers { totalCount }' : `...f${n + 1} ...f${n + 1}`} }`).join(' ')}`;

/** The document. */
export const badDocuments: readonly Case[] = [
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
];

/** Values of arguments and variables. */
export const badValues: readonly Case[] = [
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
  [
    'a cursor whose key is of another kind',
    () => ({
      body: {
        query: 'query ($after: String) { customers(after: $after, orderBy: { by: BALANCE }) { totalCount } }',
        variables: { after: Buffer.from(JSON.stringify(['many', plantedId(1)])).toString('base64url') },
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
