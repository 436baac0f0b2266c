/** A permission of a key, e.g. `loyalty:award`. `admin` holds all of them; `any` means any valid key. */
export type Scope = `${string}:${string}` | 'admin' | 'any';

/** A permission as its module declares it: partners read the description when they make a key. */
export interface ScopeDefinition {
  readonly name: Scope;
  readonly description: string;
}

/** Who is at the door, once the key was checked. */
export interface Principal {
  readonly id: string;
  readonly name: string;
  readonly scopes: ReadonlySet<string>;
  readonly expiresAt: Date | null;
}

/** Whether the principal may do what the scope guards. */
export function allows(principal: Principal, scope: Scope): boolean {
  return scope === 'any' || principal.scopes.has('admin') || principal.scopes.has(scope);
}
