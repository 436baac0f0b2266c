import { audit } from '../audit.ts';
import { actorName, type Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Database, Tx } from '../database/index.ts';
import { InvalidInput } from '../errors.ts';
import { newId } from '../ids.ts';
import { KeyNotFound, LastAdminKey, ScopeMissing } from './errors.ts';
import { allows, type Principal, type Scope, type ScopeDefinition } from './principal.ts';
import { newKey, readToken, sameHash, type Token } from './secret.ts';

/** An API key as lists show it. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly string[];
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly lastUsedAt: Date | null;
}

/** What a new key shall be. */
export interface NewKey {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly expiresAt: Date | null;
}

/** Channel of notifications about changed keys; the payload is the id. */
export const keyChannel = 'holdfast_api_key';

const columns = `id, name, prefix, scopes, created_at as "createdAt", created_by as "createdBy",
  expires_at as "expiresAt", revoked_at as "revokedAt", last_used_at as "lastUsedAt"`;

const maxNameLength = 100;

/** Makes, lists and takes back API keys. */
export interface KeyService {
  /** The text is given back this once. A key can give only what its maker has. */
  create(call: Call, maker: Principal, key: NewKey): Promise<{ readonly key: ApiKey; readonly secret: string }>;
  /** Works at once everywhere; revoking twice is the same as once. */
  revoke(call: Call, id: string): Promise<ApiKey>;
  /** Newest first; `after` is the id of the last one seen. */
  list(first: number, after: string | null): Promise<readonly ApiKey[]>;
  /**
   * Sees to it that an admin can get in: adopts the given key, or makes one when there is none at all.
   * @returns the text of the key it made, to be shown once; null when it made none
   */
  ensureAdmin(call: Call, given: string | null): Promise<string | null>;
}

/** The key service over a database. `scopes` are those any module declared. */
export function createKeyService(options: {
  readonly database: Database;
  readonly clock: Clock;
  readonly scopes: readonly ScopeDefinition[];
}): KeyService {
  const { database, clock } = options;
  const known = new Set<string>(options.scopes.map((scope) => scope.name));

  const insert = async (tx: Tx, call: Call, token: Token, key: NewKey): Promise<ApiKey> => {
    const [row] = await tx.query<ApiKey>(
      `insert into api_key (id, name, prefix, secret_hash, scopes, created_at, created_by, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8) returning ${columns}`,
      [newId(), key.name, token.prefix, token.hash, key.scopes, clock.now(), actorName(call.actor), key.expiresAt],
    );
    const made = row as ApiKey;
    const detail = { name: key.name, scopes: key.scopes, expiresAt: key.expiresAt };
    await audit(tx, call, clock, { action: 'keys.create', subject: made.id, detail });
    // A key that was asked for before it existed is remembered as unknown for a moment; this ends that moment.
    await tx.query('select pg_notify($1, $2)', [keyChannel, made.id]);
    return made;
  };

  const check = (maker: Principal, key: NewKey): void => {
    const name = key.name.trim();
    if (name === '' || name.length > maxNameLength) {
      throw new InvalidInput(`The name must have 1 to ${maxNameLength} characters.`, { path: ['input', 'name'] });
    }
    if (key.scopes.length === 0) throw new InvalidInput('Name at least one scope.', { path: ['input', 'scopes'] });
    const unknown = key.scopes.filter((scope) => !known.has(scope));
    if (unknown.length > 0) {
      const message = `Unknown: ${unknown.join(', ')}. The query "scopes" lists all of them.`;
      throw new InvalidInput(message, { path: ['input', 'scopes'] });
    }
    const beyond = key.scopes.filter((scope) => !allows(maker, scope as Scope));
    if (beyond.length > 0) throw new ScopeMissing(beyond);
    if (key.expiresAt !== null && key.expiresAt <= clock.now()) {
      throw new InvalidInput('"expiresAt" lies in the past; the key would never work.', {
        path: ['input', 'expiresAt'],
      });
    }
  };

  const adopt = async (tx: Tx, call: Call, token: Token): Promise<void> => {
    const [row] = await tx.query<{ hash: Buffer; revokedAt: Date | null }>(
      'select secret_hash as hash, revoked_at as "revokedAt" from api_key where prefix = $1',
      [token.prefix],
    );
    if (row !== undefined && sameHash(row.hash, token.hash)) return;
    await insert(tx, call, token, { name: 'admin', scopes: ['admin'], expiresAt: null });
  };

  return {
    async create(call, maker, key) {
      check(maker, key);
      const { text, token } = newKey();
      const scopes = [...new Set(key.scopes)].sort();
      const made = await database.transaction((tx) =>
        insert(tx, call, token, { ...key, name: key.name.trim(), scopes }),
      );
      return { key: made, secret: text };
    },
    async revoke(call, id) {
      return await database.transaction(async (tx) => {
        // All admin keys are locked, so that two revocations at once cannot take the last two.
        const admins = await tx.query<{ id: string; usable: boolean }>(
          `select id, revoked_at is null and (expires_at is null or expires_at > $1) as usable
           from api_key where 'admin' = any(scopes) order by id for update`,
          [clock.now()],
        );
        const usable = admins.filter((admin) => admin.usable);
        if (usable.length === 1 && usable[0]?.id === id) throw new LastAdminKey(['input', 'id']);
        const [row] = await tx.query<ApiKey & { wasRevoked: boolean }>(
          `update api_key set revoked_at = coalesce(revoked_at, $2) where id = $1 returning ${columns}`,
          [id, clock.now()],
        );
        if (row === undefined) throw new KeyNotFound(['input', 'id']);
        await audit(tx, call, clock, { action: 'keys.revoke', subject: id, detail: { name: row.name } });
        await tx.query('select pg_notify($1, $2)', [keyChannel, id]);
        return row;
      });
    },
    async list(first, after) {
      return await database.query<ApiKey>(
        `select ${columns} from api_key where $2::uuid is null or id < $2::uuid order by id desc limit $1`,
        [first, after],
      );
    },
    async ensureAdmin(call, given) {
      return await database.transaction(async (tx) => {
        // Ten processes may start at once; one of them makes the key.
        await tx.query("select pg_advisory_xact_lock(hashtext('holdfast.ensure_admin'))");
        if (given !== null) {
          const token = readToken(given);
          if (token === null) throw new InvalidInput('The admin key must be 20 to 200 printable characters.');
          await adopt(tx, call, token);
          return null;
        }
        const [row] = await tx.query(
          `select 1 from api_key where 'admin' = any(scopes) and revoked_at is null
           and (expires_at is null or expires_at > $1) limit 1`,
          [clock.now()],
        );
        if (row !== undefined) return null;
        const { text, token } = newKey();
        await insert(tx, call, token, { name: 'admin', scopes: ['admin'], expiresAt: null });
        return text;
      });
    },
  };
}
