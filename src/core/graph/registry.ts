import type { Scope } from '../access/principal.ts';
import type { Builder, BuilderTypes } from '../builder/index.ts';
import type { CustomerOrder, FilterSql } from './part.ts';
import type { CustomerReader } from './reader.ts';

/** Makes the input field of a filter when the schema is put together. */
export type FilterField = (
  t: PothosSchemaTypes.InputFieldBuilder<BuilderTypes, 'InputObject'>,
) => ReturnType<PothosSchemaTypes.InputFieldBuilder<BuilderTypes, 'InputObject'>['field']>;

/** What the modules have said about customers to one builder. */
export interface GraphRegistry {
  readonly filters: Map<string, { readonly sql: FilterSql<never>; readonly scope: Scope; readonly field: FilterField }>;
  readonly orders: Map<string, { readonly order: CustomerOrder; readonly scope: Scope; readonly description: string }>;
  reader: CustomerReader | undefined;
}

const registries = new WeakMap<Builder, GraphRegistry>();

/** The registry of a builder. */
export function registryOf(builder: Builder): GraphRegistry {
  let registry = registries.get(builder);
  if (registry === undefined) {
    registry = { filters: new Map(), orders: new Map(), reader: undefined };
    registries.set(builder, registry);
  }
  return registry;
}

/** The reader of customers. @throws Error when no module declared the customers */
export function readerOf(builder: Builder): CustomerReader {
  const { reader } = registryOf(builder);
  if (reader === undefined) throw new Error('no module has declared the customers (customerType)');
  return reader;
}
