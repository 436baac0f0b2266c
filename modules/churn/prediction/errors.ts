import { DomainError } from '../../../src/core/errors.ts';

/** History does not hold three windows of the horizon one after another, or too few customers of either fate. */
export class ChurnHistoryTooShort extends DomainError {
  constructor(message: string) {
    super('CHURN_HISTORY_TOO_SHORT', message);
  }
}

/** There is no such model, or none that may serve. */
export class ChurnModelNotFound extends DomainError {
  constructor(message: string, path: readonly string[] = ['modelId']) {
    super('CHURN_MODEL_NOT_FOUND', message, { path });
  }
}
