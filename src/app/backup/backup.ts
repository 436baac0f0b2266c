import path from 'node:path';
import { uploadsInUse } from '../../../modules/customers/imports/contract.ts';
import type { Analytics } from '../../core/analytics/index.ts';
import type { Database } from '../../core/database/index.ts';
import { dumpHistory } from './history.ts';
import { type Manifest, makeBackupFolder, writeManifest } from './manifest.ts';
import { atOneInstant, dumpRecords } from './records.ts';
import { type BackupSummary, summarise } from './summary.ts';
import { dumpUploads } from './uploads.ts';

/**
 * Writes both engines to a folder while they serve, and the files of imports under way. Records are taken first, as of
 * one instant, then the history, which may be ahead: what is ahead is folded by event identity when it comes again.
 * @throws BackupFolderNotEmpty
 */
export async function backup(options: {
  readonly database: Pick<Database, 'pool'>;
  readonly analytics: Analytics;
  /** Where uploads lie. */
  readonly dataFolder: string;
  readonly folder: string;
}): Promise<BackupSummary> {
  const folder = path.resolve(options.folder);
  makeBackupFolder(folder);
  const takenAt = new Date().toISOString();
  const client = await options.database.pool.connect();
  let broken = true;
  try {
    const [records, uploadIds] = await atOneInstant(client, async (db) => [
      await dumpRecords(client, folder),
      await uploadsInUse(db),
    ]);
    broken = false;
    const uploads = await dumpUploads(uploadIds, options.dataFolder, folder);
    const history = await dumpHistory(options.analytics, folder);
    const manifest: Manifest = { format: 1, takenAt, records, history, uploads };
    writeManifest(folder, manifest);
    return summarise(folder, manifest);
  } finally {
    client.release(broken);
  }
}
