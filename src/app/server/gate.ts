import type { ExecutionResult, GraphQLSchema } from 'graphql';
import { type Authenticator, allows, type Principal, ScopeMissing } from '../../core/access/index.ts';
import type { Context } from '../../core/builder/index.ts';
import { countingStatements } from '../../core/database/index.ts';
import { Overloaded } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { Budget, CostReport } from './budget.ts';
import type { Documents, PreparedOperation } from './documents.ts';
import { InvalidDocument, RequestRefused, type ShownError, showError } from './errors.ts';
import type { ServerMetrics } from './metrics.ts';

/** An operation that may run: key, scopes, limits and cost are in order. */
export interface Admitted {
  readonly schema: GraphQLSchema;
  readonly operation: PreparedOperation;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly principal: Principal;
  readonly context: Context;
  readonly cost: CostReport;
}

/** The JSON of one answer. */
export interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly ShownError[];
  readonly extensions: {
    readonly cost: CostReport | null;
    readonly correlationId?: string;
    readonly statements?: number;
  };
}

/** What every operation passes, whichever way it came in. */
export interface Gate {
  readonly schema: GraphQLSchema;
  /** @throws Unauthenticated */
  authenticate(authorization: string | undefined): Principal | Promise<Principal>;
  /**
   * Checks a request of the GraphQL-over-HTTP shape `{ query, operationName, variables }` and takes its cost.
   * @param unclean whether its text may hold null characters or keys such as `__proto__`
   * @throws DomainError, GraphQLError or InvalidDocument when it may not run
   */
  admit(params: unknown, principal: Principal, correlationId: string, unclean: boolean): Admitted;
  /** Runs a query or mutation. Never rejects: what goes wrong is in the answer. */
  run(admitted: Admitted, options?: { readonly tellStatements?: boolean }): Promise<Answer>;
  /** The answer to a request that may not run. */
  refuse(error: unknown, correlationId: string, principal: Principal | null): Answer;
  /** Operations running now. */
  readonly running: number;
}

export interface GateOptions {
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  readonly budget: Budget;
  readonly maxCost: number;
  readonly maxConcurrent: number;
  readonly introspection: 'keys' | 'admin' | 'off';
  readonly logger: Logger;
  readonly metrics: ServerMetrics;
}

const retryWhenFullMs = 1_000;
/** A fault that hits every row of a page is shown and logged so many times; the rest would say the same. */
const maxErrors = 10;
const nullCharacter = /\0|\\u(?:0000|\{0+\})/;

/** Refuses what PostgreSQL cannot hold (null characters) and what could change objects of ours (prototype keys). */
function checkClean(value: unknown, path: readonly string[]): void {
  if (typeof value === 'string') {
    if (value.includes('\0'))
      throw refusal('REQUEST_NULL_CHARACTER', 'A text holds a null character; leave it out.', path);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === '__proto__' || key === 'constructor' || key === 'prototype' || key.includes('\0')) {
      throw refusal('REQUEST_KEY_NOT_ALLOWED', `"${key.replaceAll('\0', '␀')}" is not allowed as a key.`, path);
    }
    checkClean(inner, [...path, key]);
  }
}

const refusal = (code: string, message: string, path: readonly string[]) =>
  new RequestRefused(400, code, message, { inputPath: path });

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Params {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

function readParams(params: unknown): Params {
  const malformed = (message: string) => new RequestRefused(400, 'REQUEST_MALFORMED', message);
  if (!isObject(params)) throw malformed('The body must be a JSON object with "query".');
  const { query, operationName, variables } = params;
  if (typeof query !== 'string' || query.trim() === '') throw malformed('"query" must be a text with an operation.');
  if (operationName !== undefined && operationName !== null && typeof operationName !== 'string') {
    throw malformed('"operationName" must be a text.');
  }
  if (variables !== undefined && variables !== null && !isObject(variables)) {
    throw malformed('"variables" must be a JSON object.');
  }
  const name = typeof operationName === 'string' && operationName !== '' ? operationName : undefined;
  return { query, operationName: name, variables: variables ?? {} };
}

/** Makes the gate. */
export function createGate(options: GateOptions): Gate {
  const { schema, documents, authenticator, budget, logger, metrics } = options;
  let running = 0;

  const checkIntrospection = (operation: PreparedOperation, principal: Principal): void => {
    if (!operation.introspects || options.introspection === 'keys') return;
    if (options.introspection === 'admin' && allows(principal, 'admin')) return;
    const who = options.introspection === 'admin' ? 'is open to keys with the scope "admin" only' : 'is switched off';
    throw new RequestRefused(403, 'REQUEST_INTROSPECTION_REFUSED', `Introspection ${who} here.`);
  };

  const execute = async (admitted: Admitted, count: { statements: number }): Promise<ExecutionResult> =>
    await countingStatements(count, () => admitted.operation.run(admitted.context, admitted.variables));

  return {
    schema,
    get running() {
      return running;
    },
    authenticate: (authorization) => authenticator.authenticate(authorization),
    admit(raw, principal, correlationId, unclean) {
      const { query, operationName, variables } = readParams(raw);
      if (unclean) {
        if (nullCharacter.test(query)) {
          throw refusal('REQUEST_NULL_CHARACTER', 'The document holds a null character; leave it out.', ['query']);
        }
        checkClean(variables, ['variables']);
      }
      const operation = documents.prepare(query, operationName);
      const lacking = operation.scopes.filter((scope) => !allows(principal, scope));
      if (lacking.length > 0) throw new ScopeMissing(lacking);
      checkIntrospection(operation, principal);
      const asked = operation.cost(variables);
      if (asked > options.maxCost) {
        throw new RequestRefused(
          400,
          'REQUEST_TOO_COSTLY',
          `The operation costs ${asked}; the limit is ${options.maxCost}. Ask for fewer items or fields at once.`,
          { asked, max: options.maxCost },
        );
      }
      const actor = { kind: 'apiKey', id: principal.id, name: principal.name } as const;
      const context: Context = { principal, call: { actor, correlationId, causationId: null } };
      return { schema, operation, variables, principal, context, cost: budget.take(principal.id, asked) };
    },
    async run(admitted, { tellStatements = false } = {}) {
      const { correlationId } = admitted.context.call;
      if (running >= options.maxConcurrent) {
        metrics.refused.inc({ reason: 'overloaded' });
        return this.refuse(new Overloaded('The server', retryWhenFullMs), correlationId, admitted.principal);
      }
      running += 1;
      const count = { statements: 0 };
      const startedAt = performance.now();
      let outcome = 'ok';
      try {
        const result = await execute(admitted, count);
        const extensions = tellStatements
          ? { cost: admitted.cost, statements: count.statements }
          : { cost: admitted.cost };
        if (result.errors === undefined || result.errors.length === 0) return { data: result.data, extensions };
        outcome = 'error';
        const whileRunning = result.data !== undefined;
        const shown = result.errors.slice(0, maxErrors);
        const errors = shown.map((error) => showError(error, { logger, correlationId, whileRunning }));
        return { ...(whileRunning ? { data: result.data } : {}), errors, extensions: { ...extensions, correlationId } };
      } catch (error) {
        outcome = 'error';
        const shown = showError(error, { logger, correlationId, whileRunning: true });
        return { errors: [shown], extensions: { cost: admitted.cost, correlationId } };
      } finally {
        running -= 1;
        metrics.ran(
          admitted.operation.kind,
          outcome,
          performance.now() - startedAt,
          count.statements,
          admitted.cost.asked,
        );
      }
    },
    refuse(error, correlationId, principal) {
      const all = error instanceof InvalidDocument ? error.errors : [error];
      return {
        errors: all.map((one) => showError(one, { logger, correlationId, whileRunning: false })),
        extensions: { cost: principal === null ? null : budget.look(principal.id), correlationId },
      };
    },
  };
}
