import { createReadStream } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ImportService, StartImportInput } from '../../../modules/customers/imports/contract.ts';
import { isAtRest } from '../../../modules/customers/imports/contract.ts';
import type { Call } from '../../core/call.ts';
import { type ImportView, viewOf } from './view.ts';

/** How often progress is looked at. */
const LOOK_EVERY_MS = 150;

/** Imports a file by the service in this process, whose worker must be running. */
export async function importLocally(
  service: ImportService,
  call: Call,
  file: string,
  input: Omit<StartImportInput, 'uploadId'>,
  onProgress: (view: ImportView) => void,
): Promise<ImportView> {
  const fileName = path.basename(file);
  const { uploadId } = await service.uploads.receive(call, createReadStream(file), {
    fileName,
    maxBytes: Number.MAX_SAFE_INTEGER,
  });
  const { id } = (await service.start(call, { ...input, uploadId })).job;
  for (;;) {
    const job = await service.get(id);
    onProgress(viewOf(job));
    if (isAtRest(job.state)) return viewOf(job);
    await delay(LOOK_EVERY_MS);
  }
}
