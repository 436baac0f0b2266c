import type { InputFieldMap, InputShapeFromFields, InterfaceRef, ObjectFieldsShape } from '@pothos/core';
import type { Scope } from '../access/principal.ts';
import { type Builder, type BuilderTypes, decodeGlobalId } from '../builder/index.ts';
import { InvalidInput } from '../errors.ts';
import type { DomainEvent, EventDefinition, EventRegistry } from './definition.ts';
import { AFTER, EVENT_STREAM, type EventStream } from './stream.ts';

const interfaces = new WeakMap<Builder, InterfaceRef<BuilderTypes, DomainEvent>>();

/** The interface of all events; a module may add a field to it: `builder.interfaceField(domainEvent(builder), ...)`. */
export function domainEvent(builder: Builder): InterfaceRef<BuilderTypes, DomainEvent> {
  const ref = interfaces.get(builder) ?? builder.interfaceRef<DomainEvent>('DomainEvent');
  interfaces.set(builder, ref);
  return ref;
}

/** Which object type shows the events of a type, as far as a module declared one. */
const objectTypes = new WeakMap<Builder, Map<string, string>>();

const objectTypesOf = (builder: Builder): Map<string, string> => {
  const known = objectTypes.get(builder) ?? new Map<string, string>();
  objectTypes.set(builder, known);
  return known;
};

const UNTYPED = 'OtherEvent';
const UNKNOWN_TYPE = 'UNKNOWN';

/** `loyalty.pointsAwarded` as an enum value: LOYALTY_POINTS_AWARDED. */
const enumName = (type: string): string =>
  type
    .replace('.', '_')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase();

/** The UUID of the customer that an argument `customerId` names. @throws InvalidInput */
function customerIdOf(args: Readonly<Record<string, unknown>>): string | null {
  if (typeof args.customerId !== 'string') return null;
  const { typename, id } = decodeGlobalId(args.customerId);
  if (typename === 'Customer') return id;
  throw new InvalidInput(`This is the id of a ${typename}; give the id of a Customer.`, { path: ['customerId'] });
}

const RESUMABLE =
  'Resumable: give the cursor of the last event you handled as `after`, and you miss nothing and get nothing twice.';

export interface EventSubscriptionOptions<P, Args extends InputFieldMap> {
  /** Name of the subscription field. */
  readonly field: string;
  /** What it tells of, for partners. */
  readonly description: string;
  readonly scope: Scope;
  readonly definition: EventDefinition<string, P>;
  /** Name of the object type of the event; it implements DomainEvent. */
  readonly type: string;
  /** What the event shows beside the envelope, from `event.payload` or through loaders. */
  readonly fields: ObjectFieldsShape<BuilderTypes, DomainEvent<P>>;
  /** Filters beside `after` and `customerId`: `builder.args((t) => ({ ... }))`. */
  readonly args?: Args;
  /** Refuses filters that make no sense, once, before the stream begins. @throws InvalidInput */
  readonly check?: (args: InputShapeFromFields<Args>) => void;
  /** Whether an event passes the filters. Default: all do. */
  readonly accepts?: (event: DomainEvent<P>, args: InputShapeFromFields<Args>) => boolean;
  /** Whether nothing can come after an event that passed: the stream is complete with it. Default: streams go on. */
  readonly isLast?: (event: DomainEvent<P>) => boolean;
  /** False when the events concern no single customer, so that nobody can ask for those of one. Default: true. */
  readonly perCustomer?: boolean;
}

/**
 * Declares a subscription to one kind of event, and the object type that shows it (in `events` too):
 *
 *     eventSubscription(builder, {
 *       field: 'pointsAwarded', scope: 'loyalty:read', definition: pointsAwarded, type: 'PointsAwarded',
 *       description: 'Points were added to or taken from an account.',
 *       fields: (t) => ({ points: t.int({ description: '...', resolve: (event) => event.payload.points }) }),
 *     });
 */
// biome-ignore lint/complexity/noBannedTypes: no filters is the empty set of arguments.
export function eventSubscription<P, Args extends InputFieldMap = {}>(
  builder: Builder,
  options: EventSubscriptionOptions<P, Args>,
): void {
  const { definition, description, field, scope, type } = options;
  const known = objectTypesOf(builder);
  if (known.has(definition.type)) throw new Error(`events of type ${definition.type} are shown by two object types`);
  known.set(definition.type, type);
  const ref = builder.objectRef<DomainEvent<P>>(type);
  builder.objectType(ref, {
    description: `${definition.description}`,
    interfaces: [domainEvent(builder)],
    isTypeOf: (value) => (value as DomainEvent).type === definition.type,
    fields: options.fields,
  });
  const perCustomer = options.perCustomer ?? true;
  const stream: EventStream = {
    check: (args) => options.check?.(args as unknown as InputShapeFromFields<Args>),
    types: () => [definition.type],
    customerId: customerIdOf,
    accepts: (event, args) =>
      options.accepts?.(event as DomainEvent<P>, args as unknown as InputShapeFromFields<Args>) ?? true,
    isLast: (event) => options.isLast?.(event as DomainEvent<P>) ?? false,
  };
  builder.subscriptionField(field, (t) =>
    t.field({
      type: ref,
      description: `${description} ${RESUMABLE}`,
      authScopes: { scope },
      args: {
        ...options.args,
        [AFTER]: t.arg({ type: 'Cursor', description: 'Cursor of the last event handled; left out: new events only.' }),
        ...(perCustomer ? { customerId: t.arg.id({ description: 'Only events of this customer.' }) } : {}),
      },
      extensions: { [EVENT_STREAM]: stream },
      subscribe: servedElsewhere,
      resolve: (event) => event as DomainEvent<P>,
    }),
  );
}

/** Events come from the subscription server, which executes once for many; the schema alone cannot deliver any. */
const servedElsewhere = (): never => {
  throw new Error('subscriptions are served by the subscription server');
};

/** The event stream. @param registry all kinds of events of all modules */
export const eventsSchema =
  (registry: EventRegistry) =>
  (builder: Builder): void => {
    const EventType = builder.enumType('EventType', {
      description: 'The kinds of events.',
      values: {
        ...(Object.fromEntries(
          registry.definitions.map(({ type, description }) => [enumName(type), { value: type, description }]),
        ) as Record<string, { value: string; description: string }>),
        [UNKNOWN_TYPE]: {
          value: UNKNOWN_TYPE as string,
          description: 'A kind this server does not know, written by a newer version; `name` tells which.',
        },
      },
    });

    builder.interfaceType(domainEvent(builder), {
      description: 'A fact that happened. Events carry ids and numbers, no personal data.',
      resolveType: (event) => objectTypesOf(builder).get(event.type) ?? UNTYPED,
      fields: (t) => ({
        id: t.id({ description: 'UUID of the event, the same for every reader.', resolve: (event) => event.id }),
        cursor: t.field({
          type: 'Cursor',
          description: 'Its place in the stream: give it as `after` to go on behind it.',
          resolve: (event) => event.cursor,
        }),
        type: t.field({
          type: EventType,
          description: 'What kind of fact it is.',
          resolve: (event) => (registry.get(event.type) === undefined ? UNKNOWN_TYPE : event.type),
        }),
        name: t.string({
          description: 'The kind as the event itself names it, e.g. `loyalty.pointsAwarded`.',
          resolve: (event) => event.type,
        }),
        version: t.int({ description: 'Version of its payload, as written.', resolve: (event) => event.version }),
        at: t.field({ type: 'DateTime', description: 'When it happened.', resolve: (event) => event.at }),
        actor: t.string({ description: 'Who caused it, e.g. `apiKey:0198…`.', resolve: (event) => event.actor }),
        correlationId: t.string({
          description: 'Common to all that one request from outside led to.',
          resolve: (event) => event.correlationId,
        }),
        causationId: t.id({
          nullable: true,
          description: 'UUID of the event that led to this one; null when it came from outside.',
          resolve: (event) => event.causationId,
        }),
        payload: t.field({
          type: 'JSON',
          description: 'What the event says, as written.',
          resolve: (event) => event.payload,
        }),
      }),
    });

    builder.objectType(builder.objectRef<DomainEvent>(UNTYPED), {
      description: 'An event that has no type of its own.',
      interfaces: [domainEvent(builder)],
      isTypeOf: (value) => !objectTypesOf(builder).has((value as DomainEvent).type),
    });

    const stream: EventStream = {
      check: () => {},
      types: (args) => (Array.isArray(args.types) ? args.types.map(String) : null),
      customerId: customerIdOf,
      accepts: () => true,
      isLast: () => false,
    };
    builder.subscriptionField('events', (t) =>
      t.field({
        type: domainEvent(builder),
        description: `All events, in order. ${RESUMABLE}`,
        authScopes: { scope: 'events:read' },
        args: {
          [AFTER]: t.arg({
            type: 'Cursor',
            description: 'Cursor of the last event handled; left out: new events only.',
          }),
          types: t.arg({ type: [EventType], description: 'Only these kinds.' }),
          customerId: t.arg.id({ description: 'Only events of this customer.' }),
        },
        extensions: { [EVENT_STREAM]: stream },
        subscribe: servedElsewhere,
        resolve: (event) => event as DomainEvent,
      }),
    );
  };
