import type { Queryable } from '../../../src/core/database/index.ts';

export * from './events.ts';

/** What predictions of churn answer to other modules now. */
export interface ChurnPredictionPort {
  /** Calibrated probability to leave within the horizon, of those customers who have a prediction. */
  probabilities(customerIds: readonly string[], within?: Queryable): Promise<Map<string, number>>;
}
