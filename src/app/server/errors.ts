import { randomUUID } from 'node:crypto';
import { PothosValidationError } from '@pothos/core';
import { GraphQLError } from 'graphql';
import { ScopeMissing, Unauthenticated } from '../../core/access/index.ts';
import { DomainError, InvalidInput, Overloaded } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';

/** The request as a whole is refused: nothing of it ran. */
export class RequestRefused extends DomainError {
  /** HTTP status of a request that holds nothing but this. */
  readonly status: number;
  constructor(status: number, code: string, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(code, message, { details });
    this.status = status;
  }
}

/** The cost of a minute is used up. */
export class BudgetExhausted extends RequestRefused {
  readonly retryAfterSeconds: number;
  constructor(asked: number, left: number, retryAfterSeconds: number) {
    super(
      429,
      'REQUEST_BUDGET_EXHAUSTED',
      `This operation costs ${asked} and ${left} is left of this minute. Try again in ${retryAfterSeconds} s.`,
      { asked, left, retryAfterSeconds },
    );
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Several things are wrong with a document; each is shown. */
export class InvalidDocument extends Error {
  readonly errors: readonly Error[];
  constructor(errors: readonly Error[]) {
    super('invalid document');
    this.errors = errors;
  }
}

/** An error as the caller sees it. */
export interface ShownError {
  readonly message: string;
  readonly locations?: readonly { readonly line: number; readonly column: number }[];
  readonly path?: readonly (string | number)[];
  readonly extensions: Readonly<Record<string, unknown>>;
}

/** HTTP status of a request that failed as a whole. */
export function statusOf(error: unknown): number {
  if (error instanceof RequestRefused) return error.status;
  if (error instanceof Unauthenticated) return 401;
  if (error instanceof ScopeMissing) return 403;
  if (error instanceof Overloaded) return 503;
  const theirs = error instanceof DomainError || error instanceof GraphQLError || error instanceof InvalidDocument;
  return theirs ? 400 : 500;
}

/** Seconds a caller should wait, where waiting helps. */
export function retryAfterOf(error: unknown): number | null {
  if (error instanceof BudgetExhausted) return error.retryAfterSeconds;
  return error instanceof Overloaded ? Math.max(1, Math.ceil(error.retryAfterMs / 1000)) : null;
}

function shownDomainError(error: DomainError, located: GraphQLError | null): ShownError {
  const place = located?.path === undefined ? {} : { path: located.path, ...locationsOf(located) };
  const input = error.path.length === 0 ? {} : { inputPath: error.path };
  return { message: error.message, ...place, extensions: { code: error.code, ...input, ...error.details } };
}

/** Class 22 of PostgreSQL's errors: a value it cannot read or hold, e.g. a date in the year 300,000 or a forged cursor. */
const isUnstorable = (error: unknown): boolean => {
  const { code, severity } = error as { readonly code?: unknown; readonly severity?: unknown };
  return typeof code === 'string' && typeof severity === 'string' && code.length === 5 && code.startsWith('22');
};

const locationsOf = (error: GraphQLError) =>
  error.locations === undefined ? {} : { locations: error.locations.map(({ line, column }) => ({ line, column })) };

/**
 * Shows an error to a caller. DomainErrors and mistakes in the request are shown as they are. Anything else is ours: it
 * is logged whole under an id, and the caller gets the id alone.
 */
export function showError(
  thrown: unknown,
  options: { readonly logger: Logger; readonly correlationId: string; readonly whileRunning: boolean },
): ShownError {
  // An executor passes on a thrown DomainError as it is: it has a `path`, so it looks located already.
  if (thrown instanceof DomainError) return shownDomainError(thrown, null);
  const located = thrown instanceof GraphQLError ? thrown : null;
  const original = located?.originalError ?? thrown;
  if (original instanceof DomainError) return shownDomainError(original, located);
  if (located !== null && original instanceof PothosValidationError) {
    return shownDomainError(new InvalidInput(original.message), located);
  }
  if (located !== null && !options.whileRunning) {
    const code =
      located.source !== undefined && located.positions?.length === 1 && located.nodes === undefined
        ? 'REQUEST_SYNTAX'
        : 'REQUEST_INVALID';
    return { message: located.message, ...locationsOf(located), extensions: { code } };
  }
  if (isUnstorable(original)) {
    options.logger.warn({ err: original, correlationId: options.correlationId }, 'the database refused a value');
    return shownDomainError(
      new InvalidInput('A value is malformed or beyond what can be stored. Nothing was done.'),
      located,
    );
  }
  const errorId = randomUUID();
  options.logger.error(
    { err: original, errorId, correlationId: options.correlationId, path: located?.path },
    'unexpected error',
  );
  return {
    message: `Something went wrong on our side. It is logged under ${errorId}; quote it when you report this.`,
    ...(located?.path === undefined ? {} : { path: located.path }),
    extensions: { code: 'INTERNAL', errorId },
  };
}
