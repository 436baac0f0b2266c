import { z } from 'zod';
import { type Call, systemCall } from '../../../src/core/call.ts';
import { defineJob, type JobDefinition } from '../../../src/core/jobs.ts';
import type { Infrastructure } from '../../../src/core/module.ts';
import { NIGHTLY_JOB, SCORE_JOB, TRAIN_JOB } from './job-names.ts';
import type { PredictionService } from './service.ts';

export function predictionJobs(service: PredictionService, { systemClock }: Infrastructure): JobDefinition[] {
  return [
    defineJob({
      name: TRAIN_JOB,
      description: 'Trains a churn model, judges it, and takes it into the registry.',
      payload: z.object({ trainingId: z.uuid(), correlationId: z.string() }),
      maxAttempts: 6,
      async run({ trainingId, correlationId }, { signal, lastAttempt }) {
        const call: Call = { ...systemCall(TRAIN_JOB), correlationId };
        await service.runTraining(call, trainingId, signal, lastAttempt);
      },
    }),
    defineJob({
      name: NIGHTLY_JOB,
      description: 'Asks for the training of a churn model, after features were computed for the night.',
      payload: z.object({}).loose(),
      schedule: '20 3 * * *',
      async run() {
        const night = systemClock.now().toISOString().slice(0, 10);
        await service.requestTraining(systemCall(NIGHTLY_JOB), `nightly-${night}`);
      },
    }),
    defineJob({
      name: SCORE_JOB,
      description:
        'Predicts who leaves, of everybody who is here, by the live model: whenever features were computed anew, every night at least, and when a model goes live.',
      payload: z.object({}).loose(),
      maxAttempts: 6,
      async run(_payload, { signal }) {
        await service.score(systemCall(SCORE_JOB), signal);
      },
    }),
  ];
}
