import { type HandlerDefinition, isEvent } from '../../../src/core/events/index.ts';
import { enqueue } from '../../../src/core/jobs.ts';
import { customerErased, customerMerged } from '../../customers/contract.ts';
import { featuresComputed } from '../../value/contract.ts';
import { PREDICTION_QUEUE, SCORE_JOB } from './job-names.ts';
import { forgetPredictions } from './store-predictions.ts';

export const predictionHandlers: readonly HandlerDefinition[] = [
  {
    name: 'churn.scoreAfterFeatures',
    on: [featuresComputed],
    async handle(tx) {
      await enqueue(tx, SCORE_JOB, {}, { key: SCORE_JOB, queue: PREDICTION_QUEUE });
    },
  },
  {
    name: 'churn.forgetPredictions',
    on: [customerErased, customerMerged],
    async handle(tx, events) {
      const gone = events.flatMap((event) => {
        if (isEvent(event, customerMerged)) return [event.payload.fromId];
        return isEvent(event, customerErased) ? [event.payload.customerId] : [];
      });
      await forgetPredictions(tx, gone);
    },
  },
];
