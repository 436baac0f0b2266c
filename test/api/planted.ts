import type { GraphQLSchema } from 'graphql';
import { accessSchema, type KeyService, type Principal, type ScopeDefinition } from '../../src/core/access/index.ts';
import {
  type Builder,
  batchMutationField,
  type Context,
  connectionArgs,
  connectionType,
  createBuilder,
  domainError,
  finishSchema,
  mutationField,
} from '../../src/core/builder/index.ts';
import { systemCall } from '../../src/core/call.ts';
import type { Database, Queryable } from '../../src/core/database/index.ts';
import { DomainError, IdempotencyConflict } from '../../src/core/errors.ts';
import {
  batchPartField,
  columnField,
  customerGraph,
  customerRef,
  customerResolver,
  defineBatchPart,
  defineCustomerPart,
  defineFilter,
  defineListPart,
  defineOrder,
  filterField,
  loadPart,
  nestedPartField,
  orderValue,
  partField,
} from '../../src/core/graph/index.ts';

/** A small business of its own: tables, modules and schema that exist in these tests only. */
export const plantedTables = `
  create table planted_customer (id uuid primary key, external_id text not null unique, name text not null);
  create table planted_counter (n bigint not null);
  create table planted_account (customer_id uuid primary key, available int not null, opened_at timestamptz not null);
  create table planted_entry (id uuid primary key, customer_id uuid not null, n int not null);
  create index on planted_entry (customer_id, n desc);
  create index on planted_account (available, customer_id);
`;

/** Customers c0 … c(count-1) in order of id; every third has no account; customer n has n entries, at most 30. */
export const plantedRows = (count: number): string => `
  insert into planted_customer
    select ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'c' || n, 'Customer ' || n
    from generate_series(0, ${count - 1}) n;
  insert into planted_counter values (${count});
  insert into planted_account
    select ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, (n * 7919) % ${count}, '2026-01-01T00:00:00.5Z'
    from generate_series(0, ${count - 1}) n where n % 3 <> 2;
  insert into planted_entry
    select gen_random_uuid(), ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, e
    from generate_series(0, ${count - 1}) n, generate_series(1, least(n, 30)) e;
`;

export const plantedId = (n: number): string => `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

export class TooMuch extends DomainError {
  constructor() {
    super('PLANTED_TOO_MUCH', 'That is too much.', { path: ['input', 'points'] });
  }
}

interface Entry {
  readonly n: number;
}

interface AccountRow {
  readonly available: number;
  readonly openedAt: string;
}

const entriesPart = defineListPart<Entry>({
  name: 'entries',
  select: (customer, page, _args, bind) => `
    select n from planted_entry where customer_id = ${customer}.id
    ${page.after === null ? '' : `and n < ${bind(page.after[0])}::int`} order by n desc limit ${page.limit}`,
  keyLength: 1,
  cursorOf: (entry) => [entry.n],
});

const emptyAware = defineCustomerPart<readonly number[], { first: number }>({
  name: 'numbers',
  sql: (customer, args, bind) => `coalesce((
    select json_agg(e.n) from (
      select n from planted_entry where customer_id = ${customer}.id order by n desc limit ${bind(args.first)}) e), '[]')`,
});

export const accountPart = defineCustomerPart<AccountRow>({
  name: 'account',
  sql: (customer, _args, _bind, nested) => `(
    select json_build_object('available', a.available, 'openedAt', a.opened_at ${nested})
    from planted_account a where a.customer_id = ${customer}.id)`,
});

const moodPart = defineBatchPart<string>({
  name: 'mood',
  load: (ids) => Promise.resolve(ids.map((id) => `mood of ${id.slice(-2)}`)),
});

const nameFilter = defineFilter<string>((customer, value, bind) => `${customer}.name like ${bind(value)} || '%'`);
const minFilter = defineFilter<number>(
  (customer, value, bind) =>
    `exists (select 1 from planted_account f where f.customer_id = ${customer}.id and f.available >= ${bind(value)})`,
);
const nameOrder = defineOrder({ key: (customer) => `${customer}.name`, type: 'text' });
const balanceOrder = defineOrder({
  key: () => 'a.available',
  type: 'int',
  from: { table: 'planted_account a', on: (customer) => `a.customer_id = ${customer}.id` },
});

/** The module that owns the customers. */
export const plantCustomers = (database: Queryable) => (builder: Builder) => {
  customerGraph(builder, {
    database,
    description: 'A customer.',
    scope: 'customers:read',
    table: { table: 'planted_customer', totalSql: 'select n from planted_counter' },
    keys: { externalId: { column: 'external_id', description: 'The business’s own id.' } },
  });
  columnField(builder, 'externalId', 'external_id', { type: 'String', description: 'The business’s own id.' });
  columnField(builder, 'name', 'name', { type: 'String', description: 'The name.' });
  filterField(builder, 'nameStartsWith', nameFilter, {
    scope: 'customers:read',
    field: (t) => t.string({ description: 'Beginning of the name.' }),
  });
  orderValue(builder, 'NAME', nameOrder, { scope: 'customers:read', description: 'By name.' });
};

/** Another module that knows something of customers. */
export const plantAccounts = (builder: Builder) => {
  domainError(builder, TooMuch, 'Too many points at once.');
  const entry = builder.objectRef<Entry>('PlantedEntry').implement({
    description: 'An entry.',
    fields: (t) => ({ n: t.exposeInt('n', { description: 'Its number.' }) }),
  });
  const account = builder.objectRef<AccountRow>('PlantedAccount').implement({
    description: 'An account.',
    fields: (t) => ({
      available: t.exposeInt('available', { description: 'What is there.' }),
      openedAt: t.expose('openedAt', { type: 'DateTime', description: 'Since when.' }),
    }),
  });
  const entries = connectionType<Entry>(builder, { name: 'PlantedEntry', node: entry });
  partField(builder, accountPart, 'account', {
    type: account,
    nullable: true,
    scope: 'accounts:read',
    description: 'The account; null when there is none.',
  });
  nestedPartField(builder, account, entriesPart, 'entries', {
    type: entries,
    description: 'Entries, latest first.',
    args: (arg) => connectionArgs(arg),
  });
  partField(builder, emptyAware, 'numbers', {
    type: ['Int'],
    scope: 'accounts:read',
    description: 'Numbers of the latest entries.',
    args: (arg) => ({ first: arg.int({ required: true, defaultValue: 3, description: 'How many.' }) }),
  });
  batchPartField(builder, moodPart, 'mood', { type: 'String', scope: 'accounts:read', description: 'The mood.' });
  filterField(builder, 'minAvailable', minFilter, {
    scope: 'accounts:read',
    field: (t) => t.int({ description: 'At least this much.' }),
  });
  orderValue(builder, 'BALANCE', balanceOrder, { scope: 'accounts:read', description: 'By balance.' });

  const input = builder.inputType('AwardInput', {
    description: 'Points for a customer.',
    fields: (t) => ({
      customerId: t.globalID({ required: true, for: customerRef(builder), description: 'For whom.' }),
      points: t.field({ type: 'PositiveInt', required: true, description: 'How many.' }),
      reason: t.string({ description: 'Why.' }),
    }),
  });
  const success = builder.objectRef<{ customerId: string; points: number }>('AwardSuccess').implement({
    description: 'Points were given.',
    fields: (t) => ({
      points: t.exposeInt('points', { description: 'How many.' }),
      customer: t.field({
        type: 'Customer',
        nullable: true,
        description: 'To whom.',
        resolve: customerResolver(builder, (parent: { customerId: string }) => parent.customerId),
      }),
      account: t.field({
        type: account,
        nullable: true,
        description: 'The account now.',
        resolve: (parent, _args, context, info) => loadPart(builder, context, info, accountPart, parent.customerId, {}),
      }),
    }),
  });
  const award = ({ customerId, points }: { customerId: { id: string }; points: number }) => {
    if (points > 1000) throw new TooMuch();
    if (points === 666) throw new Error('the secret plan is at /etc/plan');
    return { customerId: customerId.id, points };
  };
  mutationField(builder, 'award', {
    description: 'Gives points.',
    scope: 'accounts:write',
    input,
    payload: success,
    errors: [TooMuch, IdempotencyConflict],
    resolve: (one) => Promise.resolve().then(() => award(one as never)),
  });
  batchMutationField(builder, 'awards', {
    description: 'Gives points to many.',
    scope: 'accounts:write',
    input,
    payload: success,
    errors: [TooMuch, IdempotencyConflict],
    maxItems: 3,
    resolve: (many) =>
      Promise.resolve(
        many.map((one) => {
          try {
            return award(one as never);
          } catch (error) {
            if (error instanceof DomainError) return error;
            throw error;
          }
        }),
      ),
  });
};

/** The planted schema: with API keys when there is a service for them, its modules in the other order when `reversed`. */
export function plantedSchema(
  database: Queryable,
  prisma: Database['prisma'],
  options: {
    readonly keys?: KeyService;
    readonly scopes?: readonly ScopeDefinition[];
    readonly reversed?: boolean;
  } = {},
): GraphQLSchema {
  const builder = createBuilder({ prisma });
  const modules = [plantCustomers(database), plantAccounts];
  if (options.keys !== undefined) accessSchema(options.keys, options.scopes ?? [])(builder);
  for (const declare of options.reversed === true ? modules.toReversed() : modules) declare(builder);
  builder.subscriptionField('ticks', (t) =>
    t.int({
      description: 'One tick.',
      authScopes: { scope: 'events:read' },
      subscribe: async function* ticks() {
        yield 1;
      },
      resolve: () => 1,
    }),
  );
  return finishSchema(builder);
}

/** The context of a caller with the given scopes. */
export function contextOf(...scopes: string[]): Context {
  const principal: Principal = { id: 'p', name: 'test', scopes: new Set(scopes), expiresAt: null };
  return { principal, call: systemCall('test') };
}
