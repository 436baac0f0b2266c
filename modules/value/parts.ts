import { defineCustomerPart, defineFilter, defineOrder } from '../../src/core/graph/index.ts';
import type { CustomerAdviceKind } from './domain/advice.ts';
import { HOLDOUT_ERROR } from './domain/holdout.ts';
import type { RfmSegment, Score } from './domain/rfm.ts';
import type { ValueMethod } from './store.ts';

/** Where a customer stands, as the graph reads it; times are texts, as JSON built in SQL has them. */
export interface RfmShape {
  readonly segment: RfmSegment;
  readonly recencyScore: Score;
  readonly frequencyScore: Score;
  readonly monetaryScore: Score;
  readonly recencyDays: number;
  readonly orders: number;
  readonly revenueMinor: number;
  readonly currency: string;
  readonly advice: CustomerAdviceKind[];
  readonly cluster: string | null;
  readonly at: string;
}

/** One row by primary key. */
export const rfmPart = defineCustomerPart<RfmShape>({
  name: 'rfm',
  sql: (customer) => `(
    select json_build_object('segment', r.segment, 'recencyScore', r.recency_score, 'frequencyScore', r.frequency_score,
      'monetaryScore', r.monetary_score, 'recencyDays', r.recency_days, 'orders', r.orders, 'revenueMinor', r.revenue_minor,
      'currency', r.currency, 'advice', r.advice, 'cluster', r.cluster, 'at', r.at)
    from customer_rfm r where r.customer_id = ${customer}.id)`,
});

/** A customer's worth by one method. */
export interface EstimateShape {
  readonly method: ValueMethod;
  readonly valueMinor: number;
  readonly currency: string;
  readonly horizonDays: number | null;
  readonly expectedPurchases: number | null;
  readonly probabilityAlive: number | null;
  readonly expectedOrderMinor: number | null;
  readonly lowMinor: number | null;
  readonly medianMinor: number | null;
  readonly highMinor: number | null;
  /** Mean absolute error on the holdout, in major units; null where it was not measured. */
  readonly holdoutError: number | null;
  readonly at: string;
}

/** The rows of a customer by primary key: as many as there are methods, each with its model's error, by primary key too. */
export const valuePart = defineCustomerPart<EstimateShape[]>({
  name: 'value',
  sql: (customer) => `(
    select json_agg(json_build_object('method', v.method, 'valueMinor', v.value_minor, 'currency', v.currency,
      'horizonDays', v.horizon_days, 'expectedPurchases', v.expected_purchases, 'probabilityAlive', v.probability_alive,
      'expectedOrderMinor', v.expected_order_minor, 'lowMinor', v.low_minor, 'medianMinor', v.median_minor, 'highMinor', v.high_minor,
      'holdoutError', (m.measures->>'${HOLDOUT_ERROR}')::float8, 'at', v.at)
      order by v.method)
    from customer_value v left join value_model m on m.id = v.model_id where v.customer_id = ${customer}.id)`,
});

const whereRfm = (customer: string, condition: string): string =>
  `exists (select from customer_rfm r where r.customer_id = ${customer}.id and ${condition})`;

export const segmentFilter = defineFilter<readonly RfmSegment[]>((customer, segments, bind) =>
  whereRfm(customer, `r.segment = any(${bind(segments)}::text[])`),
);

export const clusterFilter = defineFilter<readonly string[]>((customer, names, bind) =>
  whereRfm(customer, `r.cluster = any(${bind(names)}::text[])`),
);

export const adviceFilter = defineFilter<readonly CustomerAdviceKind[]>((customer, kinds, bind) =>
  whereRfm(customer, `r.advice && ${bind(kinds)}::text[]`),
);

const estimate = {
  table: 'customer_value v',
  on: (customer: string) =>
    `v.customer_id = ${customer}.id and v.method = 'BG_NBD' and v.expected_purchases is not null`,
};

export const lifetimeValueOrder = defineOrder({ key: () => 'v.value_minor', type: 'int8', from: estimate });

export const expectedPurchasesOrder = defineOrder({
  key: () => 'v.expected_purchases',
  type: 'float8',
  from: estimate,
});
