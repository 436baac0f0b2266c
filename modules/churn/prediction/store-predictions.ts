import type { Queryable, Tx } from '../../../src/core/database/index.ts';
import type { Contribution } from './domain/reasons.ts';

export interface PredictionRow {
  readonly customerId: string;
  readonly probability: number;
  readonly reasons: readonly Contribution[];
}

export interface PredictionTerms {
  readonly modelId: string;
  /** The snapshot. */
  readonly at: Date;
  readonly scoredAt: Date;
}

/** Writes predictions and their history: one statement whatever their number; twice is once. */
export async function writePredictions(tx: Tx, terms: PredictionTerms, rows: readonly PredictionRow[]): Promise<void> {
  await tx.query(
    `with given as (
       select * from unnest($1::uuid[], $2::float8[], $3::jsonb[]) as t(customer_id, probability, reasons)
     ), kept as (
       insert into churn_prediction (customer_id, model_id, at, probability, reasons)
       select customer_id, $4::uuid, $5::timestamptz, probability, reasons from given
       on conflict (customer_id) do update set model_id = excluded.model_id, at = excluded.at, probability = excluded.probability,
         reasons = excluded.reasons
     )
     insert into churn_prediction_history (customer_id, at, model_id, probability, scored_at)
     select customer_id, $5::timestamptz, $4::uuid, probability, $6::timestamptz from given on conflict do nothing`,
    [
      rows.map((row) => row.customerId),
      rows.map((row) => row.probability),
      rows.map((row) => JSON.stringify(row.reasons)),
      terms.modelId,
      terms.at,
      terms.scoredAt,
    ],
    { name: 'churn_write_predictions' },
  );
}

/** Customers who are gone are predicted no more; the history keeps what was said of them. */
export async function forgetOthers(tx: Tx, { modelId, at }: PredictionTerms): Promise<void> {
  await tx.query('delete from churn_prediction where model_id <> $1 or at <> $2', [modelId, at]);
}

/** What was said of customers who were erased or merged away goes with them. */
export async function forgetPredictions(tx: Tx, customerIds: readonly string[]): Promise<void> {
  await tx.query('delete from churn_prediction where customer_id = any($1::uuid[])', [customerIds]);
  await tx.query('delete from churn_prediction_history where customer_id = any($1::uuid[])', [customerIds]);
}

/** Probabilities of those who have one: an index scan by customer. */
export async function readProbabilities(
  database: Queryable,
  customerIds: readonly string[],
): Promise<Map<string, number>> {
  const rows = await database.query<{ id: string; probability: number }>(
    'select customer_id as id, probability from churn_prediction where customer_id = any($1::uuid[])',
    [customerIds],
    { name: 'churn_probabilities' },
  );
  return new Map(rows.map(({ id, probability }) => [id, probability]));
}
