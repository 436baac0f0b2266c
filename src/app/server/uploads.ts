import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { uploadsFolder } from '../../../modules/customers/imports/contract.ts';
import { allows, ScopeMissing } from '../../core/access/index.ts';
import { Overloaded } from '../../core/errors.ts';
import { newId } from '../../core/ids.ts';
import { RequestRefused, retryAfterOf, statusOf } from './errors.ts';
import type { Gate } from './gate.ts';
import { checkLength, type Exchange, leaveUnread, type Route, sendJson, tooLarge } from './http.ts';

/** Beginning of names of files that are still on their way. */
const unfinished = '.part-';
/** Disks like few streams at once. */
const maxUploads = 8;
/** A sender that says nothing this long is gone. */
const idleTimeoutMs = 60_000;

/** `POST /uploads`: takes a file for an import and answers `{ uploadId, sha256, bytes }`. */
export async function uploadRoute(options: {
  readonly gate: Gate;
  readonly dataFolder: string;
  readonly maxBytes: number;
}): Promise<Route> {
  const { gate, maxBytes } = options;
  const folder = uploadsFolder(options.dataFolder);
  await mkdir(folder, { recursive: true });
  // What a process that died was still receiving will never be finished.
  for (const name of await readdir(folder))
    if (name.startsWith(unfinished)) await rm(path.join(folder, name), { force: true });
  let running = 0;

  const receive = async ({ req }: Exchange): Promise<{ uploadId: string; sha256: string; bytes: number }> => {
    const uploadId = newId();
    const part = path.join(folder, `${unfinished}${uploadId}`);
    const hash = createHash('sha256');
    let bytes = 0;
    req.setTimeout(idleTimeoutMs, () => req.destroy(new Error('the sender fell silent')));
    try {
      const file = await open(part, 'wx');
      try {
        // Without destroying the request at an error, or there would be no line left to say what is wrong.
        for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
          bytes += chunk.length;
          if (bytes > maxBytes) throw tooLarge(maxBytes);
          hash.update(chunk);
          await file.writeFile(chunk);
        }
        if (bytes === 0)
          throw new RequestRefused(400, 'REQUEST_EMPTY', 'The file is empty. Send its content as the body.');
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(part, path.join(folder, uploadId));
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
    return { uploadId, sha256: hash.digest('hex'), bytes };
  };

  return {
    method: 'POST',
    path: '/uploads',
    async handle(exchange) {
      const { req, res, correlationId } = exchange;
      try {
        const principal = await gate.authenticate(req.headers.authorization);
        if (!allows(principal, 'imports:write')) throw new ScopeMissing(['imports:write']);
        checkLength(req, maxBytes);
        if (running >= maxUploads) throw new Overloaded('Receiving files', 5_000);
        running += 1;
        const received = await receive(exchange).finally(() => {
          running -= 1;
        });
        sendJson(exchange, 201, received);
      } catch (error) {
        // Without an answer to write to, the sender is gone; nothing of the file is left.
        if (res.destroyed || req.socket.destroyed) return;
        const full = (error as { code?: unknown }).code === 'ENOSPC';
        const shown = full
          ? new RequestRefused(507, 'REQUEST_STORAGE_FULL', 'The disk is full. Nothing was kept.')
          : error;
        const retryAfter = retryAfterOf(shown);
        leaveUnread(exchange);
        if (retryAfter !== null) res.setHeader('retry-after', String(retryAfter));
        sendJson(exchange, statusOf(shown), { errors: gate.refuse(shown, correlationId, null).errors });
      }
    },
  };
}
