import { DomainError } from '../errors.ts';

/** No key, or one that lets nobody in: answered with 401. */
export class Unauthenticated extends DomainError {}

/** No `Authorization` header. */
export class KeyMissing extends Unauthenticated {
  constructor() {
    super('ACCESS_KEY_MISSING', 'Send an API key: "Authorization: Bearer hf_…".');
  }
}

/** The header holds nothing that could be a key. */
export class KeyMalformed extends Unauthenticated {
  constructor() {
    super('ACCESS_KEY_MALFORMED', 'The Authorization header holds no API key. It reads "Bearer " and the key.');
  }
}

/** Nobody has this key. */
export class KeyUnknown extends Unauthenticated {
  constructor() {
    super('ACCESS_KEY_UNKNOWN', 'This API key does not exist. Ask whoever runs Holdfast for one.');
  }
}

/** The key's time is over. */
export class KeyExpired extends Unauthenticated {
  constructor(expiredAt: Date) {
    super('ACCESS_KEY_EXPIRED', `This API key expired at ${expiredAt.toISOString()}. Make a new one.`, {
      details: { expiredAt: expiredAt.toISOString() },
    });
  }
}

/** The key was taken back. */
export class KeyRevoked extends Unauthenticated {
  constructor(revokedAt: Date) {
    super('ACCESS_KEY_REVOKED', `This API key was revoked at ${revokedAt.toISOString()}.`, {
      details: { revokedAt: revokedAt.toISOString() },
    });
  }
}

/** The key is good and may not do this; the message names the scopes needed. */
export class ScopeMissing extends DomainError {
  constructor(scopes: readonly string[]) {
    const needed = `${scopes.length === 1 ? 'the scope' : 'the scopes'} ${scopes.join(', ')}`;
    super('ACCESS_SCOPE_MISSING', `This key lacks ${needed}. Nothing was done; use a key that has it.`, {
      details: { scopes },
    });
  }
}

/** No key has this id. */
export class KeyNotFound extends DomainError {
  constructor(path: readonly string[]) {
    super('ACCESS_KEY_NOT_FOUND', 'There is no API key with this id.', { path });
  }
}

/** Without this key nobody could make keys any more. */
export class LastAdminKey extends DomainError {
  constructor(path: readonly string[]) {
    super('ACCESS_LAST_ADMIN_KEY', 'This is the last key with the scope "admin". Make another one first.', { path });
  }
}
