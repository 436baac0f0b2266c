import { DomainError } from '../../core/errors.ts';

/** The folder named for a backup has something in it. */
export class BackupFolderNotEmpty extends DomainError {
  constructor(folder: string) {
    super('APP_BACKUP_FOLDER_NOT_EMPTY', `${folder} is not empty. Name a folder that is empty or does not exist yet.`, {
      details: { folder },
    });
  }
}

/** The folder named for a restore holds no whole backup that this version can read. */
export class BackupUnusable extends DomainError {
  constructor(folder: string, why: string, cause?: unknown) {
    super('APP_BACKUP_UNUSABLE', `${folder} cannot be restored: ${why}`, { details: { folder }, cause });
  }
}

/** A restore would write over what is there. */
export class RestoreTargetNotEmpty extends DomainError {
  constructor(what: string) {
    super(
      'APP_RESTORE_TARGET_NOT_EMPTY',
      `A backup is restored into an empty business only, and this one has ${what}. Name another data folder in ` +
        'HOLDFAST_DATA, or other databases in DATABASE_URL and CLICKHOUSE_DATABASE.',
      { details: { what } },
    );
  }
}
