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
  return { path, text, nodes: () => walk(parseSync(text, { syntax: 'typescript' })) };
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

/** Stands in a text where the program puts in a value. */
export const PUT_IN = '$value$';

/** Texts of the file: string literals, and templates with `PUT_IN` where a value is put in. */
export function* textsOf(source: Source): Generator<string> {
  for (const node of source.nodes()) {
    if (node.type === 'StringLiteral') yield String(node.value);
    if (node.type === 'TemplateLiteral' && Array.isArray(node.quasis)) {
      yield node.quasis.map((quasi: { cooked?: string; raw: string }) => quasi.cooked ?? quasi.raw).join(PUT_IN);
    }
  }
}
