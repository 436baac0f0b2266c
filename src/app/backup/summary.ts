import type { Manifest } from './manifest.ts';

/** What was backed up or restored, for a person to read. */
export interface BackupSummary {
  readonly folder: string;
  readonly takenAt: string;
  readonly recordRows: number;
  readonly historyRows: number;
  /** Files of imports under way. */
  readonly uploads: number;
  /** Those of which another machine has the bytes. */
  readonly uploadsElsewhere: number;
}

export function summarise(folder: string, { takenAt, records, history, uploads }: Manifest): BackupSummary {
  const rowsOf = (tables: readonly { file: { rows: number } }[]) =>
    tables.reduce((total, { file }) => total + file.rows, 0);
  const uploadsElsewhere = uploads.filter(({ file }) => file === null).length;
  return {
    folder,
    takenAt,
    recordRows: rowsOf(records.tables),
    historyRows: rowsOf(history.tables),
    uploads: uploads.length - uploadsElsewhere,
    uploadsElsewhere,
  };
}
