import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { BackupFolderNotEmpty, BackupUnusable } from './errors.ts';

const file = z.strictObject({
  /** Of the rows within the file; a table may have been written to since. */
  rows: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  /** Of the uncompressed bytes. */
  sha256: z.string(),
});

const table = z.strictObject({
  name: z.string(),
  columns: z.array(z.string()).min(1),
  /** Relative to the backup's folder. */
  path: z.string(),
  file,
});

const manifestSchema = z.strictObject({
  format: z.literal(1),
  takenAt: z.iso.datetime(),
  records: z.strictObject({
    /** Names of the migrations the tables stand at. */
    migrations: z.array(z.string()),
    /** Of the outbox; the restored business goes on in the next one. */
    epoch: z.int().positive(),
    /** In an order in which foreign keys hold. `schema` is `public` or the job queue's. */
    tables: z.array(table.extend({ schema: z.string() })),
    sequences: z.array(
      z.strictObject({ schema: z.string(), name: z.string(), value: z.string(), isCalled: z.boolean() }),
    ),
  }),
  history: z.strictObject({ tables: z.array(table) }),
  /** Files of imports that were under way; `file` is null for one whose bytes lay on another machine. */
  uploads: z.array(z.strictObject({ id: z.uuid(), path: z.string(), file: file.nullable() })).default([]),
});

/** What a backup holds; written last, so that a backup cut short has none. */
export type Manifest = z.infer<typeof manifestSchema>;
export type FileSummary = z.infer<typeof file>;

const NAME = 'manifest.json';

/** Makes the folder of a new backup, closed to others: it holds personal data and the hashes of keys. */
export function makeBackupFolder(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new BackupFolderNotEmpty(folder);
  for (const part of ['records', 'history', 'uploads'])
    mkdirSync(path.join(folder, part), { recursive: true, mode: 0o700 });
}

export function writeManifest(folder: string, manifest: Manifest): void {
  const draft = path.join(folder, `${NAME}.draft`);
  writeFileSync(draft, `${JSON.stringify(manifestSchema.parse(manifest), null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(draft, path.join(folder, NAME));
}

/** @throws BackupUnusable */
export function readManifest(folder: string): Manifest {
  const name = path.join(folder, NAME);
  if (!existsSync(name)) {
    throw new BackupUnusable(folder, `it has no ${NAME}, so it is no backup, or one that was cut short.`);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(name, 'utf8'));
  } catch (error) {
    throw new BackupUnusable(folder, `its ${NAME} is damaged.`, error);
  }
  const result = manifestSchema.safeParse(parsed);
  if (result.success) return result.data;
  throw new BackupUnusable(folder, `its ${NAME} is damaged, or was written by another version.`, result.error);
}
