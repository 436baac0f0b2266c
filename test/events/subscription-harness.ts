import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { execute, GraphQLError, parse, validate } from 'graphql';
import { createSubscriptionServer } from '../../src/app/subscriptions/server.ts';
import type { OperationRequest, SubscriptionHost, SubscriptionLimits } from '../../src/app/subscriptions/types.ts';
import { KeyExpired, KeyRevoked, KeyUnknown } from '../../src/core/access/errors.ts';
import type { Principal } from '../../src/core/access/index.ts';
import { createBuilder } from '../../src/core/builder/index.ts';
import type { Database } from '../../src/core/database/index.ts';
import { DomainError, InvalidInput } from '../../src/core/errors.ts';
import { createTail } from '../../src/core/events/index.ts';
import { eventSubscription, eventsSchema } from '../../src/core/events/schema.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { counted, logger, registry } from './definitions.ts';

/** Keys of these tests: the text after "Bearer " is the id of the principal. */
export interface Keys {
  readonly revoked: Set<string>;
  readonly expired: Set<string>;
}

/** Whoever follows the counting is through when this number comes. */
export const LAST_NUMBER = 1_000_000;

function createSchema(database: Database) {
  const builder = createBuilder({ prisma: database.prisma });
  builder.queryField('hello', (t) => t.string({ description: 'A greeting.', resolve: () => 'world' }));
  builder.mutationField('touch', (t) => t.boolean({ description: 'Nothing.', resolve: () => true }));
  eventSubscription(builder, {
    field: 'counted',
    scope: 'events:read',
    definition: counted,
    type: 'Counted',
    description: 'A number was counted.',
    args: builder.args((t) => ({ min: t.int({ description: 'Only numbers from here on.' }) })),
    check: ({ min }) => {
      if (min === 666) throw new InvalidInput('Not that number.', { path: ['min'] });
    },
    accepts: (event, { min }) => {
      if (min === -666) throw new Error('a fault of ours');
      return min == null || event.payload.n >= min;
    },
    isLast: (event) => event.payload.n === LAST_NUMBER,
    fields: (t) => ({
      n: t.int({ description: 'The number.', resolve: (event) => event.payload.n }),
      later: t.int({
        description: 'The number, after a turn of the event loop.',
        resolve: (event) => new Promise<number>((resolve) => setImmediate(() => resolve(event.payload.n))),
      }),
    }),
  });
  eventsSchema(registry)(builder);
  return builder.toSchema();
}

function createHost(schema: SubscriptionHost['schema'], keys: Keys): SubscriptionHost {
  const showErrors = (error: unknown) => {
    const errors = error instanceof AggregateError ? error.errors : [error];
    return errors.map((each) => {
      if (each instanceof DomainError)
        return { message: each.message, extensions: { code: each.code, ...each.details } };
      if (each instanceof GraphQLError) return each.toJSON();
      throw each;
    });
  };
  return {
    schema,
    admit(_principal, { query, operationName, variables }: OperationRequest) {
      const source = String(query);
      const document = parse(source);
      const errors = validate(schema, document);
      if (errors.length > 0) throw new AggregateError(errors);
      const definition = document.definitions.find((each) => each.kind === 'OperationDefinition');
      return {
        document,
        source,
        kind: definition?.operation ?? 'query',
        operationName: typeof operationName === 'string' ? operationName : null,
        variables: (variables ?? {}) as Record<string, unknown>,
      };
    },
    execute: async (_principal, { query }) => ({ ...(await execute({ schema, document: parse(String(query)) })) }),
    present: (result) => result,
    showErrors,
    authenticate(authorization) {
      const id = authorization?.replace(/^Bearer /, '') ?? '';
      if (id === '') throw new KeyUnknown();
      if (keys.revoked.has(id)) throw new KeyRevoked(new Date(0));
      if (keys.expired.has(id)) throw new KeyExpired(new Date(0));
      const principal: Principal = { id, name: id, scopes: new Set(['events:read']), expiresAt: null };
      return principal;
    },
  };
}

/** An HTTP server that serves nothing but subscriptions at /graphql, as the API does. */
export async function startSubscriptionServer(
  database: Database,
  options: { readonly limits?: Partial<SubscriptionLimits>; readonly port?: number } = {},
) {
  const keys: Keys = { revoked: new Set(), expired: new Set() };
  const schema = createSchema(database);
  const host = createHost(schema, keys);
  const tail = createTail({ database, registry, logger });
  await tail.start();
  const metrics = createMetrics({ processMetrics: false });
  const subscriptions = createSubscriptionServer({
    host,
    database,
    registry,
    tail,
    logger,
    metrics,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  const server = createServer(async (request, response) => {
    const operation = JSON.parse((await text(request)) || '{}') as OperationRequest;
    const principal = await host.authenticate(request.headers.authorization);
    await subscriptions.handleSse(request, response, principal, operation);
  });
  server.on('upgrade', (request, socket, head) => subscriptions.handleUpgrade(request, socket, head));
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    wsUrl: `ws://127.0.0.1:${port}/graphql`,
    port,
    keys,
    metrics,
    tail,
    subscriptions,
    async stop() {
      await subscriptions.stop();
      await tail.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
