import type { InboxRow } from '../../../src/core/analytics/index.ts';
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

/** An event with its customer, on its way into the inbox. */
export interface PlacedEvent {
  readonly event: PreparedEvent;
  readonly customerId: string;
  /** The call it belongs to, by its place in the batch. */
  readonly of: number;
}

/** The row that an event of the stream becomes. */
export const inboxRow = (
  { event, customerId }: PlacedEvent,
  { batchId, source }: { readonly batchId: string; readonly source: string },
): InboxRow => ({
  uid: event.uid,
  source,
  sourceId: event.sourceId,
  customerId,
  name: event.name,
  at: event.at,
  value: event.value,
  currency: event.currency,
  properties: event.properties,
  batchId,
});
