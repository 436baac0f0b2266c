import { z } from 'zod';
import { defineEvent } from '../../../src/core/events/index.ts';
import { MODEL_STATES } from './domain/model.ts';

export const TRAINING_STATES = ['QUEUED', 'RUNNING', 'DONE', 'FAILED'] as const;
export const TRAINING_STEPS = ['FEATURES', 'LABELS', 'TRAINING', 'REGISTRY'] as const;

const id = z.uuid();

export const trainingProgressed = defineEvent({
  type: 'churn.trainingProgressed',
  version: 1,
  description: 'The training of a churn model came a step further, or ended.',
  payload: z.object({ trainingId: id, state: z.enum(TRAINING_STATES), step: z.enum(TRAINING_STEPS).nullable() }),
});

export const modelTrained = defineEvent({
  type: 'churn.modelTrained',
  version: 1,
  description: 'A churn model was trained and judged on the newest window.',
  payload: z.object({ modelId: id, hash: z.string(), state: z.enum(MODEL_STATES), rocAuc: z.number().nullable() }),
});

export const modelWentLive = defineEvent({
  type: 'churn.modelWentLive',
  version: 1,
  description: 'A churn model serves from now on, by winning or by a roll back.',
  payload: z.object({ modelId: id, formerModelId: id.nullable(), rolledBack: z.boolean() }),
});

export const predictionsScored = defineEvent({
  type: 'churn.predictionsScored',
  version: 1,
  description: 'All customers who are here have a new prediction: one fact for all of them.',
  payload: z.object({ modelId: id, at: z.iso.datetime(), customers: z.int(), meanProbability: z.number().nullable() }),
});

export const modelDrifted = defineEvent({
  type: 'churn.modelDrifted',
  version: 1,
  description:
    'Customers are another population than those the live model was made of: features or the score newly passed the alarm limit.',
  payload: z.object({
    modelId: id,
    at: z.iso.datetime(),
    scorePsi: z.number(),
    /** Features past the limit; `score` is the score. */
    alarms: z.array(z.string()),
  }),
});

export const predictionEvents = [trainingProgressed, modelTrained, modelWentLive, predictionsScored, modelDrifted];
