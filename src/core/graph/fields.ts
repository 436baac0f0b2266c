import type { ArgBuilder, ImplementableObjectRef, InputFieldMap, OutputRef, OutputType } from '@pothos/core';
import DataLoader from 'dataloader';
import { type FieldNode, type GraphQLObjectType, type GraphQLResolveInfo, isObjectType } from 'graphql';
import type { Scope } from '../access/principal.ts';
import { type Builder, type BuilderTypes, type Context, type CustomerNode, perOperation } from '../builder/index.ts';
import type { Args, BatchPart, CustomerOrder, CustomerPart, FilterSql } from './part.ts';
import { type FilterField, readerOf, registryOf } from './registry.ts';
import { customerSelection, type FieldNeeds, needsKey, partSelection } from './selection.ts';

const refs = new WeakMap<Builder, ImplementableObjectRef<BuilderTypes, CustomerNode>>();

/** The type `Customer` as Pothos wants it for ids: `t.globalID({ required: true, for: customerRef(builder) })`. */
export function customerRef(builder: Builder): ImplementableObjectRef<BuilderTypes, CustomerNode> {
  let ref = refs.get(builder);
  if (ref === undefined) {
    ref = builder.objectRef<CustomerNode>('Customer');
    refs.set(builder, ref);
  }
  return ref;
}

type ArgsOf = (arg: ArgBuilder<BuilderTypes>) => InputFieldMap;

interface FieldOptions {
  readonly type: OutputType<BuilderTypes> | [OutputType<BuilderTypes>];
  readonly nullable?: boolean;
  readonly description: string;
  readonly scope?: Scope;
}

interface PartFieldOptions extends FieldOptions {
  /** Arguments, read by the part's SQL: `args: (arg) => ({ first: arg.int({ defaultValue: 5, description: '...' }) })`. */
  readonly args?: ArgsOf;
  /** Cost of the field itself and what its children are multiplied with; by default 1 and `first` of its arguments. */
  readonly complexity?: { readonly field?: number; readonly multiplier?: number };
}

/** Adds a field whose value was read by the composed statement: `resolve` is a property read or nothing at all. */
function readField(
  builder: Builder,
  target: 'Customer' | OutputRef<unknown>,
  name: string,
  options: PartFieldOptions,
  needs: FieldNeeds,
): void {
  const fromPart = (parent: Record<string, unknown>, _args: object, _context: Context, info: GraphQLResolveInfo) =>
    parent[info.path.key as string];
  builder.objectField(target as 'Customer', name, (t) =>
    t.field({
      type: options.type,
      nullable: options.nullable ?? false,
      description: options.description,
      ...(options.scope === undefined ? {} : { authScopes: { scope: options.scope } }),
      ...(options.args === undefined ? {} : { args: options.args(t.arg) }),
      ...(options.complexity === undefined ? {} : { complexity: options.complexity }),
      extensions: { [needsKey]: needs },
      // A column is read by the default resolver, which the executor turns into a plain property read.
      ...(needs.part === undefined ? {} : { resolve: fromPart }),
    } as never),
  );
}

/** Adds a field of `Customer` that is a column of the customers' table. */
export function columnField(builder: Builder, name: string, column: string, options: FieldOptions): void {
  readField(builder, 'Customer', name, options, { column: { field: name, column } });
}

/**
 * Adds a field of `Customer` that a part fills.
 *
 *     partField(builder, loyaltyPart, 'loyalty', { type: LoyaltyAccount, nullable: true, scope: 'loyalty:read', description: '...' });
 *
 * The same part may fill several fields, and a field may be selected several times under aliases with other arguments.
 */
export function partField<Data, PartArgs extends Args>(
  builder: Builder,
  part: CustomerPart<Data, PartArgs>,
  name: string,
  options: PartFieldOptions & { readonly scope: Scope },
): void {
  readField(builder, 'Customer', name, options, { part: part as CustomerPart<unknown> });
}

/**
 * Adds a field to the type of a part that another part fills, e.g. `LoyaltyAccount.entries(first: 5)`. The outer part
 * places it in its SQL (`nested`).
 */
export function nestedPartField<Data, PartArgs extends Args>(
  builder: Builder,
  parent: OutputRef<unknown>,
  part: CustomerPart<Data, PartArgs>,
  name: string,
  options: PartFieldOptions,
): void {
  readField(builder, parent, name, options, { part: part as CustomerPart<unknown> });
}

/** Adds a field of `Customer` that is loaded for the whole page at once from elsewhere, e.g. from ClickHouse. */
export function batchPartField<Data, PartArgs extends Args>(
  builder: Builder,
  part: BatchPart<Data, PartArgs>,
  name: string,
  options: PartFieldOptions & { readonly scope: Scope },
): void {
  const loaders = perOperation(() => new Map<readonly FieldNode[], DataLoader<string, Data>>());
  const resolve = (parent: CustomerNode, args: PartArgs, context: Context, info: GraphQLResolveInfo) => {
    const places = loaders(context);
    let loader = places.get(info.fieldNodes);
    if (loader === undefined) {
      loader = new DataLoader((ids) => part.load(ids, args, context));
      places.set(info.fieldNodes, loader);
    }
    return loader.load(parent.id);
  };
  builder.objectField('Customer', name, (t) =>
    t.field({
      type: options.type,
      nullable: options.nullable ?? false,
      description: options.description,
      authScopes: { scope: options.scope },
      ...(options.args === undefined ? {} : { args: options.args(t.arg) }),
      ...(options.complexity === undefined ? {} : { complexity: options.complexity }),
      resolve,
    } as never),
  );
}

/**
 * The resolver of a field elsewhere that returns a customer by id: batched, and with the same parts as a page.
 *
 *     customer: t.field({ type: 'Customer', nullable: true, description: '...', resolve: customerResolver(builder, (alert) => alert.customerId) })
 */
export function customerResolver<Parent>(builder: Builder, idOf: (parent: Parent) => string | null) {
  return (parent: Parent, _args: object, context: Context, info: GraphQLResolveInfo): Promise<CustomerNode | null> => {
    const id = idOf(parent);
    return id === null ? Promise.resolve(null) : loadCustomer(builder, context, info, id);
  };
}

/** Loads a customer by id with what was selected at this place of the document; null when there is none. */
export function loadCustomer(
  builder: Builder,
  context: Context,
  info: GraphQLResolveInfo,
  id: string,
): Promise<CustomerNode | null> {
  return readerOf(builder).load(context, info, id, () => customerSelection(context, info, customerType(info)));
}

/**
 * Loads one part of a customer for a field elsewhere that returns the part's type, e.g. `AwardPointsSuccess.account`;
 * null when there is no such customer or the part is null.
 */
export async function loadPart<Data, PartArgs extends Args>(
  builder: Builder,
  context: Context,
  info: GraphQLResolveInfo,
  part: CustomerPart<Data, PartArgs>,
  customerId: string,
  args: PartArgs,
): Promise<Data | null> {
  const select = () => partSelection(context, info, part as CustomerPart<unknown>, args);
  const customer = await readerOf(builder).load(context, info, customerId, select);
  return (customer?.[part.name] ?? null) as Data | null;
}

/** Whether a field of a type is filled by a part: then it is read with `loadPart`, or it is not there. */
export function isPartField(info: GraphQLResolveInfo, type: string, name: string): boolean {
  const object = info.schema.getType(type);
  const field = isObjectType(object) ? object.getFields()[name] : undefined;
  return (field?.extensions[needsKey] as FieldNeeds | undefined)?.part !== undefined;
}

/** The type `Customer` of the schema an operation runs against. */
export const customerType = (info: GraphQLResolveInfo): GraphQLObjectType =>
  info.schema.getType('Customer') as GraphQLObjectType;

/** Offers a filter in `CustomerFilter`; whoever uses it needs `scope`. @param options.past what it means in reports on the past */
export function filterField<Value>(
  builder: Builder,
  name: string,
  filter: FilterSql<Value>,
  options: { readonly scope: Scope; readonly field: FilterField; readonly past?: FilterSql<Value> },
): void {
  const { filters } = registryOf(builder);
  if (filters.has(name)) throw new Error(`two modules offer the customer filter "${name}"`);
  filters.set(name, {
    sql: filter as FilterSql<never>,
    past: options.past as FilterSql<never> | undefined,
    scope: options.scope,
    field: options.field,
  });
}

/** Offers an order as a value of `CustomerOrderBy`, e.g. `HEALTH`; whoever uses it needs `scope`. */
export function orderValue(
  builder: Builder,
  name: string,
  order: CustomerOrder,
  options: { readonly scope: Scope; readonly description: string },
): void {
  const { orders } = registryOf(builder);
  if (orders.has(name)) throw new Error(`two modules offer the customer order "${name}"`);
  orders.set(name, { order, ...options });
}
