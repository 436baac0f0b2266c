import type { Readable } from 'node:stream';

/** Settings of ClickHouse by name, sent along with one statement. */
export type EngineSettings = Readonly<Record<string, string | number | boolean>>;

/**
 * Values bound to `{name:Type}` placeholders by the engine, never pasted into SQL. A `Date` fits `DateTime64`; write
 * exact decimals and integers beyond 2^53 as text.
 */
export type QueryParams = Readonly<Record<string, unknown>>;

export interface QueryOptions {
  readonly settings?: EngineSettings;
  /** Rejects at once; the engine itself may run the statement to its end. */
  readonly signal?: AbortSignal;
}

export interface InsertOptions extends QueryOptions {
  /** The columns given, in this order where bytes have one; the rest take their defaults. Worth saying for many rows. */
  readonly columns?: readonly string[];
  /** A block with a token the table has seen lately is not written again: makes a retry of the same block harmless. */
  readonly dedupToken?: string;
}

/** Text formats in which bytes may be loaded as they are. */
export type LoadFormat = 'CSV' | 'CSVWithNames' | 'JSONEachRow' | 'JSONCompactEachRow' | 'TSV' | 'TSVWithNames';

/** Formats for taking results out as bytes. */
export type ExportFormat = LoadFormat | 'Parquet' | 'ArrowStream';

/** Chunks of bytes, cut anywhere. */
export type ByteSource = Readable | AsyncIterable<Uint8Array>;

/**
 * ClickHouse, wherever it runs: in this process, behind `holdfast analytics`, on a server or a cluster.
 *
 * Rows are read as JSON: integers are numbers, `Decimal` is text (exact), `DateTime64` is ISO text with a `Z`, UUID is
 * text, `Nullable` may be null.
 */
export interface Analytics {
  /** All unqualified table names mean this database. */
  readonly database: string;
  /** What is behind this handle, for logs and for people. */
  readonly description: string;
  /** Reads a bounded result at once; an error is thrown before any row is given. */
  query<Row extends object>(sql: string, params?: QueryParams, options?: QueryOptions): Promise<Row[]>;
  /** Reads a result of any size in batches; the engine waits while the reader does. */
  queryStream<Row extends object>(sql: string, params?: QueryParams, options?: QueryOptions): AsyncIterable<Row[]>;
  /** A result as a file of the given format. */
  export(sql: string, format: ExportFormat, params?: QueryParams, options?: QueryOptions): Promise<Readable>;
  /** Writes rows; they survive a crash of everything once this has resolved. An empty list does nothing. */
  insert(table: string, rows: readonly object[], options?: InsertOptions): Promise<void>;
  /** Loads bytes of a text format with the engine's own parser; durable when resolved. Atomic only up to a few MiB. */
  load(table: string, format: LoadFormat, bytes: Uint8Array | ByteSource, options?: InsertOptions): Promise<void>;
  /** A statement without a result: DDL, INSERT ... SELECT, ALTER. */
  command(sql: string, params?: QueryParams, options?: QueryOptions): Promise<void>;
  /** Rejects with `AnalyticsUnavailable` when the engine does not answer. */
  ping(): Promise<void>;
  /** Table definitions for the deployment's engine; see `migrate.ts`. */
  readonly layout: TableLayout;
  /** Resolves when the engine is let go: another process may open the folder. */
  close(): Promise<void>;
}

/** How tables are made: on one node or on every node of a cluster. */
export interface TableLayout {
  /** Name of the cluster for `ON CLUSTER`. */
  readonly cluster?: string;
  /** Replicated engines, with ClickHouse's `{shard}` and `{replica}` macros in their paths. */
  readonly replicated: boolean;
}
