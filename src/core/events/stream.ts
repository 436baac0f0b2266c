import type { DomainEvent } from './definition.ts';

/**
 * What a subscription field delivers. The subscription server reads it from the field's extensions, so that one tail
 * serves everybody and what several subscribers ask alike is executed once.
 */
export interface EventStream {
  /** Refuses arguments that make no sense, once, before the stream begins. @throws InvalidInput */
  readonly check: (args: Readonly<Record<string, unknown>>) => void;
  /** Types it can deliver for these arguments; null: all. */
  readonly types: (args: Readonly<Record<string, unknown>>) => readonly string[] | null;
  /** UUID of the customer it is limited to; null: all. */
  readonly customerId: (args: Readonly<Record<string, unknown>>) => string | null;
  /** Whether an event of those types and that customer is delivered. */
  readonly accepts: (event: DomainEvent, args: Readonly<Record<string, unknown>>) => boolean;
  /** Whether nothing can come after a delivered event, so that the stream is complete with it. */
  readonly isLast: (event: DomainEvent) => boolean;
}

/** Key of the stream among the extensions of a field. */
export const EVENT_STREAM = 'holdfastEventStream';

/** The name of the argument that resumes a stream; it does not change what is delivered, only from where. */
export const AFTER = 'after';
