import type { ArgBuilder, InputRef, ObjectRef } from '@pothos/core';
import { ScopeMissing } from '../access/errors.ts';
import { allows, type Scope } from '../access/principal.ts';
import type { Builder, BuilderTypes, Context } from '../builder/index.ts';
import { InvalidInput } from '../errors.ts';
import type { Bind, DimensionSql, FilterSql } from './part.ts';
import { type GraphRegistry, registryOf } from './registry.ts';

/** A condition of `CustomerFilter` with its value. */
export interface Condition {
  readonly sql: FilterSql<never>;
  readonly value: unknown;
}

/** Which customers a report covers, and what it is grouped by. */
export interface Population {
  /** Name of the customers' table. */
  readonly customers: string;
  readonly conditions: readonly Condition[];
  readonly dimension: { readonly sql: DimensionSql; readonly trait: string | null } | null;
}

/** Everybody, as one: what a report without arguments covers. */
export const EVERYBODY: Population = { customers: 'customer', conditions: [], dimension: null };

/** `ALL` when nothing is grouped, `OTHER` for groups beyond the largest fifty. */
export type GroupKind = 'ALL' | 'VALUE' | 'UNKNOWN' | 'OTHER';

/** Customers who have the same value of a dimension. */
export interface CustomerGroup {
  readonly kind: GroupKind;
  /** The value; null unless `kind` is `VALUE`. */
  readonly key: string | null;
}

/** The largest groups are shown one by one; the rest is put together, so that an answer has a bound. */
const GROUPS_MAX = 50;

/** SQL of a population: expressions to join a module's own rows with. */
export interface MemberSql {
  /** Common table expressions, to be put behind `with`; each ends with a comma. */
  readonly ctes: string;
  /** A join that keeps the rows of members: `join('x.customer_id')`. */
  join(customerId: string): string;
  /** The columns of `CustomerGroup`. */
  readonly kind: string;
  readonly key: string;
}

/** A population as SQL. Plan: one scan of the customers when there is a condition or a dimension, else nothing at all. */
export function memberSql(population: Population, bind: Bind, timeZone: string): MemberSql {
  const { customers, conditions, dimension } = population;
  if (conditions.length === 0 && dimension === null) {
    return { ctes: '', join: () => '', kind: `'ALL'`, key: 'null::text' };
  }
  const where = conditions.map(({ sql, value }) => `(${sql('c', value as never, bind)})`).join(' and ');
  const from = `from ${customers} c${where === '' ? '' : ` where ${where}`}`;
  const join = (customerId: string) => `join member m on m.id = ${customerId}`;
  if (dimension === null) {
    return { ctes: `member as materialized (select c.id ${from}),`, join, kind: `'ALL'`, key: 'null::text' };
  }
  const key = dimension.sql('c', bind, { trait: dimension.trait, timeZone });
  return {
    ctes: `labelled as materialized (select c.id, (${key})::text as key ${from}),
      largest as (select key from labelled where key is not null group by key order by count(*) desc, key limit ${GROUPS_MAX}),
      member as materialized (
        select l.id, g.key, case when l.key is null then 'UNKNOWN' when g.key is null then 'OTHER' else 'VALUE' end as kind
        from labelled l left join largest g on g.key = l.key),`,
    join,
    kind: 'm.kind',
    key: 'm.key',
  };
}

/** @throws ScopeMissing */
export function requireScope(context: Context, scope: Scope): void {
  if (!allows(context.principal, scope)) throw new ScopeMissing([scope]);
}

/**
 * The conditions of a `CustomerFilter`; whoever uses one needs the scope of the module that offers it.
 * @param past whether the customers of the past are meant: of who is gone, what was
 */
export function conditionsOf(
  registry: Pick<GraphRegistry, 'filters'>,
  filter: Readonly<Record<string, unknown>> | null | undefined,
  context: Context,
  past = false,
): Condition[] {
  return Object.entries(filter ?? {}).flatMap(([name, value]) => {
    const found = registry.filters.get(name);
    if (found === undefined || value === null || value === undefined) return [];
    requireScope(context, found.scope);
    return [{ sql: (past ? found.past : undefined) ?? found.sql, value }];
  });
}

/** Offers a dimension as a value of `Dimension`, e.g. `SEGMENT`; whoever uses it needs `scope`. */
export function dimensionValue(
  builder: Builder,
  name: string,
  sql: DimensionSql,
  options: { readonly scope: Scope; readonly description: string; readonly needsTrait?: boolean },
): void {
  const { dimensions } = registryOf(builder);
  if (dimensions.has(name)) throw new Error(`two modules offer the dimension "${name}"`);
  dimensions.set(name, { sql, ...options });
}

type FilterValue = Readonly<Record<string, unknown>>;

/** The type `CustomerFilter`, to be named before the module of the customers says what it holds. */
export function customerFilter(builder: Builder) {
  const registry = registryOf(builder);
  registry.filterRef ??= builder.inputRef<FilterValue>('CustomerFilter');
  return registry.filterRef;
}

interface GroupByShape {
  readonly dimension: string;
  readonly trait?: string | null | undefined;
}

const groupRefs = new WeakMap<
  Builder,
  { input: InputRef<GroupByShape>; output: ObjectRef<BuilderTypes, CustomerGroup> }
>();

function groupTypes(builder: Builder) {
  const known = groupRefs.get(builder);
  if (known !== undefined) return known;
  const input = builder.inputRef<GroupByShape>('GroupByInput').implement({
    description: 'What the customers of a report are grouped by: by what they are now, so that the groups add up.',
    fields: (t) => {
      const values = [...registryOf(builder).dimensions].map(
        ([name, { description }]) => [name, { description }] as const,
      );
      const dimension = builder.enumType('Dimension', {
        description: 'What customers can be grouped by.',
        values: Object.fromEntries(values),
      });
      return {
        dimension: t.field({ type: dimension, required: true, description: 'The dimension.' }),
        trait: t.string({ description: 'Name of the trait when the dimension is TRAIT, e.g. "country".' }),
      };
    },
  });
  const kind = builder.enumType('CustomerGroupKind', {
    description: 'What a group of customers has in common.',
    values: {
      ALL: { description: 'Everybody: nothing was grouped.' },
      VALUE: { description: 'The value given as `key`.' },
      UNKNOWN: { description: 'That no value is known of them.' },
      OTHER: { description: `That their value is none of the ${GROUPS_MAX} most frequent.` },
    } as const,
  });
  const output = builder.objectRef<CustomerGroup>('CustomerGroup').implement({
    description: 'Customers who have the same value of a dimension.',
    fields: (t) => ({
      kind: t.field({ type: kind, description: 'What they have in common.', resolve: (g) => g.kind }),
      key: t.exposeString('key', { nullable: true, description: 'The value; null unless `kind` is VALUE.' }),
    }),
  });
  const types = { input, output };
  groupRefs.set(builder, types);
  return types;
}

/** The output type `CustomerGroup`. */
export const customerGroupType = (builder: Builder) => groupTypes(builder).output;

/** The argument `filter` of a report. */
export const filterArg = (builder: Builder, arg: ArgBuilder<BuilderTypes>) =>
  arg({
    type: customerFilter(builder),
    description: 'Only customers for whom all of this holds now; `plan` is the plan a customer has, or had last.',
  });

/** The argument `groupBy` of a report. */
export const groupByArg = (builder: Builder, arg: ArgBuilder<BuilderTypes>) =>
  arg({ type: groupTypes(builder).input, description: 'Also group by group, the largest fifty; default: not.' });

/**
 * From the arguments of a report to its population.
 * @throws ScopeMissing, InvalidInput
 */
export function populationOf(
  builder: Builder,
  context: Context,
  args: { readonly filter?: FilterValue | null | undefined; readonly groupBy?: GroupByShape | null | undefined },
): Population {
  const registry = registryOf(builder);
  const conditions = conditionsOf(registry, args.filter, context, true);
  const population: Population = { ...EVERYBODY, customers: registry.table ?? EVERYBODY.customers, conditions };
  const asked = args.groupBy;
  const dimension = asked ? registry.dimensions.get(asked.dimension) : undefined;
  if (!asked || dimension === undefined) return population;
  requireScope(context, dimension.scope);
  const trait = asked.trait ?? null;
  if ((dimension.needsTrait === true) !== (trait !== null)) {
    const say = trait === null ? 'needs the name of a trait' : 'takes no trait';
    throw new InvalidInput(`groupBy: the dimension ${asked.dimension} ${say}.`, { path: ['groupBy', 'trait'] });
  }
  return { ...population, dimension: { sql: dimension.sql, trait } };
}
