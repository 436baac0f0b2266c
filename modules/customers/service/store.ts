import type { Tx } from '../../../src/core/database/index.ts';
import { DomainError } from '../../../src/core/errors.ts';

/** Columns of a table by the name of their field. */
export type Columns<Row> = Readonly<Record<keyof Row & string, { readonly column: string; readonly type: string }>>;

/** A table whose rows are found by a name their owner gave them. */
export interface StoreSpec<Row> {
  readonly table: string;
  readonly columns: Columns<Row>;
  /** Fields that identify a row to the caller; unique in the table. */
  readonly key: readonly (keyof Row & string)[];
}

/** One item of a batch: what it makes of the row as it stands (null: there is none yet). */
export interface UpsertItem<Row> {
  readonly key: readonly string[];
  readonly decide: (existing: Row | null) => Row | DomainError;
}

/** What became of an item: `before` is null for a new row, and the same as `after` when nothing changed. */
export interface Upserted<Row> {
  readonly before: Row | null;
  readonly after: Row;
}

const keyText = (key: readonly string[]): string => key.join('\0');

/** A value as the driver should send it within an array parameter. */
function wire(value: unknown, type: string): unknown {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  return type === 'jsonb' ? JSON.stringify(value) : value;
}

/**
 * Sets of rows in and out by few statements: one to load and lock, one to insert, one to update, whatever their number.
 * A row that somebody else inserts meanwhile is waited for and then decided upon like any other, so that callers that
 * race for a new name end with one row and nobody's change is lost.
 */
export function createStore<Row extends { readonly id: string }>(spec: StoreSpec<Row>) {
  const fields = Object.keys(spec.columns) as (keyof Row & string)[];
  const columnOf = (field: keyof Row & string) => spec.columns[field].column;
  const typeOf = (field: keyof Row & string) => spec.columns[field].type;
  const keyColumns = spec.key.map(columnOf);
  const list = fields.map((field) => `t.${columnOf(field)} as "${field}"`).join(', ');
  const unnest = (names: readonly (keyof Row & string)[], from = 1) =>
    names.map((field, index) => `$${index + from}::${typeOf(field)}[]`).join(', ');
  const keyOf = (row: Row): string => keyText(spec.key.map((field) => String(row[field])));
  const arrays = (rows: readonly Row[], names: readonly (keyof Row & string)[]) =>
    names.map((field) => rows.map((row) => wire(row[field], typeOf(field))));

  // Sorted by key, so that two transactions that want the same rows wait for each other in one order.
  const loadSql = `select ${list} from ${spec.table} t
    join unnest(${unnest(spec.key)}) as k(${keyColumns.join(', ')}) using (${keyColumns.join(', ')})
    order by ${keyColumns.map((column) => `t.${column}`).join(', ')} for update of t`;
  const insertSql = `insert into ${spec.table} (${fields.map(columnOf).join(', ')})
    select * from unnest(${unnest(fields)}) as n(${fields.map(columnOf).join(', ')}) order by ${keyColumns.join(', ')}
    on conflict (${keyColumns.join(', ')}) do nothing returning id`;
  const updated = fields.filter((field) => field !== 'id');
  const updateSql = `update ${spec.table} t set ${updated.map((field) => `${columnOf(field)} = n.${columnOf(field)}`).join(', ')}
    from unnest(${unnest(fields)}) as n(${fields.map(columnOf).join(', ')}) where t.id = n.id`;

  async function load(tx: Tx, keys: readonly (readonly string[])[]): Promise<Map<string, Row>> {
    const columns = spec.key.map((_, part) => keys.map((key) => key[part]));
    const rows = await tx.query<Row>(loadSql, columns, { name: `load_${spec.table}` });
    return new Map(rows.map((row) => [keyOf(row), row]));
  }

  return {
    load,

    /** Decides on all items in order, several of one row one after another, and writes what changed. */
    async upsert(tx: Tx, items: readonly UpsertItem<Row>[]): Promise<(Upserted<Row> | DomainError)[]> {
      const results: (Upserted<Row> | DomainError)[] = new Array(items.length);
      let pending = new Map<string, number[]>();
      items.forEach((item, index) => {
        const key = keyText(item.key);
        const known = pending.get(key);
        if (known === undefined) pending.set(key, [index]);
        else known.push(index);
      });
      while (pending.size > 0) {
        const existing = await load(
          tx,
          [...pending.values()].map(([first]) => (items[first as number] as UpsertItem<Row>).key),
        );
        const inserts: Row[] = [];
        const updates: Row[] = [];
        for (const [key, indexes] of pending) {
          const found = existing.get(key) ?? null;
          let current = found;
          for (const index of indexes) {
            const after = (items[index] as UpsertItem<Row>).decide(current);
            results[index] = after instanceof DomainError ? after : { before: current, after };
            if (!(after instanceof DomainError)) current = after;
          }
          if (current === null || current === found) continue;
          (found === null ? inserts : updates).push(current);
        }
        if (updates.length > 0) await tx.query(updateSql, arrays(updates, fields), { name: `update_${spec.table}` });
        if (inserts.length === 0) break;
        const done = await tx.query<{ id: string }>(insertSql, arrays(inserts, fields), {
          name: `insert_${spec.table}`,
        });
        const ids = new Set(done.map((row) => row.id));
        const lost = new Map<string, number[]>();
        for (const row of inserts) if (!ids.has(row.id)) lost.set(keyOf(row), pending.get(keyOf(row)) ?? []);
        pending = lost;
      }
      return results;
    },
  };
}
