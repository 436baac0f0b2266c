import type { z } from 'zod';
import type { Call } from '../../../src/core/call.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Database, Tx } from '../../../src/core/database/index.ts';
import { DomainError } from '../../../src/core/errors.ts';
import type { Settings } from '../../../src/core/settings/index.ts';
import { RecordOfOtherCustomer } from '../errors.ts';
import { invalid, readItem } from '../inputs.ts';
import { FUTURE_TOLERANCE, UNKNOWN_CUSTOMER } from '../settings.ts';
import { Facts } from './facts.ts';
import { type CustomerReference, resolveReferences } from './references.ts';
import { retrying } from './retry.ts';
import type { createStore, Upserted } from './store.ts';

/** What the services of this module stand on. */
export interface Ground {
  readonly database: Database;
  readonly settings: Settings;
  /** The business's time. */
  readonly clock: Clock;
  /** The machine's time. */
  readonly systemClock: Clock;
}

/** The answer to one item: the row as it stands now, and whether the item made it. */
export interface UpsertedRecord<Row> {
  readonly row: Row;
  readonly created: boolean;
}

/** What a rule may ask about the item it decides on. */
export interface ItemRules {
  readonly now: Date;
  /** Where the item stands in the input. */
  readonly path: readonly (string | number)[];
  /** The failure of a field of the item. */
  invalid(field: string, value: unknown, rule: string): DomainError;
  /** The first of the named times that lies too far ahead, as a failure. */
  future(times: Readonly<Record<string, Date | null | undefined>>): DomainError | null;
}

/** A kind of record: how an item becomes a row, and what is to be told about it. */
export interface RecordKind<Input extends CustomerReference, Row extends RecordRow> {
  /** For people: `invoice`. */
  readonly what: string;
  readonly origin: 'upsert' | 'order';
  readonly schema: z.ZodType<Input>;
  readonly store: ReturnType<typeof createStore<Row>>;
  key(input: Input, customerId: string): readonly string[];
  /** Business time of the record, for the signup of a customer it makes known. */
  seenAt(input: Input): Date | null | undefined;
  decide(input: Input, customerId: string, existing: Row | null, rules: ItemRules): Row | DomainError;
  tell(facts: Facts, upserted: Upserted<Row>, input: Input): void;
  /** What else is to be written, in the same transaction. */
  after?(tx: Tx, done: readonly { readonly input: Input; readonly upserted: Upserted<Row> }[]): Promise<void>;
}

export interface RecordRow {
  readonly id: string;
  readonly customerId: string;
  readonly externalId: string;
}

/** The value an item gives: what it says (null clears), or what was there, or the default. */
export const given = <T>(said: T | undefined, was: T | undefined, otherwise: T): T =>
  said !== undefined ? said : was !== undefined ? was : otherwise;

/** The same for a value that cannot be cleared: null says as little as nothing. */
export const kept = <T>(said: T | null | undefined, was: T | undefined, otherwise: T): T => said ?? was ?? otherwise;

const comparable = (value: unknown): unknown =>
  value instanceof Date ? value.getTime() : value !== null && typeof value === 'object' ? JSON.stringify(value) : value;

/** The fields in which two rows differ. */
export function changedFields<Row extends object>(before: Row, after: Row): (keyof Row & string)[] {
  const fields = Object.keys(after) as (keyof Row & string)[];
  return fields.filter((field) => field !== 'updatedAt' && comparable(before[field]) !== comparable(after[field]));
}

/** The row as it was when nothing in it differs, so that an upsert that says nothing new writes nothing. */
export function unlessSame<Row extends object>(before: Row | null, after: Row): Row {
  return before !== null && changedFields(before, after).length === 0 ? before : after;
}

/** The rules that need the clock, for one item. */
export function rulesFor(path: readonly (string | number)[], now: Date, toleranceSeconds: number): ItemRules {
  const latestMs = now.getTime() + toleranceSeconds * 1_000;
  const fail = (field: string, value: unknown, rule: string) => invalid([...path, ...field.split('.')], value, rule);
  return {
    now,
    path,
    invalid: fail,
    future(times) {
      for (const [field, at] of Object.entries(times)) {
        if (at instanceof Date && at.getTime() > latestMs) {
          return fail(field, at, `lies in the future; it is ${now.toISOString()} for this business`);
        }
      }
      return null;
    },
  };
}

/** An item that was read, and the place of its failures. */
export interface ReadItem<Input> {
  readonly input: Input;
  readonly path: readonly (string | number)[];
}

/** What holds for a batch: read before its transaction begins. */
export interface BatchTerms {
  readonly now: Date;
  readonly toleranceSeconds: number;
  readonly createCustomers: boolean;
}

/** The settings in force, for one batch. */
export async function batchTerms({ settings, clock }: Ground): Promise<BatchTerms> {
  return {
    now: clock.now(),
    toleranceSeconds: await settings.get(FUTURE_TOLERANCE),
    createCustomers: (await settings.get(UNKNOWN_CUSTOMER)) === 'create',
  };
}

/**
 * Upserts a batch of records in one transaction and a handful of statements, whatever its size. An item that breaks a
 * rule gets its failure; the others are done.
 */
export async function upsertRecords<Input extends CustomerReference, Row extends RecordRow>(
  ground: Ground,
  call: Call,
  inputs: readonly unknown[],
  kind: RecordKind<Input, Row>,
): Promise<(UpsertedRecord<Row> | DomainError)[]> {
  const terms = await batchTerms(ground);
  const answers: (UpsertedRecord<Row> | DomainError)[] = new Array(inputs.length);
  const read = inputs.flatMap((raw, index) => {
    const path = ['input', index];
    const input = readItem(kind.schema, raw, path);
    if (!(input instanceof DomainError)) return [{ index, input, path }];
    answers[index] = input;
    return [];
  });
  if (read.length === 0) return answers;
  const done = await retrying(ground.database).transaction(async (tx) => {
    const facts = new Facts();
    const results = await applyRecords(tx, ground, call, read, kind, terms, facts);
    await facts.write(tx, call, ground);
    return results;
  });
  read.forEach(({ index }, position) => {
    const result = done[position] as Upserted<Row> | DomainError;
    answers[index] = result instanceof DomainError ? result : { row: result.after, created: result.before === null };
  });
  return answers;
}

/** The same within a transaction of the caller, who writes the facts. */
export async function applyRecords<Input extends CustomerReference, Row extends RecordRow>(
  tx: Tx,
  ground: Ground,
  call: Call,
  read: readonly ReadItem<Input>[],
  kind: RecordKind<Input, Row>,
  { now, toleranceSeconds, createCustomers }: BatchTerms,
  facts: Facts,
): Promise<(Upserted<Row> | DomainError)[]> {
  const results: (Upserted<Row> | DomainError)[] = new Array(read.length);
  const references = read.map(({ input, path }) => ({ reference: input, path, seenAt: kind.seenAt(input) ?? now }));
  const options = { create: createCustomers, origin: kind.origin };
  const customers = await resolveReferences(tx, call, ground.clock, references, options);
  const items = read.flatMap(({ input, path }, position) => {
    const customerId = customers[position] as string | DomainError;
    if (customerId instanceof DomainError) {
      results[position] = customerId;
      return [];
    }
    const rules = rulesFor(path, now, toleranceSeconds);
    const decide = (existing: Row | null): Row | DomainError => {
      if (existing !== null && existing.customerId !== customerId) {
        return new RecordOfOtherCustomer(kind.what, existing.externalId, [...path.map(String), 'externalId']);
      }
      const after = kind.decide(input, customerId, existing, rules);
      return after instanceof DomainError ? after : unlessSame(existing, after);
    };
    return [{ position, input, key: kind.key(input, customerId), decide }];
  });
  const upserted = await kind.store.upsert(tx, items);
  const written: { input: Input; upserted: Upserted<Row> }[] = [];
  upserted.forEach((result, at) => {
    const { position, input } = items[at] as (typeof items)[number];
    results[position] = result;
    if (result instanceof DomainError) return;
    written.push({ input, upserted: result });
    if (result.before !== result.after) kind.tell(facts, result, input);
  });
  await kind.after?.(tx, written);
  return results;
}
