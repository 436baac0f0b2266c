/**
 * A column wanted from a file.
 */
export interface StageColumn {
  /** Its name in the staging table: `[a-z][a-z0-9_]*`. */
  readonly name: string;
  /** Its name in the file: CSV header or NDJSON key (compared after trimming, case as written). */
  readonly from: string;
  /** A CSV without it is refused; an NDJSON row without it gets a `COLUMN_MISSING` reject. */
  readonly required: boolean;
}

/** A typed column of the staging table made from its text columns. */
export interface DerivedColumn {
  readonly name: string;
  /** A ClickHouse type; `Nullable` where the text may be unreadable. */
  readonly type: string;
  /** SQL over the text columns; it must not throw: `toDecimal128OrNull(price, 4)`. */
  readonly sql: string;
  /** False for what costs less to work out whenever it is read than to keep, e.g. a trimmed text. Default true. */
  readonly kept?: boolean;
}

export type Delimiter = ',' | ';' | '\t' | '|';

export interface StageOptions {
  readonly format: 'csv' | 'ndjson';
  readonly columns: readonly StageColumn[];
  /** Default: whichever of `,` `;` tab `|` splits the header best. */
  readonly delimiter?: Delimiter;
  /** Default `utf-8`. Files that begin as UTF-16 are refused, invalid UTF-8 is a reject of its row. */
  readonly encoding?: 'utf-8' | 'windows-1252';
  /** Values worked out once per row while it is staged, for rules and the final INSERT to read: parsed dates, amounts. */
  readonly derived?: readonly DerivedColumn[];
  /** What to do with columns not asked for: keep them as a JSON object in column `extra` (default), or leave them out. */
  readonly extra?: 'keep' | 'ignore';
  /** A longer record is rejected and not held in memory. Default 1 MiB. */
  readonly maxRecordBytes?: number;
  /** Called after each chunk written, some MiB apart. */
  readonly onProgress?: (progress: StageProgress) => void;
  readonly signal?: AbortSignal;
}

export interface StageProgress {
  /** Bytes of the file read so far (as stored, so compressed ones of a .gz). */
  readonly bytes: number;
  /** Good rows staged so far. */
  readonly rows: number;
  readonly rejected: number;
}

/** Why the shape of a record keeps it out of the staging table. Rules on values are the caller's SQL (`checkRows`). */
export type ShapeRule =
  | 'TOO_FEW_COLUMNS'
  | 'TOO_MANY_COLUMNS'
  | 'UNCLOSED_QUOTE'
  | 'TEXT_AFTER_QUOTE'
  | 'INVALID_ENCODING'
  | 'NUL_BYTE'
  | 'RECORD_TOO_LONG'
  | 'INVALID_JSON'
  | 'NOT_AN_OBJECT'
  | 'COLUMN_MISSING';

export interface FindingCount {
  readonly rule: string;
  /** The file's column name; null when the whole record is meant. */
  readonly column: string | null;
  readonly count: number;
}

/**
 * A file standing in ClickHouse as text, ready for rules in SQL.
 *
 * `table`: `line UInt64` (physical line on which the record begins; the header is line 1), `row UInt64` (record number,
 * first record after the header is 1, rejected ones counted), one `String` per wanted column ('' when absent or null),
 * `extra String` (JSON object, '{}' when none).
 * `rejects`: `line UInt64, row UInt64, column String ('' for the whole record), rule LowCardinality(String), value String`
 * (cut at 200 characters), message String` ('' where the rule says it all). Broken records are only here. Blank lines are skipped and counted nowhere.
 */
export interface StagedFile {
  readonly table: string;
  readonly rejects: string;
  /** The header of the CSV as found; for NDJSON the keys asked for. */
  readonly header: readonly string[];
  /** Wanted, not required columns the CSV does not have. */
  readonly absent: readonly string[];
  /** Records in `table`. */
  readonly rows: number;
  /** Records kept out of `table` for their shape. */
  readonly rejected: number;
  readonly findings: readonly FindingCount[];
  /** Length of the file as stored. */
  readonly bytes: number;
  /** Removes both tables. */
  drop(): Promise<void>;
}

/** A rule on the values of staged rows, said in SQL over the staging table's columns. */
export interface RowRule {
  /** Stable name: `DATE_UNREADABLE`. */
  readonly rule: string;
  /** The file's column name, for the rejects file. */
  readonly column: string;
  /** SQL that is true for a row that breaks the rule. */
  readonly broken: string;
  /** SQL of the offending value, usually the staging column. */
  readonly value: string;
  /** Rows that break an `error` are left out; a `warning` is reported only. */
  readonly severity: 'error' | 'warning';
}

export interface RowCheck {
  /** Broken rules by count, zero counts included. */
  readonly findings: readonly (FindingCount & {
    readonly severity: 'error' | 'warning';
    readonly examples: readonly RejectExample[];
  })[];
  /** Rows that break no error rule. */
  readonly good: number;
  /** Rows that break at least one error rule; all of them stand in the rejects table. */
  readonly rejected: number;
  /** SQL, true for the good rows of the staging table. */
  readonly goodRows: string;
}

export interface RejectExample {
  readonly line: number;
  readonly value: string;
}
