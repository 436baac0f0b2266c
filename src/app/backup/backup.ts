import path from 'node:path';
import type { Analytics } from '../../core/analytics/index.ts';
import type { Database } from '../../core/database/index.ts';
import { dumpHistory } from './history.ts';
import { type Manifest, makeBackupFolder, writeManifest } from './manifest.ts';
import { dumpRecords } from './records.ts';
import { type BackupSummary, summarise } from './summary.ts';

/**
 * Writes both engines to a folder while they serve. Records are taken first, as of one instant, then the history,
 * which may be ahead: what is ahead is folded by event identity when it comes again.
 * @throws BackupFolderNotEmpty
 */
export async function backup(options: {
  readonly database: Pick<Database, 'pool'>;
  readonly analytics: Analytics;
  readonly folder: string;
}): Promise<BackupSummary> {
  const folder = path.resolve(options.folder);
  makeBackupFolder(folder);
  const takenAt = new Date().toISOString();
  const client = await options.database.pool.connect();
  let broken = true;
  try {
    const records = await dumpRecords(client, folder);
    broken = false;
    const history = await dumpHistory(options.analytics, folder);
    const manifest: Manifest = { format: 1, takenAt, records, history };
    writeManifest(folder, manifest);
    return summarise(folder, manifest);
  } finally {
    client.release(broken);
  }
}
