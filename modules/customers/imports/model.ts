import type { Delimiter } from '../../../src/core/analytics/index.ts';
import type { ColumnMapping, RecordType } from './domain/fields.ts';
import type { CleaningReport, QualityReport } from './domain/reports.ts';

export const FORMATS = ['CSV', 'NDJSON'] as const;
export type ImportFormat = (typeof FORMATS)[number];

export const ENCODINGS = ['UTF_8', 'WINDOWS_1252'] as const;
export type ImportEncoding = (typeof ENCODINGS)[number];

/** How dates and times are written in a file. */
export const DATE_FORMATS = ['ISO', 'DAY_MONTH_YEAR', 'MONTH_DAY_YEAR', 'UNIX_SECONDS', 'UNIX_MILLISECONDS'] as const;
export type DateFormat = (typeof DATE_FORMATS)[number];

export const IMPORT_STATES = ['QUEUED', 'RUNNING', 'WAITING', 'DONE', 'FAILED', 'CANCELLED'] as const;
export type ImportState = (typeof IMPORT_STATES)[number];

/** The phases of an import in order; a job names the last one that is complete. */
export const PHASES = [
  'queued',
  'staged',
  'validated',
  'reported',
  'cleaned',
  'customers',
  'loaded',
  'derived',
  'done',
] as const;
export type ImportPhase = (typeof PHASES)[number];

/** What a caller says of an import; the rest is worked out from the file. */
export interface StartImportInput {
  readonly uploadId: string;
  readonly fileName?: string | null;
  readonly recordType: RecordType;
  readonly format?: ImportFormat | null;
  readonly mapping?: readonly ColumnMapping[] | null;
  readonly dryRun?: boolean | null;
  readonly acceptQuality?: boolean | null;
  readonly live?: boolean | null;
  readonly source?: string | null;
  readonly dateFormat?: DateFormat | null;
  readonly timeZone?: string | null;
  readonly currency?: string | null;
  readonly encoding?: ImportEncoding | null;
  readonly delimiter?: Delimiter | null;
  readonly idempotencyKey?: string | null;
}

/** Everything a job needs to give the same result whenever and wherever it goes on; settings as they stood at its start. */
export interface ImportOptions {
  readonly format: ImportFormat;
  readonly mapping: readonly ColumnMapping[];
  /** Whether the file may hold columns that no field is mapped to. */
  readonly hasMoreColumns: boolean;
  readonly encoding: ImportEncoding;
  readonly delimiter: Delimiter | null;
  readonly dateFormat: DateFormat;
  readonly timeZone: string;
  readonly currency: string;
  /** The latest time a row may name, and the earliest. */
  readonly notAfter: string;
  readonly notBefore: string;
  readonly minimumQuality: number;
  readonly unknownCustomer: 'create' | 'reject';
  readonly returns: { readonly orderPrefix: string; readonly netting: boolean };
  readonly outliers: { readonly cap: boolean; readonly fence: number; readonly minimumLines: number };
  /** Names of own events → known event. */
  readonly eventNames: Readonly<Record<string, string>>;
}

/** The staged file as later phases find it again. */
export interface CarriedStage {
  readonly table: string;
  readonly rejects: string;
  readonly header: readonly string[];
  readonly rows: number;
  readonly rejected: number;
  readonly findings: readonly { readonly rule: string; readonly column: string | null; readonly count: number }[];
}

/** What completed phases leave for those after them. */
export interface Carried {
  readonly stage?: CarriedStage;
  /** SQL that is true for staged rows that can be read. */
  readonly goodRows?: string;
  /** What was made and changed so far, counted in the transactions that did so. */
  readonly counted?: Counts;
  readonly counts?: Readonly<Record<string, number>>;
}

/** What an import made and changed. */
export type Counts = Partial<
  Record<'customersCreated' | 'ordersCreated' | 'ordersChanged' | 'recordsCreated' | 'recordsChanged', number>
>;

/** What an import changed. */
export interface ImportResult {
  readonly rowsStored: number;
  readonly rowsRefused: number;
  readonly customersCreated: number;
  readonly ordersCreated: number;
  readonly ordersChanged: number;
  readonly recordsCreated: number;
  readonly recordsChanged: number;
  /** Columns of the file that no field is mapped to and nothing keeps. */
  readonly ignoredColumns: readonly string[];
  /** The earlier import of the same file in the same way, after which there was nothing left to do. */
  readonly sameAsImportId: string | null;
}

export interface ImportError {
  readonly code: string;
  readonly message: string;
}

/** One import of one file. */
export interface ImportJob {
  readonly id: string;
  readonly uploadId: string;
  readonly recordType: RecordType;
  readonly source: string;
  readonly fileName: string;
  readonly fileBytes: number;
  readonly fileSha256: string;
  readonly dryRun: boolean;
  readonly acceptQuality: boolean;
  readonly live: boolean;
  readonly options: ImportOptions;
  readonly state: ImportState;
  readonly phase: ImportPhase;
  readonly carried: Carried;
  readonly bytesDone: number;
  readonly rowsTotal: number | null;
  readonly rowsDone: number;
  readonly rowsRefused: number;
  readonly quality: QualityReport | null;
  readonly cleaning: CleaningReport | null;
  readonly result: ImportResult | null;
  readonly error: ImportError | null;
  readonly actor: string;
  readonly correlationId: string;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly updatedAt: Date;
  readonly finishedAt: Date | null;
  readonly cancelRequestedAt: Date | null;
}

/** Whether nothing will ever happen any more. */
export const hasEnded = (state: ImportState): boolean => isAtRest(state) && state !== 'WAITING';

/** Whether nothing more will happen unless somebody asks. */
export const isAtRest = (state: ImportState): boolean => state !== 'QUEUED' && state !== 'RUNNING';
