import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a key looks like once it was sent: enough to find its row and to prove it, and not the key itself. */
export interface Token {
  /** Public beginning, unique; shown in lists. */
  readonly prefix: string;
  /** sha256 of the whole key. The secret has 256 random bits, so a plain hash is as strong as a slow one. */
  readonly hash: Buffer;
}

const made = /^(hf_[0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;
const given = /^[\x21-\x7e]{20,200}$/;

/** Makes a new key; the text is shown once and never kept. */
export function newKey(): { readonly text: string; readonly token: Token } {
  const text = `hf_${randomBytes(6).toString('hex')}_${randomBytes(32).toString('base64url')}`;
  return { text, token: readToken(text) as Token };
}

/** Reads a key; null when the text cannot be one. Keys chosen by an operator (the first admin key) have no prefix of their own. */
export function readToken(text: string): Token | null {
  if (!given.test(text)) return null;
  const digest = hash('sha256', text, 'buffer');
  const prefix = made.exec(text)?.[1] ?? `hf_own_${digest.toString('hex', 0, 6)}`;
  return { prefix, hash: digest };
}

/** Compares two hashes without telling by its time where they differ. */
export const sameHash = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);
