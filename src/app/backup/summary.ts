import type { Manifest } from './manifest.ts';

/** What was backed up or restored, for a person to read. */
export interface BackupSummary {
  readonly folder: string;
  readonly takenAt: string;
  readonly recordRows: number;
  readonly historyRows: number;
}

export function summarise(folder: string, { takenAt, records, history }: Manifest): BackupSummary {
  const rowsOf = (tables: readonly { file: { rows: number } }[]) =>
    tables.reduce((total, { file }) => total + file.rows, 0);
  return { folder, takenAt, recordRows: rowsOf(records.tables), historyRows: rowsOf(history.tables) };
}
