import {
  type Builder,
  checkFirst,
  connectionArgs,
  connectionType,
  decodeCursor,
  mutationField,
  pageOf,
} from '../../../src/core/builder/index.ts';
import { InvalidInput, Overloaded } from '../../../src/core/errors.ts';
import { batchPartField, defineBatchPart } from '../../../src/core/graph/index.ts';
import { parseMoney } from '../../../src/core/money.ts';
import { CATALOGUE, catalogueNames } from '../catalogue.ts';
import type { ActivityEvent } from '../contract.ts';
import type { RejectedEvent } from '../service/prepared.ts';
import type { RecordedEvents } from '../service/record-events.ts';
import { type CustomerService, MAX_EVENTS } from '../service.ts';
import { customerIdOf } from './inputs.ts';

/** The event stream: how events come in, and how they are read. */
export function streamSchema(builder: Builder, service: CustomerService): void {
  recordEvents(builder, service);
  timeline(builder, service);
  const Known = builder
    .objectRef<{ readonly name: string; readonly description: string; readonly activity: boolean }>('KnownEvent')
    .implement({
      description: 'An event of the catalogue: scores rest on these.',
      fields: (t) => ({
        name: t.exposeString('name', { description: 'Its name in the stream.' }),
        description: t.exposeString('description', { description: 'What it means and carries.' }),
        activity: t.exposeBoolean('activity', {
          description: 'Whether it shows that the customer itself did something.',
        }),
      }),
    });
  builder.queryField('eventCatalogue', (t) =>
    t.field({
      type: [Known],
      description:
        'The events that scores rest on. Other names are kept, and the setting customers.eventNames maps them onto these.',
      authScopes: { scope: 'events:read' },
      complexity: { field: 1, multiplier: catalogueNames.length },
      resolve: () => catalogueNames.map((name) => ({ name, ...CATALOGUE[name] })),
    }),
  );
}

function recordEvents(builder: Builder, service: CustomerService): void {
  const Event = builder.inputType('EventInput', {
    description: 'Something that happened. An event is (source, id): sent twice, it counts once.',
    fields: (t) => ({
      id: t.string({ required: true, description: 'Your own id of the event, at most 200 characters.' }),
      name: t.string({ required: true, description: 'What happened, e.g. "feature.used"; see `eventCatalogue`.' }),
      at: t.field({ type: 'DateTime', required: true, description: 'When it happened.' }),
      customerId: t.id({ description: 'To which customer, by its global id; or else `customerExternalId`.' }),
      customerExternalId: t.string({
        description:
          'To which customer, by your own id; one nobody has heard of is created, unless the setting customers.unknownCustomer says otherwise.',
      }),
      value: t.float({ description: 'A number that is no money: a duration, a score.' }),
      amountMinor: t.field({ type: 'SafeInt', description: 'Money in minor units, with `currency`.' }),
      currency: t.string({ description: 'ISO 4217, with `amountMinor`.' }),
      properties: t.field({
        type: 'JSONObject',
        description: 'What else there is to tell, at most 32,768 characters as JSON.',
      }),
    }),
  });
  const Input = builder.inputType('RecordEventsInput', {
    description: 'Events of the stream.',
    fields: (t) => ({
      source: t.string({
        description: 'Whose ids the events carry, e.g. "shop"; the id of your API key when left out.',
      }),
      events: t.field({ type: [Event], required: true, description: `The events, at most ${MAX_EVENTS}.` }),
    }),
  });
  const Outcome = builder.enumType('EventOutcome', {
    description: 'What became of an event.',
    values: {
      ACCEPTED: { description: 'It is kept: nothing loses it any more.' },
      DUPLICATE: { description: 'It had been sent before: nothing was done.' },
      REJECTED: {
        description: 'It breaks a rule: `rejected` says which. Nothing was done; send it again when mended.',
      },
    } as const,
  });
  const Rejected = builder.objectRef<RejectedEvent>('RejectedEvent').implement({
    description: 'An event that was not taken.',
    fields: (t) => ({
      index: t.exposeInt('index', { description: 'Its place in the input, from 0.' }),
      id: t.exposeString('id', { description: 'Its id.' }),
      code: t.string({ description: 'Why, for programs, e.g. CUSTOMERS_NOT_FOUND.', resolve: (r) => r.error.code }),
      message: t.string({ description: 'Why, for people, and what helps.', resolve: (r) => r.error.message }),
      path: t.stringList({
        description: 'Where in the input the cause lies, step by step.',
        resolve: (r) => [...r.error.path],
      }),
    }),
  });
  const Success = builder.objectRef<RecordedEvents>('RecordEventsSuccess').implement({
    description: 'What became of the events. Those accepted are durable.',
    fields: (t) => ({
      batchId: t.exposeString('batchId', { description: 'Names this call in the event `customers.eventsRecorded`.' }),
      accepted: t.exposeInt('accepted', { description: 'How many were accepted.' }),
      duplicates: t.exposeInt('duplicates', { description: 'How many had been sent before.' }),
      outcomes: t.field({
        type: [Outcome],
        description: 'One for each event, in order.',
        complexity: { field: 1, multiplier: 1 },
        resolve: (r) => r.outcomes as RecordedEvents['outcomes'][number][],
      }),
      rejected: t.field({
        type: [Rejected],
        description: 'Those not taken, each with its reason.',
        complexity: { field: 1, multiplier: 5 },
        resolve: (r) => [...r.rejected],
      }),
    }),
  });
  mutationField(builder, 'recordEvents', {
    description: `Takes events of the stream, at most ${MAX_EVENTS} a call. One that breaks a rule is rejected; the others are taken.`,
    scope: 'events:write',
    input: Input,
    payload: Success,
    errors: [Overloaded],
    resolve(input, context) {
      if (input.events.length > MAX_EVENTS) {
        throw new InvalidInput(
          `${input.events.length} events are too many for one call; send at most ${MAX_EVENTS} and repeat.`,
          {
            path: ['input', 'events'],
          },
        );
      }
      for (const event of input.events) if (event.customerId) event.customerId = customerIdOf(event.customerId);
      return service.recordEvents(context.call, input);
    },
  });
}

function timeline(builder: Builder, service: CustomerService): void {
  const Activity = builder.objectRef<ActivityEvent>('ActivityEvent').implement({
    description: 'Something that happened to a customer.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'What happened.' }),
      at: t.field({ type: 'DateTime', description: 'When.', resolve: (e) => e.at }),
      value: t.float({
        nullable: true,
        description: 'A number that is no money.',
        resolve: (e) => (e.value === null || e.currency !== null ? null : Number(e.value)),
      }),
      amount: t.field({
        type: 'Money',
        nullable: true,
        description: 'The money it was about.',
        resolve: (e) => (e.value === null || e.currency === null ? null : parseMoney(e.value, e.currency)),
      }),
      properties: t.field({ type: 'JSONObject', description: 'What else was told.', resolve: (e) => e.properties }),
      source: t.exposeString('source', { description: 'Who told; "holdfast" for what follows from records.' }),
      sourceId: t.exposeString('sourceId', { description: 'The id its source gave it.' }),
    }),
  });
  interface TimelineArgs {
    readonly [name: string]: unknown;
    readonly first: number;
    readonly after?: string | null;
    readonly names?: readonly string[] | null;
  }
  const part = defineBatchPart({
    name: 'activity',
    async load(customerIds, { first, after, names }: TimelineArgs) {
      const key = typeof after === 'string' ? decodeCursor(after, 2) : null;
      const place = key === null ? null : placeOf(key);
      const found = await service.latestEvents(customerIds, checkFirst(first) + 1, {
        after: place,
        names: names ?? null,
      });
      return customerIds.map((id) =>
        pageOf(found.get(id) ?? [], {
          first,
          after: after ?? null,
          cursorOf: (event) => [event.at.toISOString(), event.uid],
        }),
      );
    },
  });
  batchPartField(builder, part, 'activity', {
    type: connectionType(builder, { name: 'Activity', node: Activity }),
    scope: 'events:read',
    description: 'What happened, latest first; an accepted event is there at once.',
    args: (arg) => ({
      ...connectionArgs(arg),
      names: arg.stringList({ description: 'Only events of these names.' }),
    }),
    complexity: { field: 10 },
  });
}

function placeOf([at, uid]: readonly (string | number | null)[]): { at: Date; uid: string } {
  const time = new Date(String(at));
  if (Number.isNaN(time.getTime())) throw new InvalidInput('The cursor does not fit this list.', { path: ['after'] });
  return { at: time, uid: String(uid) };
}
