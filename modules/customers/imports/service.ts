import type { Readable } from 'node:stream';
import { IANAZone } from 'luxon';
import { actorName, type Call } from '../../../src/core/call.ts';
import { IdempotencyConflict, InvalidInput } from '../../../src/core/errors.ts';
import { encodeCursor, presentPosition } from '../../../src/core/events/index.ts';
import { claimKeys, hashInput, storeAnswers } from '../../../src/core/idempotency.ts';
import { newId } from '../../../src/core/ids.ts';
import { enqueue } from '../../../src/core/jobs.ts';
import type { Infrastructure } from '../../../src/core/module.ts';
import { isCurrency } from '../../../src/core/money.ts';
import { BUSINESS } from '../../../src/core/settings/index.ts';
import { EVENT_NAMES, FUTURE_TOLERANCE, UNKNOWN_CUSTOMER } from '../settings.ts';
import {
  type ColumnMapping,
  mappingProblem,
  type RecordType,
  suggestMapping,
  unmappedRequired,
} from './domain/fields.ts';
import { ImportMappingInvalid, ImportNotFound, ImportStateConflict } from './errors.ts';
import type { ImportJob, ImportOptions, StartImportInput } from './model.ts';
import { peekFile } from './peek.ts';
import { changeAndTell } from './progress.ts';
import { type RejectRow, rejectsFile, rejectsPage } from './rejects.ts';
import { MINIMUM_QUALITY, OUTLIERS, RETURNS } from './settings.ts';
import { countJobs, findJob, insertJob, listJobs, lockJob } from './store.ts';
import { dropStage } from './tables.ts';
import type { Upload, Uploads } from './uploads.ts';

export const RUN_IMPORT = 'customers.runImport';

/** What an uploaded file looks like, and how its columns would be read. */
export interface UploadPreview {
  readonly upload: Upload;
  readonly format: ImportOptions['format'];
  readonly delimiter: ImportOptions['delimiter'];
  readonly columns: readonly string[];
  readonly mapping: readonly ColumnMapping[];
  /** Required fields no column was found for. */
  readonly missing: readonly string[];
}

export interface StartedImport {
  readonly job: ImportJob;
  /** Cursor of a place in the outbox before everything the import tells. */
  readonly cursor: string;
}

export interface ImportService {
  readonly uploads: Uploads;
  preview(uploadId: string, recordType: RecordType): Promise<UploadPreview>;
  /** @throws UploadNotFound, ImportMappingInvalid, FileRefused, InvalidInput, IdempotencyConflict */
  start(call: Call, input: StartImportInput): Promise<StartedImport>;
  /** @throws ImportNotFound */
  get(id: string): Promise<ImportJob>;
  list(page: Parameters<typeof listJobs>[1]): Promise<ImportJob[]>;
  count(): Promise<number>;
  /** Goes on after the quality report. @throws ImportNotFound, ImportStateConflict */
  resume(call: Call, id: string): Promise<ImportJob>;
  /** Stops an import; what it stored stays. @throws ImportNotFound, ImportStateConflict */
  cancel(call: Call, id: string): Promise<ImportJob>;
  rejects(id: string, page: Parameters<typeof rejectsPage>[2]): Promise<RejectRow[]>;
  /** All rejects as CSV with header: line, column, rule, value, message. @throws ImportNotFound */
  rejectsFile(id: string): Promise<Readable>;
}

/** Times before it are taken for a slip of the pen, as in records of the API. */
const EARLIEST = '1970-01-02T00:00:00.000Z';
const SOURCE_SHAPE = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,49}$/;

export function createImportService(
  infra: Pick<Infrastructure, 'database' | 'analytics' | 'settings' | 'clock' | 'systemClock'>,
  uploads: Uploads,
): ImportService {
  const { database, settings } = infra;

  const optionsOf = async (input: StartImportInput, upload: Upload): Promise<ImportOptions> => {
    const business = await settings.get(BUSINESS);
    const encoding = input.encoding ?? 'UTF_8';
    const peek = await peekFile(uploads.pathOf(upload.uploadId), { ...input, encoding });
    const mapping = checkedMapping(input, peek.columns);
    const toleranceMs = (await settings.get(FUTURE_TOLERANCE)) * 1_000;
    const currency = input.currency ?? business.reportingCurrency;
    if (!isCurrency(currency))
      throw invalidInput('currency', `"${currency}" is not an ISO 4217 currency code such as EUR.`);
    const timeZone = input.timeZone ?? business.timeZone;
    if (!IANAZone.isValidZone(timeZone))
      throw invalidInput('timeZone', `"${timeZone}" is not an IANA time zone such as Europe/London.`);
    return {
      format: peek.format,
      mapping,
      // Objects may differ from line to line; columns do not.
      hasMoreColumns: peek.format === 'NDJSON' || peek.columns.length > mapping.length,
      encoding,
      delimiter: input.delimiter ?? peek.delimiter,
      dateFormat: input.dateFormat ?? 'ISO',
      timeZone,
      currency,
      notAfter: new Date(infra.clock.now().getTime() + toleranceMs).toISOString(),
      notBefore: business.startedOn === null ? EARLIEST : `${business.startedOn}T00:00:00.000Z`,
      minimumQuality: await settings.get(MINIMUM_QUALITY),
      unknownCustomer: (await settings.get(UNKNOWN_CUSTOMER)) === 'reject' ? 'reject' : 'create',
      returns: await settings.get(RETURNS),
      outliers: await settings.get(OUTLIERS),
      eventNames: await settings.get(EVENT_NAMES),
    };
  };

  const newJob = (call: Call, input: StartImportInput, upload: Upload, options: ImportOptions): ImportJob => ({
    id: newId(),
    uploadId: upload.uploadId,
    recordType: input.recordType,
    source: input.source ?? 'import',
    fileName: input.fileName ?? upload.fileName,
    fileBytes: upload.bytes,
    fileSha256: upload.sha256,
    dryRun: input.dryRun === true,
    acceptQuality: input.acceptQuality === true,
    live: input.live === true,
    options,
    state: 'QUEUED',
    phase: 'queued',
    carried: {},
    bytesDone: 0,
    rowsTotal: null,
    rowsDone: 0,
    rowsRefused: 0,
    quality: null,
    cleaning: null,
    result: null,
    error: null,
    actor: actorName(call.actor),
    correlationId: call.correlationId,
    createdAt: infra.systemClock.now(),
    startedAt: null,
    updatedAt: infra.systemClock.now(),
    finishedAt: null,
    cancelRequestedAt: null,
  });

  const get = async (id: string): Promise<ImportJob> => {
    const job = await findJob(database, id);
    if (job === null) throw new ImportNotFound(id);
    return job;
  };

  return {
    uploads,
    get,
    list: (page) => listJobs(database, page),
    count: () => countJobs(database),
    async preview(uploadId, recordType) {
      const upload = await uploads.find(uploadId);
      const { format, delimiter, columns } = await peekFile(uploads.pathOf(uploadId), { encoding: 'UTF_8' });
      const mapping = suggestMapping(recordType, columns);
      return { upload, format, delimiter, columns, mapping, missing: unmappedRequired(recordType, mapping) };
    },
    async start(call, input) {
      const source = input.source ?? 'import';
      if (!SOURCE_SHAPE.test(source)) {
        throw invalidInput('source', `"${source}" is no name of a source: letters, digits, dots, dashes, at most 50.`);
      }
      const upload = await uploads.find(input.uploadId);
      const job = newJob(call, input, upload, await optionsOf(input, upload));
      return database.transaction(async (tx) => {
        const key = input.idempotencyKey ?? null;
        const scope = 'customers.startImport';
        if (key !== null) {
          const { idempotencyKey: _, ...rest } = input;
          const [claim] = await claimKeys<{ id: string; cursor: string }>(tx, scope, [{ key, hash: hashInput(rest) }]);
          if (claim?.kind === 'conflict') throw new IdempotencyConflict(key);
          if (claim?.kind === 'replay') {
            const { id, cursor } = claim.answer;
            return { job: (await findJob(tx, id)) as ImportJob, cursor };
          }
        }
        const cursor = encodeCursor(await presentPosition(tx));
        await insertJob(tx, job);
        await enqueueRun(tx, job.id);
        if (key !== null) await storeAnswers(tx, scope, [{ key, answer: { id: job.id, cursor } }]);
        return { job, cursor };
      });
    },
    resume: (call, id) =>
      database.transaction(async (tx) => {
        const job = await lockJob(tx, id);
        if (job === null) throw new ImportNotFound(id);
        if (job.state !== 'WAITING')
          throw new ImportStateConflict(id, job.state, 'only one that waits after its quality report goes on');
        await enqueueRun(tx, id);
        return changeAndTell(tx, infra, call, id, { state: 'QUEUED', acceptQuality: true });
      }),
    async cancel(call, id) {
      const job = await database.transaction(async (tx) => {
        const found = await lockJob(tx, id);
        if (found === null) throw new ImportNotFound(id);
        if (!['QUEUED', 'RUNNING', 'WAITING'].includes(found.state)) {
          throw new ImportStateConflict(id, found.state, 'there is nothing left to stop');
        }
        const now = infra.systemClock.now();
        // A running import hears of it within a second, and stops where it is.
        const atOnce = found.state === 'RUNNING' ? {} : ({ state: 'CANCELLED', finishedAt: now } as const);
        return changeAndTell(tx, infra, call, id, { cancelRequestedAt: now, ...atOnce });
      });
      if (job.state === 'CANCELLED' && job.carried.stage !== undefined)
        await dropStage(infra.analytics, job.carried.stage);
      return job;
    },
    async rejects(id, page) {
      await get(id);
      return rejectsPage(infra.analytics, id, page);
    },
    async rejectsFile(id) {
      await get(id);
      return rejectsFile(infra.analytics, id);
    },
  };
}

/** Imports run one after another: two at once would only take each other's memory. */
const enqueueRun = (tx: Parameters<typeof enqueue>[0], jobId: string): Promise<void> =>
  enqueue(tx, RUN_IMPORT, { jobId }, { queue: 'customers.imports' });

/** What was given, completed by what the header suggests. */
function checkedMapping(input: StartImportInput, columns: readonly string[]): ColumnMapping[] {
  const given = input.mapping ?? [];
  const problem = mappingProblem(input.recordType, given);
  if (problem !== null) throw new ImportMappingInvalid(problem);
  const absent = given.find(({ column }) => !columns.includes(column));
  if (absent !== undefined && columns.length > 0) {
    const names = columns.slice(0, 50).map((name) => `"${name}"`);
    throw new ImportMappingInvalid(
      `The file has no column "${absent.column}" for "${absent.field}"; its columns are ${names.join(', ')}.`,
      { field: absent.field, column: absent.column, columns: columns.slice(0, 50) },
    );
  }
  const mapping = suggestMapping(input.recordType, columns, given);
  const missing = unmappedRequired(input.recordType, mapping);
  if (missing.length > 0 && columns.length > 0) {
    const names = columns.slice(0, 50).map((name) => `"${name}"`);
    throw new ImportMappingInvalid(
      `No column was found for ${missing.map((name) => `"${name}"`).join(', ')}; the columns are ${names.join(', ')}. Give a mapping.`,
      { missing, columns: columns.slice(0, 50) },
    );
  }
  return mapping;
}

const invalidInput = (field: string, message: string): InvalidInput =>
  new InvalidInput(message, { path: ['input', field] });
