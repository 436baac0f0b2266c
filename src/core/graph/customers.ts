import type { GraphQLResolveInfo } from 'graphql';
import type { Scope } from '../access/principal.ts';
import {
  type Builder,
  type BuilderTypes,
  type Context,
  type CustomerNode,
  checkFirst,
  connectionArgs,
  connectionType,
  decodeCursor,
  encodeGlobalId,
} from '../builder/index.ts';
import type { Queryable } from '../database/index.ts';
import { InvalidInput } from '../errors.ts';
import type { CustomerTable, PageRequest } from './compose.ts';
import { customerRef, customerType, loadCustomer } from './fields.ts';
import { conditionsOf, customerFilter, requireScope } from './population.ts';
import { createCustomerReader } from './reader.ts';
import { type GraphRegistry, registryOf } from './registry.ts';
import { connectionSelection, customerSelection } from './selection.ts';

/** How the module that owns the customers declares them. */
export interface CustomersOptions {
  readonly database: Queryable;
  readonly table: CustomerTable;
  readonly description: string;
  /** Scope of the type; parts have their own beside it. */
  readonly scope: Scope;
  /** Other unique columns to find one customer by, by argument name. */
  readonly keys: Readonly<Record<string, { readonly column: string; readonly description: string }>>;
}

/** Arguments of `Query.customers`. */
export interface CustomersArgs {
  readonly first: number;
  readonly after?: string | null | undefined;
  readonly filter?: Readonly<Record<string, unknown>> | null | undefined;
  readonly orderBy?: { readonly by: string; readonly direction: 'ASC' | 'DESC' } | null | undefined;
}

/** From arguments to a page request; filters and orders need the scopes of the modules that offer them. */
export function pageRequest(
  registry: Pick<GraphRegistry, 'filters' | 'orders'>,
  args: CustomersArgs,
  context: Context,
): Omit<PageRequest, 'selection' | 'needsMore' | 'needsTotal'> {
  const filters = conditionsOf(registry, args.filter, context);
  const ordered =
    args.orderBy === null || args.orderBy === undefined ? undefined : registry.orders.get(args.orderBy.by);
  if (ordered !== undefined) requireScope(context, ordered.scope);
  const order = ordered?.order ?? null;
  const after =
    args.after === null || args.after === undefined ? null : decodeCursor(args.after, order === null ? 1 : 2);
  const id = after?.at(-1);
  if (after !== null && !isCustomerId(id))
    throw new InvalidInput('The cursor does not fit this list.', { path: ['after'] });
  return { filters, order, descending: args.orderBy?.direction === 'DESC', first: checkFirst(args.first), after };
}

const isCustomerId = (id: unknown): boolean => typeof id === 'string' && /^[0-9a-f-]{36}$/.test(id);

/**
 * Declares `Customer`, `Query.customers`, `Query.customer`, `CustomerFilter` and `CustomerOrder`. Called once, by the
 * module that owns the customers; fields, filters and orders come from all modules, in any order.
 */
export function customerGraph(builder: Builder, options: CustomersOptions): void {
  const registry = registryOf(builder);
  const reader = createCustomerReader(options.database, options.table);
  registry.reader = reader;
  registry.table = options.table.table;
  const node = {
    description: options.description,
    authScopes: { scope: options.scope },
    interfaces: [builder.nodeInterfaceRef()],
    // What `node(id:)` calls; declared by hand because the plugin's own id field would be a promise per row.
    loadWithoutCache: (id: string, context: Context, info: GraphQLResolveInfo) =>
      loadCustomer(builder, context, info, id),
    fields: (t: PothosSchemaTypes.ObjectFieldBuilder<BuilderTypes, CustomerNode>) => ({
      id: t.id({ description: 'The global id.', resolve: (customer) => encodeGlobalId('Customer', customer.id) }),
    }),
  };
  builder.objectType(customerRef(builder), node as never);
  const connection = connectionType<CustomerNode>(builder, { name: 'Customer', node: 'Customer', totalCount: true });
  const inputs = declareInputs(builder, registry);

  builder.queryField('customers', (t) =>
    t.field({
      type: connection,
      description: 'Customers, page by page, with whatever is known of them.',
      authScopes: { scope: options.scope },
      args: {
        ...connectionArgs(t.arg),
        ...(inputs.filter === null
          ? {}
          : { filter: t.arg({ type: inputs.filter, description: 'Only customers for which all of this holds.' }) }),
        orderBy: t.arg({
          type: inputs.order,
          description: 'The order; by default the order in which they were created.',
        }),
      },
      resolve: (_root, args, context, info) => {
        const request = pageRequest(registry, args as CustomersArgs, context);
        return reader.page({ ...request, ...connectionSelection(context, info, customerType(info)) });
      },
    }),
  );

  builder.queryField('customer', (t) =>
    t.field({
      type: 'Customer',
      nullable: true,
      description: 'One customer by exactly one of the arguments; null when there is none.',
      authScopes: { scope: options.scope },
      args: {
        id: t.arg.globalID({ for: customerRef(builder), description: 'The global id.' }),
        ...Object.fromEntries(
          Object.entries(options.keys).map(([name, key]) => [name, t.arg.string({ description: key.description })]),
        ),
      },
      resolve: (_root, args: Record<string, unknown>, context, info) => {
        const given = Object.entries(args).filter(([, value]) => value !== null && value !== undefined);
        const [name, value] = given[0] ?? ['', ''];
        if (given.length !== 1) {
          const names = ['id', ...Object.keys(options.keys)];
          throw new InvalidInput(`Give exactly one of ${names.join(', ')}.`, { path: names });
        }
        const key = options.keys[name];
        if (key === undefined) return loadCustomer(builder, context, info, (value as { id: string }).id);
        return reader.byColumn(customerSelection(context, info, customerType(info)), key.column, value as string);
      },
    }),
  );
}

/** The input types; their content is asked for when the schema is put together, when all modules have spoken. */
function declareInputs(builder: Builder, registry: GraphRegistry) {
  const filter = customerFilter(builder).implement({
    description: 'Which customers: all given conditions hold.',
    fields: (t) => Object.fromEntries([...registry.filters].map(([name, { field }]) => [name, field(t)])),
  });
  const direction = builder.enumType('OrderDirection', {
    description: 'Which end comes first.',
    values: {
      ASC: { description: 'Lowest, earliest or first in the alphabet first.' },
      DESC: { description: 'Highest, latest or last in the alphabet first.' },
    },
  });
  const order = builder.inputType('CustomerOrder', {
    description: 'By what customers are ordered. Customers for whom it is not known come last.',
    fields: (t) => {
      const values = [...registry.orders].map(([name, { description }]) => [name, { description }] as const);
      const by = builder.enumType('CustomerOrderBy', {
        description: 'What customers can be ordered by.',
        values: Object.fromEntries(values),
      });
      return {
        by: t.field({ type: by, required: true, description: 'The measure.' }),
        direction: t.field({ type: direction, required: true, defaultValue: 'ASC', description: 'The direction.' }),
      };
    },
  });
  return { filter, order };
}
