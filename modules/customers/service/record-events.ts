import { acceptEvents } from '../../../src/core/analytics/index.ts';
import type { Call } from '../../../src/core/call.ts';
import { createGroupCommit, type Tx } from '../../../src/core/database/index.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { appendEvents, type NewEvent, newEvent } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import type { Logger } from '../../../src/core/logger.ts';
import { countsAsActivity } from '../catalogue.ts';
import { CustomerNotFound } from '../errors.ts';
import { eventsRecorded } from '../events.ts';
import { EVENT_NAMES, INBOX_LIMIT } from '../settings.ts';
import { type EventInput, type PreparedEvent, prepareEvent } from './event-input.ts';
import { createInboxBound } from './inbox-bound.ts';
import { createKnownCustomers } from './known-customers.ts';
import { recordOrderEvents } from './order-events.ts';
import { inboxRow, type PlacedEvent, type PreparedCall, type RejectedEvent } from './prepared.ts';
import { ensureCustomers, livingIds } from './references.ts';
import { retrying } from './retry.ts';
import { batchTerms, type Ground } from './upsert.ts';

export type EventOutcome = 'ACCEPTED' | 'DUPLICATE' | 'REJECTED';

/** The answer to one call: what became of each event, in order. */
export interface RecordedEvents {
  readonly batchId: string;
  readonly accepted: number;
  readonly duplicates: number;
  readonly outcomes: readonly EventOutcome[];
  readonly rejected: readonly RejectedEvent[];
}

/** Calls of at least so many events are large: a few of them fill a transaction. */
const LARGE_CALL = 100;
const LARGE_CALLS_PER_COMMIT = 4;
const SMALL_CALLS_PER_COMMIT = 100;
/** Calls that may wait; some 100 MB of events at most. */
const MAX_QUEUED = 200;

/** Accepts events of the stream. Concurrent calls share transactions; each is answered when its own events are durable. */
export function createEventRecorder(ground: Ground, logger: Logger) {
  const known = createKnownCustomers();
  const bound = createInboxBound(ground.database, ground.systemClock, logger);
  const run = (tx: Tx, calls: readonly PreparedCall[]) => record(tx, ground, known, calls);
  const lane = (maxBatch: number) =>
    createGroupCommit<PreparedCall, RecordedEvents>({
      database: retrying(ground.database),
      what: 'The intake of events',
      run,
      maxBatch,
      maxInFlight: 2,
      maxQueued: MAX_QUEUED,
    });
  const large = lane(LARGE_CALLS_PER_COMMIT);
  const small = lane(SMALL_CALLS_PER_COMMIT);

  return async (call: Call, source: string, inputs: readonly EventInput[]): Promise<RecordedEvents> => {
    bound.check(await ground.settings.get(INBOX_LIMIT));
    const terms = await batchTerms(ground);
    const names = await ground.settings.get(EVENT_NAMES);
    const latestMs = terms.now.getTime() + terms.toleranceSeconds * 1_000;
    const events: PreparedEvent[] = [];
    const rejected: RejectedEvent[] = [];
    for (const [index, input] of inputs.entries()) {
      const event = prepareEvent(input, index, { source, now: terms.now, latestMs, names });
      if (event instanceof DomainError) rejected.push({ index, id: input.id, error: event });
      else events.push(event);
    }
    const prepared = { call, batchId: newId(), source, count: inputs.length, events, rejected, terms };
    if (events.length === 0) return new Tally(prepared).answer();
    const recorded = await (events.length < LARGE_CALL ? small : large)(prepared);
    bound.accepted(recorded.accepted);
    return recorded;
  };
}

/** The rule for a batch of calls: few statements, however many events they hold. */
async function record(
  tx: Tx,
  ground: Ground,
  known: ReturnType<typeof createKnownCustomers>,
  calls: readonly PreparedCall[],
): Promise<RecordedEvents[]> {
  const tallies = calls.map((call) => new Tally(call));
  const placed = await placeEvents(tx, ground, known, calls, tallies);
  const plain = placed.filter(({ event }) => event.orderId === null);
  const ofOrders = placed.filter(({ event }) => event.orderId !== null);
  const acceptedAt = ground.systemClock.now();
  const rows = plain.map((one) => inboxRow(one, calls[one.of] as PreparedCall));
  const sentBefore = await acceptEvents(tx, rows, acceptedAt);
  for (const one of plain) if (!sentBefore.has(one.event.uid)) tallies[one.of]?.accept(one);
  for (const [of, call] of calls.entries()) {
    const mine = ofOrders.filter((one) => one.of === of);
    if (mine.length === 0) continue;
    const results = await recordOrderEvents(tx, ground, call, mine, acceptedAt);
    for (const [position, result] of results.entries()) {
      const one = mine[position] as PlacedEvent;
      if (result instanceof DomainError) tallies[of]?.reject(one.event, result);
      else if (result === 'fresh') tallies[of]?.accept(one);
    }
  }
  const facts = tallies.flatMap((tally) => tally.fact());
  if (facts.length > 0) await appendEvents(tx, (calls[0] as PreparedCall).call, ground.clock, facts);
  return tallies.map((tally) => tally.answer());
}

/** Finds or makes the customer of each event; the same event twice in a batch is taken once. */
async function placeEvents(
  tx: Tx,
  ground: Ground,
  known: ReturnType<typeof createKnownCustomers>,
  calls: readonly PreparedCall[],
  tallies: readonly Tally[],
): Promise<PlacedEvent[]> {
  const names = new Set<string>();
  const asked = new Set<string>();
  for (const { events } of calls) {
    for (const { customerExternalId, customerId } of events) {
      if (customerExternalId !== null) names.add(customerExternalId);
      else if (customerId !== null) asked.add(customerId);
    }
  }
  const ids = await known.resolve(tx, names);
  if (ids.size < names.size) {
    for (const { call, terms, events } of calls) {
      if (!terms.createCustomers) continue;
      const missing = events.flatMap(({ customerExternalId: externalId, at }) =>
        externalId !== null && !ids.has(externalId) ? [{ externalId, seenAt: at }] : [],
      );
      if (missing.length === 0) continue;
      const made = await ensureCustomers(tx, call, ground.clock, missing, { origin: 'event' });
      for (const [externalId, id] of made) ids.set(externalId, id);
    }
  }
  const living = await livingIds(tx, [...asked]);
  const taken = new Set<string>();
  const placed: PlacedEvent[] = [];
  for (const [of, { events }] of calls.entries()) {
    for (const event of events) {
      const { customerExternalId: externalId, customerId, index } = event;
      const id = externalId === null ? living.get(customerId as string)?.id : ids.get(externalId);
      if (id === undefined) {
        const field = externalId === null ? 'customerId' : 'customerExternalId';
        const name = externalId === null ? { id: customerId as string } : { externalId };
        tallies[of]?.reject(event, new CustomerNotFound(name, ['input', 'events', String(index), field]));
      } else if (!taken.has(event.uid)) {
        taken.add(event.uid);
        placed.push({ event, customerId: id, of });
      }
    }
  }
  return placed;
}

/** Keeps count of what became of a call's events. An event that is neither accepted nor rejected was sent before. */
class Tally {
  readonly #call: PreparedCall;
  readonly #outcomes: EventOutcome[];
  readonly #rejected: RejectedEvent[];
  readonly #byName = new Map<string, number>();
  readonly #latestMs = new Map<string, number>();
  #accepted = 0;

  constructor(call: PreparedCall) {
    this.#call = call;
    this.#outcomes = new Array(call.count).fill('DUPLICATE');
    this.#rejected = [...call.rejected];
    for (const { index } of call.rejected) this.#outcomes[index] = 'REJECTED';
  }

  accept({ event, customerId }: PlacedEvent): void {
    this.#accepted += 1;
    this.#outcomes[event.index] = 'ACCEPTED';
    this.#byName.set(event.name, (this.#byName.get(event.name) ?? 0) + 1);
    const ms = countsAsActivity(event.name) ? event.at.getTime() : 0;
    this.#latestMs.set(customerId, Math.max(ms, this.#latestMs.get(customerId) ?? 0));
  }

  reject(event: PreparedEvent, error: DomainError): void {
    this.#outcomes[event.index] = 'REJECTED';
    this.#rejected.push({ index: event.index, id: event.sourceId, error });
  }

  /** What the call brought that was not known before; nothing when it was all sent before. */
  fact(): NewEvent[] {
    if (this.#accepted === 0) return [];
    const payload = {
      batchId: this.#call.batchId,
      count: this.#accepted,
      byName: Object.fromEntries(this.#byName),
      customerIds: [...this.#latestMs.keys()],
      latestMs: [...this.#latestMs.values()],
    };
    return [newEvent(eventsRecorded, { customerId: null, payload, call: this.#call.call })];
  }

  answer(): RecordedEvents {
    return {
      batchId: this.#call.batchId,
      accepted: this.#accepted,
      duplicates: this.#call.count - this.#accepted - this.#rejected.length,
      outcomes: this.#outcomes,
      rejected: this.#rejected.sort((a, b) => a.index - b.index),
    };
  }
}
