import { openAsBlob } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { StartImportInput } from '../../../modules/customers/imports/contract.ts';
import { isAtRest } from '../../../modules/customers/imports/contract.ts';
import { callRunningServer, post, RequestFailed, refusalOf } from '../commands/client.ts';
import type { RunFile } from '../embedded/data-folder.ts';
import type { ImportView } from './view.ts';

const LOOK_EVERY_MS = 500;

const JOB = `
  fragment Job on ImportJob {
    id recordType state phase fileName dryRun bytesTotal bytesDone rowsTotal rowsDone rowsRefused
    quality { rows rowsWithErrors score categories { category count severity findings {
      rule severity column unit message count examples { line value } } } }
    cleaning { stages { stage name rowsIn rowsOut note } customers orders revenue { currency before after }
      returns { rows matched partly unmatched netted amounts { currency amount matched }
        examples { line orderId product quantity undoesLine undoesOrderId } }
      capping { rule rows quantities prices examples { line product column from to } } }
    result { rowsStored rowsRefused customersCreated ordersCreated ordersChanged recordsCreated recordsChanged
      ignoredColumns sameAs }
    error { code message }
  }`;

type RemoteJob = Omit<ImportView, 'isRepeat' | 'result'> & {
  readonly result: (NonNullable<ImportView['result']> & { readonly sameAs: string | null }) | null;
};

const viewOf = (job: RemoteJob): ImportView => ({
  ...job,
  phase: job.phase.toLowerCase(),
  isRepeat: typeof job.result?.sameAs === 'string',
});

/** Imports a file through a server that runs on this machine. */
export async function importRemotely(
  run: RunFile,
  file: string,
  input: Omit<StartImportInput, 'uploadId'>,
  onProgress: (view: ImportView) => void,
): Promise<ImportView> {
  const uploadId = await upload(run, file);
  const { startImport } = await callRunningServer<{
    startImport: { job?: RemoteJob; code?: string; message?: string };
  }>(
    `${JOB}
     mutation ($input: StartImportInput!) {
       startImport(input: $input) { ... on StartImportSuccess { job { ...Job } } ... on DomainError { code message } }
     }`,
    { input: { ...input, fileName: path.basename(file), uploadId } },
    run,
  );
  if (startImport.job === undefined) {
    throw new RequestFailed(startImport.message ?? 'The import was refused.', { code: startImport.code });
  }
  for (let job = startImport.job; ; ) {
    onProgress(viewOf(job));
    if (isAtRest(job.state)) return viewOf(job);
    await delay(LOOK_EVERY_MS);
    const { importJob } = await callRunningServer<{ importJob: RemoteJob }>(
      `${JOB} query ($id: ID!) { importJob(id: $id) { ...Job } }`,
      { id: job.id },
      run,
    );
    job = importJob;
  }
}

async function upload(run: RunFile, file: string): Promise<string> {
  const answer = await post<{ uploadId?: string }>(run, '/uploads', await openAsBlob(file));
  if (answer.body.uploadId === undefined) throw refusalOf(answer);
  return answer.body.uploadId;
}
