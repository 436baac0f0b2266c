import { DomainError } from '../../core/errors.ts';

/** How long a subscriber waits before it comes back. */
const RETRY_AFTER_MS = 1_000;

/** Everything that ends a stream from our side names the cursor to go on from. */
const resume = (cursor: string, reconnect: boolean) => ({ cursor, reconnect });

/** The subscriber reads more slowly than events happen, and its buffer is full. */
export class SubscriberTooSlow extends DomainError {
  constructor(cursor: string, limitBytes: number) {
    super(
      'SUBSCRIBER_TOO_SLOW',
      `More than ${limitBytes} bytes wait for this subscriber, so its stream ends here. Subscribe again with "after" set to the cursor, filter more narrowly, or read faster.`,
      { details: { ...resume(cursor, true), limitBytes } },
    );
  }
}

/** The server stops, e.g. for an update. */
export class ServerStopping extends DomainError {
  constructor(cursor: string) {
    super('SERVER_STOPPING', 'The server stops. Subscribe again with "after" set to the cursor; nothing is lost.', {
      details: { ...resume(cursor, true), retryAfterMs: RETRY_AFTER_MS },
    });
  }
}

/** The events could not be read or shown in time. */
export class StreamInterrupted extends DomainError {
  constructor(cursor: string, why: string) {
    super('STREAM_INTERRUPTED', `${why} Subscribe again with "after" set to the cursor; nothing is lost.`, {
      details: { ...resume(cursor, true), retryAfterMs: RETRY_AFTER_MS },
    });
  }
}

/** The key that opened the stream has expired or was revoked; the code is that of the refusal. */
export class KeyEnded extends DomainError {
  constructor(cursor: string, refusal: DomainError) {
    super(refusal.code, `${refusal.message} Subscribe again with another key and "after" set to the cursor.`, {
      details: { ...refusal.details, ...resume(cursor, false) },
    });
  }
}

/** Too many subscriptions of one key, connection or process. */
export class TooManySubscriptions extends DomainError {
  constructor(of: 'key' | 'connection' | 'process', limit: number) {
    super(
      'SUBSCRIPTION_LIMIT_REACHED',
      `This ${of} has ${limit} subscriptions already, which is the limit. End one first.`,
      {
        details: { of, limit, retryAfterMs: RETRY_AFTER_MS },
      },
    );
  }
}

/** The operation is a subscription, and no event stream. */
export class NotAStream extends DomainError {
  constructor() {
    super(
      'SUBSCRIPTION_NOT_A_STREAM',
      'A subscription names exactly one field of Subscription, without @skip or @include.',
    );
  }
}
