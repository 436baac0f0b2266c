import { type ArgBuilder, ObjectRef, type OutputRef } from '@pothos/core';
import { InvalidInput } from '../errors.ts';
import type { Builder, BuilderTypes } from './types.ts';

/** The most items of one page, everywhere. */
export const maxPageSize = 100;
/** The page size when the caller names none. */
export const defaultPageSize = 20;

/** Where a page lies, as Relay has it. */
export interface PageInfo {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly startCursor: string | null;
  readonly endCursor: string | null;
}

/** One page of a list. `totalCount` is a number or computed when it is selected. */
export interface Page<Node> {
  readonly edges: readonly { readonly cursor: string; readonly node: Node }[];
  readonly pageInfo: PageInfo;
  readonly totalCount?: number | (() => Promise<number>);
}

/** What a keyset is made of: the order's values and last the id. */
export type CursorKey = readonly (string | number | null)[];

/** An opaque cursor of the values a list is ordered by. */
export function encodeCursor(key: CursorKey): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** Reads a cursor of `length` values back; anything this API did not make is InvalidInput. */
export function decodeCursor(cursor: string, length: number): CursorKey {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const plain = (value: unknown) => value === null || typeof value === 'string' || typeof value === 'number';
    if (Array.isArray(key) && key.length === length && key.every(plain)) return key;
  } catch {
    // Falls through: not JSON is as wrong as the wrong JSON.
  }
  throw new InvalidInput('The cursor does not fit this list and order. Give an `endCursor` of the same query.', {
    path: ['after'],
  });
}

/** Arguments `first` and `after` of a connection. */
export const connectionArgs = (arg: ArgBuilder<BuilderTypes>) => ({
  first: arg.int({
    required: true,
    defaultValue: defaultPageSize,
    description: `How many, 1 to ${maxPageSize}.`,
  }),
  after: arg.string({ description: 'A cursor of this list: the page begins behind it.' }),
});

/** Refuses a page size outside 1 to 100. */
export function checkFirst(first: number, path: readonly string[] = ['first']): number {
  if (Number.isInteger(first) && first >= 1 && first <= maxPageSize) return first;
  throw new InvalidInput(`"first" is ${first}; it must be between 1 and ${maxPageSize}.`, { path });
}

/**
 * A page out of rows that were read with `limit first + 1` (the extra row only tells that there is more).
 * `cursorOf` names the values the rows are ordered by, the id last.
 */
export function pageOf<Row, Node = Row>(
  rows: readonly Row[],
  options: {
    readonly first: number;
    readonly after?: string | null | undefined;
    readonly cursorOf: (row: Row) => CursorKey;
    readonly node?: (row: Row) => Node;
    readonly totalCount?: number | (() => Promise<number>);
  },
): Page<Node> {
  const node = options.node ?? ((row: Row) => row as unknown as Node);
  const page = rows.length > options.first ? rows.slice(0, options.first) : rows;
  return new RowsPage(
    page.map((row) => new RowEdge(row, node, options.cursorOf)),
    rows.length > options.first,
    options.after !== null && options.after !== undefined,
    options.totalCount,
  );
}

/** An edge whose cursor is made when it is asked for: most requests ask for few of them. */
class RowEdge<Row, Node> {
  readonly node: Node;
  readonly #row: Row;
  readonly #cursorOf: (row: Row) => CursorKey;
  constructor(row: Row, node: (row: Row) => Node, cursorOf: (row: Row) => CursorKey) {
    this.node = node(row);
    this.#row = row;
    this.#cursorOf = cursorOf;
  }
  get cursor(): string {
    return encodeCursor(this.#cursorOf(this.#row));
  }
}

/** A page whose place in the list is told when it is asked for. */
class RowsPage<Node> implements Page<Node> {
  readonly edges: Page<Node>['edges'];
  readonly totalCount?: number | (() => Promise<number>);
  readonly #hasNextPage: boolean;
  readonly #hasPreviousPage: boolean;
  constructor(
    edges: Page<Node>['edges'],
    hasNextPage: boolean,
    hasPreviousPage: boolean,
    totalCount: number | (() => Promise<number>) | undefined,
  ) {
    this.edges = edges;
    this.#hasNextPage = hasNextPage;
    this.#hasPreviousPage = hasPreviousPage;
    if (totalCount !== undefined) this.totalCount = totalCount;
  }
  get pageInfo(): PageInfo {
    return {
      hasNextPage: this.#hasNextPage,
      hasPreviousPage: this.#hasPreviousPage,
      startCursor: this.edges[0]?.cursor ?? null,
      endCursor: this.edges.at(-1)?.cursor ?? null,
    };
  }
}

const connections = new WeakMap<Builder, Map<string, ObjectRef<BuilderTypes, Page<never>>>>();

/**
 * Declares `XConnection` and `XEdge` for a node type (once per name) and returns the connection's ref:
 *
 *     const Alerts = connectionType(builder, { name: 'Alert', node: AlertRef, totalCount: true });
 *     builder.queryField('alerts', (t) => t.field({ type: Alerts, args: connectionArgs(t.arg), resolve: ... pageOf(rows, ...) }));
 */
export function connectionType<Node>(
  builder: Builder,
  options: {
    readonly name: string;
    readonly node: 'Customer' | OutputRef<Node>;
    readonly totalCount?: boolean;
  },
): ObjectRef<BuilderTypes, Page<Node>> {
  const known = connections.get(builder) ?? new Map<string, ObjectRef<BuilderTypes, Page<never>>>();
  connections.set(builder, known);
  const existing = known.get(options.name);
  if (existing !== undefined) return existing as unknown as ObjectRef<BuilderTypes, Page<Node>>;
  type Edge = Page<Node>['edges'][number];
  const edge = new ObjectRef<BuilderTypes, Edge>(`${options.name}Edge`);
  const connection = new ObjectRef<BuilderTypes, Page<Node>>(`${options.name}Connection`);
  known.set(options.name, connection as never);
  // Exposed, not resolved: a page is read by plain property reads, which the executor compiles away.
  builder.objectType(edge, {
    name: `${options.name}Edge`,
    description: `One item of a page of ${options.name}.`,
    fields: (t) => ({
      cursor: t.exposeString('cursor', {
        description: 'The place of this item: give it as `after` to go on behind it.',
      }),
      node: t.expose('node', { type: options.node, description: 'The item.' } as never),
    }),
  });
  builder.objectType(connection, {
    name: `${options.name}Connection`,
    description: `A page of ${options.name}.`,
    fields: (t) => ({
      edges: t.expose('edges', {
        type: [edge],
        description: 'The page, item by item, each with its cursor.',
        complexity: { field: 0, multiplier: 1 },
      } as never),
      pageInfo: t.expose('pageInfo', { type: builder.pageInfoRef(), description: 'Where this page lies.' }),
      ...(options.totalCount === true
        ? {
            totalCount: t.int({
              description: 'How many there are in all, with the same filter.',
              resolve: (c) => (typeof c.totalCount === 'function' ? c.totalCount() : (c.totalCount ?? 0)),
            }),
          }
        : {}),
    }),
  });
  return connection;
}
