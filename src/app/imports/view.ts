import type { ImportJob } from '../../../modules/customers/imports/contract.ts';

/** What the command line shows of an import: the same fields whether it was asked for over HTTP or in the process. */
export type ImportView = Pick<
  ImportJob,
  | 'recordType'
  | 'state'
  | 'fileName'
  | 'dryRun'
  | 'bytesDone'
  | 'rowsTotal'
  | 'rowsDone'
  | 'rowsRefused'
  | 'quality'
  | 'cleaning'
  | 'error'
> & {
  readonly id: string;
  /** Lower case, as the job has it. */
  readonly phase: string;
  readonly bytesTotal: number;
  readonly result: Omit<NonNullable<ImportJob['result']>, 'sameAsImportId'> | null;
  /** Whether the same file was imported in the same way before. */
  readonly isRepeat: boolean;
};

export function viewOf(job: ImportJob): ImportView {
  return { ...job, bytesTotal: job.fileBytes, isRepeat: typeof job.result?.sameAsImportId === 'string' };
}

/** The phases that take time, with their share of it as measured on Online Retail. */
const PHASES: readonly { readonly after: string; readonly label: string; readonly share: number }[] = [
  { after: 'queued', label: 'reading the file', share: 0.5 },
  { after: 'staged', label: 'checking every row', share: 0.17 },
  { after: 'validated', label: 'cleaning', share: 0.06 },
  { after: 'reported', label: 'cleaning', share: 0 },
  { after: 'cleaned', label: 'finding customers', share: 0.07 },
  { after: 'customers', label: 'storing rows', share: 0.1 },
  { after: 'loaded', label: 'deriving orders and events', share: 0.1 },
  { after: 'derived', label: 'tidying up', share: 0 },
  { after: 'done', label: 'done', share: 0 },
];

/** How far an import is, 0 to 1, and what it does now. */
export function progressOf(view: ImportView): { readonly share: number; readonly label: string } {
  const at = PHASES.findIndex(({ after }) => after === view.phase);
  const before = PHASES.slice(0, Math.max(at, 0)).reduce((sum, { share }) => sum + share, 0);
  const current = PHASES[at] ?? { label: view.phase, share: 0 };
  const done =
    view.phase === 'queued' ? ratio(view.bytesDone, view.bytesTotal) : ratio(view.rowsDone, view.rowsTotal ?? 0);
  return { share: view.state === 'DONE' ? 1 : Math.min(before + current.share * done, 1), label: current.label };
}

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : Math.min(part / whole, 1));
