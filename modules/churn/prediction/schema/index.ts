import type { Builder } from '../../../../src/core/builder/index.ts';
import type { PredictionService } from '../service.ts';
import { modelSchema } from './model.ts';
import { customerPrediction } from './prediction.ts';
import { trainingSchema } from './training.ts';

/** Models, trainings and predictions of churn in the API. */
export const predictionSchema =
  (service: PredictionService) =>
  (builder: Builder): void => {
    const Model = modelSchema(builder, service);
    trainingSchema(builder, service, Model);
    customerPrediction(builder, Model);
  };
