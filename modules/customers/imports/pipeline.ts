import type { Analytics, DerivedColumn, StageColumn, StagedFile } from '../../../src/core/analytics/index.ts';
import type { Call } from '../../../src/core/call.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Database, Tx } from '../../../src/core/database/index.ts';
import type { Settings } from '../../../src/core/settings/index.ts';
import type { CleaningReport, QualityReport } from './domain/reports.ts';
import type { Carried, Counts, ImportJob, ImportOptions, ImportResult } from './model.ts';

/** What a phase works with. */
export interface ImportRun {
  readonly job: ImportJob;
  readonly options: ImportOptions;
  readonly call: Call;
  readonly database: Database;
  readonly settings: Settings;
  readonly analytics: Analytics;
  /** The business's. */
  readonly clock: Clock;
  readonly systemClock: Clock;
  readonly signal: AbortSignal;
  readonly carried: Carried;
  /** The staged file; only after it was staged. */
  readonly stage: Pick<StagedFile, 'table' | 'rejects'> & NonNullable<Carried['stage']>;
  /** What amounts are reported in. */
  readonly reportingCurrency: string;
  /** Says how many rows of the phase are done; written at most once a second. */
  progress(rowsDone: number): void;
  /** Adds to the counts of the result, together with what is counted. */
  counted(tx: Tx, counts: Counts): Promise<void>;
  /** Counts what a phase finds again when it runs again; kept when the phase completes. */
  count(name: 'recordsRefused', by: number): void;
}

/** What a phase leaves behind. */
export interface Validated {
  readonly quality: QualityReport;
  readonly goodRows: string;
}

/**
 * How one record type goes from staged text to stored rows. Every step may run again after a crash and then gives the same
 * result; none holds a PostgreSQL transaction for longer than one batch.
 */
export interface Pipeline {
  /** Columns of the staging table, and the columns of the file they come from. */
  readonly columns: (options: ImportOptions) => StageColumn[];
  readonly derived: (options: ImportOptions) => DerivedColumn[];
  validate(run: ImportRun): Promise<Validated>;
  /** Null for record types that are not cleaned. */
  clean(run: ImportRun): Promise<CleaningReport | null>;
  /** Makes or finds the customers of the rows. */
  customers(run: ImportRun): Promise<void>;
  load(run: ImportRun): Promise<void>;
  derive(run: ImportRun): Promise<PipelineResult>;
}

/** What a pipeline knows of the result. */
export type PipelineResult = Pick<ImportResult, 'rowsStored'> & {
  /** Customers whose rows were stored, when there are at most 1,000. */
  readonly customerIds: readonly string[] | null;
};

/** Name of the staging column of a field: `unitPrice` → `unit_price`. */
export const stageColumnName = (field: string): string =>
  `f_${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;

/** The file's column for a field; null when none is mapped. */
export const columnOf = (options: ImportOptions, field: string): string | null =>
  options.mapping.find((each) => each.field === field)?.column ?? null;

/** SQL of a field's text: its staging column, or '' when no column is mapped. */
export const textOf = (options: ImportOptions, field: string): string =>
  columnOf(options, field) === null ? "''" : `trimBoth(${stageColumnName(field)})`;

/** Customers per statement and transaction. */
export const BATCH_ROWS = 5_000;

/** At most so many customers are named by the event of a batch. */
export const NAMED_CUSTOMERS = 1_000;
