import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  getArgumentValues,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { type DomainEvent, decodeCursor, type Position } from '../../core/events/index.ts';
import { AFTER, EVENT_STREAM, type EventStream } from '../../core/events/stream.ts';
import { canonicalJson } from '../../core/idempotency.ts';
import { NotAStream } from './errors.ts';
import type { AdmittedOperation } from './types.ts';

/** What a subscription asks for, apart from where it begins. */
export interface StreamRequest {
  /** Equal keys: the same answer to every event, given the same scopes. */
  readonly key: string;
  readonly document: DocumentNode;
  readonly operationName: string | null;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly types: ReadonlySet<string> | null;
  readonly customerId: string | null;
  accepts(event: DomainEvent): boolean;
  /** Whether the stream is complete with an accepted event. */
  isLast(event: DomainEvent): boolean;
  /** Where to begin; null: now. */
  readonly after: Position | null;
}

interface Prepared {
  readonly document: DocumentNode;
  readonly text: string;
  readonly operation: OperationDefinitionNode;
  readonly field: FieldNode;
  /** The variable that only says where to begin. */
  readonly afterVariable: string | null;
}

const MAX_PREPARED = 500;

/** Understands admitted subscriptions; remembers what it found out about a document. */
export function createStreamReader(schema: GraphQLSchema) {
  const prepared = new Map<string, Prepared>();

  const prepare = ({ document, source, operationName }: AdmittedOperation): Prepared => {
    const cacheKey = `${operationName ?? ''}\n${source}`;
    const known = prepared.get(cacheKey);
    if (known !== undefined) return known;
    const operation = document.definitions.find(
      (node): node is OperationDefinitionNode =>
        node.kind === Kind.OPERATION_DEFINITION && (operationName === null || node.name?.value === operationName),
    );
    const field = operation === undefined ? undefined : rootField(document, operation.selectionSet);
    if (operation === undefined || field === undefined || (field.directives ?? []).length > 0) throw new NotAStream();
    const result = { operation, field, ...withoutAfter(document, field) };
    if (prepared.size >= MAX_PREPARED) prepared.delete(prepared.keys().next().value as string);
    prepared.set(cacheKey, result);
    return result;
  };

  /** @throws NotAStream, CursorInvalid, InvalidInput, or a GraphQLError of the variables */
  return (admitted: AdmittedOperation): StreamRequest => {
    const { document, text, operation, field, afterVariable } = prepare(admitted);
    const definition = schema.getSubscriptionType()?.getFields()[field.name.value];
    const stream = definition?.extensions[EVENT_STREAM] as EventStream | undefined;
    if (definition === undefined || stream === undefined) throw new NotAStream();
    const coerced = getVariableValues(schema, operation.variableDefinitions ?? [], admitted.variables);
    if (coerced.coerced === undefined) throw coerced.errors[0];
    const args = getArgumentValues(definition, field, coerced.coerced);
    stream.check(args);
    const { [afterVariable ?? '']: _where, ...variables } = admitted.variables;
    const types = stream.types(args);
    const after = args[AFTER];
    return {
      key: `${admitted.operationName ?? ''}\n${text}\n${canonicalJson(variables)}`,
      document,
      operationName: admitted.operationName,
      variables,
      types: types === null ? null : new Set(types),
      customerId: stream.customerId(args),
      accepts: (event) => stream.accepts(event, args),
      isLast: stream.isLast,
      after: typeof after === 'string' ? decodeCursor(after) : null,
    };
  };
}

/** The one field of the subscription, also behind fragments. */
function rootField(document: DocumentNode, { selections }: SelectionSetNode): FieldNode | undefined {
  const [selection, ...others] = selections;
  if (selection === undefined || others.length > 0 || (selection.directives ?? []).length > 0) return undefined;
  if (selection.kind === Kind.FIELD) return selection;
  if (selection.kind === Kind.INLINE_FRAGMENT) return rootField(document, selection.selectionSet);
  const fragment = document.definitions.find(
    (node): node is FragmentDefinitionNode =>
      node.kind === Kind.FRAGMENT_DEFINITION && node.name.value === selection.name.value,
  );
  return fragment === undefined ? undefined : rootField(document, fragment.selectionSet);
}

/** The document as it is the same for all who ask alike: where one begins is none of its business. */
function withoutAfter(document: DocumentNode, root: FieldNode) {
  const argument = root.arguments?.find((node) => node.name.value === AFTER);
  const variable = argument?.value.kind === Kind.VARIABLE ? argument.value.name.value : null;
  let uses = 0;
  visit(document, {
    Variable(node, _key, parent) {
      const defines =
        parent !== undefined && !Array.isArray(parent) && 'kind' in parent && parent.kind === Kind.VARIABLE_DEFINITION;
      if (node.name.value === variable && !defines) uses += 1;
    },
  });
  const afterVariable = uses === 1 ? variable : null;
  const stripped: DocumentNode = visit(document, {
    Field: (node) =>
      node === root ? { ...node, arguments: (node.arguments ?? []).filter((each) => each !== argument) } : undefined,
    VariableDefinition: (node) => (node.variable.name.value === afterVariable ? null : undefined),
  });
  return { document: stripped, text: print(stripped), afterVariable };
}
