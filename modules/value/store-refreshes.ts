import type { Queryable, Tx } from '../../src/core/database/index.ts';

export type RefreshState = 'QUEUED' | 'RUNNING' | 'DONE' | 'FAILED';
export const REFRESH_STEPS = ['FEATURES', 'SEGMENTS', 'VALUE'] as const;
export type RefreshStep = (typeof REFRESH_STEPS)[number];

/** What a computation did. */
export interface RefreshResult {
  readonly snapshotsComputed: number;
  readonly snapshotsKept: number;
  readonly customers: number;
  readonly clusters: number;
  readonly lifetimeProblem: string | null;
}

/** A computation that somebody asked for. */
export interface ValueRefresh {
  readonly id: string;
  readonly state: RefreshState;
  readonly requestedAt: Date;
  readonly requestedBy: string;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly step: RefreshStep | null;
  readonly result: RefreshResult | null;
  readonly error: string | null;
}

const COLUMNS = `id, state, requested_at as "requestedAt", requested_by as "requestedBy", started_at as "startedAt",
  finished_at as "finishedAt", step, result, error`;

export async function insertRefresh(
  tx: Tx,
  refresh: Pick<ValueRefresh, 'id' | 'requestedAt' | 'requestedBy'>,
): Promise<void> {
  await tx.query(`insert into value_refresh (id, state, requested_at, requested_by) values ($1, 'QUEUED', $2, $3)`, [
    refresh.id,
    refresh.requestedAt,
    refresh.requestedBy,
  ]);
}

export async function findRefresh(database: Queryable, id: string): Promise<ValueRefresh | null> {
  const [found] = await database.query<ValueRefresh>(`select ${COLUMNS} from value_refresh where id = $1`, [id]);
  return found ?? null;
}

/** Changes what is given. */
export async function updateRefresh(
  database: Queryable,
  id: string,
  change: Partial<Pick<ValueRefresh, 'state' | 'startedAt' | 'finishedAt' | 'step' | 'result' | 'error'>>,
): Promise<void> {
  await database.query(
    `update value_refresh set state = coalesce($2, state), started_at = coalesce(started_at, $3), finished_at = coalesce($4, finished_at),
       step = $5, result = coalesce($6::jsonb, result), error = coalesce($7, error) where id = $1`,
    [
      id,
      change.state ?? null,
      change.startedAt ?? null,
      change.finishedAt ?? null,
      change.step ?? null,
      change.result === undefined || change.result === null ? null : JSON.stringify(change.result),
      change.error ?? null,
    ],
  );
}

/** Those asked for long ago go. */
export async function forgetRefreshesBefore(database: Queryable, before: Date): Promise<void> {
  await database.query('delete from value_refresh where requested_at < $1', [before]);
}
