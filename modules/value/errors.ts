import { DomainError } from '../../src/core/errors.ts';

/** There is no snapshot of features to answer from. */
export class SnapshotNotFound extends DomainError {
  constructor(what: string, path: readonly string[]) {
    super(
      'VALUE_SNAPSHOT_NOT_FOUND',
      `There is no snapshot of features ${what}. See featureSnapshots, or refreshValue.`,
      { path },
    );
  }
}
