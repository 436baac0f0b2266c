import { defineModule, type Infrastructure } from '../../src/core/module.ts';
import type { CustomerPort } from '../customers/contract.ts';
import { valueAllocation } from './allocation/index.ts';
import type { AllocationPorts } from './allocation/ports.ts';
import { valueEvents } from './contract.ts';
import { valueHandlers } from './handlers.ts';
import { valueJobs } from './jobs.ts';
import { valueSchema } from './schema.ts';
import { createValueService } from './service.ts';
import { valueSettings } from './settings.ts';

/** What customers are like and what they are worth: features, segments, clusters, lifetime value. */
export function value(infra: Infrastructure, ports: { readonly customers: CustomerPort }) {
  const service = createValueService(infra, ports.customers);
  return defineModule({
    name: 'value',
    service,
    settings: valueSettings,
    events: valueEvents,
    scopes: [
      {
        name: 'value:read',
        description: 'Read features, segments, advice, lifetime value and allocations of budgets.',
      },
      {
        name: 'value:write',
        description:
          'Ask for features, segments and lifetime value to be computed anew; plan, confirm and cancel campaigns.',
      },
    ],
    handlers: valueHandlers(infra.systemClock),
    jobs: valueJobs(service),
    schema: valueSchema(service),
  });
}

/**
 * The whole module: with the allocation of budgets, which reads who leaves, and so is made after the predictions, which read the
 * rest of `value`.
 */
export function withAllocation(infra: Infrastructure, rest: ReturnType<typeof value>, ports: AllocationPorts) {
  const part = valueAllocation(infra, ports);
  return defineModule({
    ...rest,
    settings: [...(rest.settings ?? []), ...part.settings],
    events: [...(rest.events ?? []), ...part.events],
    handlers: [...(rest.handlers ?? []), ...part.handlers],
    jobs: [...(rest.jobs ?? []), ...part.jobs],
    schema: (builder) => {
      rest.schema?.(builder);
      part.schema(builder);
    },
  });
}
