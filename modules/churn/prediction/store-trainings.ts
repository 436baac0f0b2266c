import type { Queryable, Tx } from '../../../src/core/database/index.ts';
import type { TRAINING_STATES, TRAINING_STEPS } from './events.ts';

export type TrainingState = (typeof TRAINING_STATES)[number];
export type TrainingStep = (typeof TRAINING_STEPS)[number];

/** A training that somebody asked for. */
export interface ChurnTraining {
  readonly id: string;
  readonly state: TrainingState;
  readonly step: TrainingStep | null;
  readonly requestedAt: Date;
  readonly requestedBy: string;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly modelId: string | null;
  readonly errorCode: string | null;
  readonly error: string | null;
}

export type TrainingChange = Partial<Omit<ChurnTraining, 'id' | 'requestedAt' | 'requestedBy'>>;

const COLUMNS = `id, state, step, requested_at as "requestedAt", requested_by as "requestedBy", started_at as "startedAt",
  finished_at as "finishedAt", model_id as "modelId", error_code as "errorCode", error`;

export async function insertTraining(
  tx: Tx,
  training: Pick<ChurnTraining, 'id' | 'requestedAt' | 'requestedBy'>,
): Promise<void> {
  await tx.query(`insert into churn_training (id, state, requested_at, requested_by) values ($1, 'QUEUED', $2, $3)`, [
    training.id,
    training.requestedAt,
    training.requestedBy,
  ]);
}

export async function findTraining(database: Queryable, id: string): Promise<ChurnTraining | null> {
  const [found] = await database.query<ChurnTraining>(`select ${COLUMNS} from churn_training where id = $1`, [id]);
  return found ?? null;
}

/** Changes what is given; the step always. */
export async function updateTraining(tx: Tx, id: string, change: TrainingChange): Promise<void> {
  await tx.query(
    `update churn_training set state = coalesce($2, state), step = $3, started_at = coalesce(started_at, $4),
       finished_at = coalesce($5, finished_at), model_id = coalesce($6, model_id), error_code = $7, error = $8 where id = $1`,
    [
      id,
      change.state ?? null,
      change.step ?? null,
      change.startedAt ?? null,
      change.finishedAt ?? null,
      change.modelId ?? null,
      change.errorCode ?? null,
      change.error ?? null,
    ],
  );
}

/** Those asked for long ago go; their models stay. */
export async function forgetTrainingsBefore(tx: Tx, before: Date): Promise<void> {
  await tx.query('delete from churn_training where requested_at < $1', [before]);
}
