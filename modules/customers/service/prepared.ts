import type { Call } from '../../../src/core/call.ts';
import type { DomainError } from '../../../src/core/errors.ts';
import type { PreparedEvent } from './event-input.ts';
import type { BatchTerms } from './upsert.ts';

/** An event that was not taken, and why. */
export interface RejectedEvent {
  readonly index: number;
  readonly id: string;
  readonly error: DomainError;
}

/** A call whose events keep the rules. */
export interface PreparedCall {
  readonly call: Call;
  readonly batchId: string;
  readonly source: string;
  readonly count: number;
  readonly events: readonly PreparedEvent[];
  readonly rejected: readonly RejectedEvent[];
  readonly terms: BatchTerms;
}
