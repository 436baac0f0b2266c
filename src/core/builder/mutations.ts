import type { InputRef, ObjectRef, UnionRef } from '@pothos/core';
import type { Scope } from '../access/principal.ts';
import { type DomainError, InvalidInput } from '../errors.ts';
import type { Context } from './context.ts';
import type { DomainErrorClass } from './domain-errors.ts';
import type { Builder, BuilderTypes } from './types.ts';

interface MutationBase<Input, Payload> {
  readonly description: string;
  readonly scope: Scope;
  /** The input type; the mutation gets one required argument `input` of it. */
  readonly input: InputRef<Input>;
  /** The object type of success, a direct member of the result union. */
  readonly payload: ObjectRef<BuilderTypes, Payload>;
  /** Failures beside InvalidInput, which every mutation may answer. */
  readonly errors?: readonly DomainErrorClass[];
}

/** A mutation of one thing. */
export interface MutationOptions<Input, Payload> extends MutationBase<Input, Payload> {
  readonly resolve: (input: Input, context: Context) => Promise<Payload>;
}

/** A mutation of many things with an answer per item. */
export interface BatchMutationOptions<Input, Payload> extends MutationBase<Input, Payload> {
  /** The most items of one request. */
  readonly maxItems: number;
  /** One answer per item, in order: a payload, or the DomainError of that item. */
  readonly resolve: (inputs: readonly Input[], context: Context) => Promise<readonly (Payload | DomainError)[]>;
}

const resultName = (field: string): string => `${field.charAt(0).toUpperCase()}${field.slice(1)}Result`;

const singular = (field: string): string => (field.endsWith('s') ? field.slice(0, -1) : field);

/** A batch costs as much as its items. */
const batchComplexity = (args: { input?: unknown }): { field: number; multiplier: number } => {
  const items = Array.isArray(args.input) ? Math.max(args.input.length, 1) : 1;
  return { field: items, multiplier: items };
};

const unions = new WeakMap<Builder, Map<string, { types: string; ref: UnionRef<BuilderTypes, unknown> }>>();

/** The union of payload and failures; the single and the batched form of a mutation share one. */
function resultUnion<Input, Payload>(
  builder: Builder,
  name: string,
  options: MutationBase<Input, Payload>,
): UnionRef<BuilderTypes, unknown> {
  const known = unions.get(builder) ?? new Map<string, { types: string; ref: UnionRef<BuilderTypes, unknown> }>();
  unions.set(builder, known);
  const errors = [...new Set([InvalidInput, ...(options.errors ?? [])])];
  const payload = options.payload.name;
  const types = [payload, ...errors.map((error) => error.name).sort()].join(' | ');
  const existing = known.get(name);
  if (existing !== undefined) {
    if (existing.types === types) return existing.ref;
    throw new TypeError(`${name} is declared twice: as ${existing.types} and as ${types}`);
  }
  const ref = builder.errorUnion(name, {
    types: [options.payload, ...errors] as never[],
    description: 'Success, or why nothing was done.',
    resolveType: () => payload,
  });
  known.set(name, { types, ref });
  return ref;
}

/**
 * Declares a mutation `name(input: Input!): NameResult!`, where `NameResult = Payload | InvalidInput | errors`.
 * A DomainError of a listed class that the service throws becomes a member of the union; anything else is an error of
 * the operation.
 */
export function mutationField<Input, Payload extends object>(
  builder: Builder,
  name: string,
  options: MutationOptions<Input, Payload>,
): void {
  const result = resultUnion(builder, resultName(name), options);
  builder.mutationField(name, (t) =>
    t.field({
      type: result,
      description: options.description,
      authScopes: { scope: options.scope },
      complexity: { field: 10 },
      args: { input: t.arg({ type: options.input, required: true, description: 'What to do.' }) },
      resolve: (_root, args, context) => options.resolve((args as { input: Input }).input, context),
    }),
  );
}

/**
 * Declares a mutation `names(input: [Input!]!): [NameResult!]!` with one answer per item, in order. More than
 * `maxItems` items refuse the request as a whole.
 */
export function batchMutationField<Input, Payload extends object>(
  builder: Builder,
  name: string,
  options: BatchMutationOptions<Input, Payload>,
): void {
  const result = resultUnion(builder, resultName(singular(name)), options);
  builder.mutationField(name, (t) =>
    t.field({
      type: [result],
      description: `${options.description} One answer per item, in order; at most ${options.maxItems} items.`,
      authScopes: { scope: options.scope },
      complexity: batchComplexity,
      args: {
        input: t.arg({ type: [options.input], required: true, description: `The items, 1 to ${options.maxItems}.` }),
      },
      resolve: async (_root, args, context) => {
        const inputs = args.input as readonly Input[];
        checkBatch(inputs, options.maxItems);
        return await options.resolve(inputs, context);
      },
    }),
  );
}

/** Refuses a list that is longer than its bound; for lists within an input of `mutationField`. */
function checkBatch(items: readonly unknown[], maxItems: number, path: readonly string[] = ['input']): void {
  if (items.length > maxItems) throw tooMany(items.length, maxItems, path);
}

const tooMany = (count: number, max: number, path: readonly string[] = ['input']): InvalidInput =>
  new InvalidInput(`${count} items are too many for one request; send at most ${max} and repeat.`, {
    path,
    details: { count, max },
  });
