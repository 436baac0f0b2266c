import { DomainError } from '../errors.ts';

/** The engine does not answer; nothing is known to be lost. */
export class AnalyticsUnavailable extends DomainError {
  constructor(where: string, cause: unknown) {
    super(
      'ANALYTICS_UNAVAILABLE',
      `The history engine (${where}) does not answer. Events keep being accepted; try again later.`,
      {
        details: { where },
        cause,
      },
    );
  }
}

/** Another process holds the folder of the embedded engine. */
export class AnalyticsFolderInUse extends DomainError {
  constructor(folder: string, pid: number, cause?: unknown) {
    super(
      'ANALYTICS_FOLDER_IN_USE',
      `Process ${pid} has the history folder ${folder} open, and only one may. Stop it, or let it run ` +
        '"holdfast analytics" and name its address in CLICKHOUSE_URL.',
      { details: { folder, pid }, cause },
    );
  }
}

/** The embedded engine cannot open its folder. */
export class AnalyticsFolderUnusable extends DomainError {
  constructor(folder: string, cause?: unknown) {
    super(
      'ANALYTICS_FOLDER_UNUSABLE',
      `ClickHouse cannot open the history folder ${folder}; the line it printed says why. Is the folder writable, ` +
        'is the disk full, does another container hold it?',
      { details: { folder }, cause },
    );
  }
}

/** The embedded engine was asked for and its package is not installed (it is optional: 546 MB, no Windows). */
export class EmbeddedEngineMissing extends DomainError {
  constructor(cause?: unknown) {
    super(
      'ANALYTICS_ENGINE_MISSING',
      'The embedded ClickHouse (npm package "chdb") is not installed on this machine. Install it with ' +
        '"npm install --include=optional" on Linux (glibc) or macOS, or name a ClickHouse server in CLICKHOUSE_URL.',
      { cause },
    );
  }
}

/** A table definition already applied is not the one in this version of Holdfast. */
export class AnalyticsMigrationChanged extends DomainError {
  constructor(file: string) {
    super(
      'ANALYTICS_MIGRATION_CHANGED',
      `The ClickHouse migration ${file} was applied with another content. Restore the file; change tables with a new migration.`,
      { details: { file } },
    );
  }
}

/** The whole file is refused; no row of it was staged. */
export class FileRefused extends DomainError {
  constructor(reason: FileRefusal, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super('ANALYTICS_FILE_REFUSED', message, { path: ['file'], details: { reason, ...details } });
  }

  get reason(): FileRefusal {
    return this.details.reason as FileRefusal;
  }
}

export type FileRefusal =
  | 'EMPTY_FILE'
  | 'NOT_UTF8'
  | 'NOT_TEXT'
  | 'HEADER_BROKEN'
  | 'HEADER_DUPLICATE'
  | 'MISSING_COLUMN'
  | 'TOO_DAMAGED';
