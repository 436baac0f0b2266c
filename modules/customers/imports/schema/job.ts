import {
  type Builder,
  checkFirst,
  connectionArgs,
  connectionType,
  decodeCursor,
  encodeGlobalId,
  pageOf,
} from '../../../../src/core/builder/index.ts';
import { RECORD_TYPES, type RecordType } from '../domain/fields.ts';
import {
  IMPORT_STATES,
  type ImportError,
  type ImportJob,
  type ImportPhase,
  type ImportResult,
  type ImportState,
  PHASES,
} from '../model.ts';
import type { RejectRow } from '../rejects.ts';
import type { ImportService } from '../service.ts';
import { cleaningTypes, qualityTypes } from './reports.ts';

const RECORD_TYPE_DESCRIPTIONS: Readonly<Record<RecordType, string>> = {
  CUSTOMERS: 'Customers; columns not mapped become traits.',
  CONTACTS: 'People at customers.',
  SUBSCRIPTIONS: 'Subscriptions.',
  INVOICES: 'Invoices.',
  TICKETS: 'Tickets.',
  ORDERS: 'Lines of orders, one row each; they are cleaned in five stages.',
  EVENTS: 'Events of the stream; columns not mapped become properties.',
};
const STATE_DESCRIPTIONS: Readonly<Record<ImportState, string>> = {
  QUEUED: 'Waits for its turn.',
  RUNNING: 'At work.',
  WAITING: 'Stopped after its quality report, and asks: resumeImport or cancelImport.',
  DONE: 'Came to its end.',
  FAILED: 'Could not go on; `error` says why.',
  CANCELLED: 'Was stopped by somebody, or asked for longer than customers.imports.waitingDays.',
};
const PHASE_DESCRIPTIONS: Readonly<Record<ImportPhase, string>> = {
  queued: 'Nothing yet.',
  staged: 'The file stands in the history engine as text.',
  validated: 'Every row was looked at.',
  reported: 'The reports are there.',
  cleaned: 'Cleaning is decided.',
  customers: 'The customers of the rows are known.',
  loaded: 'The rows are stored.',
  derived: 'Orders, activity and events that follow are stored.',
  done: 'All is done.',
};

const enumValues = <Name extends string>(names: readonly Name[], descriptions: Readonly<Record<Name, string>>) =>
  Object.fromEntries(
    names.map((name) => [name.toUpperCase(), { value: name, description: descriptions[name] }]),
  ) as Record<string, { value: Name; description: string }>;

export type JobTypes = ReturnType<typeof jobTypes>;

/** Types of an import, its result and its rejects. */
export function jobTypes(builder: Builder, service: ImportService) {
  const RecordTypeEnum = builder.enumType('ImportRecordType', {
    description: 'What the rows of a file are.',
    values: enumValues(RECORD_TYPES, RECORD_TYPE_DESCRIPTIONS),
  });
  const State = builder.enumType('ImportState', {
    description: 'How an import stands.',
    values: enumValues(IMPORT_STATES, STATE_DESCRIPTIONS),
  });
  const Phase = builder.enumType('ImportPhase', {
    description: 'The last phase of an import that is complete; after a crash it goes on behind it.',
    values: enumValues(PHASES, PHASE_DESCRIPTIONS),
  });
  const Quality = qualityTypes(builder);
  const Cleaning = cleaningTypes(builder);

  const Result = builder.objectRef<ImportResult>('ImportResult').implement({
    description: 'What an import changed. Counts of records made and changed are those since it was last resumed.',
    fields: (t) => ({
      rowsStored: t.field({ type: 'SafeInt', description: 'Rows that are stored.', resolve: (r) => r.rowsStored }),
      rowsRefused: t.field({ type: 'SafeInt', description: 'Rows that are not.', resolve: (r) => r.rowsRefused }),
      customersCreated: t.field({
        type: 'SafeInt',
        description: 'Customers made.',
        resolve: (r) => r.customersCreated,
      }),
      ordersCreated: t.field({ type: 'SafeInt', description: 'Orders made.', resolve: (r) => r.ordersCreated }),
      ordersChanged: t.field({ type: 'SafeInt', description: 'Orders changed.', resolve: (r) => r.ordersChanged }),
      recordsCreated: t.field({
        type: 'SafeInt',
        description: 'Other records made.',
        resolve: (r) => r.recordsCreated,
      }),
      recordsChanged: t.field({
        type: 'SafeInt',
        description: 'Other records changed.',
        resolve: (r) => r.recordsChanged,
      }),
      ignoredColumns: t.exposeStringList('ignoredColumns', { description: 'Columns nobody keeps.' }),
      sameAs: t.id({
        nullable: true,
        description: 'The earlier import of the same file in the same way, after which nothing was left to do.',
        resolve: (r) => (r.sameAsImportId === null ? null : encodeGlobalId('ImportJob', r.sameAsImportId)),
      }),
    }),
  });
  const Failure = builder.objectRef<ImportError>('ImportError').implement({
    description: 'Why an import could not go on.',
    fields: (t) => ({
      code: t.exposeString('code', { description: 'For programs.' }),
      message: t.exposeString('message', { description: 'For people: what is wrong and what helps.' }),
    }),
  });
  const Reject = builder.objectRef<RejectRow>('ImportReject').implement({
    description: 'A row that was refused or taken out, by one rule.',
    fields: (t) => ({
      line: t.field({ type: 'SafeInt', description: 'Line of the file; a header is line 1.', resolve: (r) => r.line }),
      column: t.string({
        nullable: true,
        description: 'The column; null for the whole row.',
        resolve: (r) => r.column || null,
      }),
      rule: t.exposeString('rule', { description: 'Stable name of the rule.' }),
      value: t.exposeString('value', { description: 'What stands there, cut at 200 characters.' }),
      message: t.exposeString('message', { description: 'What is wrong, for people.' }),
    }),
  });
  const Rejects = connectionType(builder, { name: 'ImportReject', node: Reject });

  const Job = builder.objectRef<ImportJob>('ImportJob');
  builder.node(Job, {
    description: 'One import of one file.',
    id: { resolve: (job) => job.id, description: 'The global id.' },
    authScopes: { scope: 'imports:write' },
    loadOne: (id) => service.get(id).catch(() => null),
    isTypeOf: (value) => value !== null && typeof value === 'object' && 'fileSha256' in value,
    fields: (t) => ({
      recordType: t.field({
        type: RecordTypeEnum,
        description: 'What its rows are.',
        resolve: (job) => job.recordType,
      }),
      state: t.field({ type: State, description: 'How it stands.', resolve: (job) => job.state }),
      phase: t.field({ type: Phase, description: 'The last phase that is complete.', resolve: (job) => job.phase }),
      source: t.exposeString('source', { description: 'Where the rows come from: an event is (source, id).' }),
      fileName: t.exposeString('fileName', { description: 'Name of the file.' }),
      fileSha256: t.exposeString('fileSha256', { description: 'SHA-256 of the file as sent, in hex.' }),
      bytesTotal: t.field({
        type: 'SafeInt',
        description: 'Length of the file as sent.',
        resolve: (job) => job.fileBytes,
      }),
      bytesDone: t.field({ type: 'SafeInt', description: 'Bytes read.', resolve: (job) => job.bytesDone }),
      rowsTotal: t.field({
        type: 'SafeInt',
        nullable: true,
        description: 'Rows of the file; null until it is staged.',
        resolve: (job) => job.rowsTotal,
      }),
      rowsDone: t.field({ type: 'SafeInt', description: 'Rows done in this phase.', resolve: (job) => job.rowsDone }),
      rowsRefused: t.field({
        type: 'SafeInt',
        description: 'Rows with an error so far.',
        resolve: (job) => job.rowsRefused,
      }),
      dryRun: t.exposeBoolean('dryRun', { description: 'Only looks: reports, and stores nothing.' }),
      acceptQuality: t.exposeBoolean('acceptQuality', { description: 'Goes on whatever the quality report says.' }),
      live: t.exposeBoolean('live', { description: 'Not history: points, messages and alerts follow.' }),
      quality: t.field({
        type: Quality,
        nullable: true,
        description: 'The data-quality report; null until the rows were looked at.',
        resolve: (job) => job.quality,
      }),
      cleaning: t.field({
        type: Cleaning,
        nullable: true,
        description: 'The cleaning report; null for record types that are not cleaned.',
        resolve: (job) => job.cleaning,
      }),
      result: t.field({
        type: Result,
        nullable: true,
        description: 'What it changed; null until then.',
        resolve: (job) => job.result,
      }),
      error: t.field({ type: Failure, nullable: true, description: 'Why it failed.', resolve: (job) => job.error }),
      rejects: t.field({
        type: Rejects,
        description: 'Rows refused or taken out, in the order of the file. All of them as CSV: GET rejectsPath.',
        args: connectionArgs(t.arg),
        complexity: ({ first }) => ({ field: 5, multiplier: first ?? 20 }),
        resolve: async (job, { first, after }) => {
          const limit = checkFirst(first);
          const key = after === null || after === undefined ? null : decodeCursor(after, 3);
          const last = key === null ? null : { line: Number(key[0]), column: String(key[1]), rule: String(key[2]) };
          const rows = await service.rejects(job.id, { limit: limit + 1, after: last });
          return pageOf(rows, { first: limit, after, cursorOf: (row) => [row.line, row.column, row.rule] });
        },
      }),
      rejectsPath: t.string({
        description: 'Path of the rejects file on this server: CSV of line, column, rule, value and message.',
        resolve: (job) => `/imports/${job.id}/rejects.csv`,
      }),
      createdAt: t.field({ type: 'DateTime', description: 'When it was asked for.', resolve: (job) => job.createdAt }),
      startedAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When it began.',
        resolve: (job) => job.startedAt,
      }),
      finishedAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When it ended.',
        resolve: (job) => job.finishedAt,
      }),
    }),
  });
  const Jobs = connectionType(builder, { name: 'ImportJob', node: Job, totalCount: true });
  return { Job, Jobs, RecordTypeEnum, State, Phase };
}
