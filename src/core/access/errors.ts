import { DomainError } from '../errors.ts';

/** The key is good and may not do this; the message names the scopes needed. */
export class ScopeMissing extends DomainError {
  constructor(scopes: readonly string[]) {
    super(
      'ACCESS_SCOPE_MISSING',
      `This key lacks ${scopes.length === 1 ? 'the scope' : 'the scopes'} ${scopes.join(', ')}. Nothing was done; use a key that has it.`,
      { details: { scopes } },
    );
  }
}
