import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseSync } from '@swc/core';

/** The checkout, with a slash at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A file of the program as the compiler reads it. */
export interface Source {
  /** Relative to the checkout. */
  readonly path: string;
  readonly text: string;
  /** Its syntax tree, parsed when first asked for. */
  tree(): unknown;
  nodes(): Generator<SyntaxNode>;
}

/** Any node of the tree; what a node holds depends on its type. */
export interface SyntaxNode {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Files of the given folders (and no generated one), with or without the tests that stand beside the code. */
export function sourcesOf(patterns: readonly string[], options: { tests: boolean } = { tests: false }): Source[] {
  return patterns
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .filter((path) => !/(^|\/)(generated|node_modules)\//.test(path))
    .filter((path) => options.tests || !path.endsWith('.test.ts'))
    .sort()
    .map((path) => sourceOf(path, readFileSync(`${root}${path}`, 'utf8')));
}

/** A source from text, real or planted. */
export function sourceOf(path: string, text: string): Source {
  let parsed: unknown;
  const tree = () => {
    parsed ??= parseSync(text, { syntax: 'typescript' });
    return parsed;
  };
  return { path, text, tree, nodes: () => walk(tree()) };
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function* walk(value: unknown): Generator<SyntaxNode> {
  if (Array.isArray(value)) {
    for (const item of value) yield* walk(item);
  } else if (typeof value === 'object' && value !== null) {
    if (isNode(value)) yield value;
    for (const child of Object.values(value)) if (typeof child === 'object') yield* walk(child);
  }
}

/** `object.property` of a member expression, such as `process.env`; undefined for anything else. */
export function memberName(node: SyntaxNode): string | undefined {
  if (node.type !== 'MemberExpression' || !isNode(node.object) || !isNode(node.property)) return undefined;
  if (node.object.type !== 'Identifier' || node.property.type !== 'Identifier') return undefined;
  return `${String(node.object.value)}.${String(node.property.value)}`;
}

/** Names of a chain of members, the last first: `update`, `customer`, `prisma` for `prisma.customer.update`. */
export function chain(node: unknown): string[] {
  if (!isNode(node)) return [];
  if (node.type === 'Identifier') return [String(node.value)];
  if (node.type !== 'MemberExpression') return [];
  return [...chain(node.property), ...chain(node.object)];
}

/** Stands in a text where the program puts in a value. */
export const PUT_IN = '$value$';
/** The same where the value is the `table` of something, so that the name is written out elsewhere. */
export const PUT_IN_TABLE = '$table$';

/** A text of the program. */
export interface Text {
  readonly text: string;
  /** It is handed to ClickHouse: an argument of `analytics.command(...)` and its like. */
  readonly forAnalytics: boolean;
  /** It is the value of a property `table`, or of a list that a loop takes each `table` from. */
  readonly namesTable: boolean;
}

interface Place extends Omit<Text, 'text'> {
  /** Within a loop over tables that are written out. */
  readonly overTables: boolean;
}

/** Texts of the file: string literals, and templates with `PUT_IN` where a value is put in. */
export function textsOf(source: Source): Text[] {
  return [...textsWithin(source.tree(), { forAnalytics: false, namesTable: false, overTables: false })];
}

function* textsWithin(value: unknown, place: Place): Generator<Text> {
  if (Array.isArray(value)) for (const item of value) yield* textsWithin(item, place);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const inner: Place = isNode(value) ? placeWithin(value, place) : place;
  if (isNode(value)) {
    if (value.type === 'StringLiteral') yield { text: String(value.value), ...place };
    if (value.type === 'TemplateLiteral') yield { text: templateText(value, place.overTables), ...place };
    if (inner.overTables && !place.overTables) yield* textsWithin(value.right, { ...place, namesTable: true });
  }
  for (const child of Object.values(value)) if (typeof child === 'object') yield* textsWithin(child, inner);
}

/** What holds for the texts inside a node. */
function placeWithin(node: SyntaxNode, place: Place): Place {
  const inner = { ...place, namesTable: false };
  if (/Function/.test(node.type)) return { ...inner, forAnalytics: false };
  if (node.type === 'CallExpression' && chain(node.callee).includes('analytics'))
    return { ...inner, forAnalytics: true };
  if (node.type === 'KeyValueProperty' && isNode(node.key) && node.key.value === 'table')
    return { ...inner, namesTable: true };
  if (node.type === 'ForOfStatement' && loopsOverTables(node)) return { ...inner, overTables: true };
  // `'customer' as const` is still that name, and so is each item of a list of names.
  const transparent = /^Ts(As|Const|Satisfies)|^ArrayExpression$/.test(node.type);
  return transparent ? place : inner;
}

/** `for (const table of ['a', 'b'])` */
function loopsOverTables(loop: SyntaxNode): boolean {
  const { declarations } = loop.left as { declarations?: { id: SyntaxNode }[] };
  return declarations?.[0]?.id.value === 'table' && (loop.right as SyntaxNode).type === 'ArrayExpression';
}

function templateText(template: SyntaxNode, overTables: boolean): string {
  const quasis = template.quasis as { cooked?: string; raw: string }[];
  const values = (template.expressions ?? []) as unknown[];
  const putIn = (value: unknown) => {
    const names = chain(value);
    return names[0] === 'table' && (names.length > 1 || overTables) ? PUT_IN_TABLE : PUT_IN;
  };
  return quasis
    .map((quasi, index) => `${quasi.cooked ?? quasi.raw}${index < values.length ? putIn(values[index]) : ''}`)
    .join('');
}
