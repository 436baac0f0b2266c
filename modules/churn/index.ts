import { defineModule, type Infrastructure } from '../../src/core/module.ts';
import { churnEvents } from './contract.ts';
import { churnHandlers } from './handlers.ts';
import { churnJobs } from './jobs.ts';
import { churnSchema } from './schema.ts';
import { type ChurnPorts, createChurnService } from './service.ts';
import { churnSettings } from './settings.ts';

export { churnPrediction } from './prediction/index.ts';

/** Who came, who went, who came back. */
export function churn(infra: Infrastructure, ports: ChurnPorts) {
  const service = createChurnService(infra, ports);
  return defineModule({
    name: 'churn',
    service,
    settings: churnSettings,
    events: churnEvents,
    scopes: [
      { name: 'churn:read', description: 'Read churn status, churn and cohort reports, and recurring revenue.' },
    ],
    handlers: churnHandlers,
    jobs: churnJobs(service),
    schema: churnSchema(service),
  });
}
