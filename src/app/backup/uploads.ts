import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { uploadsFolder } from '../../../modules/customers/imports/contract.ts';
import { BackupUnusable } from './errors.ts';
import { readCompressed, writeCompressed } from './files.ts';
import type { Manifest } from './manifest.ts';

type Uploads = Manifest['uploads'];

/** Writes the files that imports under way still need. One that lies on another machine is named and left out. */
export async function dumpUploads(ids: readonly string[], dataFolder: string, folder: string): Promise<Uploads> {
  const uploads: Uploads = [];
  for (const id of ids) {
    const source = path.join(uploadsFolder(dataFolder), id);
    const file = `uploads/${id}.gz`;
    const isHere = existsSync(source);
    uploads.push({
      id,
      path: file,
      file: isHere ? await writeCompressed(createReadStream(source), path.join(folder, file)) : null,
    });
  }
  return uploads;
}

/**
 * Brings the files back; one that is there already, from a restore that was cut short, is written anew.
 * @throws BackupUnusable when one is damaged
 */
export async function loadUploads(uploads: Uploads, dataFolder: string, folder: string): Promise<void> {
  const target = uploadsFolder(dataFolder);
  for (const upload of uploads) {
    if (upload.file === null) continue;
    await mkdir(target, { recursive: true, mode: 0o700 });
    const draft = path.join(target, `.part-${upload.id}`);
    try {
      const written = createWriteStream(draft, { mode: 0o600, flush: true });
      const read = await readCompressed(path.join(folder, upload.path), written).catch((error: Error) => {
        throw new BackupUnusable(folder, `${upload.path} cannot be read: ${error.message}`, error);
      });
      if (read.sha256 !== upload.file.sha256) throw new BackupUnusable(folder, `${upload.path} is damaged.`);
      await rename(draft, path.join(target, upload.id));
    } finally {
      await rm(draft, { force: true });
    }
  }
}
