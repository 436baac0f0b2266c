import { defineModule, type Infrastructure } from '../../src/core/module.ts';
import type { CustomerPort } from '../customers/contract.ts';
import { churnEvents } from './contract.ts';
import { churnHandlers } from './handlers.ts';
import { churnJobs } from './jobs.ts';
import { churnSchema } from './schema.ts';
import { createChurnService } from './service.ts';
import { INACTIVITY } from './settings.ts';

/** Who came, who went, who came back. */
export function churn(infra: Infrastructure, ports: { readonly customers: CustomerPort }) {
  const service = createChurnService(infra, ports.customers);
  return defineModule({
    name: 'churn',
    service,
    settings: [INACTIVITY],
    events: churnEvents,
    scopes: [{ name: 'churn:read', description: 'Read churn status and churn reports.' }],
    handlers: churnHandlers,
    jobs: churnJobs(service),
    schema: churnSchema(service),
  });
}
