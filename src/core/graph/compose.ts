import { createHash } from 'node:crypto';
import type { CursorKey } from '../builder/index.ts';
import type { Args, Bind, CustomerOrder, CustomerPart, FilterSql, Wanted } from './part.ts';

/** A selected part with its arguments, under the key its field reads it by (the field's alias or name). */
export interface SelectedPart {
  readonly key: string;
  readonly part: CustomerPart<unknown>;
  readonly args: Args;
  readonly nested: readonly SelectedPart[];
  readonly wanted: Wanted;
}

/** What of a customer was asked for. */
export interface Selection {
  /** Column by the name of its field. */
  readonly columns: ReadonlyMap<string, string>;
  readonly parts: readonly SelectedPart[];
}

/** The table of customers, as the module that owns it declares it. */
export interface CustomerTable {
  readonly table: string;
  /** SQL that is true for the customers to be seen at all. */
  visible?(customer: string): string;
  /** SQL of one number: how many customers are to be seen (a kept count, not a count of rows). */
  readonly totalSql: string;
  /** Names customers had before; looked at only for what is not found otherwise. */
  readonly former?: {
    /** SQL of rows `asked`, `id`: of the ids in the placeholder (a `uuid[]`), the customers they lead to now. */
    ids(placeholder: string): string;
    /** By column: SQL of the id that a former value, the placeholder, leads to. */
    readonly columns: Readonly<Record<string, (placeholder: string) => string>>;
  };
}

/** Which page of which customers. */
export interface PageRequest {
  readonly selection: Selection;
  readonly filters: readonly { readonly sql: FilterSql<never>; readonly value: unknown }[];
  readonly order: CustomerOrder | null;
  readonly descending: boolean;
  readonly first: number;
  readonly after: CursorKey | null;
  readonly needsMore: boolean;
  readonly needsTotal: boolean;
}

/** A statement ready to run. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Name under which a row carries the value it is ordered by. */
export const orderKey = '$key';

function binder(values: unknown[]): Bind {
  return (value) => `$${values.push(value)}`;
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const identifier = (text: string): string => `"${text.replaceAll('"', '""')}"`;

function partSql(selected: SelectedPart, bind: Bind): string {
  const nested = selected.nested.map((inner) => `, ${literal(inner.key)}, ${partSql(inner, bind)}`).join('');
  const sql = selected.part.sql('c', selected.args, bind, nested, selected.wanted);
  if (nested !== '' && !sql.includes(nested)) {
    throw new Error(`part "${selected.part.name}" does not place its nested parts`);
  }
  return sql;
}

/** The columns of one customer as a select list over `c`. */
function selectList(selection: Selection, bind: Bind): string {
  const columns = [...selection.columns].map(([field, column]) => `c.${identifier(column)} as ${identifier(field)}`);
  const parts = selection.parts.map((part) => `${partSql(part, bind)} as ${identifier(part.key)}`);
  return ['c.id as "id"', ...columns, ...parts].join(', ');
}

const where = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : ` where ${conditions.map((condition) => `(${condition})`).join(' and ')}`;

/** The rows of the page: a keyset read of `limit` rows, never an offset. */
function pageRows(
  table: CustomerTable,
  page: PageRequest,
  conditions: readonly string[],
  bind: Bind,
  limit: number,
): string {
  const direction = page.descending ? 'desc' : 'asc';
  const behind = page.descending ? '<' : '>';
  const { order, after } = page;
  if (order === null) {
    const keyset = after === null ? [] : [`c.id ${behind} ${bind(after[0])}::uuid`];
    return `select c.* from ${table.table} c${where([...conditions, ...keyset])} order by c.id ${direction} limit ${limit}`;
  }
  const key = order.key('c');
  const join = order.from === undefined ? '' : ` join ${order.from.table} on ${order.from.on('c')}`;
  const keyset =
    after === null || after[0] === null
      ? []
      : [`(${key}, c.id) ${behind} (${bind(after[0])}::text::${order.type}, ${bind(after[1])}::uuid)`];
  const known = `select c.*, (${key})::text as ${identifier(orderKey)} from ${table.table} c${join}${where([
    ...conditions,
    ...keyset,
  ])} order by ${key} ${direction}, c.id ${direction} limit ${limit}`;
  if (order.from === undefined) return known;
  const missing = `not exists (select 1 from ${order.from.table} where ${order.from.on('c')})`;
  const keysetOfMissing = after !== null && after[0] === null ? [`c.id ${behind} ${bind(after[1])}::uuid`] : [];
  const unknown = `select c.*, null::text as ${identifier(orderKey)} from ${table.table} c${where([
    ...conditions,
    missing,
    ...keysetOfMissing,
  ])} order by c.id ${direction} limit ${limit}`;
  if (after !== null && after[0] === null) return unknown;
  return `select * from (${known}) known union all select * from (${unknown}) unknown limit ${limit}`;
}

/**
 * One statement for a page of customers with all that was asked for: one row, one column `page` holding
 * `{ rows, more, total }`. Shape of its plan: an index scan of `first + 1` customers, then each part's own index scan
 * per row; so rows read grow with the page and not with the table. Its text depends on the shape of the request and the
 * page size only, so it can be a prepared statement.
 */
export function composePage(table: CustomerTable, page: PageRequest): Statement {
  const values: unknown[] = [];
  const bind = binder(values);
  const visible = table.visible === undefined ? [] : [table.visible('c')];
  const conditions = page.filters.map((filter) => filter.sql('c', filter.value as never, bind));
  const limit = page.needsMore ? page.first + 1 : page.first;
  const rows = pageRows(table, page, [...visible, ...conditions], bind, limit);
  const list = selectList(page.selection, bind);
  const key = page.order === null ? '' : `, c.${identifier(orderKey)}`;
  const cut = page.needsMore ? `(select * from page limit ${page.first}) c` : 'page c';
  const total =
    conditions.length === 0
      ? `(${table.totalSql})`
      : `(select count(*) from ${table.table} c${where([...visible, ...conditions])})`;
  const answer = [
    `'rows', (select json_agg(r) from (select ${list}${key} from ${cut}) r)`,
    ...(page.needsMore ? [`'more', (select count(*) > ${page.first} from page)`] : []),
    ...(page.needsTotal ? [`'total', ${total}`] : []),
  ];
  return { text: `with page as (${rows}) select json_build_object(${answer.join(', ')}) as page`, values };
}

/** One statement for some customers by id: rows with one column `customer`. */
export function composeByIds(table: CustomerTable, selection: Selection, ids: readonly string[]): Statement {
  const values: unknown[] = [ids];
  const visible = table.visible === undefined ? [] : [table.visible('c')];
  const conditions = where([...visible, 'c.id = any($1::uuid[])']);
  const list = selectList(selection, binder(values));
  return {
    text: `select to_json(r) as customer from (select ${list} from ${table.table} c${conditions}) r`,
    values,
  };
}

/** One statement for the customer with a value in a unique column. */
export function composeByColumn(table: CustomerTable, selection: Selection, column: string, value: string): Statement {
  const values: unknown[] = [value];
  const visible = table.visible === undefined ? [] : [table.visible('c')];
  const conditions = where([...visible, `c.${identifier(column)} = $1`]);
  const list = selectList(selection, binder(values));
  return {
    text: `select to_json(r) as customer from (select ${list} from ${table.table} c${conditions}) r`,
    values,
  };
}

/** One statement for the customer to whom a former value of a unique column leads; null when no values are kept. */
export function composeByFormer(
  table: CustomerTable,
  selection: Selection,
  column: string,
  value: string,
): Statement | null {
  const former = table.former?.columns[column];
  if (former === undefined) return null;
  const values: unknown[] = [value];
  const visible = table.visible === undefined ? [] : [table.visible('c')];
  const conditions = where([...visible, `c.id = (${former('$1')})`]);
  const list = selectList(selection, binder(values));
  return {
    text: `select to_json(r) as customer from (select ${list} from ${table.table} c${conditions}) r`,
    values,
  };
}

/** Prepared statements live as long as a connection, so their number is bounded; beyond it statements go unnamed. */
const maxNamed = 300;
const names = new Map<string, string>();

/** The prepared statement's name of a text, or undefined when there are too many already. */
export function statementName(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= maxNamed) return known;
  const name = `graph_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
  names.set(text, name);
  return name;
}
