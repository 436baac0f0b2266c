/**
 * The history engine: ClickHouse in the process or by URL, its tables, loading of files, and the flush of accepted events.
 *
 * Tables (see migrations/0001_history.sql for the reasoning):
 * - `events`: read with FINAL. `customer_id` is the id the event named when it came; join `customer_alias` (or pass all
 *   ids of a merged customer) to read for the customer who lives on. `value` comes as exact text.
 * - `order_lines`: read with FINAL; revenue is `sumIf(amount, taken_out = 'kept')`, `capped_amount` after stage 5.
 * - `customer_alias`: customer_id → survivor_id.
 * Inserts of the same rows under one `dedupToken` are written once; rows of the same key are folded in any case.
 */
export {
  acceptanceWrites,
  acceptEvents,
  blankEvents,
  forgetEvents,
  forgetEventsBefore,
  type InboxRow,
  rememberEvents,
  storeEvents,
} from './acceptance.ts';
export { AnalyticsUnavailable, type FileRefusal, FileRefused } from './errors.ts';
export { migrateAnalytics, type WithLock } from './migrate.ts';
export { type AnalyticsOptions, type EmbeddedTarget, openAnalytics, type ServerTarget } from './open.ts';
export { checkRows } from './staging/check.ts';
export { dropAbandonedStages, stageFile } from './staging/stage.ts';
export type {
  Delimiter,
  DerivedColumn,
  FindingCount,
  RejectExample,
  RowCheck,
  RowRule,
  ShapeRule,
  StageColumn,
  StagedFile,
  StageOptions,
  StageProgress,
} from './staging/types.ts';
export type {
  Analytics,
  ByteSource,
  EngineSettings,
  ExportFormat,
  InsertOptions,
  LoadFormat,
  QueryOptions,
  QueryParams,
} from './types.ts';
