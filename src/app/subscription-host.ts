import type { DocumentNode, ExecutionResult } from 'graphql';
import { print } from 'graphql';
import { newId } from '../core/ids.ts';
import { showError } from './server/errors.ts';
import type { Admitted, Gate, MakeSubscriptionServer } from './server/index.ts';
import { createSubscriptionServer, type SubscriptionServerOptions } from './subscriptions/server.ts';
import type { AdmittedOperation, OperationRequest } from './subscriptions/types.ts';

const texts = new WeakMap<DocumentNode, string>();

function textOf(document: DocumentNode): string {
  let text = texts.get(document);
  if (text === undefined) {
    text = document.loc?.source.body ?? print(document);
    texts.set(document, text);
  }
  return text;
}

const toOperation = ({ operation, variables }: Admitted): AdmittedOperation => ({
  document: operation.document,
  source: textOf(operation.document),
  kind: operation.kind,
  operationName: operation.name ?? null,
  variables,
});

/** Joins the subscription server to the gate that every operation passes, whichever way it came in. */
export function subscriptionServer(options: Omit<SubscriptionServerOptions, 'host'>): MakeSubscriptionServer {
  return (gate: Gate) => {
    /** What came over SSE passed the gate before it was handed over, and must not pay twice. */
    const admittedBefore = new WeakMap<OperationRequest, Admitted>();
    const show = (error: unknown, whileRunning: boolean) =>
      showError(error, { logger: options.logger, correlationId: newId(), whileRunning });
    const server = createSubscriptionServer({
      ...options,
      host: {
        schema: gate.schema,
        authenticate: (authorization) => gate.authenticate(authorization),
        admit: (principal, request) =>
          toOperation(admittedBefore.get(request) ?? gate.admit(request, principal, newId(), true)),
        execute: (principal, request) => gate.run(gate.admit(request, principal, newId(), true)),
        present: (result: ExecutionResult) =>
          result.errors === undefined
            ? { data: result.data }
            : { data: result.data, errors: result.errors.map((error) => show(error, true)) },
        showErrors: (error) => gate.refuse(error, newId(), null).errors ?? [],
      },
    });
    return {
      handleSse(req, res, admitted) {
        const request: OperationRequest = { query: textOf(admitted.operation.document), variables: admitted.variables };
        admittedBefore.set(request, admitted);
        return server.handleSse(req, res, admitted.principal, request);
      },
      handleUpgrade: (req, socket, head) => server.handleUpgrade(req, socket, head),
      close: () => server.stop(),
    };
  };
}
