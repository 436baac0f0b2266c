import { DomainError } from '../errors.ts';

/** The text is no cursor that Holdfast gave out. */
export class CursorInvalid extends DomainError {
  constructor(why: string) {
    super('CURSOR_INVALID', `${why} Use a cursor exactly as an event or an error message gave it, or leave it out.`, {
      path: ['after'],
    });
  }
}

/** Events after the cursor have been removed by retention. */
export class CursorExpired extends DomainError {
  constructor(oldestCursor: string) {
    super(
      'CURSOR_EXPIRED',
      'The cursor is older than the events kept (setting "events.retentionDays"). Read the present state through ' +
        'queries, then subscribe again with the cursor in "oldestCursor", or without "after" for new events only.',
      { path: ['after'], details: { oldestCursor } },
    );
  }
}

/** No dead letter of that event and handler. */
export class DeadLetterNotFound extends DomainError {
  constructor(eventId: string, handler: string) {
    super('EVENTS_DEAD_LETTER_NOT_FOUND', `Handler "${handler}" has no dead letter for event ${eventId}.`, {
      path: ['input', 'eventId'],
      details: { eventId, handler },
    });
  }
}
