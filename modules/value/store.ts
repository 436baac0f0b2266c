import type { Queryable, Tx } from '../../src/core/database/index.ts';
import type { CustomerAdviceKind } from './domain/advice.ts';
import type { Cluster } from './domain/clustering.ts';
import type { RfmScores, RfmSegment } from './domain/rfm.ts';

/** How a value was reckoned. Another method is another row: nothing here asks which there are. */
export const VALUE_METHODS = ['HISTORICAL', 'BG_NBD', 'TREES'] as const;
export type ValueMethod = (typeof VALUE_METHODS)[number];

/** Where a customer stands, as the graph reads it. */
export interface RfmRow {
  readonly customerId: string;
  readonly recencyDays: number;
  readonly orders: number;
  readonly revenueMinor: number;
  readonly scores: RfmScores;
  readonly segment: RfmSegment;
  readonly lastLoginAt: Date | null;
  readonly advice: readonly CustomerAdviceKind[];
  readonly cluster: string | null;
}

/** Writes where customers stand at an instant: one statement whatever their number. */
export async function writeRfm(tx: Tx, at: Date, currency: string, rows: readonly RfmRow[]): Promise<void> {
  await tx.query(
    `insert into customer_rfm (customer_id, at, recency_days, orders, revenue_minor, currency, recency_score, frequency_score,
       monetary_score, segment, last_login_at, advice, cluster)
     select customer_id, $12, recency_days, orders, revenue_minor, $13, recency_score, frequency_score, monetary_score, segment,
       last_login_at, string_to_array(advice, ','), cluster
     from unnest($1::uuid[], $2::int[], $3::int[], $4::bigint[], $5::smallint[], $6::smallint[], $7::smallint[], $8::text[],
       $9::timestamptz[], $10::text[], $11::text[])
       as t(customer_id, recency_days, orders, revenue_minor, recency_score, frequency_score, monetary_score, segment, last_login_at, advice, cluster)
     on conflict (customer_id) do update set at = excluded.at, recency_days = excluded.recency_days, orders = excluded.orders,
       revenue_minor = excluded.revenue_minor, currency = excluded.currency, recency_score = excluded.recency_score,
       frequency_score = excluded.frequency_score, monetary_score = excluded.monetary_score, segment = excluded.segment,
       last_login_at = excluded.last_login_at, advice = excluded.advice, cluster = excluded.cluster`,
    [
      rows.map((row) => row.customerId),
      rows.map((row) => row.recencyDays),
      rows.map((row) => row.orders),
      rows.map((row) => row.revenueMinor),
      rows.map((row) => row.scores.recency),
      rows.map((row) => row.scores.frequency),
      rows.map((row) => row.scores.monetary),
      rows.map((row) => row.segment),
      rows.map((row) => row.lastLoginAt?.toISOString() ?? null),
      rows.map((row) => row.advice.join(',')),
      rows.map((row) => row.cluster),
      at,
      currency,
    ],
    { name: 'value_write_rfm' },
  );
}

/** A customer's worth by one method. */
export interface ValueRow {
  readonly customerId: string;
  readonly valueMinor: number;
  readonly horizonDays: number | null;
  readonly expectedPurchases: number | null;
  readonly probabilityAlive: number | null;
  readonly expectedOrderMinor: number | null;
  readonly lowMinor: number | null;
  readonly medianMinor: number | null;
  readonly highMinor: number | null;
}

export interface ValueTerms {
  readonly method: ValueMethod;
  readonly at: Date;
  readonly currency: string;
  readonly modelId: string | null;
}

/** Writes what customers are worth by one method: one statement whatever their number. */
export async function writeValues(tx: Tx, terms: ValueTerms, rows: readonly ValueRow[]): Promise<void> {
  await tx.query(
    `insert into customer_value (customer_id, method, at, value_minor, currency, horizon_days, expected_purchases,
       probability_alive, expected_order_minor, low_minor, median_minor, high_minor, model_id)
     select customer_id, $10, $11, value_minor, $12, horizon_days, expected_purchases, probability_alive, expected_order_minor,
       low_minor, median_minor, high_minor, $13
     from unnest($1::uuid[], $2::bigint[], $3::int[], $4::float8[], $5::float8[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
       as t(customer_id, value_minor, horizon_days, expected_purchases, probability_alive, expected_order_minor, low_minor,
         median_minor, high_minor)
     on conflict (customer_id, method) do update set at = excluded.at, value_minor = excluded.value_minor,
       currency = excluded.currency, horizon_days = excluded.horizon_days, expected_purchases = excluded.expected_purchases,
       probability_alive = excluded.probability_alive, expected_order_minor = excluded.expected_order_minor,
       low_minor = excluded.low_minor, median_minor = excluded.median_minor, high_minor = excluded.high_minor, model_id = excluded.model_id`,
    [
      rows.map((row) => row.customerId),
      rows.map((row) => row.valueMinor),
      rows.map((row) => row.horizonDays),
      rows.map((row) => row.expectedPurchases),
      rows.map((row) => row.probabilityAlive),
      rows.map((row) => row.expectedOrderMinor),
      rows.map((row) => row.lowMinor),
      rows.map((row) => row.medianMinor),
      rows.map((row) => row.highMinor),
      terms.method,
      terms.at,
      terms.currency,
      terms.modelId,
    ],
    { name: 'value_write_values' },
  );
}

/** A fitted model of lifetime value. */
export interface ValueModel {
  readonly id: string;
  readonly method: ValueMethod;
  readonly at: Date;
  readonly customers: number;
  readonly parameters: Readonly<Record<string, number>>;
  readonly measures: Readonly<Record<string, number | null>>;
  /** Why there are no estimates; null when there are. */
  readonly problem: string | null;
  readonly remarks: readonly string[];
}

export async function insertValueModel(tx: Tx, model: ValueModel): Promise<void> {
  await tx.query(
    `insert into value_model (id, method, at, customers, parameters, measures, problem, remarks)
     values ($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7, $8::text[])`,
    [
      model.id,
      model.method,
      model.at,
      model.customers,
      JSON.stringify(model.parameters),
      JSON.stringify(model.measures),
      model.problem,
      model.remarks,
    ],
  );
}

/** Models of all methods, the newest first. */
export function listValueModels(database: Queryable, limit: number): Promise<ValueModel[]> {
  return database.query<ValueModel>(
    `select id, method, at, customers, parameters, measures, problem, remarks from value_model order by at desc, id desc limit $1`,
    [limit],
  );
}

/** A clustering of all customers. */
export interface ClusterModel {
  readonly id: string;
  readonly at: Date;
  readonly currency: string;
  readonly k: number;
  readonly reason: string;
  readonly trials: readonly { readonly k: number; readonly inertia: number; readonly silhouette: number | null }[];
  readonly clusters: readonly Cluster[];
}

export async function insertClusterModel(tx: Tx, model: ClusterModel): Promise<void> {
  await tx.query(
    `insert into cluster_model (id, at, currency, k, reason, trials, clusters) values ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb)`,
    [
      model.id,
      model.at,
      model.currency,
      model.k,
      model.reason,
      JSON.stringify(model.trials),
      JSON.stringify(model.clusters),
    ],
  );
}

/** The clustering in force. */
export async function latestClusterModel(database: Queryable): Promise<ClusterModel | null> {
  const [found] = await database.query<ClusterModel>(
    'select id, at, currency, k, reason, trials, clusters from cluster_model order by at desc, id desc limit 1',
  );
  return found ?? null;
}

/** What was thought of customers at another instant and not at this one: they have no orders any more, or live on in others. */
export async function forgetOthers(tx: Tx, at: Date): Promise<void> {
  await tx.query('delete from customer_rfm where at <> $1', [at]);
  await tx.query('delete from customer_value where at <> $1 and method = any($2::text[])', [at, VALUE_METHODS]);
}

/** What is thought of a customer who was erased or merged away goes with the customer. */
export async function forgetCustomers(tx: Tx, customerIds: readonly string[]): Promise<void> {
  await tx.query('delete from customer_rfm where customer_id = any($1::uuid[])', [customerIds]);
  await tx.query('delete from customer_value where customer_id = any($1::uuid[])', [customerIds]);
}

/** Models of the past that nothing points at any more are kept this many each. */
export const MODELS_KEPT = 400;

export async function forgetOldModels(tx: Tx): Promise<void> {
  await tx.query(
    `delete from value_model where id in (
       select id from (select id, row_number() over (partition by method order by at desc, id desc) as place from value_model) m where place > $1)`,
    [MODELS_KEPT],
  );
  await tx.query(
    `delete from cluster_model where id in (select id from cluster_model order by at desc, id desc offset $1)`,
    [MODELS_KEPT],
  );
}

/** To how many customers each piece of advice applies. */
export function adviceCounts(database: Queryable): Promise<{ kind: CustomerAdviceKind; customers: number }[]> {
  return database.query(
    `select kind, count(*)::int as customers from customer_rfm cross join lateral unnest(advice) as kind group by kind order by kind`,
  );
}
