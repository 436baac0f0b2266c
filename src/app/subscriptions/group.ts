import { type ExecutionResult, execute } from 'graphql';
import type { Context } from '../../core/builder/index.ts';
import { systemCall } from '../../core/call.ts';
import { encodeCursor, type StoredEvent } from '../../core/events/index.ts';
import { type Rendered, type RenderedBatch, renderedBatch } from './frames.ts';
import type { StreamRequest } from './operation.ts';
import type { Subscription } from './subscription.ts';
import type { SubscriptionHost } from './types.ts';

/**
 * Subscribers who ask alike and may see alike. What happens is executed and serialised once for all of them, in order,
 * and the same bytes go to each.
 */
export interface Group {
  readonly key: string;
  readonly request: StreamRequest;
  readonly members: Set<Subscription>;
  /** Events wait to be executed or are being executed. */
  readonly busy: boolean;
  matches(event: StoredEvent): boolean;
  /** Executes and hands to the members; at once when nothing asynchronous is asked for. */
  push(events: readonly StoredEvent[]): void;
  /** Executes for one member that is catching up. */
  render(events: readonly StoredEvent[]): RenderedBatch | Promise<RenderedBatch>;
}

export interface GroupOptions {
  readonly key: string;
  readonly host: Pick<SubscriptionHost, 'schema' | 'present'>;
  readonly request: StreamRequest;
  readonly scopes: ReadonlySet<string>;
  readonly pendingEvents: number;
  /** Execution failed as a whole or cannot keep pace: the members cannot be served any more. */
  readonly onBroken: (group: Group, why: string, error?: unknown) => void;
}

export function createGroup({ key, host, request, scopes, pendingEvents, onBroken }: GroupOptions): Group {
  const members = new Set<Subscription>();
  let waiting: StoredEvent[] = [];
  let working = false;

  const toRendered = (event: StoredEvent, result: ExecutionResult): Rendered => {
    const shown = host.present(result) as { readonly extensions?: object };
    const json = JSON.stringify({
      ...shown,
      extensions: { ...shown.extensions, cursor: encodeCursor(event.position) },
    });
    return { position: event.position, json, isLast: request.isLast(event) };
  };

  const render = (events: readonly StoredEvent[]): RenderedBatch | Promise<RenderedBatch> => {
    // One context for the batch, so that its loaders load once for all events.
    const context: Context = {
      principal: { id: 'subscription', name: 'subscription', scopes, expiresAt: null },
      call: systemCall('subscription'),
    };
    const results = events.map((event) =>
      execute({
        schema: host.schema,
        document: request.document,
        operationName: request.operationName,
        variableValues: request.variables,
        rootValue: event,
        contextValue: context,
      }),
    );
    const rendered = (all: readonly ExecutionResult[]) =>
      renderedBatch(all.map((result, i) => toRendered(events[i] as StoredEvent, result)));
    return results.some(isPromise) ? Promise.all(results).then(rendered) : rendered(results as ExecutionResult[]);
  };

  const deliver = (batch: RenderedBatch) => {
    for (const member of members) member.deliver(batch);
  };

  const work = async (first: Promise<RenderedBatch>) => {
    working = true;
    try {
      deliver(await first);
      while (waiting.length > 0) {
        const events = waiting;
        waiting = [];
        deliver(await render(events));
      }
    } catch (error) {
      waiting = [];
      onBroken(group, NOT_SHOWN, error);
    } finally {
      working = false;
    }
  };

  const group: Group = {
    key,
    request,
    members,
    get busy() {
      return working;
    },
    matches: (event) =>
      (request.types === null || request.types.has(event.type)) &&
      (request.customerId === null || request.customerId === event.customerId) &&
      request.accepts(event),
    push(events) {
      if (working) {
        for (const event of events) waiting.push(event);
        if (waiting.length > pendingEvents) {
          waiting = [];
          onBroken(group, 'More events wait to be shown than the server can hold.');
        }
        return;
      }
      try {
        const batch = render(events);
        if (isPromise(batch)) void work(batch);
        else deliver(batch);
      } catch (error) {
        onBroken(group, NOT_SHOWN, error);
      }
    },
    render,
  };
  return group;
}

const NOT_SHOWN = 'The events could not be shown.';

const isPromise = <T>(value: T | PromiseLike<T>): value is Promise<T> =>
  typeof (value as { then?: unknown } | null)?.then === 'function';
