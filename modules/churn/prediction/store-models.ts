import type { Queryable, Tx } from '../../../src/core/database/index.ts';
import type { DriftProfile } from './domain/drift.ts';
import type {
  ImportanceShare,
  ModelMetrics,
  ModelParameters,
  ModelState,
  ModelWindows,
  ServedModel,
} from './domain/model.ts';
import type { Standing } from './domain/registry.ts';

/** How far customers are from those the model was made of, at the newest snapshot that was scored. */
export interface ModelDrift {
  readonly at: string;
  readonly customers: number;
  readonly scorePsi: number;
  readonly features: readonly { readonly name: string; readonly psi: number }[];
  readonly alarms: readonly string[];
}

/** All that is to be known of a model, but for the trees themselves; times are texts, as JSON built in SQL has them. */
export interface ModelCard {
  readonly id: string;
  readonly hash: string;
  readonly state: ModelState;
  readonly reason: string;
  readonly trainedAt: string;
  readonly wentLiveAt: string | null;
  readonly retiredAt: string | null;
  readonly catalogueVersion: number;
  readonly horizonDays: number;
  readonly currency: string;
  readonly parameters: ModelParameters;
  readonly features: readonly string[];
  readonly windows: ModelWindows;
  readonly threshold: number | null;
  readonly metrics: ModelMetrics;
  readonly importance: readonly ImportanceShare[];
  readonly drift: ModelDrift | null;
}

/** A card as JSON, of a row `m` of churn_model. */
export const CARD_SQL = `json_build_object('id', m.id, 'hash', m.hash, 'state', m.state, 'reason', m.reason, 'trainedAt', m.trained_at,
  'wentLiveAt', m.went_live_at, 'retiredAt', m.retired_at, 'catalogueVersion', m.catalogue_version, 'horizonDays', m.horizon_days,
  'currency', m.currency, 'parameters', m.parameters, 'features', m.features, 'windows', m.windows, 'threshold', m.threshold,
  'metrics', m.metrics, 'importance', m.importance, 'drift', (
    select json_build_object('at', d.at, 'customers', d.customers, 'scorePsi', d.score_psi, 'features', d.features, 'alarms', d.alarms)
    from churn_model_drift d where d.model_id = m.id order by d.at desc limit 1))`;

export interface CardFilter {
  readonly limit: number;
  /** Only models made before this one. */
  readonly before: string | null;
  readonly states: readonly ModelState[] | null;
}

/** Models, the newest first. */
export async function listCards(database: Queryable, { limit, before, states }: CardFilter): Promise<ModelCard[]> {
  const rows = await database.query<{ card: ModelCard }>(
    `select ${CARD_SQL} as card from churn_model m
     where ($1::uuid is null or m.id < $1) and ($2::text[] is null or m.state = any($2)) order by m.id desc limit $3`,
    [before, states, limit],
  );
  return rows.map(({ card }) => card);
}

export async function countModels(database: Queryable, states: readonly ModelState[] | null): Promise<number> {
  const [row] = await database.query<{ models: number }>(
    'select count(*)::int as models from churn_model where $1::text[] is null or state = any($1)',
    [states],
  );
  return row?.models ?? 0;
}

/** A model by its id; the live one when there is none given. */
export async function findCard(database: Queryable, id: string | null): Promise<ModelCard | null> {
  const [row] = await database.query<{ card: ModelCard }>(
    `select ${CARD_SQL} as card from churn_model m where ${id === null ? `m.state = 'LIVE'` : 'm.id = $1'} limit 1`,
    id === null ? [] : [id],
  );
  return row?.card ?? null;
}

/** The trees of a model as JSON text. */
export async function treesOf(database: Queryable, id: string): Promise<string | null> {
  const [row] = await database.query<{ trees: string }>('select trees from churn_model where id = $1', [id]);
  return row?.trees ?? null;
}

/** What scoring needs of the live model. */
export interface LiveModel extends ServedModel {
  readonly modelId: string;
  readonly catalogueVersion: number;
  readonly features: readonly string[];
  readonly profile: DriftProfile;
}

export async function liveModel(database: Queryable): Promise<LiveModel | null> {
  const [row] = await database.query<LiveModel>(
    `select id as "modelId", catalogue_version as "catalogueVersion", features, trees, calibration, profile
     from churn_model where state = 'LIVE' limit 1`,
  );
  return row ?? null;
}

/** One change of the registry at a time. */
export async function lockRegistry(tx: Tx): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('churn.registry'))`);
}

export function standings(tx: Tx): Promise<Standing[]> {
  return tx.query<Standing>('select id, state, went_live_at as "wentLiveAt" from churn_model');
}

export async function idOfHash(tx: Tx, hash: string): Promise<string | null> {
  const [row] = await tx.query<{ id: string }>('select id from churn_model where hash = $1', [hash]);
  return row?.id ?? null;
}

export type NewModel = Omit<ModelCard, 'trainedAt' | 'wentLiveAt' | 'retiredAt' | 'drift'> &
  ServedModel & { readonly profile: DriftProfile; readonly trainedAt: Date; readonly wentLiveAt: Date | null };

export async function insertModel(tx: Tx, model: NewModel): Promise<void> {
  await tx.query(
    `insert into churn_model (id, hash, state, reason, trained_at, went_live_at, catalogue_version, horizon_days, currency, parameters,
       features, windows, calibration, threshold, metrics, importance, profile, trees)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11::text[], $12::jsonb, $13::jsonb, $14, $15::jsonb, $16::jsonb,
       $17::jsonb, $18)`,
    [
      model.id,
      model.hash,
      model.state,
      model.reason,
      model.trainedAt,
      model.wentLiveAt,
      model.catalogueVersion,
      model.horizonDays,
      model.currency,
      JSON.stringify(model.parameters),
      model.features,
      JSON.stringify(model.windows),
      JSON.stringify(model.calibration),
      model.threshold,
      JSON.stringify(model.metrics),
      JSON.stringify(model.importance),
      JSON.stringify(model.profile),
      model.trees,
    ],
  );
}

/** Moves a model to another state; the time goes where the state has one. */
export async function setState(tx: Tx, id: string, state: 'LIVE' | 'RETIRED', reason: string, at: Date): Promise<void> {
  const column = state === 'LIVE' ? 'went_live_at' : 'retired_at';
  await tx.query(`update churn_model set state = $2, reason = $3, ${column} = $4 where id = $1`, [
    id,
    state,
    reason,
    at,
  ]);
}

/** Writes how far a snapshot has drifted; once more for the same one is the same. */
export async function writeDrift(tx: Tx, modelId: string, drift: Omit<ModelDrift, 'at'> & { readonly at: Date }) {
  await tx.query(
    `insert into churn_model_drift (model_id, at, customers, score_psi, features, alarms) values ($1, $2, $3, $4, $5::jsonb, $6::text[])
     on conflict (model_id, at) do update set customers = excluded.customers, score_psi = excluded.score_psi,
       features = excluded.features, alarms = excluded.alarms`,
    [modelId, drift.at, drift.customers, drift.scorePsi, JSON.stringify(drift.features), drift.alarms],
  );
}

/** What was past the limit at the last snapshot before this one. */
export async function alarmsBefore(tx: Tx, modelId: string, at: Date): Promise<readonly string[]> {
  const [row] = await tx.query<{ alarms: string[] }>(
    'select alarms from churn_model_drift where model_id = $1 and at < $2 order by at desc limit 1',
    [modelId, at],
  );
  return row?.alarms ?? [];
}
