import { readFileSync } from 'node:fs';
import { buildSchema } from 'graphql';
import { expect, test } from 'vitest';
import { breakingChanges } from '../../tools/check-breaking.ts';

const released = readFileSync(new URL('released.graphql', import.meta.url), 'utf8');
const current = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8');

test('nothing that was released is taken away', async () => {
  expect(await breakingChanges(buildSchema(released), buildSchema(current))).toEqual([]);
});

test.each([
  ['a field removed', 'type Query { points: Int! }'],
  ['a field that may be absent now', 'type Query { points: Int balance: Int! }'],
  ['an argument required now', 'type Query { points(of: ID!): Int! balance: Int! }'],
  ['a type changed', 'type Query { points: String! balance: Int! }'],
])('%s is seen', async (_, changed) => {
  const before = buildSchema('type Query { points: Int! balance: Int! }');
  expect(await breakingChanges(before, buildSchema(changed))).toHaveLength(1);
});

test('an addition is welcome', async () => {
  const before = buildSchema('type Query { points: Int! }');
  expect(await breakingChanges(before, buildSchema('type Query { points(of: ID): Int! more: Int }'))).toEqual([]);
});
