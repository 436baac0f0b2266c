import { FileRefused } from '../../../../src/core/analytics/errors.ts';
import {
  type Builder,
  checkFirst,
  connectionArgs,
  decodeCursor,
  decodeGlobalId,
  domainError,
  encodeGlobalId,
  mutationField,
  pageOf,
} from '../../../../src/core/builder/index.ts';
import { IdempotencyConflict, InvalidInput } from '../../../../src/core/errors.ts';
import { eventSubscription } from '../../../../src/core/events/schema.ts';
import type { ColumnMapping } from '../domain/fields.ts';
import { ImportMappingInvalid, ImportNotFound, ImportStateConflict, UploadNotFound } from '../errors.ts';
import { importProgressed } from '../events.ts';
import { hasEnded, type ImportJob, type StartImportInput } from '../model.ts';
import type { ImportService, StartedImport, UploadPreview } from '../service.ts';
import { inputTypes } from './inputs.ts';
import { type JobTypes, jobTypes } from './job.ts';

const SCOPE = 'imports:write';

/** Imports in the API: start, watch, resume, cancel, and what they found. */
export const importsSchema =
  (service: ImportService) =>
  (builder: Builder): void => {
    domainError(builder, UploadNotFound, 'No file was uploaded under this id, or it was removed since.');
    domainError(builder, ImportNotFound, 'No import has this id.');
    domainError(builder, ImportStateConflict, 'The import is not in a state in which this can be done.');
    domainError(builder, ImportMappingInvalid, 'The mapping does not fit the record type or the file.');
    domainError(builder, FileRefused, 'The file as a whole cannot be read; the message says where and what helps.');
    const types = jobTypes(builder, service);
    queries(builder, service, types);
    mutations(builder, service, types);
    progress(builder, types);
  };

const JOB = 'The import, to be followed by importProgress.';

function jobIdOf(globalId: string): string {
  const { typename, id } = decodeGlobalId(globalId);
  if (typename === 'ImportJob') return id;
  throw new InvalidInput(`This is the id of a ${typename}; give the id of an ImportJob.`, { path: ['id'] });
}

function queries(builder: Builder, service: ImportService, types: JobTypes): void {
  builder.queryField('importJob', (t) =>
    t.field({
      type: types.Job,
      nullable: true,
      description: 'An import by its id.',
      authScopes: { scope: SCOPE },
      args: { id: t.arg.id({ required: true, description: 'Id of the import.' }) },
      resolve: (_root, { id }) =>
        service.get(jobIdOf(id)).catch((error: unknown) => {
          if (error instanceof ImportNotFound) return null;
          throw error;
        }),
    }),
  );
  builder.queryField('imports', (t) =>
    t.field({
      type: types.Jobs,
      description: 'Imports, the newest first.',
      authScopes: { scope: SCOPE },
      args: connectionArgs(t.arg),
      complexity: ({ first }) => ({ field: 5, multiplier: first ?? 20 }),
      resolve: async (_root, { first, after }) => {
        const limit = checkFirst(first);
        const key = after === null || after === undefined ? null : decodeCursor(after, 2);
        const before = key === null ? null : { at: String(key[0]), id: String(key[1]) };
        const jobs = await service.list({ limit: limit + 1, before });
        return pageOf(jobs, {
          first: limit,
          after,
          cursorOf: (job) => [job.createdAt.toISOString(), job.id],
          totalCount: service.count,
        });
      },
    }),
  );
  const Mapping = builder.objectRef<ColumnMapping>('ColumnMapping').implement({
    description: 'A column of the file given to a field.',
    fields: (t) => ({
      field: t.exposeString('field', { description: 'The field.' }),
      column: t.exposeString('column', { description: 'The column.' }),
    }),
  });
  const Preview = builder.objectRef<UploadPreview>('UploadPreview').implement({
    description: 'What an uploaded file looks like, and how its columns would be read.',
    fields: (t) => ({
      fileName: t.string({ description: 'Name of the file.', resolve: (p) => p.upload.fileName }),
      bytes: t.field({ type: 'SafeInt', description: 'Its length.', resolve: (p) => p.upload.bytes }),
      format: t.string({ description: '"CSV" or "NDJSON".', resolve: (p) => p.format }),
      columns: t.exposeStringList('columns', { description: 'Columns of the header, or keys of the first object.' }),
      mapping: t.field({ type: [Mapping], description: 'What the header suggests.', resolve: (p) => [...p.mapping] }),
      missing: t.exposeStringList('missing', { description: 'Required fields without a column.' }),
    }),
  });
  builder.queryField('uploadPreview', (t) =>
    t.field({
      type: Preview,
      description: 'Looks at the first lines of an uploaded file.',
      authScopes: { scope: SCOPE },
      args: {
        uploadId: t.arg.id({ required: true, description: 'What POST /uploads answered.' }),
        recordType: t.arg({ type: types.RecordTypeEnum, required: true, description: 'What its rows are.' }),
      },
      resolve: (_root, { uploadId, recordType }) => service.preview(uploadId, recordType),
    }),
  );
}

function mutations(builder: Builder, service: ImportService, types: JobTypes): void {
  const { StartImport, ImportId } = inputTypes(builder, types);
  const payload = (name: string, description: string) =>
    builder.objectRef<{ readonly job: ImportJob }>(name).implement({
      description,
      fields: (t) => ({
        job: t.field({ type: types.Job, description: JOB, resolve: (p) => p.job }),
      }),
    });
  const Started = builder.objectRef<StartedImport>('StartImportSuccess').implement({
    description: 'The import is on its way.',
    fields: (t) => ({
      job: t.field({ type: types.Job, description: JOB, resolve: (p) => p.job }),
      cursor: t.field({
        type: 'Cursor',
        description: 'A place before all that the import tells: give it to importProgress, and no step is missed.',
        resolve: (p) => p.cursor,
      }),
    }),
  });
  mutationField<StartImportInput, StartedImport>(builder, 'startImport', {
    description:
      'Imports an uploaded file. History is quiet: nothing is awarded, sent or raised unless `live` is set. The same file again changes nothing.',
    scope: SCOPE,
    input: StartImport,
    payload: Started,
    errors: [UploadNotFound, ImportMappingInvalid, FileRefused, IdempotencyConflict],
    resolve: (input, { call }) => service.start(call, input),
  });
  mutationField<{ id: string }, { job: ImportJob }>(builder, 'resumeImport', {
    description: 'Lets an import go on that stopped after its quality report: its quality is accepted.',
    scope: SCOPE,
    input: ImportId('ResumeImportInput'),
    payload: payload('ResumeImportSuccess', 'The import goes on.'),
    errors: [ImportNotFound, ImportStateConflict],
    resolve: async ({ id }, { call }) => ({ job: await service.resume(call, jobIdOf(id)) }),
  });
  mutationField<{ id: string }, { job: ImportJob }>(builder, 'cancelImport', {
    description: 'Stops an import. What it has stored stays; the same file imported again completes it.',
    scope: SCOPE,
    input: ImportId('CancelImportInput'),
    payload: payload('CancelImportSuccess', 'The import stops, within a second or so when it is at work.'),
    errors: [ImportNotFound, ImportStateConflict],
    resolve: async ({ id }, { call }) => ({ job: await service.cancel(call, jobIdOf(id)) }),
  });
}

function progress(builder: Builder, types: JobTypes): void {
  eventSubscription(builder, {
    field: 'importProgress',
    description: 'How an import comes along, at most once a second, until it is done, failed or cancelled.',
    scope: SCOPE,
    definition: importProgressed,
    type: 'ImportProgress',
    args: builder.args((t) => ({ jobId: t.id({ required: true, description: 'Id of the import.' }) })),
    check: ({ jobId }) => void decodeGlobalId(jobId),
    accepts: (event, { jobId }) => decodeGlobalId(jobId).id === event.payload.importId,
    isLast: ({ payload }) => hasEnded(payload.state),
    perCustomer: false,
    fields: (t) => ({
      jobId: t.id({
        description: 'Id of the import.',
        resolve: ({ payload }) => encodeGlobalId('ImportJob', payload.importId),
      }),
      state: t.field({ type: types.State, description: 'How it stands.', resolve: ({ payload }) => payload.state }),
      phase: t.field({
        type: types.Phase,
        description: 'The last complete phase.',
        resolve: ({ payload }) => payload.phase,
      }),
      bytesDone: t.field({ type: 'SafeInt', description: 'Bytes read.', resolve: ({ payload }) => payload.bytesDone }),
      bytesTotal: t.field({
        type: 'SafeInt',
        description: 'Length of the file.',
        resolve: ({ payload }) => payload.bytesTotal,
      }),
      rowsDone: t.field({
        type: 'SafeInt',
        description: 'Rows done in this phase.',
        resolve: ({ payload }) => payload.rowsDone,
      }),
      rowsTotal: t.field({
        type: 'SafeInt',
        nullable: true,
        description: 'Rows of the file, once known.',
        resolve: ({ payload }) => payload.rowsTotal,
      }),
      rowsRefused: t.field({
        type: 'SafeInt',
        description: 'Rows with an error so far.',
        resolve: ({ payload }) => payload.rowsRefused,
      }),
    }),
  });
}
