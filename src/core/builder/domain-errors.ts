import type { ObjectFieldsShape } from '@pothos/core';
import { type DomainError, IdempotencyConflict, InvalidInput, Overloaded, RequestInFlight } from '../errors.ts';
import type { Builder, BuilderTypes } from './types.ts';

/** A class of failures, as `errors: [...]` of a mutation names them. */
// biome-ignore lint/suspicious/noExplicitAny: constructors of domain errors take what they need; only the instance matters here.
export type DomainErrorClass<E extends DomainError = DomainError> = new (...args: any[]) => E;

const registered = new WeakMap<Builder, Set<DomainErrorClass>>();

/**
 * Declares a failure as a type of the API, named like its class. The module that owns the class does it, once.
 *
 *     domainError(builder, EarningCapReached, 'The rule gives no more points in this period.', (t) => ({
 *       resetsAt: t.field({ type: 'DateTime', description: 'When it gives points again.', resolve: (e) => e.resetsAt }),
 *     }));
 */
export function domainError<E extends DomainError>(
  builder: Builder,
  errorClass: DomainErrorClass<E>,
  description: string,
  fields?: ObjectFieldsShape<BuilderTypes, E>,
): void {
  const known = registered.get(builder) ?? new Set();
  registered.set(builder, known);
  if (known.has(errorClass)) return;
  known.add(errorClass);
  // The generic class hides from the compiler what holds for every E: a DomainError has the interface's fields.
  builder.objectType(errorClass as DomainErrorClass, {
    name: errorClass.name,
    description,
    interfaces: ['DomainError'],
    ...(fields === undefined ? {} : { fields: fields as ObjectFieldsShape<BuilderTypes, DomainError> }),
  });
}

/** Declares the interface and the failures of core. */
export function registerDomainErrors(builder: Builder): void {
  builder.interfaceType('DomainError', {
    description: 'A failure the caller can act on. Codes are stable and never reused.',
    fields: (t) => ({
      code: t.string({ description: 'For programs, e.g. LOYALTY_EARNING_CAP_REACHED.', resolve: (e) => e.code }),
      message: t.string({ description: 'For people: what is wrong and what helps.', resolve: (e) => e.message }),
      path: t.stringList({
        description: 'Where in the input the cause lies, step by step; empty when it is no single field.',
        resolve: (e) => [...e.path],
      }),
    }),
  });
  domainError(builder, InvalidInput, 'A value of the input breaks a rule; `path` says which.');
  domainError(
    builder,
    IdempotencyConflict,
    'The idempotency key was used before with another input. Nothing was done; take a new key for a new request.',
  );
  domainError(
    builder,
    RequestInFlight,
    'The first request with this idempotency key is still being carried out. Send it again later to get its answer.',
    (t) => ({
      retryAfterMs: t.int({ description: 'How long to wait, in milliseconds.', resolve: (e) => e.retryAfterMs }),
    }),
  );
  domainError(builder, Overloaded, 'A bounded queue is full. Nothing was done; try again later.', (t) => ({
    retryAfterMs: t.int({ description: 'How long to wait, in milliseconds.', resolve: (e) => e.retryAfterMs }),
  }));
}
