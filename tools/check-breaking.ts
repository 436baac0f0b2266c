// Compares schema.graphql with the contract that partners were given (test/contracts/released.graphql) and fails on
// whatever would break them. A field is deprecated first, and removed in a later release.
import { readFileSync } from 'node:fs';
import { diff } from '@graphql-inspector/core';
import { buildSchema, type GraphQLSchema } from 'graphql';

const read = (path: string) => buildSchema(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'));

/** What a change of contract would break, in words. */
export async function breakingChanges(released: GraphQLSchema, proposed: GraphQLSchema): Promise<string[]> {
  const changes = await diff(released, proposed);
  return changes
    .filter(({ criticality }) => criticality.level === 'BREAKING')
    .map(({ message, criticality }) => (criticality.reason ? `${message} (${criticality.reason})` : message));
}

if (import.meta.main) {
  const broken = await breakingChanges(read('test/contracts/released.graphql'), read('schema.graphql'));
  for (const message of broken) process.stdout.write(`${message}\n`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}
