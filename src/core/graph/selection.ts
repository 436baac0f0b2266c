import { getMappedArgumentValues } from '@pothos/core';
import {
  type FieldNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  getNamedType,
  isObjectType,
} from 'graphql';
import { collectSubfields } from 'graphql/execution/collectFields.js';
import type { Context } from '../builder/index.ts';
import type { SelectedPart, Selection } from './compose.ts';
import { type Args, type CustomerPart, type Wanted, wantedAll } from './part.ts';

/** What a field of the graph needs read; stands in the field's extensions. */
export interface FieldNeeds {
  readonly column?: { readonly field: string; readonly column: string };
  readonly part?: CustomerPart<unknown>;
}

/** Key of `FieldNeeds` in the extensions of a field. */
export const needsKey = 'customerGraph';

interface PlannedPart {
  readonly key: string;
  readonly part: CustomerPart<unknown>;
  readonly field: GraphQLField<unknown, unknown>;
  readonly node: FieldNode;
  readonly nested: readonly PlannedPart[];
  readonly wanted: Wanted;
}

interface Plan {
  readonly columns: ReadonlyMap<string, string>;
  readonly parts: readonly PlannedPart[];
}

/** A connection's selection: the customers' and which of its own fields. */
export interface ConnectionSelection {
  readonly selection: Selection;
  readonly needsMore: boolean;
  readonly needsTotal: boolean;
}

const needsOf = (field: GraphQLField<unknown, unknown>): FieldNeeds | undefined =>
  field.extensions[needsKey] as FieldNeeds | undefined;

function subfields(info: GraphQLResolveInfo, type: GraphQLObjectType, nodes: readonly FieldNode[]) {
  return collectSubfields(info.schema, info.fragments, info.variableValues, type, nodes);
}

const namesOf = (fields: ReadonlyMap<string, readonly FieldNode[]>): Set<string> =>
  new Set([...fields.values()].map((nodes) => (nodes[0] as FieldNode).name.value));

const within = (found: Set<string>, allowed: readonly string[]): boolean =>
  [...found].every((name) => allowed.includes(name));

/**
 * What of a connection's rows is asked for. The columns can be told when all fields are read by default, since such a
 * field is the column of its name, and no cursor is asked for, since what that is made of only the part knows.
 */
function wantedOf(info: GraphQLResolveInfo, type: GraphQLObjectType, nodes: readonly FieldNode[]): Wanted {
  const edgeType = getNamedType(type.getFields().edges?.type);
  if (!isObjectType(edgeType)) return wantedAll;
  const own = subfields(info, type, nodes);
  const more = namesOf(own).has('pageInfo');
  const nodeType = getNamedType(edgeType.getFields().node?.type);
  if (!isObjectType(nodeType) || !within(namesOf(own), ['edges', 'pageInfo', '__typename']))
    return { columns: null, more };
  const columns = new Set<string>();
  for (const [, fieldNodes] of own) {
    const below = (fieldNodes[0] as FieldNode).name.value;
    if (below === 'pageInfo') {
      const pageInfo = getNamedType(type.getFields().pageInfo?.type) as GraphQLObjectType;
      const flags = ['hasNextPage', 'hasPreviousPage', '__typename'];
      if (!within(namesOf(subfields(info, pageInfo, fieldNodes)), flags)) return { columns: null, more };
    }
    if (below !== 'edges') continue;
    const edge = subfields(info, edgeType, fieldNodes);
    if (!within(namesOf(edge), ['node', '__typename'])) return { columns: null, more };
    for (const [, nodeNodes] of edge) {
      if (nodeNodes[0]?.name.value !== 'node') continue;
      for (const name of namesOf(subfields(info, nodeType, nodeNodes))) {
        if (name === '__typename') continue;
        if (nodeType.getFields()[name]?.resolve !== undefined) return { columns: null, more };
        columns.add(name);
      }
    }
  }
  return { columns: columns.size === 0 ? null : [...columns].sort(), more };
}

function planParts(
  info: GraphQLResolveInfo,
  type: GraphQLObjectType,
  nodes: readonly FieldNode[],
  columns: Map<string, string>,
): PlannedPart[] {
  const parts: PlannedPart[] = [];
  for (const [key, fieldNodes] of subfields(info, type, nodes)) {
    const node = fieldNodes[0] as FieldNode;
    const field = type.getFields()[node.name.value];
    const needs = field === undefined ? undefined : needsOf(field);
    if (field === undefined || needs === undefined) continue;
    if (needs.column !== undefined) columns.set(needs.column.field, needs.column.column);
    if (needs.part !== undefined) {
      const inner = getNamedType(field.type);
      const nested = isObjectType(inner) ? planParts(info, inner, fieldNodes, new Map()) : [];
      const wanted = isObjectType(inner) ? wantedOf(info, inner, fieldNodes) : wantedAll;
      parts.push({ key, part: needs.part, field, node, nested, wanted });
    }
  }
  return parts;
}

/**
 * Plans are kept per place in the document. What is selected there depends on nothing but the variables of @skip and
 * @include, which can only be Booleans: their values are the key.
 */
const plans = new WeakMap<FieldNode, Map<string, unknown>>();

function booleans(info: GraphQLResolveInfo): string {
  let key = '';
  for (const [name, value] of Object.entries(info.variableValues))
    if (typeof value === 'boolean') key += `${name}${value};`;
  return key;
}

/** A caller chooses the variables, so the number of plans per place is bounded. */
const maxPlans = 16;

function planned<T>(info: GraphQLResolveInfo, purpose: string, make: () => T): T {
  const node = info.fieldNodes[0];
  // A field merged from several places is rare; its plan is not kept, since no single node stands for it.
  if (node === undefined || info.fieldNodes.length > 1) return make();
  let byKey = plans.get(node);
  if (byKey === undefined) {
    byKey = new Map();
    plans.set(node, byKey);
  }
  const key = `${purpose}:${booleans(info)}`;
  let plan = byKey.get(key) as T | undefined;
  if (plan === undefined) {
    plan = make();
    if (byKey.size < maxPlans) byKey.set(key, plan);
  }
  return plan;
}

const noArgs: Args = {};

function withArguments(parts: readonly PlannedPart[], context: Context, info: GraphQLResolveInfo): SelectedPart[] {
  return parts.map(({ key, part, field, node, nested, wanted }) => ({
    key,
    part,
    args: field.args.length === 0 ? noArgs : (getMappedArgumentValues(field, node, context, info) as Args),
    nested: nested.length === 0 ? [] : withArguments(nested, context, info),
    wanted,
  }));
}

const selected = (plan: Plan, context: Context, info: GraphQLResolveInfo): Selection => ({
  columns: plan.columns,
  parts: withArguments(plan.parts, context, info),
});

/** What was selected of the customers of a connection field, and whether its totals are asked for. */
export function connectionSelection(
  context: Context,
  info: GraphQLResolveInfo,
  customer: GraphQLObjectType,
): ConnectionSelection {
  const plan = planned(info, 'connection', () => {
    const connection = getNamedType(info.returnType) as GraphQLObjectType;
    const own = subfields(info, connection, info.fieldNodes);
    const columns = new Map<string, string>();
    const names = new Set<string>();
    const nodes: FieldNode[] = [];
    for (const fieldNodes of own.values()) {
      const name = (fieldNodes[0] as FieldNode).name.value;
      names.add(name);
      const field = connection.getFields()[name];
      if (name !== 'edges' || field === undefined) continue;
      const edge = getNamedType(field.type) as GraphQLObjectType;
      for (const edgeNodes of subfields(info, edge, fieldNodes).values()) {
        if (edgeNodes[0]?.name.value === 'node') nodes.push(...edgeNodes);
      }
    }
    return {
      columns,
      parts: planParts(info, customer, nodes, columns),
      needsMore: names.has('pageInfo'),
      needsTotal: names.has('totalCount'),
    };
  });
  return { selection: selected(plan, context, info), needsMore: plan.needsMore, needsTotal: plan.needsTotal };
}

/** What was selected of the customer a field returns, be it as `Customer` or as an interface of it. */
export function customerSelection(context: Context, info: GraphQLResolveInfo, customer: GraphQLObjectType): Selection {
  const plan = planned(info, 'customer', () => {
    const columns = new Map<string, string>();
    return { columns, parts: planParts(info, customer, info.fieldNodes, columns) };
  });
  return selected(plan, context, info);
}

/** The selection of one part, for a field elsewhere that returns the part's type. */
export function partSelection(
  context: Context,
  info: GraphQLResolveInfo,
  part: CustomerPart<unknown>,
  args: Args,
): Selection {
  const plan = planned(info, part.name, () => {
    const type = getNamedType(info.returnType);
    return isObjectType(type)
      ? { nested: planParts(info, type, info.fieldNodes, new Map()), wanted: wantedOf(info, type, info.fieldNodes) }
      : { nested: [], wanted: wantedAll };
  });
  const nested = withArguments(plan.nested, context, info);
  return { columns: new Map(), parts: [{ key: part.name, part, args, nested, wanted: plan.wanted }] };
}
