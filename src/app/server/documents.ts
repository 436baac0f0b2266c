import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import type { Context } from '../../core/builder/index.ts';
import { type Needs, needsOf } from './cost.ts';
import { InvalidDocument, RequestRefused } from './errors.ts';
import { checkShape, type ShapeLimits } from './shape.ts';
import { variableDefaults } from './variable-defaults.ts';

/** An operation of a document that was parsed, measured and validated. */
export interface PreparedOperation extends Needs {
  readonly document: DocumentNode;
  readonly node: OperationDefinitionNode;
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly name: string | undefined;
  run(context: Context, variables: Readonly<Record<string, unknown>>): Promise<ExecutionResult> | ExecutionResult;
}

export interface DocumentLimits extends ShapeLimits {
  readonly maxTokens: number;
}

/** Documents that were seen, most recently used last. */
export interface Documents {
  /** @throws RequestRefused or GraphQLError: no document, or not one of this schema */
  prepare(source: string, operationName: string | undefined): PreparedOperation;
}

/** A compiled page of the health graph takes some 100 KB, so this many take 30 MB. */
const maxDocuments = 300;
/** Longer sources are not kept: few and large is how memory would be filled. */
const maxKeptLength = 50_000;
/** Compiling takes longer than a few runs, so only a document that comes again is compiled. */
const compileAtRun = 3;
const maxErrors = 20;

interface Kept {
  readonly document: DocumentNode;
  readonly operations: Map<string, PreparedOperation>;
}

/** The documents of a schema. */
export function createDocuments(schema: GraphQLSchema, limits: DocumentLimits): Documents {
  const kept = new Map<string, Kept>();

  const read = (source: string): Kept => {
    const known = kept.get(source);
    if (known !== undefined) {
      // Only when it is about to matter: a document in use must not be the one that makes room.
      if (kept.size === maxDocuments) {
        kept.delete(source);
        kept.set(source, known);
      }
      return known;
    }
    const document = parseDocument(source, limits.maxTokens);
    checkShape(document, limits);
    const errors = validate(schema, document, specifiedRules, { maxErrors });
    if (errors.some((error) => error.message === 'Validation aborted.')) {
      // The validator's own bound: comparing very many equal fields with each other.
      throw new RequestRefused(
        400,
        'REQUEST_TOO_WIDE',
        'The document names the same fields too often. Ask for each once.',
      );
    }
    if (errors.length > 0) throw new InvalidDocument(errors);
    const entry: Kept = { document, operations: new Map() };
    if (source.length <= maxKeptLength) {
      if (kept.size >= maxDocuments) kept.delete(kept.keys().next().value as string);
      kept.set(source, entry);
    }
    return entry;
  };

  return {
    prepare(source, operationName) {
      const { document, operations } = read(source);
      let prepared = operations.get(operationName ?? '');
      if (prepared === undefined) {
        prepared = prepareOperation(schema, document, operationName);
        operations.set(operationName ?? '', prepared);
      }
      return prepared;
    },
  };
}

function parseDocument(source: string, maxTokens: number): DocumentNode {
  try {
    return parse(source, { maxTokens });
  } catch (error) {
    if (error instanceof Error && error.message.includes('Parsing aborted')) {
      throw new RequestRefused(
        400,
        'REQUEST_TOO_LONG',
        `The document has more than ${maxTokens} tokens. Ask for less at once.`,
        { max: maxTokens },
      );
    }
    throw error;
  }
}

function prepareOperation(schema: GraphQLSchema, document: DocumentNode, name: string | undefined): PreparedOperation {
  const all = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  const found =
    name === undefined ? (all.length === 1 ? all[0] : undefined) : all.find((node) => node.name?.value === name);
  if (found === undefined) {
    const names = all.flatMap((node) => (node.name === undefined ? [] : [node.name.value]));
    throw new RequestRefused(
      400,
      'REQUEST_OPERATION_UNKNOWN',
      all.length === 0
        ? 'The document has no operation.'
        : `Name the operation to run in "operationName": ${names.join(', ')}.`,
    );
  }
  const fragments: Record<string, FragmentDefinitionNode> = {};
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition;
  }
  return {
    ...needsOf(schema, found, fragments),
    document,
    node: found,
    kind: found.operation,
    name: found.name?.value,
    run: runner(schema, document, found, name),
  };
}

/** Runs by interpreting at first, by compiled code once the document has proved to come again. */
function runner(
  schema: GraphQLSchema,
  document: DocumentNode,
  node: OperationDefinitionNode,
  operationName: string | undefined,
): PreparedOperation['run'] {
  let runs = 0;
  let compiled: PreparedOperation['run'] | null | undefined;
  const interpret: PreparedOperation['run'] = (contextValue, variableValues) =>
    execute({
      schema,
      document,
      contextValue,
      variableValues,
      ...(operationName === undefined ? {} : { operationName }),
    });
  const compile = (): PreparedOperation['run'] | null => {
    const query = compileQuery(schema, document, operationName, { useExperimentalPathBasedSkipInclude: true });
    if (!isCompiledQuery(query)) return null;
    const complete = variableDefaults(schema, node);
    return (context, variables) => query.query(undefined, context, complete(variables));
  };
  return (context, variables) => {
    runs += 1;
    if (compiled === undefined && runs >= compileAtRun) compiled = compile();
    return (compiled ?? interpret)(context, variables);
  };
}
