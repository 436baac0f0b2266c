import type { ImplementableInputObjectRef } from '@pothos/core';
import type { Scope } from '../access/principal.ts';
import type { Builder, BuilderTypes } from '../builder/index.ts';
import type { CustomerOrder, DimensionSql, FilterSql } from './part.ts';
import type { CustomerReader } from './reader.ts';

/** Makes the input field of a filter when the schema is put together. */
export type FilterField = (
  t: PothosSchemaTypes.InputFieldBuilder<BuilderTypes, 'InputObject'>,
) => ReturnType<PothosSchemaTypes.InputFieldBuilder<BuilderTypes, 'InputObject'>['field']>;

/** What the modules have said about customers to one builder. */
export interface GraphRegistry {
  readonly filters: Map<string, OfferedFilter>;
  readonly orders: Map<string, { readonly order: CustomerOrder; readonly scope: Scope; readonly description: string }>;
  readonly dimensions: Map<string, OfferedDimension>;
  /** The type `CustomerFilter`, once somebody named it. */
  filterRef: ImplementableInputObjectRef<BuilderTypes, Readonly<Record<string, unknown>>> | undefined;
  /** The table of the customers, once their module declared them. */
  table: string | undefined;
  reader: CustomerReader | undefined;
}

interface OfferedFilter {
  readonly sql: FilterSql<never>;
  /** What it means in reports on the past, where it means something else. */
  readonly past: FilterSql<never> | undefined;
  readonly scope: Scope;
  readonly field: FilterField;
}

interface OfferedDimension {
  readonly sql: DimensionSql;
  readonly scope: Scope;
  readonly description: string;
  readonly needsTrait?: boolean;
}

const registries = new WeakMap<Builder, GraphRegistry>();

/** The registry of a builder. */
export function registryOf(builder: Builder): GraphRegistry {
  let registry = registries.get(builder);
  if (registry === undefined) {
    registry = {
      filters: new Map(),
      orders: new Map(),
      dimensions: new Map(),
      filterRef: undefined,
      table: undefined,
      reader: undefined,
    };
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
