import type { Clock } from '../clock.ts';
import type { Database } from '../database/index.ts';
import type { Logger } from '../logger.ts';
import { KeyExpired, KeyMalformed, KeyMissing, KeyRevoked, KeyUnknown } from './errors.ts';
import { keyChannel } from './keys.ts';
import type { Principal } from './principal.ts';
import { readToken, sameHash, type Token } from './secret.ts';

/** Tells who is at the door. */
export interface Authenticator {
  /**
   * From an `Authorization` header to a principal; at once when the key was seen within the last seconds.
   * @throws Unauthenticated (also as rejection): missing, malformed, unknown, expired or revoked
   */
  authenticate(header: string | undefined): Principal | Promise<Principal>;
  /** Writes when keys were last used, and stops. */
  close(): Promise<void>;
}

interface Known {
  readonly principal: Principal | null;
  readonly revokedAt: Date | null;
  readonly readAtMs: number;
}

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly hash: Buffer;
  readonly scopes: string[];
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

/** How long a key is believed without looking. Revocations arrive by notification; this covers a lost one. */
const ttlMs = 5_000;
/** Wrong keys are remembered too, or guessing would be a load on the database; hence the bound. */
const maxKnown = 10_000;
/** `last_used_at` is for people who tidy up keys: a minute is exact enough, and no request waits for it. */
const flushMs = 60_000;

/** Opens the authenticator: listens for changed keys and keeps a small cache. */
export async function createAuthenticator(options: {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<Authenticator> {
  const { database, clock, logger } = options;
  const known = new Map<string, Known>();
  const reading = new Map<string, Promise<Known>>();
  const used = new Map<string, Date>();
  let generation = 0;

  const unlisten = await database.listen(keyChannel, () => {
    generation += 1;
    known.clear();
    reading.clear();
  });

  const read = async (token: Token, cacheKey: string): Promise<Known> => {
    const readIn = generation;
    const readAtMs = clock.now().getTime();
    const [row] = await database.query<KeyRow>(
      `select id, name, secret_hash as hash, scopes, expires_at as "expiresAt", revoked_at as "revokedAt"
       from api_key where prefix = $1`,
      [token.prefix],
      { name: 'api_key_by_prefix' },
    );
    const principal =
      row !== undefined && sameHash(row.hash, token.hash)
        ? { id: row.id, name: row.name, scopes: new Set(row.scopes), expiresAt: row.expiresAt }
        : null;
    const entry: Known = { principal, revokedAt: row?.revokedAt ?? null, readAtMs };
    // A notification between the read and now means that what was read may be old already.
    if (readIn === generation) {
      if (known.size >= maxKnown) known.delete(known.keys().next().value as string);
      known.set(cacheKey, entry);
      reading.delete(cacheKey);
    }
    return entry;
  };

  const judge = ({ principal, revokedAt }: Known, now: Date): Principal => {
    if (principal === null) throw new KeyUnknown();
    if (revokedAt !== null) throw new KeyRevoked(revokedAt);
    if (principal.expiresAt !== null && principal.expiresAt <= now) throw new KeyExpired(principal.expiresAt);
    used.set(principal.id, now);
    return principal;
  };

  const flush = async (): Promise<void> => {
    if (used.size === 0) return;
    const entries = [...used];
    used.clear();
    await database.query(
      `update api_key k set last_used_at = u.at from unnest($1::uuid[], $2::timestamptz[]) u (id, at)
       where k.id = u.id and (k.last_used_at is null or k.last_used_at < u.at)`,
      [entries.map(([id]) => id), entries.map(([, at]) => at)],
    );
  };
  const timer = setInterval(() => {
    flush().catch((error: unknown) => logger.warn({ err: error }, 'could not write when keys were last used'));
  }, flushMs).unref();

  return {
    authenticate(header) {
      if (header === undefined || header === '') throw new KeyMissing();
      const token = /^bearer /i.test(header) ? readToken(header.slice(7)) : null;
      if (token === null) throw new KeyMalformed();
      const cacheKey = token.hash.toString('latin1');
      const now = clock.now();
      const entry = known.get(cacheKey);
      if (entry !== undefined && now.getTime() - entry.readAtMs < ttlMs) return judge(entry, now);
      let pending = reading.get(cacheKey);
      if (pending === undefined) {
        pending = read(token, cacheKey).catch((error: unknown) => {
          reading.delete(cacheKey);
          throw error;
        });
        reading.set(cacheKey, pending);
      }
      return pending.then((fresh) => judge(fresh, clock.now()));
    },
    async close() {
      clearInterval(timer);
      await unlisten();
      await flush();
    },
  };
}
