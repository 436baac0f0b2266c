import { DomainError } from '../../core/errors.ts';

/** The demo's import did not come to its end. */
export class DemoImportFailed extends DomainError {
  constructor(why: string) {
    super('APP_DEMO_IMPORT_FAILED', `${why} Nothing else was changed; start the demo again.`);
  }
}

/** The data folder holds something else; two businesses in one would make every figure wrong. */
export class DemoFolderTaken extends DomainError {
  constructor(folder: string, holds: string, wanted: string, remedy: string) {
    super(
      'APP_DEMO_FOLDER_TAKEN',
      `The data folder ${folder} holds ${holds}; ${wanted} cannot be mixed with it. ${remedy}`,
      { details: { folder } },
    );
  }
}
