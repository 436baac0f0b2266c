import type { Call } from '../call.ts';
import type { Tx } from '../database/index.ts';
import type { DomainEvent, EventDefinition } from './definition.ts';

/** What a handler is told besides the events. */
export interface HandlerContext {
  /** The call that everything done because of this event belongs to: same correlation, caused by the event. */
  call(event: DomainEvent): Call;
}

/**
 * A reaction to facts, declared by a module. Batches hold events of many customers, in order. Each batch has its own
 * transaction, which also records the delivery, so what the handler writes is applied exactly once. When it throws,
 * the transaction is rolled back and the events are tried one by one; one that fails alone is parked and tried again
 * with growing pauses, later events of its customer waiting behind it, until it is a dead letter after `maxAttempts`.
 */
export interface HandlerDefinition {
  /** Stable: progress and deliveries are kept under it. Like `module.doesWhat`. */
  readonly name: string;
  readonly on: readonly EventDefinition[];
  handle(tx: Tx, events: readonly DomainEvent[], context: HandlerContext): Promise<void>;
  readonly maxAttempts?: number;
  /**
   * Where a handler that was never seen before begins. Default: `now`; `replay` begins with the oldest event kept. In a
   * deployment that never dispatched anything all begin with the oldest.
   */
  readonly startsFrom?: 'now' | 'replay';
  /** Events per transaction at most. */
  readonly batchSize?: number;
}

/** How long a failed event waits before its next attempt: `minMs` doubled for each attempt, up to `maxMs`. */
export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
}

export const DEFAULT_BACKOFF: Backoff = { minMs: 1_000, maxMs: 300_000 };
/** With the default pauses: about four minutes until an event is a dead letter. */
export const DEFAULT_MAX_ATTEMPTS = 8;
/** Write transactions hold readers of the outbox back, so batches stay small. */
export const DEFAULT_BATCH_SIZE = 200;

export const handlerCall = (handler: string, event: DomainEvent): Call => ({
  actor: { kind: 'handler', id: handler, name: handler },
  correlationId: event.correlationId,
  causationId: event.id,
});
