import { setTimeout as delay } from 'node:timers/promises';
import { type ImportJob, isAtRest, type StartImportInput } from '../../../modules/customers/imports/contract.ts';
import type { Call } from '../../core/call.ts';
import type { Application } from '../application.ts';
import { importLocally } from '../imports/local.ts';
import { createMeter } from '../imports/meter.ts';
import { type ImportView, viewOf } from '../imports/view.ts';
import { DemoImportFailed } from './errors.ts';

const LOOK_EVERY_MS = 200;
const PAGE = 100;

/** Imports that stored something, or may yet; newest first. */
export async function realImports({ composition }: Application): Promise<ImportJob[]> {
  const { imports } = composition.services.customers;
  const all: ImportJob[] = [];
  let before: { readonly at: string; readonly id: string } | null = null;
  for (;;) {
    const page: ImportJob[] = await imports.list({ limit: PAGE, before });
    all.push(...page.filter((job) => !job.dryRun));
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return all;
    before = { at: last.createdAt.toISOString(), id: last.id };
  }
}

/** The import by which an earlier start brought these data in, or is about to. */
export const importedBefore = (
  jobs: readonly ImportJob[],
  source: string,
  recordType: ImportJob['recordType'],
): ImportJob | undefined =>
  jobs.find(
    (job) =>
      job.source === source && job.recordType === recordType && job.state !== 'FAILED' && job.state !== 'CANCELLED',
  );

/**
 * Imports a file, or follows the import of it that a killed start left behind, and shows how it comes along.
 * @throws DemoImportFailed
 */
export async function importOrFollow(
  application: Application,
  call: Call,
  file: string,
  input: Omit<StartImportInput, 'uploadId'>,
  before: ImportJob | undefined,
): Promise<ImportView> {
  const { imports } = application.composition.services.customers;
  const meter = createMeter();
  try {
    const view =
      before === undefined
        ? await importLocally(imports, call, file, input, meter.show)
        : await follow(application, before.id, meter.show);
    if (view.state === 'DONE') return view;
    throw new DemoImportFailed(view.error?.message ?? `The import is ${view.state.toLowerCase()}.`);
  } finally {
    meter.stop();
  }
}

async function follow(
  { composition }: Application,
  id: string,
  onProgress: (view: ImportView) => void,
): Promise<ImportView> {
  for (;;) {
    const job = await composition.services.customers.imports.get(id);
    onProgress(viewOf(job));
    if (isAtRest(job.state)) return viewOf(job);
    await delay(LOOK_EVERY_MS);
  }
}
