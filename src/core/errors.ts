/** Options of a domain error: where in the input it lies, and facts for programs. */
export interface DomainErrorOptions {
  readonly path?: readonly (string | number)[];
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * A failure a caller can act on. `code` is stable and never reused (`MODULE_WHAT_WENT_WRONG`), `message` is for a
 * person and says the remedy, `path` names the input field, `details` carries facts for a program.
 */
export class DomainError extends Error {
  readonly code: string;
  readonly path: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, options: DomainErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.path = (options.path ?? []).map(String);
    this.details = options.details ?? {};
  }
}

/** A value of the input breaks a rule; the message names field, value and remedy. */
export class InvalidInput extends DomainError {
  constructor(message: string, options: DomainErrorOptions = {}) {
    super('CORE_INVALID_INPUT', message, options);
  }
}

/** An idempotency key came again with another input. */
export class IdempotencyConflict extends DomainError {
  constructor(key: string, path: readonly string[] = ['idempotencyKey']) {
    super(
      'CORE_IDEMPOTENCY_CONFLICT',
      `The idempotency key "${key}" was already used with another input. Use a new key for a new request.`,
      { path, details: { key } },
    );
  }
}

/** The first request with this idempotency key has not come to its end: ask again after `retryAfterMs` for its answer. */
export class RequestInFlight extends DomainError {
  readonly retryAfterMs: number;
  constructor(key: string, retryAfterMs: number, path: readonly string[] = ['idempotencyKey']) {
    super(
      'CORE_REQUEST_IN_FLIGHT',
      `A request with the idempotency key "${key}" is still being carried out. Send this one again in ${retryAfterMs} ms to get its answer.`,
      { path, details: { key, retryAfterMs } },
    );
    this.retryAfterMs = retryAfterMs;
  }
}

/** A bounded queue is full: nothing was done, try again after `retryAfterMs`. */
export class Overloaded extends DomainError {
  readonly retryAfterMs: number;
  constructor(what: string, retryAfterMs: number) {
    super('CORE_OVERLOADED', `${what} is busy; nothing was done. Try again in ${retryAfterMs} ms.`, {
      details: { retryAfterMs },
    });
    this.retryAfterMs = retryAfterMs;
  }
}

/** A setting key that no module declares. */
export class UnknownSetting extends DomainError {
  constructor(key: string) {
    super('CORE_UNKNOWN_SETTING', `There is no setting "${key}". The query "settings" lists all of them.`, {
      path: ['key'],
      details: { key },
    });
  }
}

/** The environment does not describe a way to run. */
export class ConfigurationError extends DomainError {
  constructor(message: string, options: DomainErrorOptions = {}) {
    super('CORE_CONFIGURATION', message, options);
  }
}

/** The one-line text of anything thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
