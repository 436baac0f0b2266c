export { type Authenticator, createAuthenticator } from './authenticator.ts';
export { ScopeMissing, Unauthenticated } from './errors.ts';
export { type ApiKey, createKeyService, type KeyService } from './keys.ts';
export { allows, type Principal, type Scope, type ScopeDefinition } from './principal.ts';
export { accessSchema } from './schema.ts';
