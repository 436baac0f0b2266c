import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import ErrorsPlugin from '@pothos/plugin-errors';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import SimpleObjectsPlugin from '@pothos/plugin-simple-objects';
import ValidationPlugin from '@pothos/plugin-validation';
import type { GraphQLSchema } from 'graphql';
import { getDatamodel } from '../../generated/pothos-prisma.ts';
import type { PrismaClient } from '../../generated/prisma/client.ts';
import { allows, type Scope } from '../access/principal.ts';
import { InvalidInput } from '../errors.ts';
import { registerDomainErrors } from './domain-errors.ts';
import { decodeGlobalId, encodeGlobalId } from './global-id.ts';
import { registerMoney } from './money.ts';
import { leaveOutPlainReads } from './plain-reads.ts';
import { scalars } from './scalars.ts';
import type { Builder, OwnTypes } from './types.ts';

const create = (prisma: PrismaClient) =>
  new SchemaBuilder<OwnTypes>({
    plugins: [
      ScopeAuthPlugin,
      ErrorsPlugin,
      RelayPlugin,
      PrismaPlugin,
      DataloaderPlugin,
      ComplexityPlugin,
      ValidationPlugin,
      SimpleObjectsPlugin,
    ],
    defaultFieldNullability: false,
    // Scopes are declared on fields and types and refused before execution (app/server/operations), so that an answer
    // is never half null; the plugin's own check while running is switched off in `toSchema`.
    scopeAuth: { authScopes: (context) => ({ scope: (scope: Scope) => allows(context.principal, scope) }) },
    // Input errors are DomainErrors too. Safe here, because scopes were checked before any argument is looked at.
    errors: { directResult: true, unsafelyHandleInputErrors: true },
    validation: {
      validationError: (failure) => {
        const issue = failure.issues[0];
        const path = (issue?.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step));
        return new InvalidInput(issue?.message ?? 'The input breaks a rule.', { path });
      },
    },
    // Cost is computed once per document by app/server/operations from what the plugin writes into the schema.
    complexity: { disabled: true, defaultComplexity: 1, defaultListMultiplier: 10 },
    prisma: { client: prisma, dmmf: getDatamodel(), exposeDescriptions: true, maxConnectionSize: 100 },
    relay: {
      encodeGlobalID: encodeGlobalId,
      decodeGlobalID: decodeGlobalId,
      cursorType: 'String',
      edgesFieldOptions: { nullable: false, description: 'The page, item by item, each with its cursor.' },
      nodeFieldOptions: { nullable: false, description: 'The item.' },
      cursorFieldOptions: { description: 'The place of this item: give it as `after` to go on behind it.' },
      pageInfoFieldOptions: { description: 'Where this page lies.' },
      pageInfoTypeOptions: { description: 'Where a page lies in its list.' },
      hasNextPageFieldOptions: { description: 'Whether there is more behind this page.' },
      hasPreviousPageFieldOptions: { description: 'Whether this page was asked for with `after`.' },
      startCursorFieldOptions: { description: 'Cursor of the first item; null when the page is empty.' },
      endCursorFieldOptions: { description: 'Cursor of the last item: give it as `after` for the next page.' },
      nodeTypeOptions: { description: 'Anything with a global id.' },
      idFieldOptions: { description: 'The global id: `node` finds it again.' },
      nodeQueryOptions: {
        description: 'Anything by its global id.',
        authScopes: { scope: 'any' },
        args: { id: { description: 'The global id.' } },
      },
      nodesQueryOptions: false,
    },
  });

/** A builder with all that core gives to every schema: scalars, Node, Money, the DomainErrors of core, empty roots. */
export function createBuilder(options: { prisma: PrismaClient }): Builder {
  const builder: Builder = create(options.prisma);
  for (const [name, scalar] of Object.entries(scalars)) {
    builder.addScalarType(name as keyof typeof scalars, scalar);
  }
  builder.queryType({ description: 'What can be read.' });
  builder.mutationType({ description: 'What can be changed.' });
  builder.subscriptionType({ description: 'What can be followed: resumable by cursor, over SSE or WebSocket.' });
  registerDomainErrors(builder);
  registerMoney(builder);
  return builder;
}

/**
 * The schema of all that was declared. The scope plugin's check while running is off: the server checks the scopes of
 * the whole operation before it runs (app/server), which costs nothing per field and never answers by halves. Whoever
 * executes operations some other way must do the same.
 */
export function finishSchema(builder: Builder): GraphQLSchema {
  const schema = builder.toSchema({ sortSchema: true, disableScopeAuth: true });
  leaveOutPlainReads(schema);
  return schema;
}
