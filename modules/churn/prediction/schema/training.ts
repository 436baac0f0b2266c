import type { ImplementableObjectRef } from '@pothos/core';
import {
  type Builder,
  type BuilderTypes,
  decodeGlobalId,
  domainError,
  encodeGlobalId,
  mutationField,
} from '../../../../src/core/builder/index.ts';
import { IdempotencyConflict } from '../../../../src/core/errors.ts';
import { eventSubscription } from '../../../../src/core/events/schema.ts';
import { ChurnModelNotFound } from '../errors.ts';
import { modelDrifted, modelTrained, modelWentLive, predictionsScored, trainingProgressed } from '../events.ts';
import type { PredictionService } from '../service.ts';
import type { ModelCard } from '../store-models.ts';
import type { ChurnTraining } from '../store-trainings.ts';
import { modelIdOf, SCOPE } from './model.ts';

type ModelRef = ImplementableObjectRef<BuilderTypes, ModelCard>;

/** `trainChurnModel`, the training it answers with and how to follow it, and `rollBackChurnModel`. */
export function trainingSchema(builder: Builder, service: PredictionService, Model: ModelRef): void {
  const State = builder.enumType('ChurnTrainingState', {
    description: 'How a training stands.',
    values: {
      QUEUED: { description: 'Waits for its turn.' },
      RUNNING: { description: 'At work.' },
      DONE: { description: 'Came to its end.' },
      FAILED: { description: 'Gave no model; `error` says why.' },
    } as const,
  });
  const Step = builder.enumType('ChurnTrainingStep', {
    description: 'What a training is at.',
    values: {
      FEATURES: { description: 'Features and comings and goings are brought up to date where they are not.' },
      LABELS: { description: 'Reads features, and what came of the customers.' },
      TRAINING: { description: 'Looks for leaks, trains, calibrates, chooses the threshold, evaluates.' },
      REGISTRY: { description: 'Decides what becomes of the model.' },
    } as const,
  });
  const Training = builder.objectRef<ChurnTraining>('ChurnTraining');
  builder.node(Training, {
    description: 'A training of a churn model. Kept 90 days; the model stays.',
    id: { resolve: (training) => training.id, description: 'The global id.' },
    authScopes: { scope: SCOPE },
    loadOne: (id) => service.findTraining(String(id)),
    isTypeOf: (value) => value !== null && typeof value === 'object' && 'requestedBy' in value && 'modelId' in value,
    fields: (t) => ({
      state: t.field({ type: State, description: 'How it stands.', resolve: (r) => r.state }),
      step: t.field({
        type: Step,
        nullable: true,
        description: 'What it is at; null when it is at nothing.',
        resolve: (r) => r.step,
      }),
      requestedAt: t.expose('requestedAt', { type: 'DateTime', description: 'When it was asked for.' }),
      startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true, description: 'When it began.' }),
      finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
      model: t.field({
        type: Model,
        nullable: true,
        description: 'What came out: a new model, or the one the same data had given before; null until then.',
        resolve: (r) => (r.modelId === null ? null : service.model(r.modelId)),
      }),
      errorCode: t.exposeString('errorCode', {
        nullable: true,
        description: 'Why it failed, for programs: CHURN_HISTORY_TOO_SHORT, VALUE_FEATURE_LEAK and others.',
      }),
      error: t.exposeString('error', { nullable: true, description: 'Why it failed, for people.' }),
    }),
  });
  builder.queryField('churnTraining', (t) =>
    t.field({
      type: Training,
      nullable: true,
      description: 'A training by its id; null when there is none, or after 90 days.',
      authScopes: { scope: SCOPE },
      args: { id: t.arg.id({ required: true, description: 'Id of a ChurnTraining.' }) },
      resolve: (_root, { id }) => service.findTraining(decodeGlobalId(id).id),
    }),
  );
  eventSubscription(builder, {
    field: 'churnTrainingProgress',
    description: 'How a training of a churn model comes along.',
    scope: SCOPE,
    definition: trainingProgressed,
    type: 'ChurnTrainingProgress',
    args: builder.args((t) => ({ trainingId: t.id({ required: true, description: 'Id of the training.' }) })),
    check: ({ trainingId }) => void decodeGlobalId(trainingId),
    accepts: (event, { trainingId }) => decodeGlobalId(trainingId).id === event.payload.trainingId,
    perCustomer: false,
    fields: (t) => ({
      trainingId: t.id({
        description: 'Id of the training.',
        resolve: ({ payload }) => encodeGlobalId('ChurnTraining', payload.trainingId),
      }),
      state: t.field({ type: State, description: 'How it stands.', resolve: ({ payload }) => payload.state }),
      step: t.field({
        type: Step,
        nullable: true,
        description: 'What it is at.',
        resolve: ({ payload }) => payload.step,
      }),
    }),
  });

  const idempotencyKey = 'The same key and input give the first answer, however often they are sent.';
  const TrainInput = builder.inputType('TrainChurnModelInput', {
    description: 'A training to be made, with the parameters of the settings.',
    fields: (t) => ({ idempotencyKey: t.field({ type: 'IdempotencyKey', description: idempotencyKey }) }),
  });
  const TrainSuccess = builder.objectRef<{ readonly training: ChurnTraining }>('TrainChurnModelSuccess').implement({
    description: 'The training waits for its turn, or runs.',
    fields: (t) => ({
      training: t.expose('training', {
        type: Training,
        description: 'The training, to be followed by churnTrainingProgress.',
      }),
    }),
  });
  mutationField(builder, 'trainChurnModel', {
    description:
      'Asks for a churn model to be trained on all of history. It goes live only if it beats the baseline and the live model. Happens by itself every night.',
    scope: 'churn:write',
    input: TrainInput,
    payload: TrainSuccess,
    errors: [IdempotencyConflict],
    resolve: async (input, { call }) => ({
      training: await service.requestTraining(call, input.idempotencyKey ?? null),
    }),
  });

  domainError(builder, ChurnModelNotFound, 'There is no such churn model, or none that may serve.');
  const BackInput = builder.inputType('RollBackChurnModelInput', {
    description: 'To which model to go back.',
    fields: (t) => ({
      modelId: t.id({ description: 'Id of a ChurnModel that is RETIRED or CANDIDATE; left out: the one live before.' }),
      reason: t.string({ description: 'Why, in at most 500 characters.' }),
      idempotencyKey: t.field({ type: 'IdempotencyKey', description: idempotencyKey }),
    }),
  });
  const BackSuccess = builder.objectRef<{ readonly model: ModelCard }>('RollBackChurnModelSuccess').implement({
    description: 'Another model is live; everybody is predicted anew.',
    fields: (t) => ({ model: t.expose('model', { type: Model, description: 'The model that is live now.' }) }),
  });
  mutationField(builder, 'rollBackChurnModel', {
    description: 'Puts an earlier churn model in the place of the live one, at once.',
    scope: 'churn:write',
    input: BackInput,
    payload: BackSuccess,
    errors: [ChurnModelNotFound, IdempotencyConflict],
    resolve: async (input, { call }) => ({
      model: await service.rollBack(call, {
        modelId: input.modelId === null || input.modelId === undefined ? null : modelIdOf(input.modelId),
        reason: input.reason ?? null,
        idempotencyKey: input.idempotencyKey ?? null,
      }),
    }),
  });

  newsOfModels(builder);
}

/** What happens to models and predictions, one subscription each. */
function newsOfModels(builder: Builder): void {
  const modelId = (id: string) => encodeGlobalId('ChurnModel', id);
  eventSubscription(builder, {
    field: 'churnModelTrained',
    description: 'Churn models that were trained, and what became of each.',
    scope: SCOPE,
    definition: modelTrained,
    type: 'ChurnModelTrained',
    perCustomer: false,
    fields: (t) => ({
      modelId: t.id({ description: 'Id of the model.', resolve: ({ payload }) => modelId(payload.modelId) }),
    }),
  });
  eventSubscription(builder, {
    field: 'churnModelWentLive',
    description: 'Churn models that went live, by winning or by a roll back.',
    scope: SCOPE,
    definition: modelWentLive,
    type: 'ChurnModelWentLive',
    perCustomer: false,
    fields: (t) => ({
      modelId: t.id({ description: 'Id of the model.', resolve: ({ payload }) => modelId(payload.modelId) }),
      formerModelId: t.id({
        nullable: true,
        description: 'Id of the model that gave way; null when there was none.',
        resolve: ({ payload }) => (payload.formerModelId === null ? null : modelId(payload.formerModelId)),
      }),
      rolledBack: t.boolean({ description: 'Whether by a roll back.', resolve: ({ payload }) => payload.rolledBack }),
    }),
  });
  eventSubscription(builder, {
    field: 'churnPredictionsScored',
    description: 'New predictions of everybody who is here: one fact for all of them.',
    scope: SCOPE,
    definition: predictionsScored,
    type: 'ChurnPredictionsScored',
    perCustomer: false,
    fields: (t) => ({
      modelId: t.id({ description: 'Id of the model.', resolve: ({ payload }) => modelId(payload.modelId) }),
      customers: t.int({ description: 'Customers predicted.', resolve: ({ payload }) => payload.customers }),
      meanProbability: t.float({
        nullable: true,
        description: 'Mean of their probabilities; null when there are none.',
        resolve: ({ payload }) => payload.meanProbability,
      }),
    }),
  });
  eventSubscription(builder, {
    field: 'churnModelDrifted',
    description: 'Alarms: customers are no longer those the live churn model was made of.',
    scope: SCOPE,
    definition: modelDrifted,
    type: 'ChurnModelDrifted',
    perCustomer: false,
    fields: (t) => ({
      modelId: t.id({ description: 'Id of the model.', resolve: ({ payload }) => modelId(payload.modelId) }),
      scorePsi: t.float({
        description: 'Population stability index of the score.',
        resolve: ({ payload }) => payload.scorePsi,
      }),
      alarms: t.stringList({
        description: 'Features past the alarm limit; `score` is the score.',
        resolve: ({ payload }) => payload.alarms,
      }),
    }),
  });
}
