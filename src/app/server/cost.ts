import {
  type ArgumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql';
import type { Scope } from '../../core/access/index.ts';
import { checkFirst } from '../../core/builder/index.ts';

type Variables = Readonly<Record<string, unknown>>;
/** Cost as a number where it is known from the text alone, else a function of the variables. */
type Cost = number | ((variables: Variables) => number);

/** What an operation needs and costs, found out once per document. */
export interface Needs {
  readonly scopes: readonly Scope[];
  readonly introspects: boolean;
  /** @throws InvalidInput when a page size is out of range */
  cost(variables: Variables): number;
}

/** Introspection is answered from memory but is long. */
const introspectionCost = 500;
/** What a list is taken to hold when nothing says how long it is; Pothos writes the same number into the schema. */
const defaultListLength = 10;

const value = (cost: Cost, variables: Variables): number => (typeof cost === 'number' ? cost : cost(variables));
const sum = (costs: readonly Cost[]): Cost => {
  const known = costs.reduce<number>((total, cost) => total + (typeof cost === 'number' ? cost : 0), 0);
  const rest = costs.filter((cost) => typeof cost !== 'number');
  return rest.length === 0
    ? known
    : (variables) => rest.reduce<number>((total, cost) => total + value(cost, variables), known);
};
const times = (a: Cost, b: Cost): Cost =>
  typeof a === 'number' && typeof b === 'number' ? a * b : (variables) => value(a, variables) * value(b, variables);

interface Declared {
  readonly pothosOptions?: { readonly authScopes?: { readonly scope?: Scope } };
  readonly complexity?: unknown;
}

const scopeOf = (declared: { readonly extensions: object }): Scope | undefined =>
  (declared.extensions as Declared).pothosOptions?.authScopes?.scope;

/** The argument's value: known from the text, or read from the variables at each request. */
function argument(
  field: GraphQLField<unknown, unknown>,
  node: FieldNode,
  name: string,
): ((variables: Variables) => unknown) | { known: unknown } {
  const given = node.arguments?.find((arg: ArgumentNode) => arg.name.value === name)?.value;
  const fallback = field.args.find((arg) => arg.name === name)?.defaultValue;
  if (given === undefined) return { known: fallback };
  if (given.kind !== Kind.VARIABLE) return { known: valueFromASTUntyped(given) };
  return (variables) => variables[given.name.value] ?? fallback;
}

/** How many items a field with an argument `first` can give; refuses page sizes out of range before anything runs. */
function pageSize(field: GraphQLField<unknown, unknown>, node: FieldNode): Cost {
  const first = argument(field, node, 'first');
  // What is no number is refused with the variables' types; it costs as a default page until then.
  const check = (size: unknown): number =>
    typeof size === 'number' ? checkFirst(size, [node.name.value, 'first']) : defaultListLength;
  return typeof first === 'function' ? (variables) => check(first(variables)) : check(first.known);
}

function isList(field: GraphQLField<unknown, unknown>): boolean {
  const type = isNonNullType(field.type) ? field.type.ofType : field.type;
  return isListType(type);
}

/** Own cost of a field and what its selection is multiplied with. */
function weigh(field: GraphQLField<unknown, unknown>, node: FieldNode): { own: Cost; factor: Cost } {
  const declared = (field.extensions as Declared).complexity;
  const leaf = isLeafType(getNamedType(field.type));
  if (typeof declared === 'function') {
    const names = field.args.map((arg) => arg.name);
    const evaluate = (variables: Variables) => {
      const args = Object.fromEntries(
        names.map((name) => {
          const given = argument(field, node, name);
          return [name, typeof given === 'function' ? given(variables) : given.known];
        }),
      );
      const result: unknown = declared(args);
      return typeof result === 'number'
        ? { field: result, multiplier: 1 }
        : (result as { field?: number; multiplier?: number });
    };
    return {
      own: (variables) => evaluate(variables).field ?? 1,
      factor: (variables) => evaluate(variables).multiplier ?? 1,
    };
  }
  const object = (typeof declared === 'object' && declared !== null ? declared : { field: declared }) as {
    field?: number;
    multiplier?: number;
  };
  const own = leaf && (object.field === undefined || object.field === 1) ? 0 : (object.field ?? 1);
  if (field.args.some((arg) => arg.name === 'first')) return { own, factor: pageSize(field, node) };
  // The length of `edges` is the page size, which its connection was multiplied with.
  if (field.name === 'edges') return { own: 0, factor: 1 };
  return { own, factor: object.multiplier ?? (isList(field) ? defaultListLength : 1) };
}

/** Finds out what a valid operation needs and costs. */
export function needsOf(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: Readonly<Record<string, FragmentDefinitionNode>>,
): Needs {
  const scopes = new Set<Scope>();
  let introspects = false;

  const walk = (set: SelectionSetNode, type: GraphQLNamedType): Cost => {
    const costs: Cost[] = [];
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        costs.push(walkField(selection, type));
        continue;
      }
      const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? fragments[selection.name.value] : selection;
      if (fragment === undefined) continue;
      const condition = fragment.typeCondition?.name.value;
      costs.push(walk(fragment.selectionSet, condition === undefined ? type : (schema.getType(condition) ?? type)));
    }
    return sum(costs);
  };

  const walkField = (node: FieldNode, type: GraphQLNamedType): Cost => {
    const name = node.name.value;
    if (name === '__typename') return 0;
    if (name === '__schema' || name === '__type') {
      introspects = true;
      return introspectionCost;
    }
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
    if (field === undefined) return 0;
    for (const scope of [scopeOf(type), scopeOf(field)]) if (scope !== undefined) scopes.add(scope);
    const { own, factor } = weigh(field, node);
    if (node.selectionSet === undefined) return own;
    return sum([own, times(factor, walk(node.selectionSet, getNamedType(field.type)))]);
  };

  const root = schema.getRootType(operation.operation);
  const cost = root === undefined || root === null ? 0 : sum([1, walk(operation.selectionSet, root)]);
  return { scopes: [...scopes].sort(), introspects, cost: (variables) => value(cost, variables) };
}
