import { acceptanceWrites, acceptEvents } from '../../../src/core/analytics/index.ts';
import type { Call } from '../../../src/core/call.ts';
import { createGroupCommit, type Tx, writeTogether } from '../../../src/core/database/index.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { appendEvents, eventsWrite, type NewEvent, newEvent } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import type { Logger } from '../../../src/core/logger.ts';
import { countsAsActivity } from '../catalogue.ts';
import { CustomerErased, CustomerNotFound } from '../errors.ts';
import { eventsRecorded } from '../events.ts';
import { EVENT_NAMES, INBOX_LIMIT } from '../settings.ts';
import { type EventInput, type PreparedEvent, prepareEvent } from './event-input.ts';
import { createInboxBound } from './inbox-bound.ts';
import { createKnownCustomers, identitiesAre } from './known-customers.ts';
import { recordOrderEvents } from './order-events.ts';
import type { PreparedCall, RejectedEvent } from './prepared.ts';
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
/** A large call is worth a transaction of its own, and several keep the database busy while the next are being read. */
const LARGE_IN_FLIGHT = 4;
/** Small calls gain by waiting for each other. */
const SMALL_IN_FLIGHT = 2;
/** Calls that may wait; some 100 MB of events at most. */
const MAX_QUEUED = 200;

/** Accepts events of the stream. Concurrent calls share transactions; each is answered when its own events are durable. */
export function createEventRecorder(ground: Ground, logger: Logger) {
  const known = createKnownCustomers();
  const bound = createInboxBound(ground.database, ground.systemClock, logger);
  const run = (tx: Tx, calls: readonly PreparedCall[]) => record(tx, ground, known, calls);
  const lane = (maxBatch: number, maxInFlight: number) =>
    createGroupCommit<PreparedCall, RecordedEvents>({
      database: retrying(ground.database),
      what: 'The intake of events',
      run,
      maxBatch,
      maxInFlight,
      maxQueued: MAX_QUEUED,
    });
  const large = lane(LARGE_CALLS_PER_COMMIT, LARGE_IN_FLIGHT);
  const small = lane(SMALL_CALLS_PER_COMMIT, SMALL_IN_FLIGHT);
  const attempt = createAttempt(ground, known);

  return async (call: Call, source: string, inputs: readonly EventInput[]): Promise<RecordedEvents> => {
    bound.check(await ground.settings.get(INBOX_LIMIT));
    const terms = await batchTerms(ground);
    const names = await ground.settings.get(EVENT_NAMES);
    const latestMs = terms.now.getTime() + terms.toleranceSeconds * 1_000;
    const batchId = newId();
    const eventTerms = { source, batchId, now: terms.now, latestMs, names };
    const events: PreparedEvent[] = [];
    const rejected: RejectedEvent[] = [];
    for (const [index, input] of inputs.entries()) {
      const event = prepareEvent(input, index, eventTerms);
      if (event instanceof DomainError) rejected.push({ index, id: input.id, error: event });
      else events.push(event);
    }
    const prepared = { call, batchId, source, count: inputs.length, events, rejected, terms };
    if (events.length === 0) return new Tally(prepared).answer();
    const recorded =
      events.length < LARGE_CALL ? await small(prepared) : ((await attempt(prepared)) ?? (await large(prepared)));
    bound.accepted(recorded.accepted);
    return recorded;
  };
}

/** Statements of attempts under way at most; beyond, large calls share transactions. */
const MAX_ATTEMPTS = 4;
/** Large calls that go the careful way after an attempt that failed: who sends events again often sends many. */
const CAREFUL_AFTER_FAILURE = 20;
/** Unique violation, division by zero (the version is another), deadlock, serialization failure. */
const REFUSALS = new Set(['23505', '22012', '40P01', '40001']);

/**
 * The short way for a large call whose customers are all known: everything in one statement, which PostgreSQL refuses
 * as a whole when one event was sent before or a customer was merged away. Most calls bring only new events.
 */
function createAttempt(ground: Ground, known: ReturnType<typeof createKnownCustomers>) {
  let running = 0;
  let careful = 0;
  return async (call: PreparedCall): Promise<RecordedEvents | null> => {
    if (careful > 0) careful -= 1;
    else if (running < MAX_ATTEMPTS) {
      if (call.events.some((event) => event.customerExternalId === null || event.orderId !== null)) return null;
      const { idOf } = known.remembered();
      if (call.events.some((event) => idOf(event.customerExternalId as string) === undefined)) {
        await known.resolve(ground.database, () => externalIds([call]));
      }
      const { version } = known.remembered();
      const tally = new Tally(call);
      for (const event of call.events) {
        const id = idOf(event.customerExternalId as string);
        if (id === undefined) return null;
        event.customerId = id;
        tally.accept(event);
      }
      const writes = [
        ...acceptanceWrites(call.events, ground.systemClock.now()),
        identitiesAre(version),
        eventsWrite(call.call, ground.clock, tally.fact()),
      ];
      running += 1;
      try {
        await writeTogether(ground.database, writes);
        return tally.answer();
      } catch (error) {
        if (!REFUSALS.has(String((error as { code?: unknown }).code))) throw error;
        careful = CAREFUL_AFTER_FAILURE;
      } finally {
        running -= 1;
      }
    }
    return null;
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
  const acceptedAt = ground.systemClock.now();
  const plain = placed.map((events) => events.filter((event) => event.orderId === null));
  const rows = plain.length === 1 ? (plain[0] as PreparedEvent[]) : plain.flat();
  const { sentBefore, fresh } = await acceptEvents(tx, rows, acceptedAt);
  // An event that came twice at once was stored once: the first of them is the one accepted.
  const twins = rows.length > fresh + sentBefore.length ? new Set<string>() : null;
  const before = new Set(sentBefore);
  for (const [of, events] of plain.entries()) {
    for (const event of events) {
      if (before.has(event.uid) || twins?.has(event.uid)) continue;
      twins?.add(event.uid);
      tallies[of]?.accept(event);
    }
  }
  for (const [of, events] of placed.entries()) {
    const ofOrders = events.filter((event) => event.orderId !== null);
    if (ofOrders.length === 0) continue;
    const results = await recordOrderEvents(tx, ground, calls[of] as PreparedCall, ofOrders, acceptedAt);
    for (const [position, result] of results.entries()) {
      const event = ofOrders[position] as PreparedEvent;
      if (result instanceof DomainError) tallies[of]?.reject(event, result);
      else if (result === 'fresh') tallies[of]?.accept(event);
    }
  }
  const facts = tallies.flatMap((tally) => tally.fact());
  if (facts.length > 0) await appendEvents(tx, (calls[0] as PreparedCall).call, ground.clock, facts);
  return tallies.map((tally) => tally.answer());
}

/** Finds or makes the customer of each event, call by call. */
async function placeEvents(
  tx: Tx,
  ground: Ground,
  known: ReturnType<typeof createKnownCustomers>,
  calls: readonly PreparedCall[],
  tallies: readonly Tally[],
): Promise<PreparedEvent[][]> {
  const asked = new Set<string>();
  for (const { events } of calls) for (const { namedId } of events) if (namedId !== null) asked.add(namedId);
  const living = await livingIds(tx, [...asked]);
  const idOf = await known.resolve(tx, () => externalIds(calls));
  for (const { events } of calls) {
    for (const event of events) {
      if (event.customerExternalId !== null) event.customerId = idOf(event.customerExternalId) ?? '';
    }
  }
  for (const { call, terms, events } of calls) {
    if (!terms.createCustomers) continue;
    const nameless = events.filter((event) => event.customerId === '' && event.customerExternalId !== null);
    if (nameless.length === 0) continue;
    const missing = nameless.map((event) => ({ externalId: event.customerExternalId as string, seenAt: event.at }));
    const made = await ensureCustomers(tx, call, ground.clock, missing, { origin: 'event' });
    for (const event of nameless) event.customerId = made.get(event.customerExternalId as string) ?? '';
  }
  return calls.map(({ events }, of) =>
    events.filter((event) => {
      const { namedId, customerExternalId: externalId, index } = event;
      const named = namedId === null ? undefined : living.get(namedId);
      if (named !== undefined) event.customerId = named.id;
      const path = ['input', 'events', String(index), namedId === null ? 'customerExternalId' : 'customerId'];
      if (named?.erased === true) tallies[of]?.reject(event, new CustomerErased(namedId as string, path));
      else if (event.customerId !== '') return true;
      else {
        const name = externalId === null ? { id: namedId as string } : { externalId };
        tallies[of]?.reject(event, new CustomerNotFound(name, path));
      }
      return false;
    }),
  );
}

function* externalIds(calls: readonly PreparedCall[]): Generator<string> {
  for (const { events } of calls) {
    for (const { customerExternalId } of events) if (customerExternalId !== null) yield customerExternalId;
  }
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

  accept(event: PreparedEvent): void {
    this.#accepted += 1;
    this.#outcomes[event.index] = 'ACCEPTED';
    this.#byName.set(event.name, (this.#byName.get(event.name) ?? 0) + 1);
    const ms = countsAsActivity(event.name) ? event.at.getTime() : 0;
    this.#latestMs.set(event.customerId, Math.max(ms, this.#latestMs.get(event.customerId) ?? 0));
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
