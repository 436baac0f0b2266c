import { hash } from 'node:crypto';
import type { Tx } from './database.ts';

/** A statement that changes rows, ready to be sent alone or together with others. */
export interface Write {
  /** Stable name of its text: statements of the same names are prepared once. */
  readonly name: string;
  /** One INSERT, UPDATE or DELETE (without WITH), its parameters numbered from $1. */
  readonly text: string;
  readonly values: readonly unknown[];
  /** An expression to be evaluated beside all changes, e.g. a notification, or a check that fails when too few were made. */
  readonly select?: string;
}

interface Composed {
  readonly text: string;
  /** Names of prepared statements have at most 63 characters. */
  readonly name: string;
}

const composed = new Map<string, Composed>();

/**
 * Sends writes to different tables as one statement. Each statement costs PostgreSQL and the driver some 100 µs before
 * its first row: with batches of a few dozen rows that was a third of the whole. All of them see the rows as they were
 * before, so none may depend on another.
 */
export async function writeTogether(tx: Pick<Tx, 'query'>, writes: readonly Write[]): Promise<void> {
  if (writes.length === 0) return;
  const names = writes.map((write) => write.name).join('+');
  let statement = composed.get(names);
  if (statement === undefined) {
    statement = { text: compose(writes), name: `together_${hash('sha1', names)}` };
    composed.set(names, statement);
  }
  await tx.query(
    statement.text,
    writes.flatMap((write) => write.values),
    { name: statement.name },
  );
}

function compose(writes: readonly Write[]): string {
  let before = 0;
  const parts: string[] = [];
  const selects: string[] = [];
  for (const { name, text, values, select } of writes) {
    const offset = before;
    const shifted = (sql: string) => sql.replace(/\$(\d+)/g, (_, number) => `$${Number(number) + offset}`);
    parts.push(`"${name}" as (${shifted(text)})`);
    if (select !== undefined) selects.push(shifted(select));
    before += values.length;
  }
  return `with ${parts.join(', ')} select ${selects.length === 0 ? '1' : selects.join(', ')}`;
}
