import { hash } from 'node:crypto';
import { type Tx, textArray, type Write } from './database/index.ts';

/** JSON with sorted keys: equal inputs have equal texts. Undefined members count as absent. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (value instanceof Date) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value as Record<string, unknown>)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** SHA-256 of the canonical JSON of an input. */
export const hashInput = (input: unknown): Buffer => hash('sha256', canonicalJson(input), 'buffer');

/** What a key turned out to be: new, used before with the same input (first answer), or used with another input. */
export type KeyClaim<A> =
  | { readonly kind: 'new' }
  | { readonly kind: 'replay'; readonly answer: A }
  | { readonly kind: 'conflict' };

/**
 * Claims idempotency keys for the calling transaction, in one statement. A key claimed by a transaction still open is
 * waited for. The claim becomes permanent with the commit, together with what the caller wrote and `storeAnswers`.
 * Keys that repeat within `items` must be folded by the caller beforehand.
 * @param scope the operation, e.g. `loyalty.awardPoints`
 */
export async function claimKeys<A>(
  tx: Tx,
  scope: string,
  items: readonly { readonly key: string; readonly hash: Buffer }[],
): Promise<KeyClaim<A>[]> {
  if (items.length === 0) return [];
  const keys = items.map((item) => item.key);
  // Sorted, so that two transactions that share keys wait for each other in one order.
  const inserted = await tx.query<{ key: string }>(
    `insert into idempotency_key (scope, key, input_hash)
     select $1, k, h from unnest($2::text[], $3::bytea[]) as t(k, h) order by k
     on conflict do nothing returning key`,
    [scope, keys, items.map((item) => item.hash)],
    { name: 'idempotency_claim' },
  );
  const fresh = new Set(inserted.map((row) => row.key));
  if (fresh.size === items.length) return items.map(() => ({ kind: 'new' }));
  const known = await tx.query<{ key: string; hash: Buffer; answer: A }>(
    'select key, input_hash as hash, answer from idempotency_key where scope = $1 and key = any($2::text[])',
    [scope, keys.filter((key) => !fresh.has(key))],
    { name: 'idempotency_known' },
  );
  const byKey = new Map(known.map((row) => [row.key, row]));
  return items.map((item) => {
    const row = byKey.get(item.key);
    if (row === undefined) return { kind: 'new' };
    return row.hash.equals(item.hash) ? { kind: 'replay', answer: row.answer } : { kind: 'conflict' };
  });
}

/** Keeps the first answers of keys claimed in this transaction. Answers are JSON. */
export async function storeAnswers(
  tx: Tx,
  scope: string,
  items: readonly { readonly key: string; readonly answer: unknown }[],
): Promise<void> {
  if (items.length === 0) return;
  await tx.query(
    `update idempotency_key i set answer = t.a from unnest($2::text[], $3::jsonb[]) as t(k, a)
     where i.scope = $1 and i.key = t.k`,
    [scope, items.map((item) => item.key), items.map((item) => JSON.stringify(item.answer))],
    { name: 'idempotency_answer' },
  );
}

const UNIQUE_VIOLATION = '23505';

/**
 * Another transaction took one of the keys meanwhile. Carries PostgreSQL's code for a failed serialization, so that the
 * transaction is run again and then finds the key.
 */
class KeyTaken extends Error {
  readonly code = '40001';
}

/**
 * Looks keys up without claiming them, for operations that lock what they change first: a repeated request then waits at
 * that lock, and its key is found here. Keep the answers with
 * `answersWrite` in the same transaction.
 */
export async function findKeys<A>(
  tx: Tx,
  scope: string,
  items: readonly { readonly key: string; readonly hash: Buffer }[],
): Promise<KeyClaim<A>[]> {
  const known = await tx.query<{ key: string; hash: Buffer; answer: A }>(
    'select key, input_hash as hash, answer from idempotency_key where scope = $1 and key = any($2::text[])',
    [scope, items.map((item) => item.key)],
    { name: 'idempotency_find' },
  );
  const byKey = new Map(known.map((row) => [row.key, row]));
  return items.map((item) => {
    const row = byKey.get(item.key);
    if (row === undefined) return { kind: 'new' };
    return row.hash.equals(item.hash) ? { kind: 'replay', answer: row.answer } : { kind: 'conflict' };
  });
}

/** A key with the first answer to it. */
export interface KeptAnswer {
  readonly key: string;
  readonly hash: Buffer;
  /** JSON. */
  readonly answer: unknown;
}

/**
 * The write that keeps keys with their first answers; sent by `keepingAnswers`. Inputs that failed keep no key and may
 * be sent again.
 */
export function answersWrite(scope: string, items: readonly KeptAnswer[]): Write {
  // Sorted, so that two transactions that share keys wait for each other in one order.
  const sorted = [...items].sort((a, b) => (a.key < b.key ? -1 : 1));
  return {
    name: 'idempotency_keep',
    text: `insert into idempotency_key (scope, key, input_hash, answer)
           select $1, k, h, a from unnest($2::text[], $3::bytea[], $4::jsonb[]) as t(k, h, a)`,
    values: [
      scope,
      textArray(sorted.map((item) => item.key)),
      textArray(sorted.map((item) => `\\x${item.hash.toString('hex')}`)),
      textArray(sorted.map((item) => JSON.stringify(item.answer))),
    ],
  };
}

/**
 * Awaits a statement that holds an `answersWrite`.
 * @throws an error that makes `Database.transaction` run again when another transaction took a key since `findKeys`
 */
export async function keepingAnswers(sent: Promise<unknown>): Promise<void> {
  try {
    await sent;
  } catch (error) {
    const { code, constraint } = error as { code?: unknown; constraint?: unknown };
    if (code !== UNIQUE_VIOLATION || constraint !== 'idempotency_key_pkey') throw error;
    throw new KeyTaken('an idempotency key was taken meanwhile', { cause: error });
  }
}
