import { type Builder, checkFirst } from '../../../src/core/builder/index.ts';
import { batchPartField, defineBatchPart } from '../../../src/core/graph/index.ts';
import { CATALOGUE_VERSION, FEATURES, type Feature } from '../domain/catalogue.ts';
import type { FeatureSnapshot } from '../queries/snapshots.ts';
import type { ValueService } from '../service.ts';

const SCOPE = 'value:read';

interface FeatureValue {
  readonly feature: Feature;
  readonly value: number | null;
}

/** The catalogue of features, their snapshots, and `Customer.features`. */
export function featuresSchema(builder: Builder, service: ValueService): void {
  const Kind = builder.enumType('FeatureKind', {
    description: 'What a feature measures.',
    values: {
      COUNT: { description: 'A number of things.' },
      MONEY: { description: 'An amount in the reporting currency, in major units.' },
      DAYS: { description: 'A time in days.' },
      SHARE: { description: 'A part of a whole, 0 to 1.' },
      RATIO: { description: 'One measure over another.' },
    } as const,
  });
  const FeatureType = builder.objectRef<Feature>('Feature').implement({
    description: 'One measure of a customer at an instant, from what happened strictly before it.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'Its name.' }),
      column: t.exposeString('column', { description: 'Its column in files.' }),
      kind: t.field({ type: Kind, description: 'What it measures.', resolve: (one) => one.kind }),
      unit: t.exposeString('unit', { description: 'The unit of its values.' }),
      description: t.exposeString('description', { description: 'What it says.' }),
      nullable: t.exposeBoolean('nullable', { description: 'Whether it can be unknown.' }),
    }),
  });
  const Catalogue = builder.objectRef<{ readonly version: number }>('FeatureCatalogue').implement({
    description: 'All features there are.',
    fields: (t) => ({
      version: t.exposeInt('version', { description: 'Grows when a feature changes its meaning.' }),
      features: t.field({ type: [FeatureType], description: 'The features.', resolve: () => [...FEATURES] }),
    }),
  });
  builder.queryField('featureCatalogue', (t) =>
    t.field({
      type: Catalogue,
      description: 'The features of customers, each with its name, unit and meaning.',
      authScopes: { scope: SCOPE },
      resolve: () => ({ version: CATALOGUE_VERSION }),
    }),
  );

  const SnapshotKind = builder.enumType('FeatureSnapshotKind', {
    description: 'Why a snapshot was taken.',
    values: {
      MONTH: { description: 'At the end of a calendar month in which something happened; it is kept.' },
      LATEST: { description: 'The newest; the next one takes its place.' },
    } as const,
  });
  const Snapshot = builder.objectRef<FeatureSnapshot>('FeatureSnapshot').implement({
    description: 'The features of all customers at an instant.',
    fields: (t) => ({
      id: t.id({ description: 'Id of this computation.', resolve: (s) => s.id }),
      at: t.expose('at', { type: 'DateTime', description: 'The instant: only what happened before is in it.' }),
      kind: t.field({ type: SnapshotKind, description: 'Why it was taken.', resolve: (s) => s.kind }),
      customers: t.exposeInt('customers', { description: 'Customers who had done anything by then.' }),
      watermark: t.expose('watermark', {
        type: 'DateTime',
        description:
          'The latest receipt among what it was computed from. What is received later changes no file of it.',
      }),
      contentHash: t.exposeString('contentHash', { description: 'Hash of all rows: equal rows, equal hash.' }),
      catalogueVersion: t.exposeInt('catalogueVersion', { description: 'Version of the catalogue.' }),
      computedAt: t.expose('computedAt', { type: 'DateTime', description: 'When it was computed.' }),
      parquetPath: t.string({
        description: 'Path of this server where the snapshot is a Parquet file.',
        resolve: (s) => `/features/${s.id}/features.parquet`,
      }),
      metadataPath: t.string({
        description: 'Path of this server where the description of that file is, as JSON.',
        resolve: (s) => `/features/${s.id}/features.json`,
      }),
    }),
  });
  builder.queryField('featureSnapshots', (t) =>
    t.field({
      type: [Snapshot],
      description: 'Snapshots of features, the newest first.',
      authScopes: { scope: SCOPE },
      args: {
        first: t.arg.int({ required: true, defaultValue: 13, description: 'How many, 1 to 100.' }),
        before: t.arg({ type: 'DateTime', description: 'Only those of before this time.' }),
      },
      complexity: ({ first }) => ({ field: 5, multiplier: first ?? 13 }),
      resolve: (_root, { first, before }) => service.snapshots(checkFirst(first), before ?? null),
    }),
  );

  const Value = builder.objectRef<FeatureValue>('FeatureValue').implement({
    description: 'A feature of a customer.',
    fields: (t) => ({
      name: t.string({ description: 'Name of the feature; see featureCatalogue.', resolve: (v) => v.feature.name }),
      value: t.exposeFloat('value', { nullable: true, description: 'Its value; null when it is unknown.' }),
      unit: t.string({ description: 'The unit of the value.', resolve: (v) => v.feature.unit }),
    }),
  });
  const featuresPart = defineBatchPart<FeatureValue[] | null, { readonly at?: Date | null }>({
    name: 'features',
    async load(customerIds, { at }) {
      const snapshot = await service.snapshotAt(at ?? null);
      const rows = snapshot === null ? [] : await service.featuresOf(snapshot.id, customerIds);
      const found = new Map(rows.map((row) => [row.customerId, row.values]));
      return customerIds.map((id) => {
        const values = found.get(id);
        return values === undefined
          ? null
          : FEATURES.map((feature, place) => ({ feature, value: values[place] ?? null }));
      });
    },
  });
  batchPartField(builder, featuresPart, 'features', {
    type: [Value],
    nullable: true,
    scope: SCOPE,
    description: 'The features at the newest snapshot; null when the customer had not done anything by then.',
    args: (arg) => ({
      at: arg({ type: 'DateTime', description: 'At the newest snapshot that is not after this time.' }),
    }),
    complexity: { field: 5, multiplier: FEATURES.length },
  });
}
