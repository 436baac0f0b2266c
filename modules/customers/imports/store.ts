import type { Queryable, Tx } from '../../../src/core/database/index.ts';
import type { CleaningReport, QualityReport } from './domain/reports.ts';
import type { Carried, Counts, ImportError, ImportJob, ImportPhase, ImportResult, ImportState } from './model.ts';

const COLUMNS = `id, upload_id as "uploadId", record_type as "recordType", source, file_name as "fileName",
  file_bytes as "fileBytes", file_sha256 as "fileSha256", dry_run as "dryRun", accept_quality as "acceptQuality", live,
  options, state, phase, carried, bytes_done as "bytesDone", rows_total as "rowsTotal", rows_done as "rowsDone",
  rows_refused as "rowsRefused", quality, cleaning, result, error, actor, correlation_id as "correlationId",
  created_at as "createdAt", started_at as "startedAt", updated_at as "updatedAt", finished_at as "finishedAt",
  cancel_requested_at as "cancelRequestedAt"`;

/** The job; null when there is none. */
export async function findJob(db: Queryable, id: string): Promise<ImportJob | null> {
  const [job] = await db.query<ImportJob>(`select ${COLUMNS} from import_job where id = $1`, [id]);
  return job ?? null;
}

/** The job, held until the transaction ends. */
export async function lockJob(tx: Tx, id: string): Promise<ImportJob | null> {
  const [job] = await tx.query<ImportJob>(`select ${COLUMNS} from import_job where id = $1 for update`, [id]);
  return job ?? null;
}

/** Newest first. Index scan backwards, n = page size. */
export function listJobs(
  db: Queryable,
  page: { readonly limit: number; readonly before: { readonly at: string; readonly id: string } | null },
): Promise<ImportJob[]> {
  return db.query<ImportJob>(
    `select ${COLUMNS} from import_job
     where $2::timestamptz is null or (created_at, id) < ($2::timestamptz, $3::uuid)
     order by created_at desc, id desc limit $1`,
    [page.limit, page.before?.at ?? null, page.before?.id ?? null],
  );
}

export async function countJobs(db: Queryable): Promise<number> {
  const [row] = await db.query<{ count: number }>('select count(*) as count from import_job');
  return row?.count ?? 0;
}

/** An import that brought the same file in the same way to its end; null when there is none. */
export async function findSameImport(db: Queryable, job: ImportJob): Promise<ImportJob | null> {
  const [same] = await db.query<ImportJob>(
    `select ${COLUMNS} from import_job
     where file_sha256 = $1 and id <> $2 and record_type = $3 and source = $4 and state = 'DONE' and not dry_run
       and options - '{notAfter,minimumQuality}'::text[] = $5::jsonb - '{notAfter,minimumQuality}'::text[]
     order by created_at desc limit 1`,
    [job.fileSha256, job.id, job.recordType, job.source, JSON.stringify(job.options)],
  );
  return same ?? null;
}

export async function insertJob(tx: Tx, job: ImportJob): Promise<void> {
  await tx.query(
    `insert into import_job (id, upload_id, record_type, source, file_name, file_bytes, file_sha256, dry_run, accept_quality,
       live, options, state, phase, actor, correlation_id, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $12, $13, $14, $15, $16, $16)`,
    [
      job.id,
      job.uploadId,
      job.recordType,
      job.source,
      job.fileName,
      job.fileBytes,
      job.fileSha256,
      job.dryRun,
      job.acceptQuality,
      job.live,
      JSON.stringify(job.options),
      job.state,
      job.phase,
      job.actor,
      job.correlationId,
      job.createdAt,
    ],
  );
}

/** What may change of a job; members left out stay as they are. */
export interface JobChange {
  readonly state?: ImportState;
  readonly phase?: ImportPhase;
  readonly carried?: Carried;
  readonly acceptQuality?: boolean;
  readonly bytesDone?: number;
  readonly rowsTotal?: number;
  readonly rowsDone?: number;
  readonly rowsRefused?: number;
  readonly quality?: QualityReport;
  readonly cleaning?: CleaningReport;
  readonly result?: ImportResult;
  readonly error?: ImportError | null;
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
  readonly cancelRequestedAt?: Date;
}

const COLUMN_OF: Readonly<Record<keyof JobChange, string>> = {
  state: 'state',
  phase: 'phase',
  carried: 'carried',
  acceptQuality: 'accept_quality',
  bytesDone: 'bytes_done',
  rowsTotal: 'rows_total',
  rowsDone: 'rows_done',
  rowsRefused: 'rows_refused',
  quality: 'quality',
  cleaning: 'cleaning',
  result: 'result',
  error: 'error',
  startedAt: 'started_at',
  finishedAt: 'finished_at',
  cancelRequestedAt: 'cancel_requested_at',
};
const JSON_COLUMNS: ReadonlySet<string> = new Set(['carried', 'quality', 'cleaning', 'result', 'error']);

const COUNTED = `jsonb_build_object('counted', coalesce(carried->'counted', '{}'))`;

/** Adds to the counts of a job, in the transaction of what is counted: whatever ends the process, it loses both or none. */
export async function addCounts(tx: Tx, id: string, counts: Counts): Promise<void> {
  const added = Object.entries(counts).filter(([, by]) => by > 0);
  if (added.length === 0) return;
  await tx.query(
    `update import_job set carried = carried || jsonb_build_object('counted', coalesce(carried->'counted', '{}') || (
       select jsonb_object_agg(n.name, coalesce((carried->'counted'->>n.name)::bigint, 0) + n.by)
       from unnest($2::text[], $3::bigint[]) as n(name, by)))
     where id = $1`,
    [id, added.map(([name]) => name), added.map(([, by]) => by)],
    { name: 'import_counts' },
  );
}

/** Changes a job and answers it as it stands then. */
export async function changeJob(db: Queryable, id: string, at: Date, change: JobChange): Promise<ImportJob> {
  const values: unknown[] = [id, at];
  const sets = Object.entries(change).map(([key, value]) => {
    const column = COLUMN_OF[key as keyof JobChange];
    values.push(JSON_COLUMNS.has(column) && value !== null ? JSON.stringify(value) : value);
    // Counts are added to by others meanwhile, and stay whatever else is carried.
    if (column === 'carried') return `carried = $${values.length}::jsonb || ${COUNTED}`;
    return `${column} = $${values.length}`;
  });
  const [job] = await db.query<ImportJob>(
    `update import_job set ${['updated_at = $2', ...sets].join(', ')} where id = $1 returning ${COLUMNS}`,
    values,
  );
  if (job === undefined) throw new Error(`the import ${id} is gone`);
  return job;
}

/** Imports that have waited for an answer since before a moment. */
export async function waitingSince(db: Queryable, before: Date): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `select id from import_job where state = 'WAITING' and updated_at < $1 order by updated_at`,
    [before],
  );
  return rows.map(({ id }) => id);
}

/** Uploads that an import may still have to read, which is whenever its staged rows are gone. */
export async function uploadsInUse(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `select distinct upload_id as id from import_job where state in ('QUEUED', 'RUNNING', 'WAITING') order by 1`,
  );
  return rows.map(({ id }) => id);
}

/** Stage tables that a later run may still need. */
export async function stagesInUse(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ stage: string }>(
    `select carried->'stage'->>'table' as stage from import_job
     where state in ('QUEUED', 'RUNNING', 'WAITING') and carried ? 'stage'`,
  );
  return rows.map((row) => row.stage);
}
