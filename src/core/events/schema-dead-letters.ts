import {
  type Builder,
  checkFirst,
  connectionArgs,
  connectionType,
  decodeCursor,
  domainError,
  isId,
  mutationField,
  pageOf,
} from '../builder/index.ts';
import { InvalidInput } from '../errors.ts';
import type { DeadLetter, DeadLetters } from './dead-letters.ts';
import { DeadLetterNotFound } from './errors.ts';
import { domainEvent } from './schema.ts';

/** The operators' view of dead letters. */
export const deadLettersSchema =
  (deadLetters: DeadLetters) =>
  (builder: Builder): void => {
    domainError(
      builder,
      DeadLetterNotFound,
      'The handler has no dead letter for that event; it may have been resolved.',
    );
    const Letter = builder.objectRef<DeadLetter>('DeadLetter');
    builder.objectType(Letter, {
      description: 'An event that a handler could not apply in as many attempts as it has.',
      fields: (t) => ({
        event: t.field({ type: domainEvent(builder), description: 'The event.', resolve: (letter) => letter.event }),
        handler: t.string({ description: 'The handler that failed.', resolve: (letter) => letter.handler }),
        attempts: t.int({ description: 'How often it was tried.', resolve: (letter) => letter.attempts }),
        error: t.string({ description: 'What went wrong the last time.', resolve: (letter) => letter.error }),
        failedAt: t.field({
          type: 'DateTime',
          description: 'When it was tried last.',
          resolve: (letter) => letter.failedAt,
        }),
      }),
    });
    const Letters = connectionType(builder, { name: 'DeadLetter', node: Letter, totalCount: true });
    builder.queryField('deadLetters', (t) =>
      t.field({
        type: Letters,
        description: 'Events that handlers gave up on, oldest first. Find the cause, then retry or dismiss them.',
        authScopes: { scope: 'operations:read' },
        args: { ...connectionArgs(t.arg), handler: t.arg.string({ description: 'Only those of this handler.' }) },
        resolve: async (_root, args) => {
          const first = checkFirst(args.first);
          const handler = args.handler ?? null;
          const [eventId, name] = args.after == null ? [null, null] : decodeCursor(args.after, 2).map(String);
          if (eventId != null && !isId(eventId))
            throw new InvalidInput('The cursor does not fit this list.', { path: ['after'] });
          const after = eventId == null || name == null ? null : { eventId, handler: name };
          return pageOf(await deadLetters.list({ limit: first + 1, after, handler }), {
            first,
            after: args.after,
            cursorOf: (letter) => [letter.event.id, letter.handler],
            totalCount: () => deadLetters.count(handler),
          });
        },
      }),
    );
    const input = (name: string, description: string) =>
      builder.inputType(name, {
        description,
        fields: (t) => ({
          eventId: t.id({ required: true, description: 'UUID of the event.' }),
          handler: t.string({ required: true, description: 'The handler.' }),
        }),
      });
    const keyOf = ({ eventId, handler }: { readonly eventId: string | number; readonly handler: string }) => {
      if (!isId(String(eventId)))
        throw new InvalidInput('This is no UUID of an event.', { path: ['input', 'eventId'] });
      return { eventId: String(eventId), handler };
    };
    const payload = (name: string, description: string) => {
      const ref = builder.objectRef<{ readonly deadLetter: DeadLetter }>(name);
      builder.objectType(ref, {
        description,
        fields: (t) => ({
          deadLetter: t.field({ type: Letter, description: 'As it was.', resolve: (result) => result.deadLetter }),
        }),
      });
      return ref;
    };
    mutationField(builder, 'retryDeadLetter', {
      description: 'Gives a dead letter to its handler again, with all attempts.',
      scope: 'operations:write',
      input: input('RetryDeadLetterInput', 'Which dead letter to retry.'),
      payload: payload('RetryDeadLetterSuccess', 'The event is on its way to the handler.'),
      errors: [DeadLetterNotFound],
      resolve: async (key, context) => ({ deadLetter: await deadLetters.retry(context.call, keyOf(key)) }),
    });
    mutationField(builder, 'dismissDeadLetter', {
      description: 'Gives a dead letter up: the handler never gets the event.',
      scope: 'operations:write',
      input: input('DismissDeadLetterInput', 'Which dead letter to dismiss.'),
      payload: payload('DismissDeadLetterSuccess', 'The event will not be tried again.'),
      errors: [DeadLetterNotFound],
      resolve: async (key, context) => ({ deadLetter: await deadLetters.dismiss(context.call, keyOf(key)) }),
    });
  };
