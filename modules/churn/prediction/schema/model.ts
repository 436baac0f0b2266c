import {
  type Builder,
  checkFirst,
  connectionArgs,
  connectionType,
  decodeCursor,
  decodeGlobalId,
  encodeGlobalId,
  pageOf,
} from '../../../../src/core/builder/index.ts';
import { type DriftLevel, type DriftLimits, driftLevel } from '../domain/drift.ts';
import type { ImportanceShare, WindowFacts } from '../domain/model.ts';
import type { PredictionService } from '../service.ts';
import type { ModelCard, ModelDrift } from '../store-models.ts';
import { metricsTypes } from './metrics.ts';

export const SCOPE = 'churn:read';

interface FeatureDrift {
  readonly name: string;
  readonly psi: number;
  readonly level: DriftLevel;
}

/** UUID of a model by its global id. @throws InvalidInput */
export const modelIdOf = (globalId: string): string => decodeGlobalId(globalId).id;

/** `ChurnModel`, the card of a model, and the queries for it. */
export function modelSchema(builder: Builder, service: PredictionService) {
  const State = builder.enumType('ChurnModelState', {
    description: 'Where a model stands.',
    values: {
      CANDIDATE: { description: 'Better than the baseline, not better than the live model of its time.' },
      LIVE: { description: 'It predicts.' },
      RETIRED: { description: 'It was live and gave way to another.' },
      REFUSED: { description: 'Not better than the recency-only baseline beyond doubt: it never serves.' },
    } as const,
  });
  const Window = builder.objectRef<WindowFacts>('ChurnModelWindow').implement({
    description: 'Customers who were here at one or more snapshots, and what came of them within the horizon.',
    fields: (t) => ({
      snapshots: t.field({
        type: ['DateTime'],
        description: 'The snapshots: features are from strictly before.',
        resolve: (w) => [...w.snapshots],
      }),
      rows: t.exposeInt('rows', { description: 'Customers, each once for each snapshot.' }),
      leavers: t.exposeInt('leavers', { description: 'How many of them were gone when the horizon ended.' }),
      labelsUntil: t.expose('labelsUntil', {
        type: 'DateTime',
        description: 'When the last horizon ended; the next window begins no earlier.',
      }),
    }),
  });
  const Parameter = builder.objectRef<readonly [string, number]>('ChurnModelParameter').implement({
    description: 'A parameter of a training.',
    fields: (t) => ({
      name: t.string({ description: 'Its name, as in the settings.', resolve: ([name]) => name }),
      value: t.float({ description: 'Its value.', resolve: ([, value]) => value }),
    }),
  });
  const Importance = builder.objectRef<ImportanceShare>('ChurnFeatureImportance').implement({
    description: 'How much a feature was used.',
    fields: (t) => ({
      feature: t.exposeString('feature', { description: 'Its name; see featureCatalogue.' }),
      gain: t.exposeFloat('gain', { description: 'Share of all that splits gained, 0 to 1.' }),
    }),
  });
  const Level = builder.enumType('DriftLevel', {
    description: 'What a population stability index means, by the limits of the setting churn.driftLimits.',
    values: {
      STABLE: { description: 'Below 0.1: the same population.' },
      WATCH: { description: 'From 0.1: worth a look.' },
      ALARM: { description: 'From 0.25: another population.' },
    } as const,
  });
  const FeatureDriftRef = builder.objectRef<FeatureDrift>('ChurnFeatureDrift').implement({
    description: 'How far a feature is from what it was in training.',
    fields: (t) => ({
      feature: t.exposeString('name', { description: 'Its name; see featureCatalogue.' }),
      psi: t.exposeFloat('psi', { description: 'Population stability index.' }),
      level: t.field({ type: Level, description: 'What that means.', resolve: (d) => d.level }),
    }),
  });
  const Drift = builder.objectRef<ModelDrift & { readonly limits: DriftLimits }>('ChurnModelDrift').implement({
    description: 'How far the customers of now are from those the model was made of.',
    fields: (t) => ({
      at: t.expose('at', { type: 'DateTime', description: 'The snapshot looked at.' }),
      customers: t.exposeInt('customers', { description: 'Customers looked at.' }),
      scorePsi: t.exposeFloat('scorePsi', {
        description: 'Population stability index of the score against the calibration window.',
      }),
      scoreLevel: t.field({
        type: Level,
        description: 'What that means.',
        resolve: (d) => driftLevel(d.scorePsi, d.limits),
      }),
      features: t.field({
        type: [FeatureDriftRef],
        description: 'Each feature against the training window, the farthest first.',
        resolve: ({ features, limits }) =>
          features.map((one) => ({ ...one, level: driftLevel(one.psi, limits) })).sort((a, b) => b.psi - a.psi),
      }),
      alarms: t.stringList({
        description: 'Features past the alarm limit at that time; `score` is the score.',
        resolve: (d) => [...d.alarms],
      }),
    }),
  });
  const Metrics = metricsTypes(builder);

  const Model = builder.objectRef<ModelCard>('ChurnModel');
  builder.node(Model, {
    description:
      'A model of who leaves, and all that is to be known of it: gradient-boosted trees with balanced classes, calibrated. Leaving means to be gone at the end of the horizon, by inactivity, by the end of the last subscription, or declared; only customers who were here count.',
    id: { resolve: (model) => model.id, description: 'The global id.' },
    authScopes: { scope: SCOPE },
    loadOne: (id) => service.model(String(id)),
    isTypeOf: (value) =>
      value !== null && typeof value === 'object' && 'catalogueVersion' in value && 'metrics' in value,
    fields: (t) => ({
      state: t.field({ type: State, description: 'Where it stands.', resolve: (m) => m.state }),
      reason: t.exposeString('reason', { description: 'Why it stands there.' }),
      hash: t.exposeString('hash', {
        description:
          'SHA-256 of parameters, data windows, trees and calibration: the same data and seed give the same.',
      }),
      trainedAt: t.expose('trainedAt', { type: 'DateTime', description: 'When it was trained.' }),
      wentLiveAt: t.expose('wentLiveAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it last went live; null when it never did.',
      }),
      retiredAt: t.expose('retiredAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it last gave way to another.',
      }),
      horizonDays: t.exposeInt('horizonDays', { description: 'Days it looks ahead.' }),
      catalogueVersion: t.exposeInt('catalogueVersion', { description: 'Version of the catalogue of features.' }),
      features: t.stringList({
        description: 'Names of its features, in the order of its columns.',
        resolve: (m) => [...m.features],
      }),
      parameters: t.field({
        type: [Parameter],
        description: 'With what it was trained, the seed and the economics of the threshold included.',
        resolve: (m) => Object.entries(m.parameters),
      }),
      trainingWindow: t.field({
        type: Window,
        description: 'What the trees learnt from.',
        resolve: (m) => m.windows.training,
      }),
      calibrationWindow: t.field({
        type: Window,
        description: 'What calibration and threshold were fitted to; later than the training window.',
        resolve: (m) => m.windows.calibration,
      }),
      testWindow: t.field({
        type: Window,
        description: 'The newest one whose outcome was known: only measured on.',
        resolve: (m) => m.windows.test,
      }),
      threshold: t.exposeFloat('threshold', {
        nullable: true,
        description:
          'Contact whoever has at least this probability: chosen by profit on the calibration window. Null when no contact pays.',
      }),
      metrics: t.field({
        type: Metrics,
        description: 'What it reached on the test window.',
        resolve: (m) => ({ ...m.metrics, currency: m.currency }),
      }),
      importance: t.field({
        type: [Importance],
        description: 'How much each feature was used, most first.',
        resolve: (m) => [...m.importance],
      }),
      drift: t.field({
        type: Drift,
        nullable: true,
        description: 'Of the newest snapshot it predicted; null before the first.',
        resolve: async (m) => (m.drift === null ? null : { ...m.drift, limits: await service.driftLimits() }),
      }),
      trees: t.string({
        description: 'The trees as JSON text, in the documented format holdfast-trees.',
        complexity: 50,
        resolve: async (m) => (await service.treesOf(m.id)) ?? '',
      }),
    }),
  });

  const Models = connectionType(builder, { name: 'ChurnModel', node: Model, totalCount: true });
  builder.queryField('churnModels', (t) =>
    t.field({
      type: Models,
      description: 'Every churn model there ever was, the newest first.',
      authScopes: { scope: SCOPE },
      args: {
        ...connectionArgs(t.arg),
        states: t.arg({ type: [State], description: 'Only those in one of these states.' }),
      },
      complexity: ({ first }) => ({ field: 5, multiplier: first ?? 20 }),
      resolve: async (_root, { first, after, states }) => {
        const limit = checkFirst(first);
        const key = after === null || after === undefined ? null : decodeCursor(after, 1);
        const before = key === null ? null : modelIdOf(String(key[0]));
        const chosen = states ?? null;
        const rows = await service.models({ limit: limit + 1, before, states: chosen });
        return pageOf(rows, {
          first: limit,
          after,
          cursorOf: (row) => [encodeGlobalId('ChurnModel', row.id)],
          totalCount: () => service.countModels(chosen),
        });
      },
    }),
  );
  builder.queryField('churnModel', (t) =>
    t.field({
      type: Model,
      nullable: true,
      description: 'A churn model, the live one unless another is named; null when there is none.',
      authScopes: { scope: SCOPE },
      args: { id: t.arg.id({ description: 'Id of a ChurnModel; left out: the live one.' }) },
      resolve: (_root, { id }) => service.model(id === null || id === undefined ? null : modelIdOf(id)),
    }),
  );
  return Model;
}
