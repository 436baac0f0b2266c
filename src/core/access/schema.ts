import {
  type Builder,
  type Context,
  connectionArgs,
  connectionType,
  decodeCursor,
  domainError,
  isId,
  mutationField,
  pageOf,
} from '../builder/index.ts';
import { InvalidInput } from '../errors.ts';
import { KeyNotFound, LastAdminKey, ScopeMissing } from './errors.ts';
import type { ApiKey, KeyService } from './keys.ts';
import type { ScopeDefinition } from './principal.ts';

/** `apiKeys`, `scopes`, `createApiKey`, `revokeApiKey`. */
export const accessSchema = (keys: KeyService, scopes: readonly ScopeDefinition[]) => (builder: Builder) => {
  domainError(builder, ScopeMissing, 'The key may not do this; the message names the scopes needed.', (t) => ({
    scopes: t.stringList({
      description: 'The scopes needed.',
      resolve: (error) => [...(error.details.scopes as string[])],
    }),
  }));
  domainError(builder, KeyNotFound, 'No API key has this id.');
  domainError(builder, LastAdminKey, 'Without this key nobody could make keys any more.');

  const keyRef = builder.objectRef<ApiKey>('ApiKey').implement({
    description: 'A key that lets a program in. Its text is shown once, when it is made.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Its id, for `revokeApiKey`.' }),
      name: t.exposeString('name', { description: 'What it is for.' }),
      prefix: t.exposeString('prefix', { description: 'How the key begins, to tell keys apart.' }),
      scopes: t.stringList({ description: 'What it may do.', resolve: (key) => [...key.scopes] }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
      createdBy: t.exposeString('createdBy', { description: 'Who made it.' }),
      expiresAt: t.expose('expiresAt', {
        type: 'DateTime',
        nullable: true,
        description: 'From when on it is refused.',
      }),
      revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true, description: 'When it was revoked.' }),
      lastUsedAt: t.expose('lastUsedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it was last used, to the minute.',
      }),
    }),
  });
  const scopeRef = builder.objectRef<ScopeDefinition>('Scope').implement({
    description: 'A permission that a key may have.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'Its name, e.g. loyalty:award.' }),
      description: t.exposeString('description', { description: 'What it permits.' }),
    }),
  });
  builder.queryField('scopes', (t) =>
    t.field({
      type: [scopeRef],
      description: 'All permissions that keys may have.',
      authScopes: { scope: 'any' },
      resolve: () => [...scopes].sort((a, b) => (a.name < b.name ? -1 : 1)),
    }),
  );

  const connection = connectionType<ApiKey>(builder, { name: 'ApiKey', node: keyRef });
  builder.queryField('apiKeys', (t) =>
    t.field({
      type: connection,
      description: 'API keys, newest first, revoked and expired ones included.',
      authScopes: { scope: 'keys:manage' },
      args: connectionArgs(t.arg),
      resolve: async (_root, { first, after }) => {
        const [id] = after === null || after === undefined ? [null] : decodeCursor(after, 1);
        if (id !== null && !(typeof id === 'string' && isId(id))) {
          throw new InvalidInput('The cursor does not fit this list.', { path: ['after'] });
        }
        return pageOf(await keys.list(first + 1, id), { first, after, cursorOf: (key) => [key.id] });
      },
    }),
  );

  const createInput = builder.inputType('CreateApiKeyInput', {
    description: 'A new API key.',
    fields: (t) => ({
      name: t.string({ required: true, description: 'What it is for, 1 to 100 characters.' }),
      scopes: t.stringList({
        required: true,
        description: 'What it may do: names from `scopes`, none beyond your own.',
      }),
      expiresAt: t.field({ type: 'DateTime', description: 'From when on it is refused; without it never.' }),
    }),
  });
  const createSuccess = builder.objectRef<{ key: ApiKey; secret: string }>('CreateApiKeySuccess').implement({
    description: 'The key was made.',
    fields: (t) => ({
      key: t.field({ type: keyRef, description: 'The key.', resolve: (made) => made.key }),
      secret: t.exposeString('secret', {
        description: 'The text to send as `Authorization: Bearer …`. Shown only here.',
      }),
    }),
  });
  mutationField(builder, 'createApiKey', {
    description: 'Makes an API key. It can be given only scopes that your own key has.',
    scope: 'keys:manage',
    input: createInput,
    payload: createSuccess,
    errors: [ScopeMissing],
    resolve: (input, context: Context) =>
      keys.create(context.call, context.principal, { ...input, expiresAt: input.expiresAt ?? null }),
  });

  const revokeInput = builder.inputType('RevokeApiKeyInput', {
    description: 'Which API key.',
    fields: (t) => ({ id: t.id({ required: true, description: 'Its id.' }) }),
  });
  const revokeSuccess = builder.objectRef<{ key: ApiKey }>('RevokeApiKeySuccess').implement({
    description: 'The key lets nobody in any more.',
    fields: (t) => ({ key: t.field({ type: keyRef, description: 'The key.', resolve: (done) => done.key }) }),
  });
  mutationField(builder, 'revokeApiKey', {
    description: 'Takes an API key back, at once and for good.',
    scope: 'keys:manage',
    input: revokeInput,
    payload: revokeSuccess,
    errors: [KeyNotFound, LastAdminKey],
    resolve: async (input, context: Context) => {
      if (!isId(input.id)) throw new KeyNotFound(['input', 'id']);
      return { key: await keys.revoke(context.call, input.id) };
    },
  });
};
