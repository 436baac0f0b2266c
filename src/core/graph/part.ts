import { type Context, type CursorKey, checkFirst, decodeCursor, type Page, pageOf } from '../builder/index.ts';

/** Adds a parameter to the statement and returns its placeholder, e.g. `$3`; write a cast behind it: `${bind(x)}::int`. */
export type Bind = (value: unknown) => string;

/** Arguments of a field, as GraphQL gives them. */
export type Args = Readonly<Record<string, unknown>>;

/** What of a list is asked for; a part that is no list need not look at it. */
export interface Wanted {
  /** The columns that fields read; null when it cannot be told, so all. */
  readonly columns: readonly string[] | null;
  /** Whether anybody asks if there is more. */
  readonly more: boolean;
}

/** All there is: what is wanted where nobody looked. */
export const wantedAll: Wanted = { columns: null, more: true };

/**
 * What a module knows of a customer: an SQL expression over the module's own tables that yields one json value for a
 * row of `customer`. It becomes a scalar subquery of the one statement that reads a page, so it must find its rows by an
 * index on the customer's id and cut lists in SQL. Column names inside are the GraphQL field names.
 *
 *     export const loyaltyPart = defineCustomerPart<LoyaltyRow>({
 *       name: 'loyalty',
 *       sql: (customer, _args, _bind, nested) => `(
 *         select json_build_object('available', a.available, 'tier', a.tier ${nested})
 *         from loyalty_account a where a.customer_id = ${customer}.id)`,
 *     });
 *
 * `nested` holds the parts of parts that were selected, as more pairs for `json_build_object` (empty or `, 'key', expr`);
 * a part whose type has nested parts must place it.
 */
export interface CustomerPart<Data, PartArgs extends Args = Args> {
  readonly name: string;
  sql(customer: string, args: PartArgs, bind: Bind, nested: string, wanted: Wanted): string;
  /** From the JSON to what the type's fields read; as it is when left out. Null is never handed in. */
  parse?(json: unknown, args: PartArgs): Data;
}

/** Declares what a module knows of a customer. @see CustomerPart */
export function defineCustomerPart<Data, PartArgs extends Args = Args>(
  part: CustomerPart<Data, PartArgs>,
): CustomerPart<Data, PartArgs> {
  return part;
}

/** Arguments of a list: `args: (arg) => connectionArgs(arg)`. */
export interface ListArgs extends Args {
  readonly first: number;
  readonly after?: string | null;
}

/** A bounded list of a customer that becomes a connection; the cut and the keyset are made in SQL. */
export interface ListPart<Row, PartArgs extends ListArgs = ListArgs> {
  readonly name: string;
  /**
   * A select of the rows, ordered, with `limit ${page.limit}`; column aliases are what the fields read: a field without
   * a resolver is the column of its name, and columns nobody asked for are not computed. When `page.after`
   * is given, only rows behind that key: `... and e.id < ${bind(page.after[0])}::uuid`.
   */
  select(
    customer: string,
    page: { readonly limit: number; readonly after: CursorKey | null },
    args: PartArgs,
    bind: Bind,
  ): string;
  /** What rows are ordered by, the id last; as long as `keyLength`. */
  readonly keyLength: number;
  cursorOf(row: Row): CursorKey;
}

/**
 * Declares a part that is a list with pages: `LoyaltyAccount.entries(first:, after:)`. Give it to `partField` or
 * `nestedPartField` with `type: connectionType(builder, ...)` and `args: (arg) => connectionArgs(arg)`.
 */
export function defineListPart<Row, PartArgs extends ListArgs = ListArgs>(
  list: ListPart<Row, PartArgs>,
): CustomerPart<Page<Row>, PartArgs> {
  return {
    name: list.name,
    sql(customer, args, bind, _nested, wanted) {
      const after = typeof args.after === 'string' ? decodeCursor(args.after, list.keyLength) : null;
      const limit = checkFirst(args.first) + (wanted.more ? 1 : 0);
      const select = list.select(customer, { limit, after }, args, bind);
      // PostgreSQL drops what an outer select leaves out, so neither it nor the reader handles what nobody asked for.
      const rows =
        wanted.columns === null
          ? select
          : `select ${wanted.columns.map((name) => `"${name}"`).join(', ')} from (${select}) q`;
      return `coalesce((select json_agg(r) from (${rows}) r), '[]')`;
    },
    parse: (json, args) =>
      pageOf(json as readonly Row[], { first: args.first, after: args.after, cursorOf: (row) => list.cursorOf(row) }),
  };
}

/** What is known of many customers at once and not in PostgreSQL: loaded by one call per page. */
export interface BatchPart<Data, PartArgs extends Args = Args> {
  readonly name: string;
  /** One answer per id, in order. */
  load(customerIds: readonly string[], args: PartArgs, context: Context): Promise<readonly Data[]>;
}

/** Declares a part that is read by batch, e.g. from ClickHouse. */
export function defineBatchPart<Data, PartArgs extends Args = Args>(
  part: BatchPart<Data, PartArgs>,
): BatchPart<Data, PartArgs> {
  return part;
}

/** A condition on customers for a value of `CustomerFilter`: SQL that is true for the customers to keep. */
export type FilterSql<Value> = (customer: string, value: Value, bind: Bind) => string;

/** Declares a filter: `defineFilter<string[]>((customer, values, bind) => \`${customer}.plan = any(${bind(values)})\`)`. */
export function defineFilter<Value>(sql: FilterSql<Value>): FilterSql<Value> {
  return sql;
}

/**
 * An order of customers. `key` is an SQL expression that is never null for a row of `customer` joined to `from`.
 * Customers without a row in `from` come last, in either direction.
 */
export interface CustomerOrder {
  key(customer: string): string;
  /** The PostgreSQL type of the key, e.g. `float8`, `text`, `timestamptz`. */
  readonly type: string;
  /** Another table with at most one row per customer, e.g. `{ table: 'risk_state r', on: (c) => \`r.customer_id = ${c}.id\` }`. */
  readonly from?: { readonly table: string; on(customer: string): string };
}

/** Declares an order. @see CustomerOrder */
export function defineOrder(order: CustomerOrder): CustomerOrder {
  return order;
}

/** What a dimension may need beside the customer. */
export interface DimensionOptions {
  /** Name of the trait, for the dimension that asks for one; else null. */
  readonly trait: string | null;
  /** IANA name: the business's, for calendar months. */
  readonly timeZone: string;
}

/** SQL of the text that a row of `customer` is grouped by; null where it is not known. */
export type DimensionSql = (customer: string, bind: Bind, options: DimensionOptions) => string;
