import { existsSync, readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { DEMO_QUERIES } from '../../src/app/demo/queries.ts';

const file = (path: string) => new URL(`../../${path}`, import.meta.url);
const readme = readFileSync(file('README.md'), 'utf8');
const schema = buildSchema(readFileSync(file('schema.graphql'), 'utf8'));

/** All first groups of a pattern in README.md. */
const found = (pattern: RegExp): string[] => [...readme.matchAll(pattern)].map((match) => match[1] ?? '');

test('the queries that the demo offers are valid against the contract', () => {
  expect(DEMO_QUERIES.length).toBeGreaterThanOrEqual(3);
  expect(DEMO_QUERIES.flatMap(({ query }) => validate(schema, parse(query)).map(({ message }) => message))).toEqual([]);
});

describe('README.md tells the truth', () => {
  test('its operations are valid against the contract', () => {
    const operations = [...found(/```graphql\n(.*?)```/gs), ...found(/"query":"([^"]*)"/g)];
    expect(operations.length).toBeGreaterThan(1);
    expect(operations.flatMap((text) => validate(schema, parse(text)).map(({ message }) => message))).toEqual([]);
  });

  test('its scripts are there', () => {
    const { scripts } = JSON.parse(readFileSync(file('package.json'), 'utf8')) as { scripts: Record<string, string> };
    const named = [...found(/npm run (?:-s )?([a-z][\w:-]*)/g), ...found(/npm (start|test)\b/g)];
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  test('its links and rooms are there', () => {
    const places = [
      ...found(/\]\(([^)#:]+)\)/g),
      ...found(/^([\w./]+\/?) {2,}\w/gm).filter((path) => !path.includes('<')),
    ];
    expect(places.length).toBeGreaterThan(3);
    expect(places.filter((path) => !existsSync(file(path)))).toEqual([]);
  });
});
