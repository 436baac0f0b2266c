import { InvalidInput } from '../../../src/core/errors.ts';
import { defineCustomerPart, defineFilter, defineOrder } from '../../../src/core/graph/index.ts';
import type { Contribution } from './domain/reasons.ts';
import { CARD_SQL, type ModelCard } from './store-models.ts';

/** A prediction as the graph reads it; times are texts, as JSON built in SQL has them. */
export interface PredictionShape {
  readonly probability: number;
  readonly horizonDays: number;
  readonly currency: string;
  readonly threshold: number | null;
  readonly reasons: readonly Contribution[];
  readonly at: string;
}

/** Two rows by primary key. */
export const predictionPart = defineCustomerPart<PredictionShape>({
  name: 'churnPrediction',
  sql: (customer, _args, _bind, nested) => `(
    select json_build_object('probability', p.probability, 'horizonDays', m.horizon_days, 'currency', m.currency,
      'threshold', m.threshold, 'reasons', p.reasons, 'at', p.at ${nested})
    from churn_prediction p join churn_model m on m.id = p.model_id where p.customer_id = ${customer}.id)`,
});

/** The card of the model behind a prediction, for whoever selects it. */
export const predictionModelPart = defineCustomerPart<ModelCard>({
  name: 'churnPredictionModel',
  sql: (customer) => `(
    select ${CARD_SQL} from churn_prediction p join churn_model m on m.id = p.model_id where p.customer_id = ${customer}.id)`,
});

/** What was predicted at some time. */
export interface PredictionPoint {
  readonly at: string;
  readonly probability: number;
  readonly modelId: string;
}

interface HistoryArgs extends Readonly<Record<string, unknown>> {
  readonly first: number;
  readonly before?: Date | null;
}

const HISTORY_MAX = 100;

/** The newest rows of a customer's history, cut along its primary key. */
export const predictionHistoryPart = defineCustomerPart<PredictionPoint[], HistoryArgs>({
  name: 'churnPredictionHistory',
  sql(customer, { first, before }, bind) {
    if (!Number.isInteger(first) || first < 1 || first > HISTORY_MAX) {
      throw new InvalidInput(`"first" is ${first}; it must be between 1 and ${HISTORY_MAX}.`, { path: ['first'] });
    }
    const until = before === null || before === undefined ? '' : `and h.at < ${bind(before)}::timestamptz`;
    return `(
      select coalesce(json_agg(q), '[]'::json) from (
        select h.at, h.probability, h.model_id as "modelId" from churn_prediction_history h
        where h.customer_id = ${customer}.id ${until} order by h.at desc, h.model_id desc limit ${bind(first)}::int) q)`;
  },
});

/** Both ends belong to it; one that is left out is open. */
export interface ProbabilityBounds {
  readonly min?: number | null | undefined;
  readonly max?: number | null | undefined;
}

export const probabilityFilter = defineFilter<ProbabilityBounds>(
  (customer, { min, max }, bind) =>
    `exists (select from churn_prediction p where p.customer_id = ${customer}.id
       and p.probability between ${bind(min ?? 0)}::float8 and ${bind(max ?? 1)}::float8)`,
);

export const probabilityOrder = defineOrder({
  key: () => 'p.probability',
  type: 'float8',
  from: { table: 'churn_prediction p', on: (customer) => `p.customer_id = ${customer}.id` },
});
