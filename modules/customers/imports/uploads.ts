import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { actorName, type Call } from '../../../src/core/call.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Database, Queryable } from '../../../src/core/database/index.ts';
import { InvalidInput } from '../../../src/core/errors.ts';
import { newId } from '../../../src/core/ids.ts';
import { UploadNotFound } from './errors.ts';

/** A file that was received. */
export interface Upload {
  readonly uploadId: string;
  readonly fileName: string;
  readonly bytes: number;
  /** Of the file as sent, in hex. */
  readonly sha256: string;
}

export interface Uploads {
  /**
   * Takes the bytes of a file; when this resolves they are on disk for good.
   * @throws InvalidInput when there are more than `maxBytes`; nothing is kept then
   */
  receive(call: Call, file: Readable, options: { fileName: string; maxBytes: number }): Promise<Upload>;
  /** @throws UploadNotFound */
  find(uploadId: string): Promise<Upload>;
  pathOf(uploadId: string): string;
  /** Removes the bytes of files received before, except those of unfinished imports. @returns how many */
  removeOlderThan(before: Date): Promise<number>;
}

/** Where uploads lie, each under its id. */
export const uploadsFolder = (dataFolder: string): string => path.join(dataFolder, 'uploads');

/** Received files lie in `folder`, each under its id; who sent what and when stands in the database. */
export function createUploads(options: {
  readonly folder: string;
  readonly database: Database;
  /** The machine's. */
  readonly clock: Clock;
}): Uploads {
  const { folder, database, clock } = options;
  const pathOf = (uploadId: string): string => path.join(folder, uploadId);

  const record = async ({ uploadId, fileName, bytes, sha256 }: Upload, actor: string): Promise<void> => {
    await database.query(
      `insert into import_upload (id, file_name, bytes, sha256, actor, created_at) values ($1, $2, $3, $4, $5, $6)
       on conflict (id) do nothing`,
      [uploadId, fileName, bytes, sha256, actor, clock.now()],
    );
  };

  return {
    pathOf,
    async receive(call, file, { fileName, maxBytes }) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const uploadId = newId();
      const draft = path.join(folder, `.part-${uploadId}`);
      const hash = createHash('sha256');
      let bytes = 0;
      try {
        await pipeline(
          file,
          async function* (chunks: AsyncIterable<Buffer>) {
            for await (const chunk of chunks) {
              bytes += chunk.length;
              if (bytes > maxBytes) throw tooLarge(maxBytes);
              hash.update(chunk);
              yield chunk;
            }
          },
          createWriteStream(draft, { mode: 0o600 }),
        );
        await toDisk(draft);
        await rename(draft, pathOf(uploadId));
        await toDisk(folder);
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
      const sha256 = hash.digest('hex');
      const upload = { uploadId, fileName, bytes, sha256 };
      await record(upload, actorName(call.actor));
      return upload;
    },
    async find(uploadId) {
      if (!UPLOAD_ID.test(uploadId)) throw new UploadNotFound(uploadId);
      const there = await stat(pathOf(uploadId)).catch(() => null);
      if (there === null) throw new UploadNotFound(uploadId);
      const known = await recorded(database, uploadId);
      if (known !== null) return known;
      // The HTTP server keeps files without asking the database; at their first use they are written down.
      const hash = createHash('sha256');
      await pipeline(createReadStream(pathOf(uploadId)), hash);
      await record({ uploadId, fileName: `${uploadId}`, bytes: there.size, sha256: hash.digest('hex') }, 'server');
      return (await recorded(database, uploadId)) as Upload;
    },
    async removeOlderThan(before) {
      const removed = await database.query<{ id: string }>(
        `update import_upload u set removed_at = $2
         where removed_at is null and created_at < $1
           and not exists (select from import_job j where j.upload_id = u.id and j.state in ('QUEUED', 'RUNNING', 'WAITING'))
         returning id`,
        [before, clock.now()],
      );
      for (const { id } of removed) await rm(pathOf(id), { force: true });
      return removed.length;
    },
  };
}

const UPLOAD_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function recorded(database: Queryable, uploadId: string): Promise<Upload | null> {
  const [upload] = await database.query<Upload>(
    'select id as "uploadId", file_name as "fileName", bytes, sha256 from import_upload where id = $1 and removed_at is null',
    [uploadId],
  );
  return upload ?? null;
}

async function toDisk(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const tooLarge = (maxBytes: number): InvalidInput =>
  new InvalidInput(
    `The file has more than ${maxBytes} bytes (HOLDFAST_MAX_UPLOAD_BYTES). Split it, or send it gzipped.`,
    { path: ['file'], details: { maxBytes } },
  );
