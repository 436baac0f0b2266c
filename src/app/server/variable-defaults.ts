import {
  astFromValue,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLSchema,
  isInputObjectType,
  isListType,
  isNonNullType,
  type OperationDefinitionNode,
  typeFromAST,
  valueFromASTUntyped,
} from 'graphql';

type Variables = Readonly<Record<string, unknown>>;

/**
 * Fills in what a caller leaves out and has a default, as the caller would have sent it: of variables, and of fields of
 * input objects however deep. Compiled operations want both whenever they must not be null (GraphQL's specification,
 * "Coercing Variable Values" and "Input Coercion" of input objects, does not).
 */
export function variableDefaults(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
): (variables: Variables) => Variables {
  const defaults: Record<string, unknown> = {};
  const types = new Map<string, GraphQLInputType>();
  for (const { variable, type, defaultValue } of variableDefinitions) {
    if (defaultValue !== undefined) defaults[variable.name.value] = valueFromASTUntyped(defaultValue);
    const declared = typeFromAST(schema, type) as GraphQLInputType | undefined;
    if (declared !== undefined && hasDefaults(declared)) types.set(variable.name.value, declared);
  }
  return (variables) => {
    const all: Record<string, unknown> = { ...defaults, ...variables };
    for (const [name, type] of types) if (name in all) all[name] = filled(type, all[name]);
    return all;
  };
}

function hasDefaults(type: GraphQLInputType, seen: Set<GraphQLInputType> = new Set()): boolean {
  if (isNonNullType(type) || isListType(type)) return hasDefaults(type.ofType, seen);
  if (!isInputObjectType(type) || seen.has(type)) return false;
  seen.add(type);
  return Object.values(type.getFields()).some(
    (field) => field.defaultValue !== undefined || hasDefaults(field.type, seen),
  );
}

function filled(type: GraphQLInputType, value: unknown): unknown {
  if (value === null || value === undefined) return value;
  if (isNonNullType(type)) return filled(type.ofType, value);
  if (isListType(type)) {
    return Array.isArray(value) ? value.map((one) => filled(type.ofType, one)) : filled(type.ofType, value);
  }
  if (!isInputObjectType(type) || typeof value !== 'object') return value;
  const given = value as Record<string, unknown>;
  const all = { ...given };
  for (const field of Object.values(type.getFields())) {
    if (field.name in given) all[field.name] = filled(field.type, given[field.name]);
    else if (field.defaultValue !== undefined) all[field.name] = defaultAsSent(field);
  }
  return all;
}

const defaultAsSent = ({ defaultValue, type }: GraphQLInputField): unknown => {
  const node = astFromValue(defaultValue, type);
  return node === null || node === undefined ? defaultValue : valueFromASTUntyped(node);
};
