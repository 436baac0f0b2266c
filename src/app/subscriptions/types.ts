import type { DocumentNode, ExecutionResult, GraphQLFormattedError, GraphQLSchema } from 'graphql';
import type { Principal } from '../../core/access/principal.ts';

/** A GraphQL request as it came in, parsed from JSON and not yet looked at. */
export interface OperationRequest {
  readonly query?: unknown;
  readonly operationName?: unknown;
  readonly variables?: unknown;
  readonly extensions?: unknown;
}

/** An operation that may run: parsed, valid, within its limits, its scopes held. */
export interface AdmittedOperation {
  readonly document: DocumentNode;
  /** The text the document was parsed from: equal texts are the same document. */
  readonly source: string;
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly operationName: string | null;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** What the HTTP side does for the subscription server. */
export interface SubscriptionHost {
  readonly schema: GraphQLSchema;
  /**
   * Parses and validates an operation, and refuses what is too deep, too costly or lacks a scope; executes nothing.
   * @throws whatever `showErrors` can show
   */
  admit(principal: Principal, request: OperationRequest): AdmittedOperation | Promise<AdmittedOperation>;
  /** Runs a query or mutation that came over a WebSocket or as SSE. */
  execute(principal: Principal, request: OperationRequest): Promise<object>;
  /** An answer as callers may see it: unexpected errors are logged and masked. */
  present(result: ExecutionResult): object;
  /** The same for anything thrown. */
  showErrors(error: unknown): readonly GraphQLFormattedError[];
  /**
   * The principal of a key, named as in an `Authorization` header; asked again and again while a stream is open.
   * @throws Unauthenticated when there is no key or it is not good any more
   */
  authenticate(authorization: string | undefined): Principal | Promise<Principal>;
}

/** Bounds of the subscription server. */
export interface SubscriptionLimits {
  readonly perKey: number;
  readonly perProcess: number;
  readonly perConnection: number;
  /** Bytes that may wait for one connection before its subscriber is too slow. */
  readonly bufferBytes: number;
  /** Events that may wait to be executed for one group of subscribers. */
  readonly pendingEvents: number;
}

export const DEFAULT_LIMITS: SubscriptionLimits = {
  perKey: 2_000,
  perProcess: 10_000,
  perConnection: 100,
  bufferBytes: 1_048_576,
  pendingEvents: 10_000,
};
