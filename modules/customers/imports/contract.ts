/** What the command line may know of imports. */
export { type ColumnMapping, RECORD_TYPES, type RecordType } from './domain/fields.ts';
export type { CategoryReport, CleaningReport, QualityReport } from './domain/reports.ts';
export { ImportNotFound } from './errors.ts';
export {
  DATE_FORMATS,
  type DateFormat,
  ENCODINGS,
  type ImportEncoding,
  type ImportJob,
  isAtRest,
  type StartImportInput,
} from './model.ts';
export type { ImportService } from './service.ts';
export { uploadsInUse } from './store.ts';
export { uploadsFolder } from './uploads.ts';
