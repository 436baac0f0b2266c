import { type Builder, checkFirst, mutationField } from '../../../src/core/builder/index.ts';
import { IdempotencyConflict } from '../../../src/core/errors.ts';
import { orderValue, partField } from '../../../src/core/graph/index.ts';
import { parseMoney } from '../../../src/core/money.ts';
import { type EstimateShape, expectedPurchasesOrder, lifetimeValueOrder, valuePart } from '../parts.ts';
import type { ValueService } from '../service.ts';
import type { ValueModel } from '../store.ts';
import type { RefreshResult, ValueRefresh } from '../store-refreshes.ts';

const SCOPE = 'value:read';

const money = (amountMinor: number | null, currency: string) =>
  amountMinor === null ? null : { amountMinor, currency };

/** Lifetime value of customers by each method, the models behind it, and its computation. */
export function worthSchema(builder: Builder, service: ValueService): void {
  const Method = builder.enumType('ValueMethod', {
    description: 'How the value of a customer is reckoned.',
    values: {
      HISTORICAL: { description: 'What the customer has bought so far.' },
      BG_NBD: {
        description:
          'What is expected within the horizon (a setting, 12 months): purchases by BG/NBD, times their amount by Gamma-Gamma, discounted.',
      },
      TREES: {
        description:
          'What is expected within 180 days: the mean, and a band around it, by boosted trees over all features; not discounted. They learn when a month has ended.',
      },
    } as const,
  });
  const Estimate = builder.objectRef<EstimateShape>('ValueEstimate').implement({
    description: 'The value of a customer by one method.',
    fields: (t) => ({
      method: t.field({ type: Method, description: 'How it was reckoned.', resolve: (e) => e.method }),
      value: t.field({
        type: 'Money',
        description: 'The value.',
        resolve: (e) => ({ amountMinor: e.valueMinor, currency: e.currency }),
      }),
      horizonDays: t.exposeInt('horizonDays', {
        nullable: true,
        description:
          'Days it looks ahead: 180 for trees, the months of the setting for BG_NBD; null when it looks back.',
      }),
      expectedPurchases: t.exposeFloat('expectedPurchases', {
        nullable: true,
        description: 'Purchases expected within the horizon: what to rank by.',
      }),
      probabilityAlive: t.exposeFloat('probabilityAlive', {
        nullable: true,
        description: 'Probability that the customer has not left. Never rank by it: who never came back has 1.',
      }),
      expectedOrder: t.field({
        type: 'Money',
        nullable: true,
        description: 'Expected amount of a purchase.',
        resolve: (e) => money(e.expectedOrderMinor, e.currency),
      }),
      low: t.field({
        type: 'Money',
        nullable: true,
        description:
          'Lower end of the band: four of five customers who buy within the horizon bring something between low and high; null where the method has no band.',
        resolve: (e) => money(e.lowMinor, e.currency),
      }),
      median: t.field({
        type: 'Money',
        nullable: true,
        description: 'Half of such customers bring more, half less; null where the method has no band.',
        resolve: (e) => money(e.medianMinor, e.currency),
      }),
      high: t.field({
        type: 'Money',
        nullable: true,
        description: 'Upper end of the band, see low; null where the method has no band.',
        resolve: (e) => money(e.highMinor, e.currency),
      }),
      holdoutError: t.field({
        type: 'Money',
        nullable: true,
        description:
          'Mean absolute error of the method over the 180 days after a snapshot, on customers who were held out, the same ones for all methods. Null where it could not be measured; see valueModels.',
        resolve: (e) => (e.holdoutError === null ? null : parseMoney(e.holdoutError.toFixed(6), e.currency)),
      }),
      at: t.expose('at', { type: 'DateTime', description: 'The snapshot it is of.' }),
    }),
  });
  const Value = builder.objectRef<EstimateShape[]>('CustomerValue').implement({
    description: 'What a customer is worth, by each method side by side.',
    fields: (t) => ({
      estimates: t.field({
        type: [Estimate],
        description: 'One for each method that knows the customer.',
        resolve: (v) => v,
      }),
      acquisitionCostCeiling: t.field({
        type: 'Money',
        nullable: true,
        description:
          'What winning such a customer may cost at most: a share (a setting, a third) of the value expected by BG_NBD, after gross margin; null while no value is expected.',
        resolve: (v) => service.acquisitionCeiling(v),
      }),
    }),
  });
  partField(builder, valuePart, 'value', {
    type: Value,
    nullable: true,
    scope: SCOPE,
    description: 'Lifetime value by each method; null while the customer has not ordered.',
  });
  orderValue(builder, 'LIFETIME_VALUE', lifetimeValueOrder, {
    scope: SCOPE,
    description: 'By the value expected (BG/NBD and Gamma-Gamma); customers without one last.',
  });
  orderValue(builder, 'EXPECTED_PURCHASES', expectedPurchasesOrder, {
    scope: SCOPE,
    description: 'By the purchases expected within the horizon; customers of whom nothing is known last.',
  });

  const NamedNumber = builder.objectRef<readonly [string, number | null]>('ModelNumber').implement({
    description: 'A number of a model by its name.',
    fields: (t) => ({
      name: t.string({ description: 'Its name.', resolve: ([name]) => name }),
      value: t.float({
        nullable: true,
        description: 'Its value; null where there is none.',
        resolve: ([, value]) => value,
      }),
    }),
  });
  const Model = builder.objectRef<ValueModel>('ValueModel').implement({
    description: 'A fitted model of lifetime value.',
    fields: (t) => ({
      id: t.id({ description: 'Its id.', resolve: (m) => m.id }),
      method: t.field({ type: Method, description: 'The method.', resolve: (m) => m.method }),
      at: t.expose('at', { type: 'DateTime', description: 'The snapshot it was fitted to.' }),
      customers: t.exposeInt('customers', { description: 'Customers it has an estimate for.' }),
      parameters: t.field({
        type: [NamedNumber],
        description: 'Its parameters; times are in days, amounts in major units.',
        resolve: (m) => Object.entries(m.parameters),
      }),
      measures: t.field({
        type: [NamedNumber],
        description:
          'How it fits: log-likelihoods and the like; and its errors on customers who were held out (holdout...), amounts in major units, for all methods on the same ones over 180 days.',
        resolve: (m) => Object.entries(m.measures),
      }),
      remarks: t.exposeStringList('remarks', { description: 'What is to be known of the fit.' }),
      problem: t.exposeString('problem', {
        nullable: true,
        description: 'Why there are no estimates; null when there are.',
      }),
    }),
  });
  builder.queryField('valueModels', (t) =>
    t.field({
      type: [Model],
      description: 'Models of lifetime value, the newest first.',
      authScopes: { scope: SCOPE },
      args: { first: t.arg.int({ required: true, defaultValue: 1, description: 'How many, 1 to 100.' }) },
      complexity: ({ first }) => ({ field: 2, multiplier: first ?? 1 }),
      resolve: (_root, { first }) => service.models(checkFirst(first)),
    }),
  );
  refreshes(builder, service);
}

function refreshes(builder: Builder, service: ValueService): void {
  const State = builder.enumType('ValueRefreshState', {
    description: 'How far a computation has come.',
    values: {
      QUEUED: { description: 'It waits for its turn.' },
      RUNNING: { description: 'It runs.' },
      DONE: { description: 'It is done.' },
      FAILED: { description: 'It failed for good; see its error.' },
    } as const,
  });
  const Step = builder.enumType('ValueRefreshStep', {
    description: 'What a computation is at.',
    values: {
      FEATURES: { description: 'Snapshots of features, and segments of each.' },
      SEGMENTS: { description: 'Clusters, and where each customer stands now.' },
      VALUE: { description: 'Lifetime value.' },
    } as const,
  });
  const Result = builder.objectRef<RefreshResult>('ValueRefreshResult').implement({
    description: 'What a computation did.',
    fields: (t) => ({
      snapshotsComputed: t.exposeInt('snapshotsComputed', { description: 'Snapshots of features computed.' }),
      snapshotsKept: t.exposeInt('snapshotsKept', { description: 'Snapshots whose input was as before.' }),
      customers: t.exposeInt('customers', { description: 'Customers with orders.' }),
      clusters: t.exposeInt('clusters', { description: 'Clusters found; 0 when there are too few customers.' }),
      lifetimeProblem: t.exposeString('lifetimeProblem', {
        nullable: true,
        description: 'Why no value is expected of anybody; null when it is.',
      }),
    }),
  });
  const Refresh = builder.objectRef<ValueRefresh>('ValueRefresh').implement({
    description: 'A computation of features, segments, clusters and lifetime value that somebody asked for.',
    fields: (t) => ({
      id: t.id({ description: 'Its id.', resolve: (r) => r.id }),
      state: t.field({ type: State, description: 'How far it has come.', resolve: (r) => r.state }),
      step: t.field({
        type: Step,
        nullable: true,
        description: 'What it is at; null when it does not run.',
        resolve: (r) => r.step,
      }),
      requestedAt: t.expose('requestedAt', { type: 'DateTime', description: 'When it was asked for.' }),
      startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true, description: 'When it began.' }),
      finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
      result: t.field({
        type: Result,
        nullable: true,
        description: 'What it did; null until it is done.',
        resolve: (r) => r.result,
      }),
      error: t.exposeString('error', { nullable: true, description: 'Why it failed.' }),
    }),
  });
  builder.queryField('valueRefresh', (t) =>
    t.field({
      type: Refresh,
      nullable: true,
      description: 'A computation by its id; null when there is none, or after 90 days.',
      authScopes: { scope: SCOPE },
      args: { id: t.arg.id({ required: true, description: 'What refreshValue answered.' }) },
      resolve: (_root, { id }) => service.findRefresh(id),
    }),
  );
  const Input = builder.inputType('RefreshValueInput', {
    description: 'A computation to be made.',
    fields: (t) => ({
      idempotencyKey: t.field({
        type: 'IdempotencyKey',
        description: 'The same key asks for the same computation, however often it is sent.',
      }),
    }),
  });
  const Success = builder.objectRef<{ readonly refresh: ValueRefresh }>('RefreshValueSuccess').implement({
    description: 'The computation waits for its turn, or runs.',
    fields: (t) => ({ refresh: t.expose('refresh', { type: Refresh, description: 'The computation.' }) }),
  });
  mutationField(builder, 'refreshValue', {
    description:
      'Asks for features, segments, clusters and lifetime value to be computed anew. Happens by itself every night and after imports.',
    scope: 'value:write',
    input: Input,
    payload: Success,
    errors: [IdempotencyConflict],
    resolve: async ({ idempotencyKey }, context) => ({
      refresh: await service.requestRefresh(context.call, idempotencyKey ?? null),
    }),
  });
}
