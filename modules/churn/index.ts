import { defineModule, type Infrastructure } from '../../src/core/module.ts';
import { churnEvents } from './contract.ts';
import { churnHandlers } from './handlers.ts';
import { churnJobs } from './jobs.ts';
import type { churnPrediction } from './prediction/index.ts';
import { churnSchema } from './schema.ts';
import { type ChurnPorts, createChurnService } from './service.ts';
import { churnSettings } from './settings.ts';

export { churnPrediction } from './prediction/index.ts';

/**
 * Who came, who went, who came back, and who will leave.
 * @param prediction the part of the module that was made before, for risk
 */
export function churn(infra: Infrastructure, ports: ChurnPorts, prediction: ReturnType<typeof churnPrediction>) {
  const service = createChurnService(infra, ports);
  return defineModule({
    name: 'churn',
    service,
    settings: [...churnSettings, ...prediction.settings],
    events: [...churnEvents, ...prediction.events],
    scopes: [
      { name: 'churn:read', description: 'Read churn status, churn and cohort reports, and recurring revenue.' },
      ...prediction.scopes,
    ],
    handlers: [...churnHandlers, ...prediction.handlers],
    jobs: [...churnJobs(service), ...prediction.jobs],
    schema: (builder) => {
      churnSchema(service)(builder);
      prediction.schema(builder);
    },
  });
}
