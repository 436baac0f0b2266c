import { DomainError } from '../../../src/core/errors.ts';

/** No file was uploaded under this id, or its bytes were removed since. */
export class UploadNotFound extends DomainError {
  constructor(uploadId: string) {
    super('CUSTOMERS_UPLOAD_NOT_FOUND', `There is no uploaded file ${uploadId}. Send it to POST /uploads first.`, {
      path: ['uploadId'],
      details: { uploadId },
    });
  }
}

/** No import has this id. */
export class ImportNotFound extends DomainError {
  constructor(jobId: string) {
    super('CUSTOMERS_IMPORT_NOT_FOUND', `There is no import ${jobId}. The query "imports" lists them.`, {
      path: ['id'],
      details: { jobId },
    });
  }
}

/** The import is not in a state in which this can be done. */
export class ImportStateConflict extends DomainError {
  constructor(jobId: string, state: string, wanted: string) {
    super('CUSTOMERS_IMPORT_STATE_CONFLICT', `The import is ${state.toLowerCase()}; ${wanted}.`, {
      path: ['id'],
      details: { jobId, state },
    });
  }
}

/** The mapping does not fit the record type or the file. */
export class ImportMappingInvalid extends DomainError {
  constructor(message: string, details: Readonly<Record<string, unknown>> = {}) {
    super('CUSTOMERS_IMPORT_MAPPING_INVALID', message, { path: ['mapping'], details });
  }
}
