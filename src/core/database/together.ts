import type { Tx } from './database.ts';

/** A statement that changes rows, ready to be sent alone or together with others. */
export interface Write {
  /** Stable name of its text: statements of the same names are prepared once. */
  readonly name: string;
  /** One INSERT, UPDATE or DELETE (without WITH), its parameters numbered from $1. */
  readonly text: string;
  readonly values: readonly unknown[];
  /** An expression to be evaluated behind all changes, e.g. a notification. */
  readonly select?: string;
}

const texts = new Map<string, string>();

/**
 * Sends writes to different tables as one statement. Each statement costs PostgreSQL and the driver some 100 µs before
 * its first row: with batches of a few dozen rows that was a third of the whole. All of them see the rows as they were
 * before, so none may depend on another.
 */
export async function writeTogether(tx: Pick<Tx, 'query'>, writes: readonly Write[]): Promise<void> {
  if (writes.length === 0) return;
  const name = writes.map((write) => write.name).join('+');
  let text = texts.get(name);
  if (text === undefined) {
    text = compose(writes);
    texts.set(name, text);
  }
  await tx.query(
    text,
    writes.flatMap((write) => write.values),
    { name },
  );
}

function compose(writes: readonly Write[]): string {
  let before = 0;
  const parts: string[] = [];
  for (const { name, text, values } of writes) {
    const offset = before;
    parts.push(`"${name}" as (${text.replace(/\$(\d+)/g, (_, number) => `$${Number(number) + offset}`)})`);
    before += values.length;
  }
  const selects = writes.flatMap((write) => (write.select === undefined ? [] : [write.select]));
  return `with ${parts.join(', ')} select ${selects.length === 0 ? '1' : selects.join(', ')}`;
}
