import type { Infrastructure } from '../../../src/core/module.ts';
import type { CustomerPort } from '../../customers/contract.ts';
import type { ValuePort } from '../../value/contract.ts';
import { predictionEvents } from './events.ts';
import { predictionHandlers } from './handlers.ts';
import { predictionJobs } from './jobs.ts';
import { predictionSchema } from './schema/index.ts';
import { createPredictionService } from './service.ts';
import { predictionSettings } from './settings.ts';

/**
 * Who will leave: models, their registry, and predictions, as the table of contents of `churn` lists them. Made before the rest of it,
 * since risk reads predictions, and the rest of `churn` reads risk.
 */
export function churnPrediction(
  infra: Infrastructure,
  ports: { readonly customers: CustomerPort; readonly value: ValuePort },
) {
  const service = createPredictionService(infra, ports);
  return {
    service,
    settings: predictionSettings,
    events: predictionEvents,
    scopes: [{ name: 'churn:write' as const, description: 'Train churn models and roll them back.' }],
    handlers: predictionHandlers,
    jobs: predictionJobs(service, infra),
    schema: predictionSchema(service),
  };
}
