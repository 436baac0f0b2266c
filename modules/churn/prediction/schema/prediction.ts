import type { ImplementableObjectRef } from '@pothos/core';
import { type Builder, type BuilderTypes, encodeGlobalId } from '../../../../src/core/builder/index.ts';
import { filterField, nestedPartField, orderValue, partField } from '../../../../src/core/graph/index.ts';
import { FEATURES } from '../../../value/contract.ts';
import { type Contribution, sentenceOf } from '../domain/reasons.ts';
import {
  type PredictionPoint,
  type PredictionShape,
  type ProbabilityBounds,
  predictionHistoryPart,
  predictionModelPart,
  predictionPart,
  probabilityFilter,
  probabilityOrder,
} from '../parts.ts';
import type { ModelCard } from '../store-models.ts';
import { SCOPE } from './model.ts';

type Reason = Contribution & { readonly currency: string };

const featureOf = new Map(FEATURES.map((feature) => [feature.name, feature]));

/** `Customer.churnPrediction` and its history, and the filter and the order by it. */
export function customerPrediction(builder: Builder, Model: ImplementableObjectRef<BuilderTypes, ModelCard>): void {
  const ReasonRef = builder.objectRef<Reason>('PredictionReason').implement({
    description: 'How much one feature moved a prediction.',
    fields: (t) => ({
      feature: t.exposeString('feature', { description: 'Name of the feature; see featureCatalogue.' }),
      contribution: t.exposeFloat('contribution', {
        description:
          'Its exact Shapley value in log-odds, before calibration: above 0 it raises the probability, below 0 it lowers it.',
      }),
      value: t.exposeFloat('value', { nullable: true, description: "The customer's value; null when it is unknown." }),
      sentence: t.string({
        description: 'The same in plain words.',
        resolve: (r) => {
          const feature = featureOf.get(r.feature);
          return feature === undefined ? r.feature : sentenceOf(feature, r, r.currency);
        },
      }),
    }),
  });
  const Prediction = builder.objectRef<PredictionShape>('ChurnPrediction').implement({
    description: 'How likely a customer is to leave.',
    fields: (t) => ({
      probability: t.exposeFloat('probability', {
        description: 'Calibrated probability of being gone at the end of the horizon, 0 to 1.',
      }),
      horizonDays: t.exposeInt('horizonDays', { description: 'Days it looks ahead from `asOf`.' }),
      isAtRisk: t.boolean({
        description: 'Whether contacting the customer pays: the probability is at or above the threshold of the model.',
        resolve: (p) => p.threshold !== null && p.probability >= p.threshold,
      }),
      reasons: t.field({
        type: [ReasonRef],
        description: 'The features that moved it most, strongest first; at most five.',
        resolve: (p) => p.reasons.map((reason) => ({ ...reason, currency: p.currency })),
      }),
      asOf: t.field({
        type: 'DateTime',
        description: 'The snapshot it was reckoned from: nothing later is in it.',
        resolve: (p) => p.at,
      }),
    }),
  });
  nestedPartField(builder, Prediction, predictionModelPart, 'model', {
    type: Model,
    description: 'The model that says so.',
  });
  partField(builder, predictionPart, 'churnPrediction', {
    type: Prediction,
    nullable: true,
    scope: SCOPE,
    description:
      'How likely the customer is to leave, by the live model; null while there is none, or when the customer is gone.',
  });

  const Point = builder.objectRef<PredictionPoint>('ChurnPredictionPoint').implement({
    description: 'A prediction of the past.',
    fields: (t) => ({
      at: t.expose('at', { type: 'DateTime', description: 'The snapshot it was reckoned from.' }),
      probability: t.exposeFloat('probability', { description: 'The probability said then.' }),
      modelId: t.id({
        description: 'Id of the ChurnModel that said so.',
        resolve: (p) => encodeGlobalId('ChurnModel', p.modelId),
      }),
    }),
  });
  partField(builder, predictionHistoryPart, 'churnPredictionHistory', {
    type: [Point],
    scope: SCOPE,
    description: 'Every prediction of the customer there ever was, the newest first.',
    args: (arg) => ({
      first: arg.int({ required: true, defaultValue: 30, description: 'How many, 1 to 100.' }),
      before: arg({ type: 'DateTime', description: 'Only those reckoned from snapshots before this time.' }),
    }),
  });

  const Range = builder.inputType('ProbabilityRange', {
    description: 'Probabilities from one to another, both included.',
    fields: (t) => ({
      min: t.float({ description: 'Lowest probability; 0 when left out.' }),
      max: t.float({ description: 'Highest probability; 1 when left out.' }),
    }),
  });
  filterField<ProbabilityBounds>(builder, 'churnProbability', probabilityFilter, {
    scope: SCOPE,
    field: (t) => t.field({ type: Range, description: 'Predicted to leave with a probability within these bounds.' }),
  });
  orderValue(builder, 'CHURN_PROBABILITY', probabilityOrder, {
    scope: SCOPE,
    description: 'By the predicted probability to leave; customers without a prediction last.',
  });
}
