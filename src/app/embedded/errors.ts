import { DomainError } from '../../core/errors.ts';

/** Another living process works on the data folder. */
export class DataFolderInUse extends DomainError {
  readonly pid: number;

  constructor(folder: string, holder: { pid: number; hostname: string; elsewhere: boolean }) {
    const who = holder.elsewhere ? `process ${holder.pid} on host ${holder.hostname}` : `process ${holder.pid}`;
    super(
      'APP_DATA_FOLDER_IN_USE',
      `The data folder ${folder} is in use by ${who}. Stop that process, or name another folder in HOLDFAST_DATA.`,
      { details: { folder, pid: holder.pid, hostname: holder.hostname } },
    );
    this.pid = holder.pid;
  }
}

/** The data folder cannot be made or written by the user who runs Holdfast. */
export class DataFolderUnusable extends DomainError {
  constructor(folder: string, cause: Error) {
    super(
      'APP_DATA_FOLDER_UNUSABLE',
      `The data folder ${folder} cannot be used: ${cause.message}. Start as the user who made it, or name another folder in HOLDFAST_DATA.`,
      { details: { folder }, cause },
    );
  }
}

/** The embedded PostgreSQL is not installed, or this machine cannot run it. */
export class EmbeddedPostgresUnavailable extends DomainError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('APP_EMBEDDED_POSTGRES_UNAVAILABLE', message, options);
  }
}

/** The embedded PostgreSQL is there but did not start; the message ends with what its log says. */
export class EmbeddedPostgresFailed extends DomainError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('APP_EMBEDDED_POSTGRES_FAILED', message, options);
  }
}
