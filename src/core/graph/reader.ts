import DataLoader from 'dataloader';
import type { FieldNode, GraphQLResolveInfo } from 'graphql';
import {
  type Context,
  type CursorKey,
  type CustomerNode,
  encodeCursor,
  type Page,
  perOperation,
} from '../builder/index.ts';
import type { Queryable } from '../database/index.ts';
import {
  type CustomerTable,
  composeByColumn,
  composeByFormer,
  composeByIds,
  composePage,
  orderKey,
  type PageRequest,
  type SelectedPart,
  type Selection,
  type Statement,
  statementName,
} from './compose.ts';

type Row = CustomerNode & Record<string, unknown>;

/** Reads customers with the selected parts: one statement per page, one per batch of customers reached from elsewhere. */
export interface CustomerReader {
  page(request: PageRequest): Promise<Page<CustomerNode>>;
  byColumn(selection: Selection, column: string, value: string): Promise<CustomerNode | null>;
  /** Collects the ids asked for at one place of the document and reads them with one statement. */
  load(context: Context, info: GraphQLResolveInfo, id: string, select: () => Selection): Promise<CustomerNode | null>;
}

/** Ids of one statement; DataLoader splits what is beyond. */
const maxBatch = 1000;

function parseParts(row: Record<string, unknown>, parts: readonly SelectedPart[]): void {
  for (const { key, part, args, nested } of parts) {
    const value = row[key];
    if (value === null || value === undefined) continue;
    if (nested.length > 0) parseParts(value as Record<string, unknown>, nested);
    if (part.parse !== undefined) row[key] = part.parse(value, args);
  }
}

/** An edge whose cursor is made when it is asked for. */
class Edge {
  readonly node: CustomerNode;
  readonly #ordered: boolean;
  constructor(node: CustomerNode, ordered: boolean) {
    this.node = node;
    this.#ordered = ordered;
  }
  get cursor(): string {
    const key: CursorKey = this.#ordered
      ? [(this.node[orderKey] ?? null) as string | null, this.node.id]
      : [this.node.id];
    return encodeCursor(key);
  }
}

/** Makes the reader over a database. */
export function createCustomerReader(database: Queryable, table: CustomerTable): CustomerReader {
  const run = <R extends object>({ text, values }: Statement): Promise<R[]> => {
    const name = statementName(text);
    return database.query<R>(text, values, name === undefined ? {} : { name });
  };

  const loaders = perOperation(() => new Map<readonly FieldNode[], DataLoader<string, CustomerNode | null>>());

  const byIds = async (selection: Selection, ids: readonly string[]): Promise<Map<string, CustomerNode>> => {
    const rows = await run<{ customer: Row }>(composeByIds(table, selection, ids));
    const found = new Map<string, CustomerNode>();
    for (const { customer } of rows) {
      parseParts(customer, selection.parts);
      found.set(customer.id, customer);
    }
    return found;
  };

  /** Customers by id, those found under a former id among them: a second look, only when one is missing. */
  const byAnyIds = async (selection: Selection, ids: readonly string[]): Promise<(CustomerNode | null)[]> => {
    const found = await byIds(selection, ids);
    const missing = ids.filter((id) => !found.has(id));
    if (missing.length > 0 && table.former !== undefined) {
      const led = await run<{ asked: string; id: string }>({ text: table.former.ids('$1'), values: [missing] });
      const living = led.length === 0 ? found : await byIds(selection, [...new Set(led.map((row) => row.id))]);
      for (const { asked, id } of led) {
        const customer = living.get(id);
        if (customer !== undefined) found.set(asked, customer);
      }
    }
    return ids.map((id) => found.get(id) ?? null);
  };

  return {
    async page(request) {
      const [answer] = await run<{ page: { rows: Row[] | null; more?: boolean; total?: number } }>(
        composePage(table, request),
      );
      const rows = answer?.page.rows ?? [];
      if (request.selection.parts.length > 0) for (const row of rows) parseParts(row, request.selection.parts);
      const edges = rows.map((row) => new Edge(row, request.order !== null));
      return {
        edges,
        pageInfo: {
          hasNextPage: answer?.page.more ?? false,
          hasPreviousPage: request.after !== null,
          startCursor: edges[0]?.cursor ?? null,
          endCursor: edges.at(-1)?.cursor ?? null,
        },
        totalCount: answer?.page.total ?? 0,
      };
    },
    async byColumn(selection, column, value) {
      let [row] = await run<{ customer: Row }>(composeByColumn(table, selection, column, value));
      const former = row === undefined ? composeByFormer(table, selection, column, value) : null;
      if (former !== null) [row] = await run<{ customer: Row }>(former);
      if (row === undefined) return null;
      parseParts(row.customer, selection.parts);
      return row.customer;
    },
    load(context, info, id, select) {
      // The place in the document decides what is selected, so ids of one place share a statement. The list itself is
      // the place: the executors hand the same one to all siblings, and one node may stand in several lists.
      const place = info.fieldNodes;
      const places = loaders(context);
      let loader = places.get(place);
      if (loader === undefined) {
        const selection = select();
        loader = new DataLoader((ids) => byAnyIds(selection, ids), { maxBatchSize: maxBatch });
        places.set(place, loader);
      }
      return loader.load(id);
    },
  };
}
