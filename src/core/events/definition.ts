import type { z } from 'zod';
import type { Call } from '../call.ts';
import type { Position } from './cursor.ts';

/** A kind of fact a module publishes. `type` is `module.whatHappened`, and stable; `version` is that of its payload. */
export interface EventDefinition<T extends string = string, P = unknown> {
  readonly type: T;
  readonly version: number;
  readonly description: string;
  readonly payload: z.ZodType<P>;
  /** Brings a payload written by an older version to this one. Without it, an old payload must still fit the schema. */
  readonly upgrade?: (payload: unknown, fromVersion: number) => unknown;
}

/** A fact as readers receive it. Payloads carry ids and numbers, no personal data, so that a person can be erased. */
export interface DomainEvent<P = unknown> {
  readonly id: string;
  /** Where it stands in the stream: name it as `after` to get what follows. */
  readonly cursor: string;
  readonly type: string;
  readonly version: number;
  readonly at: Date;
  readonly customerId: string | null;
  /** Who caused it, e.g. `apiKey:0198…`. */
  readonly actor: string;
  readonly correlationId: string;
  /** The event that led to this one. */
  readonly causationId: string | null;
  readonly payload: P;
}

/** An event as it was read from the outbox. */
export interface StoredEvent extends DomainEvent {
  readonly position: Position;
  /** Why the payload does not fit its definition; absent when it does, or when the type is not known here. */
  readonly unreadable?: string;
}

/** A fact to publish. */
export interface NewEvent<P = unknown> {
  readonly definition: EventDefinition<string, P>;
  readonly customerId: string | null;
  readonly payload: P;
  /** Default: now, by the clock given to `appendEvents`. */
  readonly at?: Date;
  /** Who asked, when a batch serves several calls; default: the call given to `appendEvents`. */
  readonly call?: Call;
}

const TYPE_SHAPE = /^[a-z][a-zA-Z0-9]*\.[a-z][a-zA-Z0-9]*$/;

/** Declares a kind of event: once, in the module's contract.ts. */
export function defineEvent<const T extends string, P>(definition: EventDefinition<T, P>): EventDefinition<T, P> {
  if (!TYPE_SHAPE.test(definition.type))
    throw new Error(`event type "${definition.type}" is not like module.whatHappened`);
  if (!Number.isInteger(definition.version) || definition.version < 1) {
    throw new Error(`event type "${definition.type}": versions count from 1`);
  }
  return definition;
}

/** Pairs a definition with its payload, checked by the compiler. */
export const newEvent = <P>(
  definition: EventDefinition<string, P>,
  event: Omit<NewEvent<P>, 'definition'>,
): NewEvent => ({ ...event, definition: definition as EventDefinition });

/** Narrows an event to the payload of a definition. */
export const isEvent = <P>(event: DomainEvent, definition: EventDefinition<string, P>): event is DomainEvent<P> =>
  event.type === definition.type;

/** All kinds of events this program knows. */
export interface EventRegistry {
  readonly definitions: readonly EventDefinition[];
  get(type: string): EventDefinition | undefined;
  /** The payload as the current version of its type; a type not known here passes as it is. */
  read(type: string, version: number, payload: unknown): { readonly payload: unknown; readonly unreadable?: string };
}

/** @throws Error when two definitions share a type */
export function createEventRegistry(definitions: readonly EventDefinition[]): EventRegistry {
  const byType = new Map<string, EventDefinition>();
  for (const definition of definitions) {
    if (byType.has(definition.type)) throw new Error(`event type "${definition.type}" is defined twice`);
    byType.set(definition.type, definition);
  }
  return {
    definitions: [...byType.values()].sort((a, b) => (a.type < b.type ? -1 : 1)),
    get: (type) => byType.get(type),
    read(type, version, payload) {
      const definition = byType.get(type);
      if (definition === undefined) return { payload };
      try {
        const upgraded =
          version < definition.version && definition.upgrade !== undefined
            ? definition.upgrade(payload, version)
            : payload;
        const parsed = definition.payload.safeParse(upgraded);
        if (parsed.success) return { payload: parsed.data };
        return {
          payload,
          unreadable: `version ${version} of ${type}: ${parsed.error.issues.map(describeIssue).join('; ')}`,
        };
      } catch (error) {
        return { payload, unreadable: `version ${version} of ${type} cannot be upgraded: ${String(error)}` };
      }
    },
  };
}

const describeIssue = (issue: { readonly path: readonly PropertyKey[]; readonly message: string }): string =>
  `${issue.path.map(String).join('.') || 'payload'}: ${issue.message}`;
