import { DomainError } from '../errors.ts';

/** A migration that this database has applied was changed afterwards. */
export class MigrationEdited extends DomainError {
  constructor(name: string) {
    super(
      'CORE_MIGRATION_EDITED',
      `The migration ${name} was changed after this database applied it. Put prisma/migrations/${name}/migration.sql back ` +
        'as it was and write a new migration for the change.',
      { details: { migration: name } },
    );
  }
}

/** The database is ahead of this program. */
export class MigrationUnknown extends DomainError {
  constructor(names: readonly string[]) {
    super(
      'CORE_MIGRATION_UNKNOWN',
      `This database was migrated by a newer Holdfast (${names.join(', ')}). Start that version, or restore a backup ` +
        'of this version into another database.',
      { details: { migrations: names } },
    );
  }
}

/** A migration did not run; the database is as it was before it. */
export class MigrationFailed extends DomainError {
  constructor(name: string, cause: Error) {
    super(
      'CORE_MIGRATION_FAILED',
      `The migration ${name} failed and was rolled back: ${cause.message}. Once the reason is gone, the next start tries it again.`,
      { details: { migration: name }, cause },
    );
  }
}

/** The database that DATABASE_URL names does not exist and may not be made. */
export class DatabaseMissing extends DomainError {
  constructor(database: string, cause: Error) {
    super(
      'CORE_DATABASE_MISSING',
      `The database "${database}" does not exist and could not be created (${cause.message}). Create it: createdb ${database}`,
      { details: { database }, cause },
    );
  }
}
