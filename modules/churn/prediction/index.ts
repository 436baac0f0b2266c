import { defineModule, type Infrastructure } from '../../../src/core/module.ts';
import type { CustomerPort } from '../../customers/contract.ts';
import type { ValuePort } from '../../value/contract.ts';
import { predictionEvents } from './events.ts';
import { predictionHandlers } from './handlers.ts';
import { predictionJobs } from './jobs.ts';
import { predictionSchema } from './schema/index.ts';
import { createPredictionService } from './service.ts';
import { predictionSettings } from './settings.ts';

/**
 * Who will leave: models, their registry, and predictions. A part of `churn` that stands on its own, since risk reads it and the rest of
 * `churn` reads risk.
 */
export function churnPrediction(
  infra: Infrastructure,
  ports: { readonly customers: CustomerPort; readonly value: ValuePort },
) {
  const service = createPredictionService(infra, ports);
  return defineModule({
    name: 'churn',
    service,
    settings: predictionSettings,
    events: predictionEvents,
    scopes: [{ name: 'churn:write', description: 'Train churn models and roll them back.' }],
    handlers: predictionHandlers,
    jobs: predictionJobs(service, infra),
    schema: predictionSchema(service),
  });
}
